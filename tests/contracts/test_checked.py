"""The contract checks of the stages detect violations."""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

import pytest
from msgspec import Struct

from processors.domain.journal import Verdict
from processors.domain.tick import Tick
from processors.stage import Context, Decision, Input, Output, Record, Stage
from processors.topics import CLOCK, DISTINCT, EVENTS, changelog
from tests.contracts.checked import Watch
from tests.runtime.test_codec import EVENT

GIVEN = Record(EVENTS.name, 0, 0, "k", 1, EVENT)
FINE = Verdict(stage="odd", message_id="M", outcome="passed", reason="confirmed", detail="Fine.", at=1, rules="r1")
FRESH = count()


class Kept(Struct, frozen=True, forbid_unknown_fields=True):
    number: int = 0


class Other(Struct, frozen=True):
    words: str


def watched(decide: Any) -> None:
    """Decide once, watched."""

    def keys(_given: Input, _states: Mapping[str, Any]) -> Iterable[str]:
        return ("k",)

    stage: Stage[Any] = Stage("odd", (EVENTS,), (DISTINCT,), changelog("odd"), Kept, keys, lambda _given, states, _context: decide(states))
    context: Context = Context(rules=None, seal=None)  # type: ignore[arg-type]
    Watch({"5559876"}).watched(stage).decide(GIVEN, {"k": Kept()}, context)


def verdict(**changes: Any) -> Any:
    fields = {name: getattr(FINE, name) for name in FINE.__struct_fields__}
    return lambda _states: Decision(verdicts=(Verdict(**{**fields, **changes}),))


def changing(states: dict[str, Any]) -> Decision[Any]:
    states["k"] = Kept(1)
    return Decision(verdicts=(FINE,))


BAD = {
    "undeclared": lambda _: Decision((Output(CLOCK, None, Tick(1)),), verdicts=(FINE,)),
    "of another type": lambda _: Decision((Output(DISTINCT, None, Tick(1)),), verdicts=(FINE,)),
    "tombstone where nothing is compacted": lambda _: Decision((Output(DISTINCT, "k", None),), verdicts=(FINE,)),
    "different each time": lambda _: Decision(states={"k": Kept(next(FRESH))}, verdicts=(FINE,)),
    "changes what it was given": changing,
    "silent": lambda _: Decision(),
    "for another stage": verdict(stage="even"),
    "without a known reason": verdict(reason="because"),
    "without words": verdict(detail=" "),
    "without rules": verdict(rules=""),
    "indiscreet": verdict(detail="Told +18045559876."),
}


@pytest.mark.parametrize("decide", BAD.values(), ids=BAD.keys())
def test_a_bad_decision_is_seen(decide: Any) -> None:
    with pytest.raises(AssertionError):
        watched(decide)


def test_a_state_of_another_type_is_seen() -> None:
    with pytest.raises(Exception, match="cannot be read by this version"):
        watched(lambda _: Decision(states={"k": Other("x")}, verdicts=(FINE,)))


def test_a_good_decision_passes() -> None:
    watched(lambda _: Decision((Output(DISTINCT, "k", EVENT),), {"k": Kept(2)}, (FINE,)))
