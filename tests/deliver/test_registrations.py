"""What registrations lead to: requests to verify, codes, one confirmation, the status for the site, forgetting."""

import re
from typing import Any

import msgspec
import pytest

from processors.deliver.inputs import registrations
from processors.deliver.state import KnownContact, KnownRegistration, Registrant
from processors.deliver.verification import code_of
from processors.domain.inbound import Inbound
from processors.domain.intake import Intake
from processors.domain.offender import OffenderStanding
from processors.domain.registration import Contact, NearMatch, PresentStanding, Verification, VerificationPermit, verification_digest
from processors.domain.time import millis
from processors.ingest.identify.contact_limit import MAX_REGISTRANT_CONTACTS
from processors.ingest.read.ids import MAX_ID
from processors.ingest.read.registration import MAX_CONTACTS
from processors.runtime.kafka.clients import MAX_RECORD_BYTES
from processors.topics import INTAKE, REGISTRATION_STATUS
from tests.deliver.given import (
    ALL_DAY,
    AT_ONCE,
    DAY,
    EMAIL,
    HOUR,
    ME,
    MINUTE,
    NOON,
    SECOND,
    SMS,
    AtDeliver,
    ended,
    escape,
    event,
    policy,
    reachable,
    receipt,
)
from tests.one_stage import CODEC, SEAL

UNVERIFIED = Contact("sms", "+18045550000")
NIGHT = millis("2026-11-03T03:00:00Z")  # 22:00 in Virginia
MORNING = millis("2026-11-03T12:00:00Z")


def registrant_with(*contacts: Contact, policies: Any = ALL_DAY, now: int = NOON, **more: Any) -> AtDeliver:
    return AtDeliver(policies=policies, now=now).register(reachable(*(contacts or (UNVERIFIED,)), **more))


def code_in(told: AtDeliver) -> str:
    body = [each for each in told.messages if each.kind == "verification"][-1].body
    found = re.search(r"\d{6}", body)
    assert found is not None
    return found[0]


def verification(code: str, registration_id: str = "REG-1", at: int = NOON) -> Verification:
    return Verification(registration_id=registration_id, code=verification_digest(code, registration_id, SEAL), at=at)


# --- codes ---


def test_a_request_to_verify_carries_a_code_of_six_digits_and_nothing_else() -> None:
    told = registrant_with()
    (one,) = told.messages
    assert (one.kind, one.event, one.offenders, one.message_ids, one.emergency) == ("verification", None, None, (), False)
    assert re.search(r"\b\d{6}\b", one.body)
    assert told.statuses == ["awaiting_verification"]


def test_the_code_makes_the_contact_count_and_the_registration_is_confirmed_once() -> None:
    told = registrant_with()
    assert told.tell(event()).reasons("dropped") == ["no_verified_contact"]
    told.receive(verification(code_in(told)))
    assert told.reasons("noted")[-1] == "verified"
    assert told.statuses == ["awaiting_verification", "active"]
    assert [each.kind for each in told.messages] == ["verification", "confirmation"]
    told.tell(event(message_id="M-2"))
    assert [each.to for each in told.sent] == [UNVERIFIED.address]


def test_a_contact_that_is_verified_joins_a_running_series() -> None:
    told = registrant_with(EMAIL, UNVERIFIED)
    told.answers = None
    told.tell(escape())
    told.receive(receipt(told.sent[0].reference, "temporary_failure"), verification(code_in(told)))
    assert [each.channel for each in told.sent] == ["email", "sms"]


def test_the_same_request_has_the_same_code_and_another_request_another() -> None:
    code = code_of(ME, "sms:abc", NOON, SEAL)
    assert code == code_of(ME, "sms:abc", NOON, SEAL)
    assert re.fullmatch(r"\d{6}", code)
    assert len({code_of(ME, "sms:abc", NOON + number, SEAL) for number in range(50)}) > 45


def test_a_code_lasts_a_day() -> None:
    late = registrant_with().after(DAY)
    late.receive(verification(code_in(late)))
    assert late.reasons("noted")[-1] == "wrong_code"
    told = registrant_with().after(DAY - MINUTE)
    told.receive(verification(code_in(told)))
    assert told.reasons("noted")[-1] == "verified"


@pytest.mark.parametrize(("language", "until"), [("en", "by Nov 4, 2026 7:00 AM EST"), ("es", "a mas tardar el 4 nov 2026 7:00 a.m. EST")])
def test_a_code_that_leaves_late_says_until_when_it_is_valid(language: str, until: str) -> None:
    """It fails and is sent again: every attempt says the same time, in the registrant's zone."""
    told = AtDeliver(now=MORNING, answers="temporary_failure").register(reachable(UNVERIFIED, language=language)).after(12 * HOUR)
    assert told.messages[0].created_at == MORNING
    assert len(told.messages) > 1
    assert all(until in each.body for each in told.messages)


def test_no_code_leaves_once_it_is_not_valid_any_more() -> None:
    told = AtDeliver((*ALL_DAY, policy("delivery.give_up", "3d"), policy("sms.retry", "20m")), answers="temporary_failure")
    told.register(reachable(UNVERIFIED)).after(3 * DAY)
    assert len(told.messages) > 3
    assert max(each.created_at for each in told.messages) < NOON + DAY
    assert max(each.expires_at for each in told.messages) <= NOON + DAY


def test_a_code_of_another_registration_is_a_wrong_one() -> None:
    told = registrant_with()
    wrong = Verification(registration_id="REG-1", code=verification_digest(code_in(told), "REG-2", SEAL), at=NOON)
    assert told.receive(wrong).reasons("noted")[-1] == "wrong_code"


def test_five_wrong_codes_in_an_hour_close_the_door_for_an_hour() -> None:
    """Contract §4, `verify.attempts`."""
    told = registrant_with()
    code = code_in(told)
    wrong = "000000" if code != "000000" else "000001"
    for _ in range(5):
        told.receive(verification(wrong)).after(MINUTE)
    assert told.receive(verification(code)).reasons("noted")[-1] == "verification_closed"
    told.after(HOUR).receive(verification(code))
    assert told.reasons("noted")[-1] == "verified"


def test_five_wrong_codes_in_a_day_close_nothing() -> None:
    told = registrant_with()
    code = code_in(told)
    for _ in range(5):
        told.receive(verification("000000" if code != "000000" else "000001")).after(HOUR)
    assert told.receive(verification(code)).reasons("noted")[-1] == "verified"


def test_a_code_for_a_registration_that_ended_verifies_nothing() -> None:
    told = registrant_with()
    assert told.register(ended()).receive(verification(code_in(told))).reasons("noted")[-1] == "unknown_registration"


def test_no_code_is_in_journal_or_state() -> None:
    told = registrant_with()
    code = code_in(told)
    told.receive(verification(code))
    assert code not in repr(told.verdicts)
    assert not any(code.encode() in document for document in told.documents.values())


# --- when ---


def test_a_request_to_verify_waits_for_the_morning() -> None:
    told = registrant_with(policies=AT_ONCE, now=NIGHT)
    assert told.messages == []
    assert [each.created_at for each in told.until(MORNING).messages] == [MORNING]


def test_a_contact_is_asked_once_however_often_the_registration_comes() -> None:
    told = registrant_with().register(reachable(UNVERIFIED, seq=2, language="es"), reachable(UNVERIFIED, EMAIL, seq=3))
    told.register(reachable(UNVERIFIED, SMS, registration_id="REG-2", seq=4))
    assert len([each for each in told.messages if each.kind == "verification"]) == 1


def test_identify_is_asked_for_leave_since_only_it_knows_of_other_registrants() -> None:
    told = registrant_with()
    (request,) = told.written(INTAKE)
    assert isinstance(request, Intake)
    assert request.kind == "verification_request"
    assert UNVERIFIED.address.encode() not in request.body


def test_a_request_that_must_wait_is_made_later() -> None:
    told = AtDeliver(policies=ALL_DAY)
    told._answer = lambda: None  # type: ignore[method-assign]
    told.register(reachable(UNVERIFIED))
    contact = msgspec.json.decode(told.written(INTAKE)[0].body)["contact"]
    told.receive(VerificationPermit(registrant_id=ME, contact=contact, received_at=NOON, not_before=NOON + HOUR))
    assert told.reasons("noted")[-1] == "verification_waits"
    assert told.messages == []
    told.after(HOUR)
    assert len(told.written(INTAKE)) == 2


def test_two_permits_of_one_moment_are_one_request_under_one_reference() -> None:
    told = AtDeliver(policies=ALL_DAY, answers=None)
    told._answer = lambda: None  # type: ignore[method-assign]
    told.register(reachable(UNVERIFIED))
    contact = msgspec.json.decode(told.written(INTAKE)[0].body)["contact"]
    permit = VerificationPermit(registrant_id=ME, contact=contact, received_at=NOON)
    told.receive(permit, permit)
    assert [each.kind for each in told.messages] == ["verification"]


def test_a_verified_contact_is_asked_again_after_a_year_and_counts_meanwhile() -> None:
    told = registrant_with(SMS).after(365 * DAY)
    assert [each.kind for each in told.messages] == ["confirmation", "verification"]
    assert len(told.tell(event(received_at=told.now, action_at=told.now + DAY)).sent) == 1


def test_contact_reverify_is_a_setting() -> None:
    told = registrant_with(SMS, policies=(*ALL_DAY, policy("contact.reverify", "45d"))).after(45 * DAY)
    assert [each.kind for each in told.messages] == ["confirmation", "verification"]


# --- confirmation and status ---


def test_a_registration_is_confirmed_to_its_first_verified_contact_only() -> None:
    told = registrant_with(UNVERIFIED, EMAIL, SMS)
    assert [(each.kind, each.channel) for each in told.messages if each.kind == "confirmation"] == [("confirmation", "email")]
    told.register(reachable(EMAIL, SMS, seq=2))
    assert len([each for each in told.messages if each.kind == "confirmation"]) == 1


def test_a_confirmation_waits_for_the_morning_and_tells_of_no_event() -> None:
    told = registrant_with(SMS, policies=AT_ONCE, now=NIGHT)
    assert told.messages == []
    (one,) = told.until(MORNING).messages
    assert (one.kind, one.event, one.message_ids) == ("confirmation", None, ())


# --- where the offender stands ---

JAILED = OffenderStanding(offender="o1", status="Incarcerated", status_since=NOON - 40 * DAY, kind="State Prison", jurisdiction="VA")
OUT = OffenderStanding(offender="o1", status="Escapee", status_since=NOON, jurisdiction="VA")


def unanswered(*contacts: Contact, policies: Any = ALL_DAY, now: int = NOON, **more: Any) -> AtDeliver:
    """A registrant of whose offender nobody says where they stand, before the test does."""
    told = AtDeliver(policies=policies, now=now)
    told.knows_standing = False
    return told.register(reachable(*contacts, **more))


def answer(standing: OffenderStanding | None, registration_id: str = "REG-1") -> PresentStanding:
    return PresentStanding(registrant_id=ME, registration_id=registration_id, received_at=NOON, standing=standing)


def test_a_confirmation_says_where_the_offender_stands_and_not_who_they_are() -> None:
    told = unanswered(EMAIL)
    assert told.messages == [], "it has asked"
    told.receive(answer(JAILED))
    (one,) = told.messages
    assert "Status: in custody, since September 23, 2026\nPlace: state prison" in one.body
    assert (one.kind, one.event, one.offenders) == ("confirmation", None, None)
    told.receive(answer(OUT))
    assert told.after(DAY).messages == [one], "a second answer changes nothing"


def test_a_confirmation_leaves_at_once_without_a_standing_if_none_is_known() -> None:
    (one,) = unanswered(SMS).receive(answer(None)).messages
    assert "Status" not in one.body


def test_a_confirmation_is_neither_lost_nor_late_if_nobody_answers() -> None:
    told = unanswered(SMS).after(MINUTE - SECOND)
    assert told.messages == []
    (one,) = told.after(SECOND).messages
    assert "Status" not in one.body
    assert told.receive(answer(JAILED)).after(DAY).messages == [one]


def test_a_confirmation_that_waits_for_the_morning_says_what_holds_in_the_morning() -> None:
    told = unanswered(SMS, policies=AT_ONCE, now=NIGHT)
    assert told.to_identify("standing_request") == [], "it asks in the morning"
    told.until(MORNING).receive(answer(OUT))
    (one,) = told.messages
    assert "Status now: escaped" in one.body


def test_an_answer_that_comes_after_the_evening_began_is_asked_for_again() -> None:
    evening = millis("2026-11-03T02:00:00Z")  # 21:00 in Virginia
    told = unanswered(SMS, policies=AT_ONCE, now=evening - SECOND).until(evening).receive(answer(JAILED))
    assert told.messages == []
    (one,) = told.until(MORNING).receive(answer(OUT)).messages
    assert "escaped" in one.body


def test_a_contact_that_is_verified_later_is_told_what_holds_then() -> None:
    told = unanswered(UNVERIFIED)
    assert told.to_identify("standing_request") == []
    told.receive(verification(code_in(told)), answer(OUT))
    assert "escaped" in told.messages[-1].body


def test_who_opted_out_before_the_answer_is_not_written_to_and_nothing_is_due_any_more() -> None:
    told = unanswered(SMS)
    name = next(iter(told.registrant.contacts)).partition(":")[2]
    told.receive(Inbound(provider="p", channel="sms", address=name, keyword="stop", occurred_at=NOON, received_at=NOON, answered=True))
    told.receive(answer(JAILED)).after(HOUR)
    assert told.messages == []
    assert told.registrant.registrations["REG-1"].confirm_at is None


def test_a_registration_that_expires_before_the_answer_is_not_confirmed() -> None:
    told = unanswered(SMS, expires_at=NOON + SECOND).after(HOUR)
    assert told.messages == []
    assert told.registrant.registrations["REG-1"].confirm_at is None


def test_a_registration_that_changed_before_the_answer_is_confirmed_once() -> None:
    told = unanswered(SMS).register(reachable(EMAIL, seq=2))
    told.receive(answer(JAILED), answer(JAILED)).after(HOUR)
    assert [(each.kind, each.channel) for each in told.messages] == [("confirmation", "email")]


def test_every_registration_is_asked_for_by_itself() -> None:
    told = unanswered(SMS).register(reachable(SMS, registration_id="REG-2", seq=2))
    told.receive(answer(OUT, "REG-2"), answer(JAILED, "REG-1"))
    assert ["escaped" in each.body for each in told.messages] == [True, False]


def test_the_site_hears_that_a_registration_expired_and_that_one_was_removed() -> None:
    assert registrant_with(SMS, expires_at=NOON + DAY).after(DAY).statuses == ["active", "expired"]
    assert registrant_with(SMS).register(ended()).statuses == ["active", "expired"]


def test_a_status_is_published_by_registration_and_only_when_it_changes() -> None:
    told = registrant_with(SMS).register(reachable(SMS, seq=2), reachable(EMAIL, registration_id="REG-2", seq=3))
    assert [(each.registration_id, each.status) for each in told.written(REGISTRATION_STATUS)] == [("REG-1", "active"), ("REG-2", "active")]
    assert set(told.latest(REGISTRATION_STATUS)) == {"REG-1", "REG-2"}


def test_what_is_known_of_a_contact_is_forgotten_with_its_registration() -> None:
    told = registrant_with(SMS).register(ended()).after(30 * DAY)
    assert told.registrant.contacts == {}
    assert told.registrant.registrations["REG-1"].sealed == b""


def test_the_site_hears_that_a_registration_was_refused_and_nothing_of_it_is_kept() -> None:
    told = registrant_with(SMS).register(reachable(registration_id="REG-2", seq=2, sealed=b"", source="IVINS", refused=True))
    (*_, refused) = told.written(REGISTRATION_STATUS)
    assert (refused.registration_id, refused.source, refused.status) == ("REG-2", "IVINS", "refused")
    assert told.registrant.registrations.keys() == {"REG-1"}


def test_a_registration_that_is_refused_after_its_end_and_taken_later_is_active() -> None:
    told = registrant_with(SMS).register(ended(seq=2), reachable(sealed=b"", seq=3, refused=True))
    assert told.after(DAY).statuses == ["active", "expired", "refused"]
    assert told.register(reachable(SMS, seq=4)).statuses[-1] == "active"


def test_of_registrations_that_ended_there_is_room_for_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who registers and removes again and again does not outgrow a document."""
    monkeypatch.setattr(registrations, "MAX_ENDED_WITH_CONTACTS", 2)
    monkeypatch.setattr(registrations, "MAX_ENDED", 4)
    told = registrant_with(SMS)
    for number in range(2, 9):
        told.register(reachable(EMAIL, registration_id=f"REG-{number}", seq=2 * number), ended(f"REG-{number}", 2 * number + 1))
    kept = told.registrant.registrations
    assert kept.keys() == {"REG-1", *(f"REG-{number}" for number in range(5, 9))}, "the oldest go"
    assert [name for name, each in kept.items() if each.sealed] == ["REG-1", "REG-7", "REG-8"]
    assert told.tell(escape(received_at=told.now)).after(MINUTE).sent[-1].message_ids == ("M-1",), "what is in force is as it was"
    assert all(each.sealed == b"" for name, each in told.after(30 * DAY).registrant.registrations.items() if name != "REG-1")


def kept_at_most(contacts: int) -> Registrant:
    """Return a registrant with everything as long as it can be and as much as there is room for, `contacts` a registration."""
    known = KnownContact(asked_at=NOON, verified_at=NOON, ask_at=NOON)
    kept: dict[str, KnownRegistration] = {}
    in_force = MAX_REGISTRANT_CONTACTS // contacts
    for number in range(in_force + registrations.MAX_ENDED):
        ended = number >= in_force
        of_it = MAX_CONTACTS if ended else contacts
        addresses = (Contact("email", f"{number:0>4}{each:0>2}{'x' * 236}@example.org") for each in range(of_it))
        has_contacts = number < in_force + registrations.MAX_ENDED_WITH_CONTACTS
        name = f"{number:0>{MAX_ID}}"
        kept[name] = KnownRegistration(
            registration_id=name,
            seq=NOON,
            language="es-MX-x-discreet",
            time_zone="America/New_York,America/Chicago",
            ended=ended,
            forget_at=NOON,
            sealed=reachable(*addresses, pin="4821").sealed if has_contacts else b"",
            source="DOJ_VNS",
            confirmed=True,
            status="awaiting_verification",
            wrong_codes=(NOON,) * 5,
        )
    return Registrant(
        registrant_id=ME, registrations=kept, contacts={f"email:{each:0>32}": known for each in range(registrations.MAX_CONTACTS_KNOWN)}
    )


@pytest.mark.parametrize("contacts", [1, MAX_CONTACTS])
def test_a_registrant_with_everything_there_is_room_for_fits_into_one_record(contacts: int) -> None:
    assert len(CODEC.encode_state(kept_at_most(contacts))) < 0.8 * MAX_RECORD_BYTES, "and what waits has a fifth"


def test_contacts_that_were_changed_again_and_again_are_not_all_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registrations, "MAX_CONTACTS_KNOWN", 3)
    told = registrant_with(SMS)
    for number in range(10):
        told.register(reachable(SMS, Contact("email", f"reg{number}@example.org", verified=True), seq=2 + number))
        assert len(told.registrant.contacts) <= 3
    assert len(told.messages) == 1, "and who was confirmed is not confirmed again"


@pytest.mark.parametrize("planted", [SMS.address, UNVERIFIED.address, "4821"])
def test_what_deliver_keeps_and_says_holds_no_address_and_no_pin(planted: str) -> None:
    told = registrant_with(SMS, UNVERIFIED, pin="4821").tell(escape())
    kept = b"".join(told.documents.values()) + msgspec.json.encode([*told.written(REGISTRATION_STATUS), *told.written(INTAKE)])
    assert planted.encode() not in kept
    assert planted not in repr(told.verdicts)


def near(*, is_open: bool, offender: str = "o1") -> NearMatch:
    return NearMatch(registrant_id=ME, registration_id="REG-1", offender=offender, seq=2, received_at=NOON, open=is_open)


def test_the_site_hears_while_a_person_is_asked_whom_a_registration_is_for() -> None:
    told = registrant_with(SMS).receive(near(is_open=True), near(is_open=True, offender="o2"), near(is_open=False))
    assert told.statuses == ["active", "possible_match"]
    assert told.receive(near(is_open=False, offender="o2")).statuses == ["active", "possible_match", "active"]


def test_nothing_is_asked_of_a_registration_that_ended() -> None:
    assert registrant_with(SMS).register(ended()).receive(near(is_open=True)).statuses == ["active", "expired"]
