"""An input on which a stage fails three times is quarantined, and everything else goes on."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from processors.domain.erasure import registrant_digest
from processors.domain.journal import DeadLetter
from processors.domain.registration import address_digest
from processors.domain.seal import SealBroken
from processors.runtime.decide.batch import TIMER_RETRY, BatchResult
from processors.runtime.decide.driver import repeatable_bytes
from processors.runtime.decide.failures import MAX_FAILURES, PROCESS_ENDED, FailureLog
from processors.runtime.decide.task import Task
from processors.runtime.errors import PoisonInput, Stop
from processors.runtime.wire.changelog import Position
from processors.stage import Context, Decision, Input, Record, Stage, TimerFired
from processors.topics import DEAD_LETTER_KEYS, DEAD_LETTERS, changelog
from tests.runtime.test_task import CODEC, CONTEXT, IN, OTHER, OUT, Log, deadline, decide, keys, record, seen

SECRET = "+18045559876"


def failing(each: Input, states: Mapping[str, Log], context: Context) -> Decision[Log]:
    """Fail on a record that says so, and on every timer of the key "bad"."""
    if each.key == "bad" and isinstance(each, TimerFired):
        raise KeyError(SECRET)
    if not isinstance(each, TimerFired) and getattr(each, "value", None) is not None and each.value.reference == "poison":
        raise ValueError(SECRET)
    return decide(each, states, context)


STAGE = Stage("test", (IN, OTHER), (OUT,), changelog("test"), Log, keys, failing, deadline)
STORED = {b"=bad": CODEC.encode_state(Log((), 50)), b"=k": CODEC.encode_state(Log())}


def task(failures: FailureLog | None, timers: dict[str, int] | None = None, stage: Stage[Any] = STAGE) -> Task:
    one = Task(stage, 0, Position(7, {"in": 0, "other": 0}), {"in": 0, "other": 0}, dict(timers or {}))
    one.failures = failures
    return one


def batch(one: Task, *records: Any, watermark: int | None = None, most: int = 100) -> BatchResult:
    for each in records:
        one.enqueue(each.topic, each)
    waiting = [each for _, each in one.queue]
    context = replace(CONTEXT, draw=repeatable_bytes)
    return one.decide(waiting, watermark, most, lambda names: [STORED.get(name) for name in names], CODEC, context)


def fail(failures: FailureLog, name: str, *records: Any, timers: dict[str, int] | None = None, watermark: int | None = None) -> None:
    """Fail as often as is allowed, each time with a new task."""
    for _ in range(MAX_FAILURES):
        with pytest.raises(PoisonInput) as caught:
            batch(task(failures, timers), *records, watermark=watermark)
        assert caught.value.name == name
        assert SECRET not in str(caught.value)


def decided(result: BatchResult) -> tuple[str, ...]:
    return seen(result) if b"=k" in result.changes else ()


def letters(result: BatchResult) -> list[Any]:
    return [CODEC.decode(each.value or b"") for each in result.outputs if each.topic is DEAD_LETTERS]


def test_a_record_is_set_aside_alone_after_the_third_failure_and_the_others_of_its_key_go_on() -> None:
    records = [record("a", 1, offset=0), record("poison", 2, offset=1), record("b", 3, offset=2)]
    failures = FailureLog()
    fail(failures, "in-0-1", *records)
    one = task(failures)
    before, alone, after = batch(one, *records), batch(one), batch(one)
    assert [decided(each) for each in (before, alone, after)] == [("a",), (), ("b",)]
    assert before.quarantined == after.quarantined == []
    assert (alone.quarantined, alone.records, len(alone.outputs), alone.changes) == (["in-0-1"], 1, 1, {})
    (letter,) = letters(alone)
    assert (letter.dead_letter_id, letter.reason, letter.topic, letter.offset, letter.key) == ("in-0-1", "quarantined", "in", 1, "k")
    assert CONTEXT.seal.open(letter.original, "dead-letter") == records[1].raw, "it can be sent again as it was"
    assert "ValueError at test_quarantine.py" in letter.detail
    assert SECRET not in letter.detail
    assert [(each.outcome, each.reason) for each in alone.verdicts] == [("rejected", "quarantined")]


def test_a_timer_is_set_aside_with_its_state_untouched_and_tried_again_in_an_hour() -> None:
    failures = FailureLog()
    with pytest.raises(PoisonInput) as caught:
        batch(task(failures, {"bad": 50}), watermark=60)
    name = caught.value.name
    assert "bad" not in name.split("-")[2], "a key may be a registrant's id"
    failures.counts.clear()
    fail(failures, name, timers={"bad": 50}, watermark=60)
    one = task(failures, {"bad": 50, "k": 55})
    assert one.quarantines_next()
    alone = batch(one, watermark=60)
    assert one.timers.at("bad") == 50 + TIMER_RETRY
    assert b"=bad" not in alone.changes
    assert seen(batch(one, watermark=60)) == ("wake 55",), "other timers fire"
    (letter,) = letters(alone)
    assert (letter.reason, letter.topic, letter.offset, letter.original) == ("quarantined", "test.state", -1, None)


def test_a_record_that_an_operator_set_aside_is_not_decided() -> None:
    failures = FailureLog(by_hand={"in-0-1": "blocks the stage (ann)"})
    one = task(failures)
    results = [batch(one, record("a", 1, offset=0), record("fine", 2, offset=1), record("b", 3, offset=2)), batch(one), batch(one)]
    assert [decided(each) for each in results] == [("a",), (), ("b",)]
    (letter,) = letters(results[1])
    assert letter.detail == "set aside by hand: blocks the stage (ann)"


def quarantined(stage: Stage[Any]) -> tuple[DeadLetter, list[Any]]:
    """Set a record aside that has an address in it; return its dead letter and what else was written."""
    failures = FailureLog(by_hand={"in-0-0": "by hand"})
    one = task(failures, stage=stage)
    results = [batch(one, record(f"call {SECRET}", 1, offset=0)), batch(one)]
    written = [CODEC.decode(each.value or b"") for result in results for each in result.outputs if each.topic is DEAD_LETTER_KEYS]
    (letter,) = [letter for each in results for letter in letters(each)]
    return letter, written


def broken(_: Record) -> str:
    raise ValueError(SECRET)


def test_a_record_that_is_set_aside_can_be_erased_with_the_registrant_whom_it_names_and_whose_address_is_in_it() -> None:
    letter, (key,) = quarantined(replace(STAGE, outputs=(OUT, DEAD_LETTER_KEYS), registrant=lambda record: record.key))
    assert letter.owner == registrant_digest("k", CONTEXT.seal)
    assert address_digest(SECRET, CONTEXT.seal) in letter.addresses
    own = key.seal_for("in-0-0", CONTEXT.seal)
    assert SECRET.encode() in own.open(letter.original or b"", "dead-letter")
    with pytest.raises(SealBroken):
        CONTEXT.seal.open(letter.original or b"", "dead-letter")


@pytest.mark.parametrize("stage", [STAGE, replace(STAGE, outputs=(OUT, DEAD_LETTER_KEYS), registrant=broken)])
def test_a_record_of_which_nobody_can_say_whose_it_is_is_sealed_with_the_key_of_the_file(stage: Stage[Any]) -> None:
    letter, written = quarantined(stage)
    assert (letter.owner, letter.addresses, written) == (None, (), [])
    assert SECRET.encode() in CONTEXT.seal.open(letter.original or b"", "dead-letter")


def test_an_input_that_ended_the_process_three_times_is_set_aside_and_never_tried() -> None:
    failures = FailureLog()
    failures.count_failure("in-0-0", PROCESS_ENDED, times=3)
    (letter,) = letters(batch(task(failures), record("fine", 1, offset=0)))
    assert PROCESS_ENDED in letter.detail


def test_the_input_in_work_is_noted_only_while_it_is_decided() -> None:
    noted: list[str] = []

    class Noted:
        def set(self, name: str) -> None:
            noted.append(name)

    batch(task(FailureLog(current_input=Noted()), {"k": 0}), record("a", 1, offset=4), watermark=2)
    assert noted[0].startswith(("in-0-4", "test.timer-0-"))
    assert "in-0-4" in noted
    assert noted[-1] == ""


@pytest.mark.parametrize("bad", [b"", b"\xc3\x01rubbish", b"{}"])
def test_an_input_whose_state_cannot_be_read_is_set_aside_like_any_other(bad: bytes) -> None:
    failures = FailureLog()

    def decide_over(one: Task) -> BatchResult:
        one.enqueue("in", record("a", 1, offset=0))
        return one.decide([each for _, each in one.queue], None, 9, lambda names: [bad for _ in names], CODEC, CONTEXT)

    for _ in range(MAX_FAILURES):
        with pytest.raises((PoisonInput, Stop)) as caught:
            decide_over(task(failures))
        if isinstance(caught.value, Stop):
            return  # a format of another version: no input is to blame, and the stage stops with a sentence
    assert len(letters(decide_over(task(failures)))) == 1


def test_keys_that_fail_on_a_record_are_its_failure() -> None:
    def broken(each: Input, found: Mapping[str, Log]) -> list[str]:
        if getattr(getattr(each, "value", None), "reference", "") == "poison":
            raise RecursionError(SECRET)
        return list(keys(each, found))

    failures = FailureLog()
    stage = Stage("test", (IN, OTHER), (OUT,), changelog("test"), Log, broken, decide, deadline)
    with pytest.raises(PoisonInput) as caught:
        batch(task(failures, stage=stage), record("a", 1, offset=0), record("poison", 2, offset=1))
    assert caught.value.name == "in-0-1"


def test_without_the_guard_one_record_stops_everything_for_ever() -> None:
    for _ in range(5):
        with pytest.raises(ValueError, match="804"):
            batch(task(None), record("a", 1), record("poison", 2, offset=1))
