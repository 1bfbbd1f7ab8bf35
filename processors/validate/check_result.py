"""The result of all checks on one message: the first that failed decides the outcome; all that failed are reported."""

from typing import Final

from msgspec import Struct

from processors.domain.event import Event
from processors.rules.rule_set import Rules
from processors.validate import checks
from processors.validate.facts import RulesInForce, rules_in_force
from processors.validate.finding import Finding
from processors.validate.state import OffenderState

TAKES_EFFECT: Final = frozenset({"past", "internal"})  # reasons for which a message is suppressed but still takes effect


class CheckResult(Struct, frozen=True, gc=False):
    """The finding that decides (None if all checks passed), and the sentence for the journal."""

    in_force: RulesInForce
    found: Finding | None
    detail: str

    @property
    def holds(self) -> bool:
        """Whether the message must wait or be reviewed."""
        return self.found is not None and self.found.outcome != "suppressed"

    @property
    def takes_effect(self) -> bool:
        return self.found is None or self.found.reason in TAKES_EFFECT


def check(event: Event, known: OffenderState, rules: Rules, now: int) -> CheckResult:
    """Return the result of all checks on an event, given what is known of the offender."""
    in_force = rules_in_force(event, rules, now)
    if event.notification_type == "Internal" and not rules.flag("internal.forward", event.scope):
        found = Finding("suppressed", "internal", "the notification type is Internal and internal.forward is false")
        return CheckResult(in_force, found, found.detail)
    facts = checks.facts_for(event, known, in_force)
    applied = checks.checks_for(event)
    failed = checks.failures(facts, applied)
    if failed:
        return CheckResult(in_force, failed[0], "; ".join(found.detail for found in failed))
    return CheckResult(in_force, None, checks.passed_sentence(facts, applied))
