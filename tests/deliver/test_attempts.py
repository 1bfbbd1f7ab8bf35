"""Attempts are leases; retries, silence, escalation, giving up; receipts in whatever order they come."""

import itertools
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.deliver.dispatch import deliveries
from processors.deliver.lifecycle import ATTEMPT_TRANSITIONS, FINAL
from processors.domain.event import Change
from processors.domain.notification import ReceiptStatus
from processors.domain.registration import Contact
from processors.domain.time import millis
from tests.deliver.given import (
    ALL_DAY,
    AT_ONCE,
    DAY,
    EMAIL,
    HOUR,
    JANE,
    JOHN,
    MINUTE,
    NOON,
    SECOND,
    SMS,
    VOICE,
    AtDeliver,
    ended,
    escape,
    event,
    policy,
    reachable,
    receipt,
)

STATUSES = sorted({status for _, status in ATTEMPT_TRANSITIONS} - {"lease_ended", "wait_ended"})
ESCALATE = (*ALL_DAY, policy("delivery.order", "escalate"))


def silent(*contacts: Contact, policies: Any = ALL_DAY, now: int = NOON, **more: Any) -> AtDeliver:
    """A registrant whose provider says nothing by itself; the confirmation of the registration was delivered."""
    found = AtDeliver(policies=policies, now=now).register(reachable(*(contacts or (SMS,)), **more))
    found.answers = None
    return found


def spacing(told: AtDeliver) -> list[int]:
    times = [each.created_at for each in told.sent]
    return [later - earlier for earlier, later in itertools.pairwise(times)]


# --- leases ---


@pytest.mark.parametrize(("told", "lease"), [(event(), 15 * MINUTE), (escape(), 2 * MINUTE)])
def test_an_attempt_may_be_handed_over_for_15_minutes_and_for_2_in_an_emergency(told: Any, lease: int) -> None:
    (one,) = silent().tell(told).sent
    assert one.expires_at - one.created_at == lease


def test_what_is_no_emergency_is_never_handed_over_in_quiet_hours() -> None:
    """A dialler at half speed must not call at night: the lease ends where quiet hours begin (contract §5)."""
    evening = millis("2026-11-03T01:50:00Z")  # 20:50 in Virginia
    (one,) = silent(policies=AT_ONCE, now=evening).tell(event()).sent
    assert one.expires_at == millis("2026-11-03T02:00:00Z")
    (urgent,) = silent(policies=AT_ONCE, now=evening + 9 * MINUTE).tell(escape()).sent
    assert urgent.expires_at == evening + 11 * MINUTE


def test_another_attempt_begins_only_after_the_lease_if_nobody_accepted_the_first() -> None:
    told = silent().tell(event())
    assert len(told.after(15 * MINUTE).sent) == 1
    assert told.reasons("noted")[-1] == "lease_ended"
    assert len(told.after(7 * MINUTE).sent) == 2
    assert [each.status for each in told.attempts().values() if told.sent[0].reference == each.reference] == ["expired"]


def test_a_receipt_that_an_attempt_was_accepted_after_its_lease_stops_the_next() -> None:
    told = silent().tell(event()).after(16 * MINUTE)
    told.receive(receipt(told.sent[0].reference, "accepted"))
    assert len(told.after(HOUR).sent) == 1


# --- retries ---


def test_retries_double_with_a_jitter_of_their_own_and_end_with_delivery_give_up() -> None:
    told = AtDeliver(policies=ALL_DAY, answers="temporary_failure").register(reachable(SMS)).tell(event()).after(2 * DAY)
    gaps = spacing(told)
    assert len(gaps) == 8
    for number, gap in enumerate(gaps):
        assert 5 * MINUTE * 2**number <= gap <= 6 * MINUTE * 2**number
    assert len({round(gap / 2**number) for number, gap in enumerate(gaps)}) == len(gaps)
    assert sum(gaps) < DAY
    assert told.reasons("undelivered") == ["not_reached"]


def test_every_attempt_has_a_reference_of_its_own_and_all_one_notification() -> None:
    told = AtDeliver(policies=ALL_DAY, answers="temporary_failure").register(reachable(SMS, EMAIL)).tell(event()).after(HOUR)
    assert len(told.sent) > 4
    assert len({each.reference for each in told.sent}) == len(told.sent)
    assert len({each.notification_id for each in told.sent}) == 1
    assert {(each.channel, each.attempt) for each in told.sent} >= {("sms", 1), ("sms", 2), ("email", 1), ("email", 2)}


def test_every_attempt_says_the_same_though_time_passes() -> None:
    """ "is to be released" must not become "was released" between two attempts of one notification."""
    told = AtDeliver(policies=ALL_DAY, answers="temporary_failure").register(reachable(SMS))
    told.tell(event(event_type="Jail", event_subtype="Release", action_at=NOON + 10 * MINUTE)).after(HOUR)
    assert len({each.body for each in told.sent}) == 1


def test_a_retry_in_quiet_hours_waits_for_the_morning() -> None:
    told = AtDeliver(policies=AT_ONCE, now=millis("2026-11-03T01:58:00Z"), answers="temporary_failure")
    told.register(reachable(SMS)).tell(event()).after(12 * HOUR)
    assert told.sent[1].created_at == millis("2026-11-03T12:00:00Z")


def test_a_text_that_is_accepted_and_then_silent_is_not_sent_again() -> None:
    told = silent().tell(event())
    told.receive(receipt(told.sent[0].reference, "accepted"))
    told.after(72 * HOUR - 1)
    assert told.reasons("undelivered") == []
    told.after(1)
    assert told.reasons("noted")[-1] == "receipt_wait"
    assert told.reasons("undelivered") == ["not_reached"]
    assert len(told.after(DAY).sent) == 1


def test_an_email_that_is_accepted_and_then_silent_counts_as_reached() -> None:
    told = silent(EMAIL).tell(event())
    told.receive(receipt(told.sent[0].reference, "accepted"))
    assert told.after(DAY).reasons("delivered") == ["reached"]
    assert len(told.sent) == 1


def test_a_call_that_is_accepted_and_then_silent_is_made_again() -> None:
    told = silent(VOICE).tell(event())
    told.receive(receipt(told.sent[0].reference, "accepted"))
    assert len(told.after(2 * HOUR).sent) == 2


# --- outcomes ---


def test_an_emergency_that_reached_nobody_has_a_reason_of_its_own() -> None:
    told = AtDeliver(policies=ALL_DAY, answers="permanent_failure").register(reachable(SMS, EMAIL)).tell(escape())
    assert told.reasons("undelivered") == ["not_reached_emergency"]


def test_the_first_final_outcome_is_said_once_for_every_offender() -> None:
    told = AtDeliver(policies=()).register(reachable(SMS, EMAIL)).tell(event(JOHN), event(JANE, message_id="M-2")).after(MINUTE)
    assert sorted(each.message_id for each in told.verdicts if each.outcome == "delivered") == ["M-1", "M-2"]


@pytest.mark.parametrize(
    ("answer", "told", "results"),
    [
        ("delivered", [event()], [("10", "reached")]),
        ("permanent_failure", [event()], [("10", "failed")]),
        ("delivered", [event(JOHN), event(JANE, part=1, parts=2)], [("10", "reached"), ("10", "reached")]),
        ("delivered", [event(event_type="Message Response", event_subtype="Message Successfully Delivered")], []),
    ],
)
def test_every_offender_and_registrant_has_one_final_outcome_for_the_response(answer: Any, told: Any, results: Any) -> None:
    """The notification of several offenders ends once for each; of a Message Response nobody is told how it ended."""
    found = AtDeliver(policies=(policy("quiet.hours", "none"),), answers=answer).register(reachable(SMS, EMAIL)).tell(*told).after(3 * DAY)
    assert found.results == results


def test_what_is_dropped_before_it_left_ends_too() -> None:
    told = AtDeliver(policies=AT_ONCE).register(ended()).tell(event(seq=5))
    assert told.results == [("5", "nobody")]
    night = AtDeliver(policies=AT_ONCE, now=millis("2026-11-03T03:00:00Z")).register(reachable(SMS)).tell(event(seq=5))
    night.tell(event(seq=6, message_id="M-2", telling="cancellation", root="M-1"))
    assert night.results == [("5", "nobody"), ("6", "nobody")]


def test_a_late_delivery_after_a_failure_takes_the_outcome_back_never() -> None:
    told = silent().tell(event()).after(2 * DAY)
    assert told.results == [("10", "failed")]
    told.receive(receipt(told.sent[0].reference, "delivered"))
    assert told.results == [("10", "failed")]


def test_a_late_delivery_stops_what_would_follow() -> None:
    told = silent().tell(event())
    told.receive(receipt(told.sent[0].reference, "temporary_failure")).after(MINUTE)
    told.receive(receipt(told.sent[0].reference, "delivered"))
    assert told.reasons("delivered") == ["reached"]
    assert len(told.after(DAY).sent) == 1


@pytest.mark.parametrize(
    ("order", "asked", "status"),
    [
        ([(1, "delivered"), (0, "permanent_failure")], 0, "active"),
        ([(0, "permanent_failure"), (1, "delivered")], 1, "active"),  # it had failed, as far as anybody knew
        ([(1, "permanent_failure"), (0, "permanent_failure")], 1, "unreachable"),
    ],
)
def test_a_contact_has_not_failed_if_another_attempt_to_tell_it_the_same_arrived(order: Any, asked: int, status: str) -> None:
    """Case B20: it is not asked to verify itself again."""
    told = silent().tell(event())
    told.receive(receipt(told.sent[0].reference, "temporary_failure")).after(10 * MINUTE)
    for number, said in order:
        told.receive(receipt(told.sent[number].reference, said))
    assert len([each for each in told.messages if each.kind == "verification"]) == asked
    assert told.statuses[-1] == status


def test_what_was_reached_is_kept_without_its_notices() -> None:
    told = AtDeliver(policies=ALL_DAY).register(reachable(SMS)).tell(event())
    assert [each.notices for each in told.deliveries() if each.content == "news"] == [()]
    assert told.registrant.under_way == ()


# --- escalation ---


def test_escalate_goes_to_the_next_contact_once_the_one_before_has_ended_without_success() -> None:
    told = silent(SMS, EMAIL, VOICE, policies=ESCALATE).tell(event())
    assert [each.channel for each in told.sent] == ["sms"]
    told.receive(receipt(told.sent[0].reference, "permanent_failure"))
    assert [each.channel for each in told.sent] == ["sms", "email"]
    told.receive(receipt(told.sent[1].reference, "delivered"))
    assert len(told.after(DAY).sent) == 2


def test_escalate_does_not_go_on_while_a_contact_is_tried_again() -> None:
    told = silent(SMS, EMAIL, policies=ESCALATE).tell(event())
    told.receive(receipt(told.sent[0].reference, "temporary_failure")).after(7 * MINUTE)
    assert [(each.channel, each.attempt) for each in told.sent] == [("sms", 1), ("sms", 2)]


def test_escalate_gives_the_next_contact_its_own_time_when_the_one_before_took_all_of_it() -> None:
    """A text that the carrier accepted and of which nothing more is heard for 72 hours; then an email that is refused for a day."""
    told = silent(SMS, EMAIL, VOICE, policies=ESCALATE).tell(event())
    told.receive(receipt(told.sent[0].reference, "accepted")).after(72 * HOUR)
    assert [each.channel for each in told.sent] == ["sms", "email"]
    while (latest := told.sent[-1]).channel == "email":
        told.receive(receipt(latest.reference, "temporary_failure")).after(14 * HOUR)
    assert [each.channel for each in told.sent if each.attempt == 1] == ["sms", "email", "voice"]
    assert len([each for each in told.sent if each.channel == "email"]) > 1
    (news,) = [each for each in told.deliveries() if each.content == "news"]
    assert sorted(each.state for each in news.contacts.values()) == ["expired", "gave_up", "trying"]


# --- changes while it is being told ---


def test_a_contact_that_was_removed_gets_nothing_more_and_a_new_one_joins_the_running_series() -> None:
    told = silent(SMS).tell(event())
    told.receive(receipt(told.sent[0].reference, "temporary_failure"))
    told.register(reachable(EMAIL, seq=2))
    told.after(DAY)
    assert {each.channel for each in told.sent[1:]} == {"email"}
    assert "contact_removed" in told.reasons("noted")


def test_a_change_of_order_does_not_ring_another_number() -> None:
    """A contact is known by its keyed digest, not by its place (contract §5)."""
    other = Contact("sms", "+18045559999", verified=True)
    told = silent(SMS, other).tell(event())
    told.receive(receipt(told.sent[0].reference, "temporary_failure"), receipt(told.sent[1].reference, "delivered"))
    told.register(reachable(other, SMS, seq=2)).after(7 * MINUTE)
    assert [each.to for each in told.sent] == [SMS.address, other.address, SMS.address]


def test_nothing_is_told_again_once_every_registration_has_ended() -> None:
    told = silent().tell(event())
    told.receive(receipt(told.sent[0].reference, "temporary_failure")).register(ended())
    assert len(told.after(DAY).sent) == 1
    assert told.reasons("dropped") == ["nobody_to_tell"]


@pytest.mark.parametrize("telling", ["change", "cancellation"])
def test_what_a_later_message_changes_or_takes_back_is_not_tried_again(telling: Any) -> None:
    told = silent().tell(event())
    told.receive(receipt(told.sent[0].reference, "temporary_failure"))
    changes = (Change("court", "A", "B"),) if telling == "change" else ()
    told.tell(event(message_id="M-2", telling=telling, root="M-1", changes=changes)).after(DAY)
    assert [each.message_ids for each in told.sent if each.attempt > 1] == [("M-2",)] * (len(told.sent) - 2)
    assert "superseded" in told.reasons("noted")


def test_of_two_offenders_told_together_the_other_is_told_on() -> None:
    told = silent(policies=(policy("quiet.hours", "none"),)).tell(event(JOHN), event(JANE, message_id="M-2")).after(30 * SECOND)
    told.receive(receipt(told.sent[0].reference, "temporary_failure"))
    told.tell(event(JOHN, message_id="M-3", telling="cancellation", root="M-1")).after(10 * MINUTE)
    again = next(each for each in told.sent if each.attempt == 2)
    assert [each.name for each in again.offenders or ()] == ["Jane Specimen"]


def test_deliveries_for_which_the_list_has_no_room_go_on_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "MAX_UNDER_WAY", 2)
    told = silent()
    for number in range(1, 6):
        told.tell(event(message_id=f"M-{number}", action_at=NOON + number * DAY, past_from=NOON + number * DAY)).after(30 * SECOND)
        assert len(told.registrant.under_way) <= 2
    for each in told.sent:
        told.receive(receipt(each.reference, "temporary_failure"))
    last = told.sent[-1].message_ids[0]
    told.tell(event(message_id="M-9", action_at=NOON + 5 * DAY, past_from=NOON + 5 * DAY, telling="cancellation", root=last)).after(HOUR)
    again = Counter(message_id for each in told.sent if each.attempt == 2 for message_id in each.message_ids)
    assert again.keys() == {"M-1", "M-2", "M-3", "M-4", "M-9"}, "each is tried again, but what is listed and was cancelled"
    assert set(again.values()) == {1}


# --- receipts ---


@given(st.lists(st.sampled_from(STATUSES), max_size=6))
def test_receipts_in_any_order_take_an_attempt_only_along_the_table(statuses: list[ReceiptStatus]) -> None:
    told = silent().tell(event())
    reference, state = told.sent[0].reference, "sent"
    for status in statuses:
        told.receive(receipt(reference, status))
        state = ATTEMPT_TRANSITIONS.get((state, status), state)  # type: ignore[call-overload]
        assert told.attempts()[reference].status == state


@pytest.mark.parametrize(("final", "later"), [*itertools.permutations(FINAL, 2)])
def test_a_receipt_after_a_final_one_changes_nothing_and_is_journalled_as_late(final: Any, later: Any) -> None:
    """Case B20."""
    told = silent().tell(event())
    reference = told.sent[0].reference
    told.receive(receipt(reference, final), receipt(reference, later))
    assert told.attempts()[reference].status == final
    assert told.reasons("receipt")[-2:] == ["receipt", "late_receipt"]


def test_a_receipt_that_comes_twice_has_one_effect() -> None:
    told = silent().tell(event())
    told.receive(*[receipt(told.sent[0].reference, "delivered")] * 3)
    assert told.reasons("delivered") == ["reached"]


def test_a_contact_that_failed_for_good_is_asked_to_verify_itself_again_and_the_site_hears_it() -> None:
    told = silent().tell(event())
    told.receive(receipt(told.sent[0].reference, "permanent_failure"))
    assert told.statuses == ["active", "unreachable"]
    assert [each.kind for each in told.messages] == ["confirmation", "verification"]


def test_a_contact_whose_confirmation_failed_for_good_is_asked_too_and_only_once() -> None:
    told = AtDeliver(ALL_DAY, answers=None).register(reachable(SMS))
    told.receive(receipt(told.messages[0].reference, "permanent_failure"))
    assert told.statuses == ["active", "unreachable"]
    assert [each.kind for each in told.messages] == ["confirmation", "verification"]
    told.receive(receipt(told.messages[1].reference, "permanent_failure"))
    assert len(told.messages) == 2, "a request to verify that fails is not followed by another"


@pytest.mark.parametrize(
    ("detail", "reason"),
    [("taken", "receipt"), ("ambiguous: the connection broke", "ambiguous_send"), ("sent again in doubt: taken", "sent_again")],
)
def test_the_journal_says_that_a_provider_was_in_doubt_and_that_it_sent_again(detail: str, reason: str) -> None:
    told = AtDeliver(ALL_DAY, answers=None).register(reachable(SMS)).tell(escape())
    told.receive(receipt(told.sent[0].reference, "accepted", detail=detail))
    assert told.reasons("receipt")[-1] == reason


IN_DOUBT, TAKEN = "ambiguous: the connection broke after the final dot", "250 queued"


@pytest.mark.parametrize(
    ("details", "end", "result"),
    [
        ((TAKEN,), "reached", "reached"),
        ((IN_DOUBT,), "expired", "failed"),
        ((IN_DOUBT, TAKEN), "reached", "reached"),
        ((TAKEN, IN_DOUBT), "reached", "reached"),
        ((f"sent again in doubt: {TAKEN}",), "reached", "reached"),
        ((f"sent again in doubt: {IN_DOUBT}",), "expired", "failed"),
    ],
)
def test_silence_after_an_email_that_may_never_have_been_accepted_proves_nothing(details: tuple[str, ...], end: str, result: str) -> None:
    """Contract §5: *accepted*, then silence, counts as reached. One in doubt is not sent again, nor does it count as reached."""
    stage = AtDeliver(ALL_DAY, answers=None).register(reachable(EMAIL)).tell(event())
    (sent,) = stage.sent
    stage.receive(*(receipt(sent.reference, "accepted", detail=detail) for detail in details))
    stage.after(25 * HOUR)
    (news,) = [each for each in stage.deliveries() if each.content == "news"]
    assert [each.state for each in news.contacts.values()] == [end]
    assert (len(stage.sent), news.result) == (1, result)


def test_an_email_in_doubt_lets_the_next_contact_be_tried() -> None:
    stage = AtDeliver(ESCALATE, answers=None).register(reachable(EMAIL, SMS)).tell(event())
    (sent,) = stage.sent
    stage.receive(receipt(sent.reference, "accepted", detail=IN_DOUBT)).after(24 * HOUR)
    assert [each.channel for each in stage.sent] == ["email", "sms"]


@pytest.mark.parametrize(("contact", "end"), [(EMAIL, "reached"), (SMS, "expired"), (VOICE, "gave_up")])
def test_an_attempt_that_was_taken_before_it_was_given_up_still_ends(contact: Contact, end: str) -> None:
    """Its provider stood still: that the vendor had taken it is heard after delivery.give_up."""
    stage = AtDeliver((*ALL_DAY, policy("delivery.give_up", "10m")), answers=None).register(reachable(contact)).tell(event())
    (sent,) = stage.sent
    stage.after(20 * MINUTE)
    (news,) = [each for each in stage.deliveries() if each.content == "news"]
    assert [each.state for each in news.contacts.values()] == ["gave_up"]
    stage.receive(receipt(sent.reference, "accepted"))
    stage.after(80 * HOUR)
    (news,) = [each for each in stage.deliveries() if each.content == "news"]
    assert [each.state for each in news.contacts.values()] == [end]
    assert [each.status for each in news.attempts.values()] == ["unanswered"]
    assert (len(stage.sent), news.result) == (1, "failed"), "nothing begins again, and the first outcome stands"
