"""
Effects: the parts of a decision on one offender's events.

Effects are combined in order by `then`, and become one `Decision` at the end. A function that returns an effect sees the state
before the decision; nothing is mutated.
"""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from processors.dedupe.situation import Situation
from processors.dedupe.state import KnownEvent, State, StoredMessage, WaitingMessage, message_key
from processors.domain.event import Event
from processors.domain.journal import Verdict
from processors.stage import Decision, Output


class Effect(Struct, frozen=True, gc=False):
    """
    State changes and outputs of one part of a decision.

    `events`, `waiting` and `messages` map `seq` to the new value; None deletes it.
    """

    events: Mapping[int, KnownEvent | None] = {}
    waiting: Mapping[int, WaitingMessage | None] = {}
    messages: Mapping[int, Event | None] = {}
    outputs: tuple[Output, ...] = ()
    verdicts: tuple[Verdict, ...] = ()

    def then(self, later: "Effect") -> "Effect":
        """Return both effects combined; if both set a value, the later one applies."""
        return Effect(
            {**self.events, **later.events},
            {**self.waiting, **later.waiting},
            {**self.messages, **later.messages},
            self.outputs + later.outputs,
            self.verdicts + later.verdicts,
        )


def apply(effect: Effect, situation: Situation) -> Situation:
    """Return the situation after the effect."""
    messages = {message_key(situation.offender, seq): message for seq, message in effect.messages.items()}
    states = {key: state for key, state in situation.states.items() if key not in messages}
    states |= {key: StoredMessage(message) for key, message in messages.items() if message is not None}
    return replace(situation, states=states, known=situation.known.with_changes(effect.events, effect.waiting))


def decision(effect: Effect, situation: Situation) -> Decision[State]:
    """Return the effect as a decision on the offender's document and messages."""
    if not (effect.events or effect.waiting or effect.messages):
        return Decision(effect.outputs, verdicts=effect.verdicts)
    offender = situation.offender
    states: dict[str, State | None] = {
        message_key(offender, seq): None if message is None else StoredMessage(message) for seq, message in effect.messages.items()
    }
    if effect.events or effect.waiting:
        after = situation.known.with_changes(effect.events, effect.waiting)
        states[offender] = after if after.events or after.waiting else None
    return Decision(effect.outputs, states, verdicts=effect.verdicts)
