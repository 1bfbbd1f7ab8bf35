"""Which vendor gets a message, and what follows from each answer."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from processors.domain.notification import Outbound
from processors.domain.sending import SendIntent
from processors.providers.dispatch import Dispatcher, SendResult, VendorLimits, receipt_detail, receipt_status
from processors.providers.outcome import Accepted, Ambiguous, Refused, VendorUnavailable
from processors.runtime.metrics import AMBIGUOUS_SENDS
from tests.providers.given import AT, MINUTE, Scripted, outbound

DOWN = VendorUnavailable("no connection")
TAKEN = Accepted("accepted", "taken")
LOST = Ambiguous("the connection broke")
REFUSED = Refused("permanent_failure", "550 no such user")
FAST = VendorLimits(rate=100_000, connections=10)


def deliver(
    *vendors: Scripted, messages: Sequence[Outbound] = (outbound(),), intents: Mapping[str, SendIntent] | None = None, now: int = AT
) -> tuple[dict[str, SendResult], list[str]]:
    """Return the results, and the vendors whose intents were committed, in order."""
    committed: list[str] = []

    async def run() -> dict[str, SendResult]:
        dispatcher = Dispatcher(
            [(each, FAST) for each in vendors], lambda: now, lambda found: committed.extend(each.vendor for each in found)
        )
        return await dispatcher.deliver(messages, intents or {})

    return asyncio.run(run()), committed


def one(*vendors: Scripted, message: Outbound | None = None, intent: SendIntent | None = None) -> SendResult:
    sent = message or outbound()
    results, _ = deliver(*vendors, messages=[sent], intents={} if intent is None else {sent.reference: intent})
    return results[sent.reference]


def ambiguous(vendor: str) -> float:
    return AMBIGUOUS_SENDS.labels("email", vendor)._value.get()


def test_a_message_that_is_taken_is_done() -> None:
    first, second = Scripted("first"), Scripted("second")
    assert one(first, second) == SendResult("first", TAKEN)
    assert second.sent == []


def test_a_vendor_at_fault_lets_the_next_one_try_under_the_same_reference() -> None:
    first, second = Scripted("first", DOWN), Scripted("second")
    results, committed = deliver(first, second)
    assert list(results.values()) == [SendResult("second", TAKEN)]
    assert committed == ["first", "second"]
    assert first.sent == second.sent == [outbound().reference]


def test_a_refused_recipient_is_offered_to_nobody_else() -> None:
    second = Scripted("second")
    assert one(Scripted("first", REFUSED), second) == SendResult("first", REFUSED)
    assert second.sent == []


def test_when_every_vendor_is_at_fault_the_attempt_has_failed_for_now() -> None:
    result = one(Scripted("first", DOWN), Scripted("second", DOWN))
    assert result == SendResult("second", DOWN)
    assert receipt_status(DOWN) == "temporary_failure"


def test_what_cannot_be_known_is_counted_and_not_sent_again() -> None:
    before = ambiguous("torn")
    torn, second = Scripted("torn", LOST), Scripted("second")
    assert one(torn, second) == SendResult("torn", LOST)
    assert (torn.sent, second.sent) == ([outbound().reference], [])
    assert ambiguous("torn") == before + 1
    assert receipt_status(LOST) == "accepted"


def test_an_emergency_that_cannot_be_known_is_sent_once_more() -> None:
    message = outbound(emergency=True)
    torn, second = Scripted("torn-e", LOST, LOST), Scripted("second", LOST, LOST)
    assert one(torn, second, message=message) == SendResult("second", LOST, again=True)
    assert (torn.sent, second.sent) == ([message.reference], [message.reference])


def test_nothing_is_sent_after_the_end_of_the_lease() -> None:
    vendor = Scripted("first")
    results, committed = deliver(vendor, now=outbound().expires_at)
    assert list(results.values()) == [SendResult("", None)]
    assert (vendor.sent, committed) == ([], [])


def test_a_lease_that_ends_while_the_rate_holds_a_message_back_is_kept() -> None:
    times = iter([AT, AT, AT, AT + 15 * MINUTE])
    vendor = Scripted("first")

    async def run() -> dict[str, SendResult]:
        return await Dispatcher([(vendor, FAST)], lambda: next(times, AT + 15 * MINUTE), lambda _: None).deliver([outbound()], {})

    assert list(asyncio.run(run()).values()) == [SendResult("", None)]
    assert vendor.sent == []


def test_the_intent_is_committed_before_the_call() -> None:
    log: list[str] = []
    vendor = Scripted("first", before=lambda: log.append("called"))

    async def run() -> None:
        await Dispatcher([(vendor, FAST)], lambda: AT, lambda _: log.append("committed")).deliver([outbound()], {})

    asyncio.run(run())
    assert log == ["committed", "called"]


RECOVERED = [
    (TAKEN, SendResult("first", TAKEN), 0),  # the vendor knows that it took the message
    (DOWN, SendResult("first", TAKEN), 1),  # it knows that it did not
    (LOST, SendResult("first", LOST), 0),  # it cannot tell
]


@pytest.mark.parametrize(("found", "expected", "sent"), RECOVERED)
def test_after_a_crash_the_same_vendor_is_asked(found: Accepted | VendorUnavailable | Ambiguous, expected: SendResult, sent: int) -> None:
    vendor = Scripted("first", found=found)
    assert one(vendor, intent=SendIntent(outbound().reference, "first", AT)) == expected
    assert len(vendor.sent) == sent


def test_after_a_crash_an_emergency_of_which_nothing_is_known_is_sent_again() -> None:
    vendor = Scripted("first", found=LOST)
    message = outbound(emergency=True)
    result = one(vendor, message=message, intent=SendIntent(message.reference, "first", AT))
    assert result == SendResult("first", TAKEN, again=True)
    assert receipt_detail(TAKEN, again=result.again) == "sent again in doubt: taken"
    assert len(vendor.sent) == 1


def test_an_emergency_is_sent_once_more_and_not_again_after_the_next_crash() -> None:
    vendor = Scripted("first", found=LOST)
    message = outbound(emergency=True)
    assert one(vendor, message=message, intent=SendIntent(message.reference, "first", AT, again=True)) == SendResult(
        "first", LOST, again=True
    )
    assert vendor.sent == []
    assert receipt_detail(LOST, again=True) == "sent again in doubt: ambiguous: the connection broke"


def test_the_intent_says_that_an_emergency_is_sent_once_more() -> None:
    committed: list[SendIntent] = []
    message = outbound(emergency=True)

    async def run() -> dict[str, SendResult]:
        return await Dispatcher([(Scripted("first", LOST), FAST)], lambda: AT, committed.extend).deliver([message], {})

    assert asyncio.run(run())[message.reference].again
    assert [each.again for each in committed] == [False, True]


def test_an_emergency_in_doubt_whose_lease_has_ended_says_so_and_is_not_sent() -> None:
    vendor = Scripted("first", found=LOST)
    message = outbound(emergency=True)
    results, _ = deliver(
        vendor, messages=[message], intents={message.reference: SendIntent(message.reference, "first", AT)}, now=AT + 15 * MINUTE
    )
    (result,) = results.values()
    assert vendor.sent == []
    assert result.outcome is not None
    assert (result.vendor, receipt_status(result.outcome)) == ("first", "temporary_failure")
    assert receipt_detail(result.outcome, again=result.again).startswith("sent again in doubt: ")


def test_a_vendor_that_is_gone_cannot_be_asked() -> None:
    vendor = Scripted("first")
    result = one(vendor, intent=SendIntent(outbound().reference, "gone", AT))
    assert result == SendResult("gone", Ambiguous("the vendor gone is not configured any more"))
    assert vendor.sent == []


def test_an_outage_moves_the_traffic_and_no_message_is_lost_or_doubled() -> None:
    messages = [outbound(number) for number in range(100)]
    first, second = Scripted("first", *[DOWN] * 1_000), Scripted("second")

    async def run() -> dict[str, SendResult]:
        dispatcher = Dispatcher([(first, FAST), (second, FAST)], lambda: AT, lambda _: None)
        results = {}
        for start in range(0, 100, 10):
            results |= await dispatcher.deliver(messages[start : start + 10], {})
        return results

    results = asyncio.run(run())
    assert {result.vendor for result in results.values()} == {"second"}
    assert sorted(second.sent) == sorted(message.reference for message in messages)
    assert len(first.sent) == 10  # the first batch; then its traffic was moved


def test_the_rate_is_kept() -> None:
    vendor = Scripted("first")

    async def run() -> float:
        begin = asyncio.get_running_loop().time()
        dispatcher = Dispatcher([(vendor, VendorLimits(rate=100, connections=50))], lambda: AT, lambda _: None)
        await dispatcher.deliver([outbound(number) for number in range(21)], {})
        return asyncio.get_running_loop().time() - begin

    assert asyncio.run(run()) >= 0.2
    assert len(vendor.sent) == 21
