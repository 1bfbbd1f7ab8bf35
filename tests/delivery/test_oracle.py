"""The oracle of deliveries finds every planted violation, each under its name, and none in a correct run."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as with_fields

from processors.deliver.answer.decide import DELIVERED, FAILED
from processors.domain.external import ReceiptForm
from processors.domain.notification import Response
from processors.domain.sending import AMBIGUOUS, SENT_AGAIN
from tests.deliver.given import ALL_DAY, EMAIL, ME, MINUTE, SMS, VOICE, AtDeliver, escape, event, reachable, receipt
from tests.delivery.oracle import Callback, Facts, Person, Send, violations

PIN = "2580"
HEARING, ESCAPE = ("VA0430000", "M-1"), ("VA0430000", "M-2")


def facts_of(stage: AtDeliver, receipts: list[ReceiptForm]) -> Facts:
    contacts = frozenset((each.channel, each.address) for each in (SMS, EMAIL, VOICE))
    return Facts(
        people={ME: Person(contacts, PIN)},
        told={HEARING: frozenset({ME}), ESCAPE: frozenset({ME}), ("VA0430000", "M-3"): frozenset()},
        outbound=tuple(stage.outbound),
        sends=tuple(Send(each.reference, each.to, each.created_at) for each in stage.outbound),
        receipts=tuple(receipts),
        responses=tuple(response(message_id) for message_id in ("M-1", "M-2", "M-3")),
        deliveries=tuple(stage.deliveries()),
    )


def response(message_id: str, subtype: str = DELIVERED) -> Response:
    return Response(
        message_id=message_id, ori="VA0430000", event_type="", event_subtype=subtype, notification_type="Internal", responded_at=0
    )


def said(reference: str, status: str, **more: Any) -> ReceiptForm:
    return ReceiptForm(reference=reference, status=status, occurred_at=0, provider="relay", **more)


@pytest.fixture(scope="module")
def healthy() -> Facts:
    """A hearing and an escape by text, email and voice; the first text failed for the moment, everything else arrived."""
    stage = AtDeliver(ALL_DAY, answers=None).register(reachable(SMS, EMAIL, VOICE))
    stage.tell(event(message_id="M-1"), escape(message_id="M-2"))
    receipts: list[ReceiptForm] = []
    answered = 0
    while answered < len(stage.outbound):
        for each in stage.outbound[answered:]:
            answered += 1
            status = "temporary_failure" if each.channel == "sms" and each.attempt == 1 and not each.emergency else "delivered"
            stage.receive(receipt(each.reference, "accepted"), receipt(each.reference, status))
            receipts += [said(each.reference, "accepted"), said(each.reference, status)]
        stage.after(7 * MINUTE)  # beyond the next retry, within its lease
    assert len(stage.outbound) >= 7
    return facts_of(stage, receipts)


def test_what_went_well_is_no_violation(healthy: Facts) -> None:
    assert violations(healthy) == []


def without_attempts_by_email(facts: Facts) -> Facts:
    gone = {each.reference for each in facts.outbound if each.channel == "email" and each.emergency}
    return replace(facts, outbound=tuple(each for each in facts.outbound if each.reference not in gone))


def not_taken(facts: Facts) -> Facts:
    return replace(facts, sends=(replace(facts.sends[0], taken=False), *facts.sends[1:]))


def taken_twice(facts: Facts) -> Facts:
    return replace(facts, sends=(*facts.sends, facts.sends[0]))


def taken_twice_in_doubt_though_no_emergency(facts: Facts) -> Facts:
    (first, *_) = [each for each in facts.outbound if not each.emergency]
    doubt = said(first.reference, "accepted", detail=f"{AMBIGUOUS}nobody knows")
    again = Send(first.reference, first.to, first.created_at)
    return replace(facts, sends=(*facts.sends, again), receipts=(*facts.receipts, doubt))


def emergency_taken_three_times(facts: Facts) -> Facts:
    (first, *_) = [each for each in facts.outbound if each.emergency]
    doubt = said(first.reference, "accepted", detail=f"{SENT_AGAIN}taken")
    again = Send(first.reference, first.to, first.created_at)
    return replace(facts, sends=(*facts.sends, again, again), receipts=(*facts.receipts, doubt))


def written_twice(facts: Facts) -> Facts:
    return replace(facts, outbound=(*facts.outbound, facts.outbound[0]))


def retried_without_a_failure(facts: Facts) -> Facts:
    return replace(facts, receipts=tuple(each for each in facts.receipts if each.status != "temporary_failure"))


def another_address(facts: Facts) -> Facts:
    stranger = with_fields(facts.outbound[0], to="+18045559999")
    return replace(facts, outbound=(stranger, *facts.outbound[1:]))


def another_person(facts: Facts) -> Facts:
    return replace(facts, told={**facts.told, HEARING: frozenset()})


def handed_over_for_another(facts: Facts) -> Facts:
    return replace(facts, sends=(replace(facts.sends[0], to="+18045559999"), *facts.sends[1:]))


def made_up(facts: Facts) -> Facts:
    return replace(facts, sends=(*facts.sends, Send("R-9.00", "+18045559999", 0)))


def after_its_lease(facts: Facts) -> Facts:
    return replace(facts, sends=(replace(facts.sends[0], at=facts.outbound[0].expires_at + 1_000), *facts.sends[1:]))


def with_delivery(facts: Facts, change: Callable[[Any], Any]) -> Facts:
    return replace(facts, deliveries=tuple(change(each) if each.content == "news" else each for each in facts.deliveries))


def delivered_without_a_receipt(facts: Facts) -> Facts:
    return replace(facts, receipts=tuple(each for each in facts.receipts if each.status != "delivered"))


def an_attempt_is_gone(facts: Facts) -> Facts:
    return with_delivery(facts, lambda each: with_fields(each, attempts=dict(list(each.attempts.items())[1:])))


def a_contact_gave_up_for_no_reason(facts: Facts) -> Facts:
    def change(delivery: Any) -> Any:
        return with_fields(delivery, contacts={name: with_fields(each, state="gave_up") for name, each in delivery.contacts.items()})

    return with_delivery(facts, change)


def a_contact_is_still_due(facts: Facts) -> Facts:
    def change(delivery: Any) -> Any:
        return with_fields(delivery, contacts={name: with_fields(each, state="due") for name, each in delivery.contacts.items()})

    return with_delivery(facts, change)


def no_outcome(facts: Facts) -> Facts:
    return with_delivery(facts, lambda each: with_fields(each, result=None))


def no_response(facts: Facts) -> Facts:
    return replace(facts, responses=facts.responses[1:])


def two_responses(facts: Facts) -> Facts:
    return replace(facts, responses=(*facts.responses, facts.responses[2]))


def the_wrong_response(facts: Facts) -> Facts:
    return replace(facts, responses=(response("M-1", FAILED), *facts.responses[1:]))


def a_response_to_nothing(facts: Facts) -> Facts:
    return replace(facts, responses=(*facts.responses, response("M-9")))


def counted_too_few(facts: Facts) -> Facts:
    doubt = said(facts.outbound[0].reference, "accepted", detail=f"{AMBIGUOUS}nobody knows")
    return replace(facts, receipts=(*facts.receipts, doubt), counted=0)


def counted_what_nobody_says(facts: Facts) -> Facts:
    return replace(facts, counted=1)


def a_callback_that_was_not_written(facts: Facts) -> Facts:
    return replace(facts, callbacks=(Callback(facts.outbound[0].reference, "busy"),))


PLANTED: list[tuple[str, Callable[[Facts], Facts]]] = [
    ("lost", without_attempts_by_email),
    ("lost", not_taken),
    ("doubled", taken_twice),
    ("doubled", taken_twice_in_doubt_though_no_emergency),
    ("doubled", emergency_taken_three_times),
    ("doubled", written_twice),
    ("doubled", retried_without_a_failure),
    ("stranger", another_address),
    ("stranger", another_person),
    ("stranger", handed_over_for_another),
    ("stranger", made_up),
    ("late", after_its_lease),
    ("life", delivered_without_a_receipt),
    ("life", an_attempt_is_gone),
    ("life", a_contact_gave_up_for_no_reason),
    ("open", a_contact_is_still_due),
    ("open", no_outcome),
    ("response", no_response),
    ("response", two_responses),
    ("response", the_wrong_response),
    ("response", a_response_to_nothing),
    ("counted", counted_too_few),
    ("counted", counted_what_nobody_says),
    ("callback", a_callback_that_was_not_written),
]


@pytest.mark.parametrize(("name", "plant"), PLANTED, ids=[plant.__name__ for _, plant in PLANTED])
def test_what_is_planted_is_found(name: str, plant: Callable[[Facts], Facts], healthy: Facts) -> None:
    found = violations(plant(healthy))
    assert name in {each.partition(":")[0] for each in found}


@pytest.mark.parametrize(("name", "plant"), PLANTED, ids=[plant.__name__ for _, plant in PLANTED])
def test_no_address_is_said(name: str, plant: Callable[[Facts], Facts], healthy: Facts) -> None:
    addresses = {*(each.to for each in healthy.outbound), "+18045559999"}
    assert not [each for each in violations(plant(healthy)) if any(address in each for address in addresses)]


def test_an_emergency_in_doubt_may_be_sent_once_more(healthy: Facts) -> None:
    (first, *_) = [each for each in healthy.outbound if each.emergency]
    doubt = said(first.reference, "accepted", detail=f"{SENT_AGAIN}taken")
    again = Send(first.reference, first.to, first.created_at)
    assert violations(replace(healthy, sends=(*healthy.sends, again), receipts=(*healthy.receipts, doubt))) == []
