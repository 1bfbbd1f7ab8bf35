"""
The reviewed texts of tests/deliver/golden: one file for each text of the rules and language.

`python -m tests.deliver.golden_texts` regenerates them; review what changed before you commit it.
"""

from pathlib import Path
from typing import Any, Final

from processors.deliver.sample import sample_about_registration
from processors.deliver.state import Notice
from processors.deliver.wording.gsm7 import septets
from processors.deliver.wording.segments import fits
from processors.deliver.wording.templates import message_for
from processors.domain.event import Change
from processors.domain.offender import OffenderStanding
from processors.domain.time import millis
from tests.deliver.given import DAY, HOUR, JANE, JOHN, NOON, RULES, notice

FOLDER: Final = Path(__file__).parent / "golden"
LANGUAGES: Final = ("en", "es")
RULE_SET: Final = RULES.rule_set("VA", NOON)
AHEAD: Final = frozenset({"Hearing Notice"})
BACK: Final = ("back", "onward")
JOURNEYS: Final = {"Departure": BACK, "Arrival": BACK, "Failure to Arrive": BACK, "Temporary Travel Order": ("ahead",)}

COMPACT: Final = {"sending_state": "VA", "receiving_state": "NC", "report_by": "2026-11-09", "agency": "Virginia Interstate Compact"}
COURT: Final = {"court": "Henrico Circuit Court", "case_number": "CR26-001432", "agency": "Henrico Circuit Court Clerk"}
CUSTODY: Final = {"place": "Henrico County Regional Jail", "origin": "Deep Meadow Correctional Center", "agency": "Virginia Corrections"}
BOARD: Final = {"place": "Richmond", "agency": "Virginia Parole Board"}
STANDING: Final = OffenderStanding(
    offender="o1",
    status="Waiting for Sentencing",
    status_since=millis("2026-09-21T15:00:00Z"),
    kind="Outside the United States",
    kind_since=NOON,
    jurisdiction="VA",
)
FACTS: Final[dict[str, dict[str, Any]]] = {
    "Interstate Compact": COMPACT,
    "Attorney General": COURT,
    "Court": COURT,
    "Prosecution": COURT,
    "Parole Board": BOARD,
    "Federal Justice": {**CUSTODY, "court": "U.S. District Court, Richmond", "agency": "U.S. Attorney, Eastern District of Virginia"},
}


def texts() -> dict[str, tuple[str, str]]:
    """Every text of the rules by its name, with one event type and subtype that it is told for."""
    found: dict[str, tuple[str, str]] = {}
    for event_type, subtype in sorted(RULE_SET.codes):
        own = f"{event_type}/{subtype}"
        found.setdefault(own if (own, "en") in RULE_SET.texts else subtype, (event_type, subtype))
    return found


def path(name: str, language: str) -> Path:
    return FOLDER / language / (name.lower().replace("/", "-").replace(" ", "-") + ".txt")


def sample(event_type: str, subtype: str, **more: Any) -> Notice:
    code = RULE_SET.codes[event_type, subtype]
    at = millis("2026-12-14T15:00:00Z") if set(code.notification_types) & AHEAD or subtype == "Prerelease Notification" else NOON - HOUR
    return notice(event_type, subtype, **{"action_at": at, **FACTS.get(event_type, CUSTODY), **more})


def rendered_text(notices: tuple[Notice, ...], language: str, channel: Any) -> str:
    message = message_for(notices, RULES, NOON, language, channel)
    assert message is not None, notices[0].event_subtype
    assert message.language == language.partition("-")[0]
    return f"Subject: {message.subject}\n\n{message.body}" if message.subject else message.body


def golden_text(event_type: str, subtype: str, language: str) -> str:
    """What a registrant is told in each channel; then of two offenders and a date ahead, of a change and of a cancellation."""
    one = sample(event_type, subtype)
    two = tuple(
        sample(event_type, subtype, part=part, name=person.name, identifiers=person.identifiers, action_at=NOON + 9 * DAY)
        for part, person in enumerate((JOHN, JANE))
    )
    change = Change("action_at", "2026-12-10T15:00:00Z", "2026-12-14T15:00:00Z")
    changed = sample(event_type, subtype, telling="change", changes=(change,))
    cancelled = sample(event_type, subtype, telling="cancellation")
    text = rendered_text((one,), language, "sms")
    parts = {
        f"sms ({septets(text)} septets)": text,
        "email": rendered_text((one,), language, "email"),
        "voice": rendered_text((one,), language, "voice"),
        "two offenders, date ahead": rendered_text(two, language, "sms") + "\n\n" + rendered_text(two, language, "voice"),
        "changed": rendered_text((changed,), language, "sms"),
        "cancelled": rendered_text((cancelled,), language, "sms"),
    }
    if subtype in JOURNEYS:
        for way in JOURNEYS[subtype]:
            journey = (sample(event_type, subtype, way=way),)
            parts |= {f"{way}, {channel}": rendered_text(journey, language, channel) for channel in ("sms", "email", "voice")}
    return f"{event_type}: {subtype}\n" + "".join(f"\n--- {name}\n{part}\n" for name, part in parts.items())


def frames(language: str) -> str:
    """A change and a cancellation in full, and the messages that tell of no event."""
    changes = (
        Change("action_at", "2026-12-10", "2026-12-14T15:00:00Z"),
        Change("court", "Richmond Circuit Court", "Henrico Circuit Court"),
        Change("case_number", "CR26-001432", ""),
        Change("status", "", "Incarcerated"),
    )
    hearing = sample("Court", "Court Hearing", telling="change", changes=changes)
    cancelled = tuple(sample(*code, telling="cancellation") for code in (("Court", "Court Hearing"), ("Corrections", "Release")))
    parts = {f"change, {channel}": rendered_text((hearing,), language, channel) for channel in ("sms", "email", "voice")}
    for each in cancelled:
        parts |= {
            f"{each.event_subtype} cancelled, {channel}": rendered_text((each,), language, channel) for channel in ("sms", "email", "voice")
        }
    for each in (sample("Jail", "Escape"), hearing):
        parts |= {
            f"discreet, {each.event_subtype}, {channel}": rendered_text((each,), f"{language}-x-discreet", channel)
            for channel in ("sms", "email")
        }
    for name in ("verification", "registered"):
        for channel in ("sms", "email"):
            parts[f"discreet, {name}, {channel}"] = about_registration(name, f"{language}-x-discreet", channel)
    for name in ("verification", "registered", "opted_out", "opted_in", "help"):
        for channel in ("sms", "email", "voice"):
            parts[f"{name}, {channel}"] = about_registration(name, language, channel)
    for channel in ("sms", "email", "voice"):
        parts[f"registered, offender known, {channel}"] = about_registration("registered", language, channel, STANDING)
    return "Changes, cancellations, and what tells of no event\n" + "".join(f"\n--- {name}\n{part}\n" for name, part in parts.items())


def about_registration(content: Any, language: str, channel: Any, standing: OffenderStanding | None = None) -> str:
    told = sample_about_registration(RULES, content, language, channel, NOON, standing)
    assert told is not None
    if channel == "sms":
        assert fits(told.body)
    return f"Subject: {told.subject}\n\n{told.body}" if told.subject else told.body


def write() -> None:
    for language in LANGUAGES:
        (FOLDER / language).mkdir(parents=True, exist_ok=True)
        for old in (FOLDER / language).glob("*.txt"):
            old.unlink()
        for name, code in texts().items():
            path(name, language).write_text(golden_text(*code, language), encoding="utf-8")
        path("_frames", language).write_text(frames(language), encoding="utf-8")


if __name__ == "__main__":
    write()
