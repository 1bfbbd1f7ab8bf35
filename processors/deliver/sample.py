"""Sample messages about fictitious events, for people who review the texts."""

from typing import Final

from processors.deliver.state import Content, Notice
from processors.deliver.wording.about_registrations import FactsOfRegistration
from processors.deliver.wording.templates import Message, message_for, plain_message
from processors.domain.event import Change, TellingKind
from processors.domain.offender import OffenderStanding
from processors.domain.person import Identifier, Name
from processors.domain.registration import Channel
from processors.rules.rule_set import EventCode, Rules

HEARINGS: Final = ("Hearing Notice",)
AHEAD: Final = 14 * 86_400_000 + 10 * 3_600_000  # a hearing is a fortnight ahead, at ten in the morning
STANDING_FOR: Final = 40 * 86_400_000  # milliseconds
CHANGES: Final = (Change("location_name", "Nottoway Correctional Center", "Greensville Correctional Center"),)


def sample_text(rules: Rules, jurisdiction: str, code: EventCode, at: int, language: str) -> str | None:
    """Return the text message about a code, with an invented offender, place and time; None if the language has no text for it."""
    message = message_for((sample_notice(jurisdiction, code, at),), rules, at, language, "sms")
    return message.body if message is not None and message.language == language.partition("-")[0] else None


def sample_message(rules: Rules, notice: Notice, language: str, channel: Channel) -> Message | None:
    """Return what one channel says about a sample notice; None if the language has no text for it."""
    message = message_for((notice,), rules, notice.received_at, language, channel)
    return message if message is not None and message.language == language.partition("-")[0] else None


def sample_about_registration(  # noqa: PLR0913, PLR0917  a message and what it says
    rules: Rules, content: Content, language: str, channel: Channel, at: int, standing: OffenderStanding | None = None
) -> Message | None:
    """Return what one channel says about a registration, with an invented code; None if the language has no text for it."""
    rule_set = rules.rule_set("", at)
    facts = FactsOfRegistration("048210", standing, rules, at, rule_set.zone, brief=channel == "sms")
    message = plain_message(rule_set, f"*{content}", language, channel, facts.in_words)
    return message if message is not None and message.language == language.partition("-")[0] else None


def sample_standing(at: int) -> OffenderStanding:
    """Return where an invented offender has stood for forty days."""
    return OffenderStanding(offender="o1", status="Incarcerated", status_since=at - STANDING_FOR, kind="State Prison", jurisdiction="VA")


def full_notice(code: EventCode, at: int, telling: TellingKind = "news") -> Notice:
    """Return a notice of one invented offender with everything that a message may mention."""
    return sample_notice(
        "",
        code,
        at,
        telling=telling,
        changes=CHANGES if telling == "change" else (),
        identifiers=(Identifier("ICOTS", "1203344"),),
        agency="Virginia Department of Corrections",
        place="Nottoway Correctional Center",
        court="Richmond Circuit Court",
        case_number="CR26-001432",
        report_by="2026-12-03",
    )


def sample_notice(jurisdiction: str, code: EventCode, at: int, **more: object) -> Notice:
    """Return a notice of one invented offender."""
    hearing = code.notification_types == HEARINGS
    given: dict[str, object] = {
        "message_id": "SAMPLE",
        "ori": "",
        "offender": "",
        "part": 0,
        "root": "SAMPLE",
        "registration_ids": (),
        "jurisdiction": jurisdiction,
        "event_type": code.event_type,
        "event_subtype": code.subtype,
        "notification_type": code.notification_types[0] if code.notification_types else "",
        "received_at": at,
        "action_at": at + AHEAD if hearing else at,
        "date_only": not hearing,
        "emergency": code.emergency,
        "name": Name(given="John", sur="Sample"),
        "sending_state": "VA",
        "receiving_state": "NC",
    }
    return Notice(**(given | more))  # type: ignore[arg-type]  # the fields are those above
