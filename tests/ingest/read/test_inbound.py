from typing import Any

import msgspec
import pytest

from processors.domain.inbound import PURPOSE, Inbound, InboundText
from processors.domain.registration import Registration, address_digest
from processors.topics import INBOUND, REGISTRATIONS
from tests.ingest.records import NOW, REGISTRATION, SEAL, accepted_record, read, rejection, with_changes

MESSAGE: dict[str, Any] = {
    "provider": "example-sms",
    "channel": "sms",
    "from": "+1 (804) 555-1007",
    "to": "+18045550000",
    "body": "Stop.",
    "occurred_at": "2026-11-02T18:20:00Z",
}


def inbound(**changes: Any) -> Inbound:
    return msgspec.json.decode(accepted_record(with_changes(MESSAGE, **changes), INBOUND).body, type=Inbound)


def text(found: Inbound) -> InboundText:
    return msgspec.json.decode(SEAL.open(found.sealed, PURPOSE), type=InboundText)


def test_a_message_is_taken_with_its_address_as_a_digest_and_its_text_sealed() -> None:
    found = inbound()
    assert (found.provider, found.channel, found.keyword, found.language) == ("example-sms", "sms", "stop", "en")
    assert (found.address, found.occurred_at, found.received_at) == (address_digest("+18045551007", SEAL), 1_793_643_600_000, NOW)
    assert text(found) == InboundText(address="+18045551007", body="Stop.")
    decision = read(MESSAGE, INBOUND)
    assert b"5551007" not in msgspec.json.encode([*(each.value for each in decision.outputs), *decision.verdicts])


def test_a_registration_with_the_same_address_has_the_same_digest() -> None:
    contacts = [
        {"channel": "voice", "address": "8045551007", "verified": False},
        {"channel": "sms", "address": "+18045551007"},
        {"channel": "email", "address": "Ann@Example.org"},
    ]
    body = accepted_record(with_changes(REGISTRATION, contacts=contacts), REGISTRATIONS, key="IVINS-1").body
    assert msgspec.json.decode(body, type=Registration).addresses == (inbound().address, address_digest("ann@example.org", SEAL))


@pytest.mark.parametrize(
    ("body", "keyword", "language"),
    [
        ("STOP", "stop", "en"),
        ("stop", "stop", "en"),
        (" Stop! ", "stop", "en"),
        ("S.T.O.P.", "stop", "en"),
        ("StopAll", "stop", "en"),
        ("unsubscribe", "stop", "en"),
        ("Cancel", "stop", "en"),
        ("end", "stop", "en"),
        ("quit", "stop", "en"),
        ("Revoke", "stop", "en"),
        ("OPTOUT", "stop", "en"),
        ("opt out", "stop", "en"),
        ("Opt-Out.", "stop", "en"),
        ("st\u200bop", "stop", "en"),
        ("\u3164STOP\u115f", "stop", "en"),  # letters to Unicode, though nobody sees them
        ("\uff33\uff34\uff2f\uff30", "stop", "en"),
        ("alto", "stop", "es"),
        ("¡Parar!", "stop", "es"),
        ("Baja", "stop", "es"),
        ("start", "start", "en"),
        ("UNSTOP", "start", "en"),
        ("Sí", "start", "es"),
        ("help?", "help", "en"),
        ("info", "help", "en"),
        ("Ayuda", "help", "es"),
        ("stop calling my mother", "other", None),
        ("STOP STOP", "other", None),
        ("nonstop", "other", None),
        ("yes", "other", None),
        ("", "other", None),
        ("🙏", "other", None),
    ],
)
def test_a_keyword_counts_as_the_whole_message(body: str, keyword: str, language: str | None) -> None:
    found = inbound(body=body)
    assert (found.keyword, found.language) == (keyword, language)


def test_of_an_email_the_first_line_counts() -> None:
    email = {"channel": "email", "from": "Ann@Example.org"}
    quoted = "\u200b\nUnsubscribe\n\n> Dean Colton has escaped."
    assert inbound(**email, body=quoted).keyword == "stop"
    assert inbound(body=quoted).keyword == "other"


def test_a_long_message_is_kept_shortened() -> None:
    assert len(text(inbound(body="x" * 100_000)).body) == 2_000


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("bad_inbound", {"from": "somebody"}),
        ("bad_inbound", {"from": "ann@example.org"}),
        ("bad_inbound", {"channel": "email"}),
        ("unknown_code", {"channel": "fax"}),
        ("missing_field", {"from": None}),
        ("missing_field", {"to": None}),
        ("missing_field", {"provider": None}),
        ("unreadable_date", {"occurred_at": None}),
        ("wrong_type", {"body": 7}),
    ],
)
def test_a_message_from_nowhere_is_refused(reason: str, changes: dict[str, Any]) -> None:
    assert rejection(with_changes(MESSAGE, **changes), INBOUND) == reason
