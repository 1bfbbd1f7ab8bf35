"""
One decision on one offender, step by step.

A step is a value: the offender as they are known after it, and what it writes. Handlers take a `Situation` and return a
`Step`; `then` puts one after another, and the last becomes the `Decision`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from processors.domain.event import Event
from processors.domain.expectation import Expectation
from processors.domain.journal import Journal, Outcome, Verdict
from processors.rules.book import Rules
from processors.stage import Decision, Output
from processors.tally import ended
from processors.topics import EXPECTATIONS
from processors.validate import effect
from processors.validate.facts import RulesInForce
from processors.validate.reviews import NAME
from processors.validate.standing import standing_after
from processors.validate.state import HeldMessage, OffenderState, Pending, State

UNKNOWN: Final = OffenderState()


def known_of(offender: str, states: Mapping[str, State]) -> OffenderState:
    """Return what is known of the offender."""
    found = states.get(offender)
    return found if isinstance(found, OffenderState) else UNKNOWN


class Situation(Struct, frozen=True, gc=False):
    """What a handler knows: the offender as the steps before left them, the time to decide by, the rules."""

    offender: str
    now: int
    rules: Rules
    states: Mapping[str, State]
    known: OffenderState
    held: Mapping[str, HeldMessage | None] = {}

    @property
    def journal(self) -> Journal:
        return Journal(NAME, self.now, self.rules.version)

    def message(self, pending: Pending) -> HeldMessage:
        """Return the message that waits or is in review."""
        found = self.held[pending.key] if pending.key in self.held else self.states[pending.key]
        if not isinstance(found, HeldMessage):
            raise TypeError(f"{pending.key} holds no message")
        return found


class Step(Struct, frozen=True, gc=False):
    """
    What follows from one step, and how things stand after it.

    `took_effect` says that something changed which a waiting message may have waited for.
    """

    situation: Situation
    outputs: tuple[Output, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    took_effect: bool = False

    def then(self, handler: Callable[[Situation], "Step"]) -> "Step":
        """Return this step and the one that the handler makes of what it left, as one."""
        later = handler(self.situation)
        return Step(later.situation, self.outputs + later.outputs, self.verdicts + later.verdicts, self.took_effect or later.took_effect)

    def write(self, *outputs: Output) -> "Step":
        return replace(self, outputs=self.outputs + outputs)

    def publish(self, expectations: Iterable[Expectation]) -> "Step":
        return self.write(*(Output(EXPECTATIONS, each.expectation_id, each) for each in expectations))

    def note(self, event: Event, outcome: Outcome, reason: str, detail: str, review_id: str | None = None) -> "Step":
        """Return the step with one more verdict; what is suppressed has ended for the response to its agency too."""
        verdict = self.situation.journal.verdict(event, outcome, reason, detail, review_id)
        end = () if outcome != "suppressed" else ended(event, "failed" if reason == "discarded" else "nobody")
        return replace(self, outputs=self.outputs + end, verdicts=(*self.verdicts, verdict))

    def know(self, **fields: Any) -> "Step":
        """Return the step with some of what is known of the offender replaced."""
        return replace(self, situation=replace(self.situation, known=replace(self.situation.known, **fields)))

    def hold(self, key: str, message: HeldMessage | None) -> "Step":
        """Return the step with a message stored under its key, or with None, forgotten."""
        return replace(self, situation=replace(self.situation, held={**self.situation.held, key: message}))

    def apply(self, event: Event, in_force: RulesInForce, *, told: bool) -> "Step":
        """Return the step after an event took effect."""
        return self.after(effect.apply(self.situation.known, event, in_force, told=told))

    def after(self, changed: effect.Effect, *, took_effect: bool = True) -> "Step":
        known, published = changed
        step = replace(self, situation=replace(self.situation, known=known), took_effect=self.took_effect or took_effect)
        return step.publish(published) if published else step

    def decision(self) -> Decision[State]:
        """Return all steps as one decision."""
        situation = self.situation
        states: dict[str, State | None] = dict(situation.held)
        before, outputs = known_of(situation.offender, situation.states), self.outputs
        if situation.known is not before:
            states[situation.offender] = situation.known
            outputs += standing_after(situation.offender, before, situation.known, situation.rules, situation.now)
        return Decision(outputs, states, verdicts=self.verdicts)
