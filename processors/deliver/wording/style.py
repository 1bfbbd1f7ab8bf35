"""The language, rules and time zone in which a message is written."""

from zoneinfo import ZoneInfo

from msgspec import Struct

from processors.rules.rule_set import Rules, RuleSet


class Style(Struct, frozen=True, gc=False):
    """
    The style of one message; `brief` writes dates and names as in a text message.

    A `discreet` message may be read by others on a lock screen: it tells little, and gives the offices' telephone numbers instead.
    """

    language: str
    rules: Rules
    rule_set: RuleSet
    zone: ZoneInfo
    brief: bool
    discreet: bool = False

    def noun(self, name: str) -> str:
        """Return the `noun` of a text of the rules; empty if the language has none."""
        text = self.rule_set.texts.get((name, self.language))
        return "" if text is None else text.noun

    def state(self, code: str) -> str:
        """Return the name of a state; its code if no name is known."""
        if not code:
            return ""
        jurisdiction = self.rules.jurisdictions.get(code)
        return self.noun(f"*state.{code}") or (jurisdiction.name if jurisdiction is not None else "") or code
