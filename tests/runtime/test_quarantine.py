"""An input on which a stage fails three times is set aside, and everything else goes on."""

from collections.abc import Mapping
from typing import Any

import pytest

from processors.runtime.decide.task import ATTEMPTS, RETRY, Task
from processors.runtime.errors import Poison
from processors.runtime.wire.changelog import Position
from processors.stage import Context, Decision, Input, Stage, Wake
from processors.topics import DEAD_LETTERS, changelog
from tests.runtime.test_task import CODEC, CONTEXT, IN, OTHER, OUT, Log, deadline, decide, keys, record, seen

SECRET = "+18045559876"


def failing(each: Input, states: Mapping[str, Log], context: Context) -> Decision[Log]:
    """Fail on a record that says so, and on every timer of the key "bad"."""
    if each.key == "bad" and isinstance(each, Wake):
        raise KeyError(SECRET)
    if not isinstance(each, Wake) and getattr(each, "value", None) is not None and each.value.reference == "poison":
        raise ValueError(SECRET)
    return decide(each, states, context)


STAGE = Stage("test", (IN, OTHER), (OUT,), changelog("test"), Log, keys, failing, deadline)
STORED = {b"=bad": CODEC.encode_state(Log((), 50)), b"=k": CODEC.encode_state(Log())}


def task(failures: dict[str, int] | None, timers: dict[str, int] | None = None) -> Task:
    one = Task(STAGE, 0, Position(7, {"in": 0, "other": 0}), {"in": 0, "other": 0}, dict(timers or {}))
    one.poison = failures
    return one


def batch(one: Task, *records: Any, watermark: int | None = None) -> Any:
    return one.decide(records, watermark, 100, lambda names: [STORED.get(name) for name in names], CODEC, CONTEXT)


def attempts(failures: dict[str, int], name: str, *records: Any, **how: Any) -> None:
    """Fail as often as is allowed, each time with a new task."""
    for _ in range(ATTEMPTS - 1):
        with pytest.raises(Poison) as caught:
            batch(task(failures, how.get("timers")), *records, watermark=how.get("watermark"))
        assert caught.value.name == name
        assert SECRET not in str(caught.value)


def test_a_record_is_set_aside_after_the_third_failure_and_the_others_of_its_key_go_on() -> None:
    records = [record("a", 1, offset=0), record("poison", 2, offset=1), record("b", 3, offset=2)]
    failures: dict[str, int] = {}
    attempts(failures, "in-0-1", *records)
    result = batch(task(failures), *records)
    assert seen(result) == ("a", "b")
    (letter,) = [CODEC.decode(value or b"") for topic, _, value, *_ in result.outputs if topic is DEAD_LETTERS]
    assert (letter.dead_letter_id, letter.reason, letter.topic, letter.offset, letter.key) == ("in-0-1", "quarantined", "in", 1, "k")
    assert CONTEXT.seal.open(letter.original, "dead-letter") == records[1].raw, "it can be sent again as it was"
    assert "ValueError at test_quarantine.py" in letter.detail
    assert SECRET not in letter.detail
    assert [(each.outcome, each.reason) for each in result.verdicts] == [("rejected", "quarantined")]
    assert result.set_aside == ["in-0-1"]


def test_a_timer_is_set_aside_with_its_state_untouched_and_tried_again_in_an_hour() -> None:
    failures: dict[str, int] = {}
    with pytest.raises(Poison) as caught:
        batch(task(failures, {"bad": 50}), watermark=60)
    name = caught.value.name
    assert "bad" not in name.split("-")[2], "a key may be a registrant's id"
    failures.clear()
    attempts(failures, name, timers={"bad": 50}, watermark=60)
    one = task(failures, {"bad": 50, "k": 55})
    result = batch(one, watermark=60)
    assert one.timers.at("bad") == 50 + RETRY
    assert b"=bad" not in result.changes
    assert seen(result) == ("wake 55",), "other timers fire"
    (letter,) = [CODEC.decode(value or b"") for topic, _, value, *_ in result.outputs if topic is DEAD_LETTERS]
    assert (letter.reason, letter.topic, letter.offset, letter.original) == ("quarantined", "test.state", -1, None)


def test_without_the_guard_one_record_stops_everything_for_ever() -> None:
    for _ in range(5):
        with pytest.raises(ValueError, match="804"):
            batch(task(None), record("a", 1), record("poison", 2, offset=1))
