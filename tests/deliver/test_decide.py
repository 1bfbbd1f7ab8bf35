"""The stage as a whole: gathering, quiet hours, attempts, receipts, forgetting."""

import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from processors.deliver.decide import STAGE
from processors.deliver.dispatch.attempts import RECEIPTS_AFTER
from processors.deliver.state import Delivery, PendingPage, Registrant
from processors.domain.event import Change
from processors.domain.journal import DeadLetter, Verdict
from processors.domain.notification import Outbound
from processors.domain.origin import Origin
from processors.domain.person import Identifier, Name, Person
from processors.domain.reasons import REASONS
from processors.domain.registration import Contact
from processors.domain.review import Review, ReviewAction
from processors.domain.seal import Seal
from processors.domain.time import millis
from processors.stage import Record
from processors.topics import NOTIFICATIONS, REGISTRANTS
from tests.deliver.given import (
    ALL_DAY,
    AT_ONCE,
    DAY,
    EMAIL,
    HOUR,
    JANE,
    JOHN,
    ME,
    MINUTE,
    NOON,
    SECOND,
    SMS,
    VOICE,
    AtDeliver,
    ended,
    escape,
    event,
    reachable,
    receipt,
)
from tests.one_stage import CODEC, SEAL

NIGHT = millis("2026-11-03T03:00:00Z")  # 22:00 in Virginia, 17:00 in Hawaii
MORNING = millis("2026-11-03T12:00:00Z")
HEARING_14 = millis("2026-12-14T15:00:00Z")


def registered(*contacts: Contact, policies: Any = AT_ONCE, now: int = NOON, **more: Any) -> AtDeliver:
    return AtDeliver(policies=policies, now=now).register(reachable(*(contacts or (SMS,)), **more))


# --- one notification per agency event ---


def test_hearings_on_the_12th_and_13th_are_two_and_two_on_the_14th_at_10_are_one() -> None:
    """Specification §4, the example of two offenders and one victim."""
    on_12th, on_13th = millis("2026-12-12T15:00:00Z"), millis("2026-12-13T15:00:00Z")
    apart = registered(policies=()).tell(event(JOHN, action_at=on_12th), event(JANE, message_id="M-2", action_at=on_13th)).after(MINUTE)
    assert [len(outbound.offenders or ()) for outbound in apart.sent] == [1, 1]
    assert len({outbound.notification_id for outbound in apart.sent}) == 2

    together = registered(policies=()).tell(event(JOHN), event(JANE, message_id="M-2")).after(MINUTE)
    (one,) = together.sent
    assert [offender.name for offender in one.offenders or ()] == ["John Q Sample", "Jane Specimen"]
    assert one.message_ids == ("M-1", "M-2")
    assert "John Q Sample and Jane Specimen" in one.body


def test_the_words_do_not_tell_which_partition_was_quicker() -> None:
    first, second = event(JOHN), event(JANE, message_id="M-2", received_at=event().received_at + 1)
    (one,) = registered(policies=()).tell(first, second).after(MINUTE).sent
    (other,) = registered(policies=()).tell(second, first).after(MINUTE).sent
    assert one.body == other.body
    assert (one.reference, one.offenders, one.message_ids) == (other.reference, other.offenders, other.message_ids)


@given(st.permutations(range(4)), st.sampled_from([NOON, NIGHT]))
def test_nothing_tells_which_partition_was_quicker(order: list[int], now: int) -> None:
    """What is told of four events of four offenders, one of them with two, in which order, and what is remembered of it."""
    people = [JOHN, JANE, Person((Identifier("SID", "VA1"),), Name(sur="First")), Person((Identifier("SID", "VA2"),), Name(sur="Second"))]
    days = [millis(f"2026-12-{day}T15:00:00Z") for day in (12, 14, 14, 13)]
    events = [
        event(person, message_id=f"M-{number}", action_at=action_at, received_at=now)
        for number, (person, action_at) in enumerate(zip(people, days, strict=True))
    ]

    def lived(*told: Any) -> tuple[Any, ...]:
        done = registered(policies=(), now=now).tell(*told).after(DAY)
        return done.sent, done.documents[ME], sorted(done.verdicts, key=str)

    came = lived(*(events[each] for each in order))
    assert came == lived(*events)
    assert [each.message_ids for each in came[0]] == [("M-0",), ("M-1", "M-2"), ("M-3",)]


@pytest.mark.parametrize(("given_event", "window"), [(event(), 30 * SECOND), (escape(), 5 * SECOND)])
def test_notifications_are_gathered_for_30_seconds_and_emergencies_for_5(given_event: Any, window: int) -> None:
    waits = registered(policies=()).tell(given_event)
    assert waits.after(window - 1).sent == []
    assert len(waits.after(1).sent) == 1


def test_a_gathering_lasts_from_its_first_notice() -> None:
    waits = registered(policies=()).tell(event(JOHN)).after(20 * SECOND).tell(event(JANE, message_id="M-2"))
    assert len(waits.after(10 * SECOND).sent) == 1


def test_one_offender_of_two_keys_is_named_once() -> None:
    (one,) = registered(policies=()).tell(event(JOHN), event(JOHN, offender="other")).after(MINUTE).sent
    assert [offender.name for offender in one.offenders or ()] == ["John Q Sample"]
    assert one.message_ids == ("M-1",)


def test_one_submission_of_two_offenders_is_one_message_of_one_id() -> None:
    (one,) = registered(policies=()).tell(event(JOHN, parts=2), event(JANE, part=1, parts=2)).after(MINUTE).sent
    assert len(one.offenders or ()) == 2
    assert one.message_ids == ("M-1",)


@pytest.mark.parametrize(
    "difference", [{"ori": "VA0440000"}, {"event_subtype": "Victim Impact Hearing"}, {"date_only": True}, {"way": "back"}]
)
def test_other_events_of_the_same_time_stay_apart(difference: dict[str, Any]) -> None:
    assert len(registered(policies=()).tell(event(JOHN), event(JANE, message_id="M-2", **difference)).after(MINUTE).sent) == 2


# --- quiet hours ---


def test_what_is_no_emergency_waits_for_the_morning_where_the_registrant_lives() -> None:
    waits = registered(now=NIGHT).tell(event())
    assert waits.sent == []
    assert waits.reasons("gathered") == ["quiet_hours"]
    (one,) = waits.until(MORNING).sent
    assert one.created_at == MORNING


def test_an_emergency_never_waits_for_the_morning() -> None:
    assert len(registered(now=NIGHT).tell(escape(action_at=NIGHT)).sent) == 1


def test_five_in_the_afternoon_in_hawaii_is_no_quiet_hour() -> None:
    assert len(registered(now=NIGHT, time_zone="Pacific/Honolulu").tell(event()).sent) == 1


def test_quiet_hours_none_is_never() -> None:
    assert len(registered(now=NIGHT, policies=ALL_DAY).tell(event()).sent) == 1


def test_what_comes_in_the_night_about_one_event_leaves_as_one_in_the_morning() -> None:
    waits = registered(now=NIGHT).tell(event(JOHN)).after(HOUR).tell(event(JANE, message_id="M-2"))
    (one,) = waits.until(MORNING).sent
    assert len(one.offenders or ()) == 2


# --- contacts ---


def test_every_verified_contact_is_told_at_once_under_one_notification() -> None:
    told = registered(SMS, EMAIL, VOICE).tell(event())
    assert [outbound.channel for outbound in told.sent] == ["sms", "email", "voice"]
    assert len({outbound.notification_id for outbound in told.sent}) == 1
    assert len({outbound.reference for outbound in told.sent}) == 3


def test_several_registrations_are_one_person_and_one_address_is_told_once() -> None:
    told = registered(SMS).register(reachable(SMS, EMAIL, registration_id="REG-2", seq=2))
    told.tell(event(), registrations=("REG-1", "REG-2"))
    assert [outbound.to for outbound in told.sent] == [SMS.address, EMAIL.address]


def test_contacts_of_an_ended_registration_are_not_used() -> None:
    told = (
        registered(SMS).register(reachable(EMAIL, registration_id="REG-2", seq=2), ended()).tell(event(), registrations=("REG-1", "REG-2"))
    )
    assert [outbound.channel for outbound in told.sent] == ["email"]


def test_each_contact_is_told_in_its_registrations_language() -> None:
    told = registered(SMS).register(reachable(EMAIL, registration_id="REG-2", seq=2, language="es")).tell(escape())
    assert [outbound.language for outbound in told.sent] == ["en", "es"]
    assert "se fugó" in told.sent[1].body


def test_a_language_without_texts_is_said_in_the_journal() -> None:
    told = registered(SMS, language="vi").tell(event())
    assert told.sent[0].language == "en"
    assert any("no text in 'vi'" in each.detail for each in told.verdicts if each.outcome == "sent")


def test_a_verified_contact_is_not_asked() -> None:
    assert registered(SMS).sent == []


@pytest.mark.parametrize(
    ("contact", "pin", "given_event", "confirm"),
    [(VOICE, "4821", escape(), True), (VOICE, None, escape(), False), (VOICE, "4821", event(), False), (SMS, "4821", escape(), False)],
)
def test_a_pin_is_asked_for_in_emergency_calls_if_there_is_one(
    contact: Contact, pin: str | None, given_event: Any, *, confirm: bool
) -> None:
    assert registered(contact, pin=pin).tell(given_event).sent[0].confirm is confirm


# --- what leaves ---


def test_an_outbound_message_says_all_that_the_contract_names() -> None:
    (one,) = registered(SMS).tell(event()).sent
    assert one.reference.rpartition(".")[0] == ME
    assert len(one.reference.rpartition(".")[2]) == 20
    assert (one.attempt, one.registrant_id, one.kind, one.channel, one.to) == (1, ME, "notification", "sms", SMS.address)
    assert (one.event.type, one.event.subtype, one.event.action_at) == ("Court", "Court Hearing", HEARING_14)  # type: ignore[union-attr]
    assert one.offenders[0].identifiers == JOHN.identifiers  # type: ignore[index]
    assert (one.agency.name, one.agency.ori) == ("Henrico Circuit Court Clerk", "VA0430000")  # type: ignore[union-attr]
    assert (one.created_at, one.expires_at, one.emergency) == (NOON, NOON + 15 * MINUTE, False)


@pytest.mark.parametrize(("telling", "kind"), [("news", "notification"), ("change", "correction"), ("cancellation", "correction")])
def test_a_change_and_a_cancellation_are_corrections(telling: Any, kind: str) -> None:
    changes = (Change("court", "A", "B"),) if telling == "change" else ()
    (one,) = registered().tell(event(telling=telling, changes=changes, root="M-0")).sent
    assert one.kind == kind


def test_a_correction_is_a_notification_of_its_own() -> None:
    told = registered().tell(event(), event(message_id="M-2", telling="cancellation", root="M-1"))
    assert len({outbound.notification_id for outbound in told.sent}) == 2


def test_remarks_and_details_never_leave() -> None:
    told = registered(SMS, EMAIL, VOICE).tell(event(remarks="canary of the victim", details={"x": "canary"}))
    assert len(told.sent) == 3
    assert b"canary" not in msgspec.json.encode(told.sent)


def test_addresses_are_only_in_the_outbound_message() -> None:
    told = registered(SMS, EMAIL, VOICE, pin="4821", policies=()).tell(event())
    planted = [contact.address for contact in (SMS, EMAIL, VOICE)]
    waiting = msgspec.json.encode(told.documents).decode()
    told.after(MINUTE).receive(receipt(told.sent[0].reference, "delivered"), receipt(f"{ME}.unknown", "delivered", detail=SMS.address))
    rest = json.dumps(
        [msgspec.to_builtins(outbound) | {"to": ""} for outbound in told.sent]
        + [msgspec.to_builtins(each) for each in (*told.verdicts, *told.others)]
    )
    for address in planted:
        assert address not in waiting
        assert address not in rest
        assert address not in msgspec.json.encode(told.documents).decode()
        assert address not in repr(told.verdicts)
    for name in ("Sample", "John"):
        assert name not in repr(told.verdicts)


def test_a_subtype_without_a_text_is_flagged_and_never_told_in_general_words() -> None:
    told = registered().tell(event(event_type="Jail", event_subtype="Haircut"))
    assert told.sent == []
    (review,) = told.others
    assert isinstance(review, Review)
    assert (review.reason, review.state, review.stage) == ("no_text", "open", "deliver")
    assert told.reasons("flagged") == ["no_text"]


def decided(waits: AtDeliver, action: Any) -> list[tuple[str, str | None]]:
    """What became of the one review that is open, once a reviewer had decided on it."""
    review_id = waits.others[-1].review_id
    waits.receive(ReviewAction(action=action, reason="checked", reviewer="jo", review_id=review_id))
    return [(each.state, each.reviewer) for each in waits.others if each.review_id == review_id]


def test_a_review_without_a_text_stays_open_when_released_and_is_told_once_there_is_one() -> None:
    waits = registered(SMS, EMAIL, now=NOON).tell(event(event_type="Jail", event_subtype="Haircut"))
    assert decided(waits, "release") == [("open", None)]
    assert "jo released it: checked; but the rules have no text" in waits.verdicts[-1].detail
    assert waits.after(3 * DAY).sent == []
    (kept,) = waits.registrant.pending
    told = tuple(replace(each, event_subtype="Escape") for each in kept.notices)
    waits.documents[ME] = CODEC.encode_state(replace(waits.registrant, pending=(replace(kept, notices=told),)))
    assert decided(waits, "release") == [("open", None), ("released", "jo")]
    assert [each.channel for each in waits.sent] == ["sms", "email"]


def test_a_review_of_an_unknown_registration_is_released_by_another_registration_of_the_registrant() -> None:
    waits = AtDeliver(policies=ALL_DAY).tell(event()).after(15 * MINUTE)
    assert decided(waits, "release") == [("open", None)]
    assert waits.reasons("flagged") == ["unknown_registration"] * 2
    waits.register(reachable(SMS, registration_id="REG-2"))
    assert waits.sent == []
    assert decided(waits, "release") == [("open", None), ("released", "jo")]
    assert len(waits.sent) == 1
    assert waits.after(3 * DAY).reasons("dropped") == []


@pytest.mark.parametrize("subtype", ["Haircut", "Escape"])
def test_a_discarded_review_is_told_to_nobody(subtype: str) -> None:
    waits = (
        (registered() if subtype == "Haircut" else AtDeliver(policies=ALL_DAY))
        .tell(event(event_type="Jail", event_subtype=subtype))
        .after(HOUR)
    )
    assert decided(waits, "discard") == [("open", None), ("discarded", "jo")]
    assert waits.reasons("dropped") == ["discarded"]
    assert decided(waits, "release")[-1] == ("discarded", "jo")
    assert waits.reasons("noted")[-1] == "unknown_review"
    assert waits.register(reachable(SMS)).after(3 * DAY).sent == []


# --- the last metre ---


def test_a_registration_removed_while_it_waits_is_not_told() -> None:
    waits = registered(now=NIGHT).tell(event()).register(ended())
    assert waits.until(MORNING).sent == []
    assert waits.reasons("dropped") == ["registration_ended"]


def test_a_registration_that_expires_while_it_waits_is_not_told() -> None:
    waits = registered(now=NIGHT, expires_at=MORNING).tell(event())
    assert waits.until(MORNING).sent == []
    assert waits.reasons("dropped") == ["registration_ended"]


def test_of_what_waits_together_only_what_is_still_wanted_is_told() -> None:
    waits = registered(SMS, now=NIGHT).register(reachable(EMAIL, registration_id="REG-2", seq=2))
    waits.tell(event(JOHN)).tell(event(JANE, message_id="M-2"), registrations=("REG-2",)).register(ended())
    (one,) = waits.until(MORNING).sent
    assert [offender.name for offender in one.offenders or ()] == ["Jane Specimen"]


def test_an_unknown_registration_is_waited_for_and_then_flagged_but_not_lost() -> None:
    waits = AtDeliver(policies=ALL_DAY).tell(event())
    assert waits.reasons("waiting") == ["out_of_order_hold"]
    assert waits.after(15 * MINUTE - 1).others == []
    waits.after(1)
    assert waits.reasons("flagged") == ["unknown_registration"]
    waits.after(HOUR).register(reachable(SMS))
    assert len(waits.sent) == 1
    assert [review.state for review in waits.others] == ["open", "superseded"]
    assert len({review.review_id for review in waits.others}) == 1


def test_a_registration_that_comes_a_little_late_is_told_at_once() -> None:
    waits = AtDeliver(policies=AT_ONCE).tell(event()).after(SECOND).register(reachable(SMS))
    assert len(waits.sent) == 1
    assert waits.others == []


def test_what_nobody_registered_for_within_a_day_is_given_up() -> None:
    waits = AtDeliver(policies=ALL_DAY).tell(event()).after(15 * MINUTE + DAY)
    assert waits.reasons("dropped") == ["unknown_registration"]
    assert waits.register(reachable(SMS)).sent == []


def test_removed_differs_from_not_seen_yet() -> None:
    waits = AtDeliver(policies=AT_ONCE).register(ended()).tell(event())
    assert waits.reasons("dropped") == ["registration_ended"]


def test_a_later_state_of_a_registration_is_not_overwritten_by_an_earlier_one() -> None:
    told = AtDeliver(policies=AT_ONCE).register(reachable(EMAIL, seq=5), reachable(SMS, seq=4)).tell(event())
    assert [outbound.channel for outbound in told.sent] == ["email"]


# --- what overtakes what has not left ---


def test_a_cancellation_of_what_has_not_left_leaves_nothing() -> None:
    waits = registered(now=NIGHT).tell(event()).tell(event(message_id="M-2", telling="cancellation", root="M-1"))
    assert waits.until(MORNING).sent == []
    assert waits.reasons("dropped") == ["superseded", "superseded"]


@pytest.mark.parametrize("root", ["M-1", "M-0"])
def test_also_if_the_offender_had_another_key_then(root: str) -> None:
    """Two keys were merged between the news and its cancellation; the event may have been announced under both."""
    waits = registered(now=NIGHT).tell(event(offender="o2"))
    later = waits.tell(event(message_id="M-2", telling="cancellation", root=root, formerly=("o2",)))
    assert later.until(MORNING).sent == []


def test_but_not_if_another_offender_or_another_event_of_theirs_is_meant() -> None:
    waits = registered(now=NIGHT).tell(event(offender="o2"))
    other = event(message_id="M-2", telling="cancellation", root="M-0", formerly=("o2",), event_subtype="Case Closure")
    assert len(waits.tell(other, event(message_id="M-3", telling="cancellation", root="M-1", formerly=("o3",))).until(MORNING).sent) == 3


def test_a_change_of_what_has_not_left_leaves_as_news_with_its_own_facts() -> None:
    new = millis("2026-12-15T15:00:00Z")
    change = Change("action_at", "2026-12-14T15:00:00Z", "2026-12-15T15:00:00Z")
    waits = (
        registered(now=NIGHT).tell(event()).tell(event(message_id="M-2", telling="change", changes=(change,), root="M-1", action_at=new))
    )
    (one,) = waits.until(MORNING).sent
    assert (one.kind, one.message_ids) == ("notification", ("M-2",))
    assert "Dec 15, 2026" in one.body
    assert "was" not in one.body


def test_two_changes_that_wait_leave_as_one_with_the_first_old_and_the_last_new_value() -> None:
    waits = registered(now=NIGHT)
    for number, (old, new) in enumerate((("A Court", "B Court"), ("B Court", "C Court"))):
        waits.tell(event(message_id=f"M-{number + 2}", telling="change", changes=(Change("court", old, new),), root="M-1"))
    (one,) = waits.until(MORNING).sent
    assert "the court was A Court, is now C Court" in one.body


def test_a_change_and_its_undoing_that_both_wait_leave_nothing() -> None:
    waits = registered(now=NIGHT)
    for number, (old, new) in enumerate((("A Court", "B Court"), ("B Court", "A Court"))):
        waits.tell(event(message_id=f"M-{number + 2}", telling="change", changes=(Change("court", old, new),), root="M-1"))
    assert waits.until(MORNING).sent == []


def test_a_cancellation_overtakes_a_change_that_waits_and_leaves_itself() -> None:
    waits = registered(now=NIGHT).tell(event(message_id="M-2", telling="change", changes=(Change("court", "A", "B"),), root="M-1"))
    (one,) = waits.tell(event(message_id="M-3", telling="cancellation", root="M-1")).until(MORNING).sent
    assert one.message_ids == ("M-3",)


def test_a_cancellation_of_another_offenders_event_touches_nothing() -> None:
    waits = registered(now=NIGHT).tell(event(JOHN)).tell(event(JANE, message_id="M-2", telling="cancellation", root="M-1"))
    assert len(waits.until(MORNING).sent) == 2


# --- receipts ---


def test_a_receipt_for_no_attempt_of_ours_is_a_sealed_dead_letter() -> None:
    told = registered().receive(receipt(f"{ME}.{'0' * 20}", "delivered"))
    (letter,) = told.others
    assert isinstance(letter, DeadLetter)
    assert (letter.reason, letter.encrypted) == ("unknown_receipt", True)
    assert f"{ME}.{'0' * 20}".encode() in SEAL.open(letter.original or b"", "dead-letter")
    assert told.reasons("rejected") == ["unknown_receipt"]


def test_its_dead_letter_names_the_providers_own_record() -> None:
    origin = Origin.of("receipts", 1, 7, b'{"digits": "0482"}')
    told = registered().receive(receipt(f"{ME}.{'0' * 20}", "confirmed", origin=origin.sealed(SEAL), received_at=NOON - 1))
    (letter,) = told.others
    assert (letter.topic, letter.partition, letter.offset, letter.sha256, letter.received_at) == ("receipts", 1, 7, origin.sha256, NOON - 1)
    assert (letter.replay_topic, letter.key) == ("registrants", ME), "what it holds is read there"


@pytest.mark.parametrize("origin", [b"", Origin("receipts", 1, 7, "0" * 64, 1).sealed(Seal(bytes(64)))], ids=["earlier", "another key"])
def test_without_the_origin_it_names_the_pipelines_own(origin: bytes) -> None:
    (letter,) = registered().receive(receipt(f"{ME}.{'0' * 20}", "delivered", origin=origin)).others
    assert (letter.topic, letter.replay_topic) == ("registrants", None)
    assert letter.sha256 == hashlib.sha256(SEAL.open(letter.original or b"", "dead-letter")).hexdigest()


def test_a_receipt_for_an_unknown_registrant_keeps_nothing_of_them() -> None:
    nobody = AtDeliver()
    decision = nobody.put(REGISTRANTS, receipt("R-0.1", "delivered"), "R-0")
    assert len(decision.outputs) == 1
    assert nobody.documents == {}
    assert nobody.timers == {}


def test_attempts_are_forgotten_when_no_receipt_can_come_any_more() -> None:
    told = registered().tell(event())
    (one,) = told.sent
    told.until(one.expires_at + RECEIPTS_AFTER - 1).receive(receipt(one.reference, "permanent_failure"))
    assert told.reasons("receipt")[-1] == "late_receipt"
    told.after(1)
    assert told.attempts() == {}
    assert list(told.documents) == [ME]


def test_the_attempts_of_one_notification_are_kept_together_and_a_receipt_finds_them() -> None:
    told = registered(SMS, EMAIL).tell(event(), escape())
    assert len(told.deliveries()) == 1 + 2  # the registration was confirmed too
    for outbound in told.sent:
        record = Record("registrants", 0, 9, ME, NOON, receipt(outbound.reference, "delivered"))
        assert told.documents.keys() > set(STAGE.keys(record, {})) > {ME}


# --- forgetting ---


def test_contact_data_is_gone_30_days_after_the_registration_ended_and_a_mark_stays() -> None:
    gone = registered().register(ended())
    assert gone.after(30 * DAY - 1).registrant.registrations["REG-1"].sealed != b""
    held = gone.after(1).registrant.registrations["REG-1"]
    assert (held.sealed, held.ended) == (b"", True)
    assert gone.reasons("noted")[-1] == "contacts_forgotten"
    assert gone.tell(event()).reasons("dropped") == ["registration_ended"]


def test_contact_data_is_gone_30_days_after_the_registration_expired() -> None:
    gone = registered(expires_at=NOON + DAY).after(31 * DAY)
    assert gone.registrant.registrations["REG-1"].sealed == b""


def test_a_changed_registration_keeps_nothing_of_the_addresses_it_had() -> None:
    changed = registered(SMS).register(reachable(EMAIL, seq=2)).tell(event())
    assert [outbound.channel for outbound in changed.sent] == ["email"]


# --- the runner's side ---


def test_every_input_has_a_verdict_and_every_reason_is_known() -> None:
    busy = registered(SMS, Contact("email", "new@example.org"), VOICE, pin="4821", policies=())
    busy.tell(event(), escape(), event(message_id="M-2", telling="cancellation", root="M-1")).register(reachable(SMS, seq=1), ended())
    before = len(busy.verdicts)
    busy.until(NOON + 40 * DAY).receive(receipt(f"{ME}.x", "busy"))
    assert len(busy.verdicts) > before
    assert all(isinstance(verdict, Verdict) and verdict.reason in REASONS for verdict in busy.verdicts)
    assert {verdict.message_id for verdict in busy.verdicts if verdict.outcome in {"sent", "dropped"}} >= {"M-1", "M-2"}
    assert all(verdict.rules for verdict in busy.verdicts)


def test_the_stage_writes_what_it_says_and_reads_by_registrant() -> None:
    assert list(STAGE.keys(Record("notifications", 0, 0, ME, 0, None), {})) == [ME]
    assert {topic.name for topic in STAGE.outputs} == {
        "outbound.sms",
        "outbound.email",
        "outbound.voice",
        "outbound.canary",
        "registration.status",
        "tally",
        "intake",
        "reviews",
        "dead-letters",
        "dead-letters.keys",
        "keys",
        "erased",
    }
    assert Registrant | Delivery | PendingPage == STAGE.state


def test_it_refuses_what_it_does_not_read() -> None:
    with pytest.raises(TypeError, match="reads no Event"):
        AtDeliver().put(NOTIFICATIONS, event(), ME)


@pytest.mark.parametrize("given_event", [event(), escape()])
def test_an_outbound_message_survives_the_wire(given_event: Any) -> None:
    for outbound in registered(SMS, EMAIL, VOICE).tell(given_event).sent:
        assert msgspec.json.decode(msgspec.json.encode(outbound), type=Outbound) == outbound
