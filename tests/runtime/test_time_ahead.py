"""A clock that was once ahead never ends holds early."""

from collections.abc import Sequence

from processors.runtime.clock import MAX_AHEAD
from processors.runtime.decide.task import Task
from processors.runtime.wire.changelog import Position
from tests.runtime.test_task import CODEC, CONTEXT, STAGE, Log, record, seen

NOW = 1_795_348_800_000
YEAR = 365 * 86_400_000
HOLD = 8 * 3_600_000


def task(time: int = 0) -> Task:
    one = Task(STAGE, 0, Position(7, {"in": 0, "other": 0}, time=time), {"in": 0, "other": 0}, {})
    one.now = NOW
    return one


def nothing(names: Sequence[bytes]) -> list[bytes | None]:
    return [None] * len(names)


def test_a_record_from_the_future_ends_no_hold() -> None:
    one = task()
    first = one.decide(
        [record("ahead", NOW + YEAR), record("held", NOW, wake=NOW + HOLD), record("next", NOW + 1)], None, 9, nothing, CODEC, CONTEXT
    )
    assert seen(first) == ("ahead", "held", "next")
    assert first.position.time == NOW + 1
    assert one.timers.at("k") == NOW + HOLD


def test_the_control_by_the_time_of_the_record_the_hold_would_have_ended() -> None:
    one = task()
    one.now = None
    first = one.decide(
        [record("ahead", NOW + YEAR), record("held", NOW, wake=NOW + HOLD), record("next", NOW + 1)], None, 9, nothing, CODEC, CONTEXT
    )
    assert seen(first) == ("ahead", "held", f"wake {NOW + HOLD}", "next")


def test_a_time_that_was_kept_from_before_falls_back() -> None:
    one = task(time=NOW + YEAR)
    stored = {b"=k": CODEC.encode_state(Log((), NOW + HOLD))}
    one.timers.set("k", NOW + HOLD)
    result = one.decide([record("next", NOW)], None, 9, lambda names: [stored.get(name) for name in names], CODEC, CONTEXT)
    assert seen(result) == ("next",)
    assert result.position.time == NOW


def test_a_minute_is_within_what_clocks_may_differ_by() -> None:
    one = task()
    assert one.decide([record("a", NOW + MAX_AHEAD)], None, 9, nothing, CODEC, CONTEXT).position.time == NOW + MAX_AHEAD
    assert one.decide([record("a", NOW + MAX_AHEAD + 1)], None, 9, nothing, CODEC, CONTEXT).position.time == NOW + MAX_AHEAD
