from typing import Any

import msgspec
import pytest

from processors.domain.erasure import RegistrantKey
from processors.domain.registration import Contact, Contacts, Registration
from processors.topics import REGISTRATIONS
from tests.ingest.records import JOHN, REGISTRATION, SEAL, accepted_record, read, rejection, with_changes


def registration(**changes: Any) -> Registration:
    return msgspec.json.decode(accepted_record(with_changes(REGISTRATION, **changes), REGISTRATIONS, key="IVINS-1").body, type=Registration)


def contacts(**changes: Any) -> Contacts:
    found = registration(**changes)
    own = RegistrantKey(sealed=found.key, seq=0).seal_for("R-1", SEAL)
    return msgspec.json.decode(own.open(found.sealed, "contacts:R-1"), type=Contacts)


def contact(channel: str, address: str, *, verified: bool = False) -> dict[str, Any]:
    return {"channel": channel, "address": address, "verified": verified}


def test_a_registration_is_taken_with_its_contacts_sealed() -> None:
    found = registration(case_numbers=["CR1"], event_subtypes=["Release"], expires_at="2027-01-01T00:00:00Z")
    assert (found.registration_id, found.registrant_id, found.source, found.language) == ("IVINS-1", "R-1", "IVINS", "en")
    assert (found.case_numbers, found.event_subtypes, found.time_zone) == (("CR1",), ("Release",), "America/New_York")
    assert (found.created_at, found.expires_at) == (1_790_856_000_000, 1_798_761_600_000)
    assert contacts() == Contacts(contacts=(Contact("sms", "+18045551007", verified=True),), pin=SEAL.fingerprint("4821", "pin:R-1"))


def test_nothing_of_a_registration_is_in_clear() -> None:
    for changes in ({}, {"contacts": [], "pin": "4821"}, {"offender": {}}, {"pin": "48211"}, {"created_at": "+18045551007"}):
        decision = read(with_changes(REGISTRATION, **changes), REGISTRATIONS, key="IVINS-1")
        written = msgspec.json.encode([output.value for output in decision.outputs] + list(decision.verdicts))
        assert b"5551007" not in written
        assert b"4821" not in written.replace(msgspec.json.encode(decision.outputs[0].value), b"")


def test_an_expiry_day_is_included() -> None:
    assert registration(expires_at="2026-12-31", time_zone="Pacific/Honolulu").expires_at == 1_798_797_600_000


def test_times_may_be_milliseconds_as_in_avro() -> None:
    assert registration(created_at=1_790_856_000_000).created_at == 1_790_856_000_000


@pytest.mark.parametrize("number", ["8045551007", "+1 (804) 555-1007", "1-804-555-1007", "804.555.1007", "tel:+1-804-555-1007"])
@pytest.mark.parametrize("channel", ["sms", "voice"])
def test_telephone_numbers_become_e164(channel: str, number: str) -> None:
    assert contacts(contacts=[contact(channel, number)]).contacts == (Contact(channel, "+18045551007"),)  # type: ignore[arg-type]


def test_a_number_of_another_country_keeps_it() -> None:
    assert contacts(contacts=[contact("sms", "+52 55 1234 5678")]).contacts == (Contact("sms", "+525512345678"),)


def test_an_email_address_has_its_domain_in_small_letters() -> None:
    assert contacts(contacts=[contact("email", " Ann.O'Hara+vn@Example.ORG ")]).contacts == (Contact("email", "Ann.O'Hara+vn@example.org"),)


UNREACHABLE = [
    contact("sms", "911"),
    contact("sms", "555-1007"),
    contact("voice", "804 555 1007 x12"),
    contact("voice", "call me"),
    contact("sms", "ann@example.org"),
    contact("email", "8045551007"),
    contact("email", "ann"),
    contact("email", "ann@localhost"),
    contact("email", "a@b@example.org"),
    contact("email", "ann@example.org\nBcc: bob@example.org"),
    contact("email", "<ann@example.org> <bob@example.org>"),
    contact("email", "ann@example..org"),
    contact("email", "a" * 250 + "@example.org"),
    contact("fax", "8045551007"),
    contact("", "8045551007"),
    {"channel": "sms"},
    {"channel": "sms", "address": None},
    {"channel": "sms", "address": ["8045551007"]},
    {"channel": "sms", "address": "8045551007", "verified": "yes"},
    "8045551007",
    None,
    [],
]


@pytest.mark.parametrize("bad", UNREACHABLE)
def test_a_contact_that_cannot_be_reached_is_left_out_if_another_remains(bad: Any) -> None:
    both = [bad, contact("sms", "8045551007")]
    assert contacts(contacts=both).contacts == (Contact("sms", "+18045551007"),)
    (verdict,) = read(with_changes(REGISTRATION, contacts=both), REGISTRATIONS).verdicts
    assert " 1 of 2 contacts were left out: contact 1 " in verdict.detail


@pytest.mark.parametrize("bad", UNREACHABLE)
def test_a_registration_without_a_reachable_contact_is_refused(bad: Any) -> None:
    assert rejection(with_changes(REGISTRATION, contacts=[bad]), REGISTRATIONS) == "no_contact"


def test_a_contact_counts_once_and_is_verified_if_it_ever_was() -> None:
    twice = [contact("sms", "8045551007"), contact("sms", "+18045551007", verified=True), contact("voice", "8045551007")]
    assert contacts(contacts=twice).contacts == (Contact("sms", "+18045551007", verified=True), Contact("voice", "+18045551007"))


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("no_contact", {"contacts": None}),
        ("no_contact", {"contacts": []}),
        ("no_offender", {"offender": None}),
        ("offender_not_identified", {"offender": {"name": {"full": "John Sample"}}}),
        ("missing_field", {"registration_id": None}),
        ("missing_field", {"registrant_id": " "}),
        ("missing_field", {"source": None}),
        ("unknown_code", {"source": "FACEBOOK"}),
        ("bad_registration", {"pin": "482"}),
        ("bad_registration", {"pin": "48211"}),
        ("bad_registration", {"pin": "482a"}),
        ("bad_registration", {"pin": "٤٨٢١"}),
        ("wrong_type", {"pin": 4821}),
        ("bad_registration", {"time_zone": "Mars/Olympus"}),
        ("bad_registration", {"time_zone": "../../etc/passwd"}),
        ("bad_registration", {"language": "English, please"}),
        ("unreadable_date", {"created_at": "last week"}),
        ("unreadable_date", {"expires_at": "2026-02-30"}),
        ("unreadable_date", {"offender": JOHN | {"birth_date": "17.5.1981"}}),
        ("bad_id", {"registrant_id": "R\n1"}),
        ("wrong_type", {"case_numbers": "CR1"}),
        ("wrong_type", {"contacts": "8045551007"}),
        ("too_complex", {"contacts": [contact("sms", "8045551007")] * 33}),
        ("too_complex", {"case_numbers": ["CR1"] * 1_001}),
    ],
)
def test_what_is_wrong_is_refused_with_its_reason(reason: str, changes: dict[str, Any]) -> None:
    assert rejection(with_changes(REGISTRATION, **changes), REGISTRATIONS) == reason


@pytest.mark.parametrize(
    "looks_like_an_address",
    [
        "ann@example.org",
        "R-ann@example.org",
        "+18045551007",
        "8045551007",
        "18045551007",
        "804-555-1007",
        "(804) 555-1007",
        "804.555.1007",
        "sms:+18045551007",
        "tel:8045551007",
        "R 804-555-1007 x",
        "0044 20 7946 0958",
        "+52 55 1234 5678",
    ],
)
@pytest.mark.parametrize("field", ["registration_id", "registrant_id"])
def test_an_id_that_looks_like_an_address_is_refused_and_told_nowhere(field: str, looks_like_an_address: str) -> None:
    sent = with_changes(REGISTRATION, **{field: looks_like_an_address})
    assert rejection(sent, REGISTRATIONS, key=sent["registration_id"]) == "bad_id"
    decision = read(sent, REGISTRATIONS, key=sent["registration_id"])
    assert looks_like_an_address.encode() not in msgspec.json.encode([*(each.value for each in decision.outputs), *decision.verdicts])


@pytest.mark.parametrize(
    "plain", ["VINE-77004", "R-1001", "2026110245", "1234567890", "77004123456789", "a.b@c", "9f8c6a52-804b-11ee-b962", "2026-11-02-7"]
)
def test_an_id_that_is_a_number_of_another_kind_is_taken(plain: str) -> None:
    assert registration(registrant_id=plain).registrant_id == plain


def test_a_removal_under_an_address_is_refused_and_told_nowhere() -> None:
    assert rejection(None, REGISTRATIONS, key="ann@example.org") == "bad_id"
    decision = read(None, REGISTRATIONS, key="ann@example.org")
    assert b"ann@" not in msgspec.json.encode([*(each.value for each in decision.outputs), *decision.verdicts])


def test_a_registration_under_anothers_key_could_never_be_removed() -> None:
    assert rejection(REGISTRATION, REGISTRATIONS, key="IVINS-2") == "bad_registration"


def test_a_null_value_removes_the_registration_of_the_key() -> None:
    found = accepted_record(None, REGISTRATIONS, key="IVINS-1")
    assert (found.kind, found.message_id, found.body) == ("removal", "IVINS-1", b"")


@pytest.mark.parametrize(("reason", "key"), [("bad_registration", None), ("bad_registration", " "), ("bad_id", "K" * 257)])
def test_a_removal_names_its_registration(reason: str, key: str | None) -> None:
    assert rejection(None, REGISTRATIONS, key=key) == reason
