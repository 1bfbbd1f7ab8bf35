"""Messages without an event: verification codes, confirmations, and answers to opting out or in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from processors.deliver.contacts import Destination
from processors.deliver.situation import Situation
from processors.deliver.state import Delivery
from processors.deliver.verification import VALID, code_of
from processors.deliver.wording.clean import clean
from processors.deliver.wording.dates import day_in_words, instant_in_words
from processors.deliver.wording.style import Style
from processors.deliver.wording.templates import Message, also, plain_message
from processors.domain.offender import OffenderStanding
from processors.rules.rule_set import Rules

NOTHING_KNOWN: Final = OffenderStanding(offender="")


def message_about(delivery: Delivery, to: Destination, situation: Situation) -> Message | None:
    """
    Return the message; None if the rules have no text for it.

    It never names the offender, not even when it tells their standing, since the address may be a stranger's.
    """
    code = code_of(situation.registrant_id, to.name, delivery.created_at, situation.seal) if delivery.content == "verification" else ""
    zone = to.registration.zones[0]
    facts = FactsOfRegistration(code, delivery.standing, situation.rules, delivery.created_at, zone, brief=to.channel == "sms")
    return plain_message(situation.rules.rule_set("", delivery.created_at), f"*{delivery.content}", to.language, to.channel, facts.in_words)


@dataclass(frozen=True, slots=True)
class FactsOfRegistration:
    """The facts of a message about a registration: a code, until when it is valid (local time), and the offender's standing."""

    code: str
    standing: OffenderStanding | None
    rules: Rules
    at: int
    zone: ZoneInfo
    brief: bool

    def in_words(self, language: str) -> dict[str, Any]:
        """Return the variables of a text, in words of the language."""
        standing = standing_in_words(self.standing or NOTHING_KNOWN, language, self.rules, self.at, brief=self.brief)
        style = Style(language, self.rules, self.rules.rule_set("", self.at), self.zone, brief=self.brief)
        valid_until = instant_in_words(self.at + VALID, style, date_only=False)
        return {"code": self.code, "spoken_code": " ".join(self.code), "valid_until": valid_until, "also": also, **standing}


def standing_in_words(standing: OffenderStanding, language: str, rules: Rules, at: int, *, brief: bool) -> dict[str, str]:
    """Return status, since when, and kind of location in words of the language; unknown values are empty."""
    rule_set = rules.rule_set(standing.jurisdiction or "", at)
    style = Style(language, rules, rule_set, rule_set.zone, brief=brief)
    since = standing.status_since
    day = "" if since is None else datetime.fromtimestamp(since / 1_000, rule_set.zone).date().isoformat()
    return {
        "status": style.noun(f"*status.{standing.status}") or clean(standing.status or ""),
        "since": day_in_words(day, language, brief=brief),
        "kind": style.noun(f"*kind.{standing.kind}") or clean(standing.kind or ""),
    }
