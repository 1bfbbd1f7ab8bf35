"""Known events and waiting messages as dedupe stores them, for tests of its queries."""

from typing import Any

from processors.dedupe.situation import Message, Situation, situation_of
from processors.dedupe.state import KnownEvent, KnownEvents, State, StoredMessage, WaitingMessage
from processors.domain.event import Event
from tests.dedupe.scene import OFFENDER, Scene
from tests.one_stage import rules

CANCEL = Scene().event("c", operation="Cancel", refers_to="m")


def known(seq: int, **more: Any) -> KnownEvent:
    return KnownEvent(**({"seq": seq, "ori": "VA0010000", "root": f"m{seq}", "message_ids": (f"m{seq}",)} | more))


def waiting(seq: int, **more: Any) -> WaitingMessage:
    fields = {"seq": seq, "ori": "VA0010000", "message_id": f"u{seq}", "reference": "m", "fingerprint": "f", "due": 10}
    return WaitingMessage(**(fields | more))


def knowing(
    *events: KnownEvent, waits: tuple[WaitingMessage, ...] = (), at: int = 100, stored: dict[int, Event] | None = None
) -> Situation:
    """Return the situation of an offender of whom this is known."""
    states: dict[str, State] = {OFFENDER: KnownEvents(events=events, waiting=waits)}
    messages: dict[str, State] = {f"{OFFENDER}/{seq}": StoredMessage(each) for seq, each in (stored or {}).items()}
    return situation_of(OFFENDER, at, rules(), states | messages)


def message(fingerprint: str = "f", **more: Any) -> Message:
    return Message(Event(**({name: getattr(CANCEL, name) for name in CANCEL.__struct_fields__} | more)), fingerprint)
