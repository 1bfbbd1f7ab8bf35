"""A small feed for the boards: people registered on every channel, news of several kinds, and what is refused or reviewed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from processors.domain.time import iso
from processors.rehearsal.samples import sample, sent_at

AGENCIES: Final = (("VA0430000", "VA"), ("NC0600000", "NC"), ("TN0190000", "TN"))
SILENT: Final = ("MD0160000", "MD")  # sends one message
DAY: Final = 86_400_000
OFFENDERS: Final = 30
CHANNELS: Final = (("sms", "+1202555{:04d}"), ("email", "r{:04d}@example.org"), ("voice", "+1202556{:04d}"))
SLEEPER: Final = "REG-0"  # whose news waits for the morning
NEWS: Final = (  # type, subtype
    ("Jail", "Escape"),
    ("Jail", "Recapture"),
    ("Corrections", "Escape"),
    ("Jail", "Release"),
)
MIDDAY: Final = {hour: f"Etc/GMT{hour - 12:+d}" for hour in range(24)}  # by the hour in UTC, the zone in which it is noon
MIDNIGHT: Final = {hour: MIDDAY[(hour + 12) % 24] for hour in range(24)}


def registration(number: int, at: int) -> tuple[str, bytes]:
    """Return the registration of one registrant; for every fifth it is night."""
    hour = int(iso(at)[11:13])
    channel, address = CHANNELS[number % len(CHANNELS)]
    document = {
        "registration_id": f"REG-{number}",
        "registrant_id": f"R-{number}",
        "source": "IVINS",
        "offender": person(number % OFFENDERS),
        "contacts": [{"channel": channel, "address": address.format(number), "verified": True}],
        "time_zone": (MIDNIGHT if number % 5 == 0 else MIDDAY)[hour],
    }
    return f"REG-{number}", json.dumps(document).encode()


def submission(number: int, at: int) -> tuple[str, bytes]:
    """Return one message and the agency that sends it; every tenth is a duplicate of the one before."""
    told = number - 1 if number % 10 == 9 else number
    agency = AGENCIES[told % len(AGENCIES)]
    return agency[0], _message(f"M-{number}", agency, NEWS[told // OFFENDERS % len(NEWS)], at - at % 60_000, person(told % OFFENDERS))


def troubles(at: int) -> Iterator[tuple[str, bytes]]:
    """Yield messages that are refused, that go to a reviewer, that are an agency's last, and that start a legal clock."""
    yield "VA0430000", b"<not well-formed"
    yield emergency_for_review(at)
    yield SILENT[0], _message("S-1", SILENT, ("Jail", "Recapture"), at, person(OFFENDERS + 9))
    yield "VA0430000", sent_at(sample("icots-departure").text, datetime.fromtimestamp(at / 1000, UTC)).encode()


def emergency(at: int) -> tuple[str, bytes]:
    """Return an escape, of which registrants are told at once."""
    return AGENCIES[0][0], _message("L-1", AGENCIES[0], ("Jail", "Escape"), at, person(1))


def emergency_for_review(at: int, number: int = 1) -> tuple[str, bytes]:
    """Return an escape so far ahead that it goes to a reviewer."""
    return AGENCIES[0][0], _message(f"E-{number}", AGENCIES[0], ("Jail", "Escape"), at + 400 * DAY, person(OFFENDERS + number), "Date")


def opt_out(at: int) -> dict[str, str]:
    """Return the answer of a registrant who gets text messages."""
    address = CHANNELS[0][1].format(3)
    return {"provider": "console", "channel": "sms", "from": address, "to": "+12025550199", "body": "STOP", "occurred_at": iso(at)}


def person(number: int) -> dict[str, Any]:
    return {
        "identifiers": [{"scheme": "SID", "value": f"VA{7_000_000 + number}"}],
        "name": {"given": f"Given{chr(65 + number % 26)}", "sur": f"Sur{chr(65 + number // 26 % 26)}"},
        "birth_date": f"19{60 + number % 40}-0{1 + number % 9}-1{number % 10}",
    }


def _message(message_id: str, agency: tuple[str, str], event: tuple[str, str], at: int, about: dict[str, Any], *checks: str) -> bytes:
    """Return a message; without checks it is sent whatever they would find."""
    subtype = {"subtype": "Validate", "validations": checks} if checks else {"subtype": "Do Not Validate"}
    return json.dumps(
        {
            "message_id": message_id,
            "agency": {"ori": agency[0], "state": agency[1]},
            "event_type": event[0],
            "event_subtype": event[1],
            "notification_type": "Status Update",
            "notification_subtypes": [subtype],
            "action_at": iso(at),
            "offenders": [about],
        }
    ).encode()
