"""
A draft: one decision on one offender, built up by a sequence of handlers.

A handler takes a `Situation` and returns a `Draft`: the new situation, and what is to be written. `then` passes the situation to the
next handler and adds what that one writes; `decision` turns the last draft into the `Decision`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from processors.domain.event import Event
from processors.domain.expectation import Expectation
from processors.domain.journal import Journal, Outcome, Verdict
from processors.rules.rule_set import Rules
from processors.stage import Decision, Output
from processors.tally import part_ended
from processors.topics import EXPECTATIONS
from processors.validate import effect
from processors.validate.facts import RulesInForce
from processors.validate.reviews import NAME
from processors.validate.standing import standing_after
from processors.validate.state import HeldMessage, OffenderState, Pending, State

UNKNOWN: Final = OffenderState()
NOT_DELIVERED: Final = frozenset({"discarded", "crowded_out"})  # reasons for which the agency is told that its message was not delivered


def known_of(offender: str, states: Mapping[str, State]) -> OffenderState:
    """Return what is known of the offender; an empty state if nothing is."""
    found = states.get(offender)
    return found if found is not None and isinstance(found, OffenderState) else UNKNOWN


class Situation(Struct, frozen=True, gc=False):
    """What a handler knows: the offender's state after the handlers before, the time of the decision, and the rules."""

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
        """Return a message that waits or is in review."""
        found = self.held[pending.key] if pending.key in self.held else self.states[pending.key]
        if not isinstance(found, HeldMessage):
            raise TypeError(f"{pending.key} holds no message")
        return found


class Draft(Struct, frozen=True, gc=False):
    """
    An unfinished decision: the situation so far, and the records to write.

    `took_effect` means that something changed that a waiting message may have been waiting for.
    """

    situation: Situation
    outputs: tuple[Output, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    took_effect: bool = False

    def then(self, handler: Callable[[Situation], "Draft"]) -> "Draft":
        """Return this draft followed by what the handler adds, given the situation so far."""
        later = handler(self.situation)
        return Draft(later.situation, self.outputs + later.outputs, self.verdicts + later.verdicts, self.took_effect or later.took_effect)

    def write(self, *outputs: Output) -> "Draft":
        return Draft(self.situation, self.outputs + outputs, self.verdicts, self.took_effect)

    def publish(self, expectations: Iterable[Expectation]) -> "Draft":
        return self.write(*(Output(EXPECTATIONS, each.expectation_id, each) for each in expectations))

    def note(self, event: Event, outcome: Outcome, reason: str, detail: str, review_id: str | None = None) -> "Draft":
        """Return the draft with one more verdict; if the message is suppressed, also with the end of its part for the response."""
        verdict = self.situation.journal.verdict(event, outcome, reason, detail, review_id)
        end = () if outcome != "suppressed" else part_ended(event, "failed" if reason in NOT_DELIVERED else "nobody")
        return Draft(self.situation, self.outputs + end, (*self.verdicts, verdict), self.took_effect)

    def with_known(self, **fields: Any) -> "Draft":
        """Return the draft with some fields of the offender's state replaced."""
        return replace(self, situation=replace(self.situation, known=replace(self.situation.known, **fields)))

    def hold(self, key: str, message: HeldMessage | None) -> "Draft":
        """Return the draft with a message stored under its key; None deletes it."""
        return replace(self, situation=replace(self.situation, held={**self.situation.held, key: message}))

    def apply(self, event: Event, in_force: RulesInForce, *, told: bool) -> "Draft":
        """Return the draft after an event took effect."""
        return self.after(effect.apply_event(self.situation.known, event, in_force, told=told))

    def after(self, changed: effect.Effect, *, took_effect: bool = True) -> "Draft":
        (known, published), now = changed, self.situation
        situation = Situation(now.offender, now.now, now.rules, now.states, known, now.held)
        draft = Draft(situation, self.outputs, self.verdicts, self.took_effect or took_effect)
        return draft.publish(published) if published else draft

    def decision(self) -> Decision[State]:
        """Return the decision."""
        situation = self.situation
        states: dict[str, State | None] = dict(situation.held)
        before, outputs = known_of(situation.offender, situation.states), self.outputs
        if situation.known is not before:
            states[situation.offender] = situation.known
            outputs += standing_after(situation.offender, before, situation.known, situation.rules, situation.now)
        return Decision(outputs, states, verdicts=self.verdicts)
