"""The guarantees of the driver, with small stages."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import Struct

from processors.domain.journal import Unreadable, Verdict
from processors.domain.tick import Tick
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver
from processors.stage import Context, Decision, Input, Output, Record, Stage, TimerFired
from processors.topics import CLOCK, POLICIES, SUBMISSIONS, Topic, changelog

START = datetime(2026, 11, 2, 12, tzinfo=UTC)
BEGIN = int(START.timestamp()) * 1000
MIDDLE = Topic("middle", (Tick,), "none")
LAST = Topic("last", (Tick,), "none")
RULES = load_rules()

Decide = Callable[[Input, Mapping[str, Any], Context], Decision[Any]]


class Count(Struct, frozen=True):
    times: tuple[int, ...] = ()
    due: int | None = None


def stage(name: str, inputs: tuple[Topic, ...], decide: Decide) -> Stage[Any]:
    def keys(_given: Input, _states: Mapping[str, Any]) -> Iterable[str]:
        return ("k",)

    return Stage(name, inputs, (MIDDLE, LAST), changelog(name), Count, keys, decide, lambda count: count.due)


def counting(name: str, onward: Topic, hold: int) -> Decide:
    """Remember the time of every input, pass on after a hold."""

    def decide(given: Input, states: Mapping[str, Any], _context: Context) -> Decision[Any]:
        assert isinstance(given, Record | TimerFired)
        at = given.due_at if isinstance(given, TimerFired) else given.timestamp
        times = (*states.get("k", Count()).times, at)
        verdict = Verdict(stage=name, message_id="m", outcome="passed", reason="r", detail=type(given).__name__, at=at)
        if isinstance(given, TimerFired) or hold == 0:
            return Decision((Output(onward, "k", Tick(at)),), {"k": Count(times)}, (verdict,))
        return Decision((), {"k": Count(times, at + hold)}, (verdict,))

    return decide


def driver(*stages: Stage[Any]) -> PipelineDriver:
    return PipelineDriver({"all": stages}, RULES, bytes(64), START)


def two(first: int, second: int) -> PipelineDriver:
    return driver(
        stage("one", (SUBMISSIONS,), counting("one", MIDDLE, first)),
        stage("two", (MIDDLE,), counting("two", LAST, second)),
    )


def test_what_goes_in_has_gone_all_the_way_when_the_call_returns() -> None:
    pipeline = two(0, 0)
    pipeline.submit("a", "b")
    assert pipeline.records(LAST) == [Tick(BEGIN), Tick(BEGIN)]
    assert [each.stage for each in pipeline.verdicts()] == ["one", "two", "one", "two"]


def test_timers_fire_at_their_own_time_however_far_the_clock_is_moved() -> None:
    pipeline = two(1000, 500)
    pipeline.submit("a")
    assert pipeline.next_due() == BEGIN + 1000
    pipeline.advance(timedelta(hours=1))
    assert pipeline.records(LAST) == [Tick(BEGIN + 1500)]
    assert pipeline.now == BEGIN + 3_600_000
    assert pipeline.next_due() is None


def test_a_timer_is_not_early() -> None:
    pipeline = two(1000, 0)
    pipeline.submit("a")
    pipeline.advance(timedelta(milliseconds=999))
    assert pipeline.records(MIDDLE) == []
    pipeline.advance(timedelta(milliseconds=1))
    assert pipeline.records(LAST) == [Tick(BEGIN + 1000)]


def test_of_timers_due_together_the_one_further_down_the_road_fires_first() -> None:
    pipeline = driver(
        stage("one", (SUBMISSIONS,), counting("one", MIDDLE, 1000)),
        stage("two", (SUBMISSIONS,), counting("two", LAST, 1000)),
    )
    pipeline.submit("a")
    pipeline.advance(timedelta(seconds=1))
    assert [(each.stage, each.detail) for each in pipeline.verdicts()] == [
        ("two", "Record"),
        ("one", "Record"),
        ("two", "TimerFired"),
        ("one", "TimerFired"),
    ]


def test_records_of_several_inputs_come_in_the_order_they_were_written() -> None:
    seen: list[str] = []

    def decide(given: Input, _states: Mapping[str, Any], _context: Context) -> Decision[Any]:
        assert isinstance(given, Record)
        seen.append(f"{given.topic} {given.offset}")
        return Decision()

    def twice(given: Input, _states: Mapping[str, Any], _context: Context) -> Decision[Any]:
        return Decision((Output(LAST, None, Tick(1)), Output(MIDDLE, None, Tick(2)), Output(LAST, None, Tick(3))))

    pipeline = driver(stage("one", (SUBMISSIONS,), twice), stage("two", (MIDDLE, LAST), decide))
    pipeline.submit("a")
    assert seen == ["last 0", "middle 0", "last 1"]


def test_a_state_is_kept_as_bytes_and_found_again() -> None:
    pipeline = two(0, 1000)
    assert pipeline.state("one", "k") is None
    pipeline.submit("a")
    assert pipeline.state("one", "k") == Count((BEGIN,))
    assert pipeline.keys("two") == ["k"]


def test_a_state_that_is_forgotten_is_gone() -> None:
    def decide(_given: Input, states: Mapping[str, Any], _context: Context) -> Decision[Any]:
        return Decision(states={"k": None if "k" in states else Count()})

    pipeline = driver(stage("one", (SUBMISSIONS,), decide))
    pipeline.submit("a")
    assert pipeline.keys("one") == ["k"]
    pipeline.submit("b")
    assert pipeline.keys("one") == []


def test_what_outsiders_send_is_told_apart_and_what_is_passed_on_is_the_same_bytes() -> None:
    values: list[Any] = []

    def decide(given: Input, _states: Mapping[str, Any], _context: Context) -> Decision[Any]:
        assert isinstance(given, Record)
        values.append(given.value)
        return Decision((Output(LAST, given.key, given.value),) if given.topic == MIDDLE.name else ())

    pipeline = driver(stage("one", (SUBMISSIONS, MIDDLE), decide))
    pipeline.submit("<a/>", b"\0\0\0\0\1", {"a": 1})
    pipeline.send(MIDDLE, Tick(5), "k")
    pipeline.send(SUBMISSIONS, None, "k")
    assert values == [
        b"<a/>",
        Unreadable("no_registry", "the record is in Confluent framing and no schema registry is configured"),
        b'{"a":1}',
        Tick(5),
        None,
    ]
    assert pipeline.log()[LAST.name] == pipeline.log()[MIDDLE.name]


def test_an_internal_record_that_cannot_be_read_is_a_dead_letter() -> None:
    pipeline = two(0, 0)
    pipeline.send(MIDDLE, b"\xc3\x01nonsense", "k")
    (letter,) = pipeline.records("dead-letters")
    assert (letter.reason, letter.topic, letter.stage) == ("unknown_schema", "middle", "two")


def test_a_setting_reaches_the_stages_and_its_topic() -> None:
    versions: list[str] = []

    def decide(_given: Input, _states: Mapping[str, Any], context: Context) -> Decision[Any]:
        versions.append(context.rules.version)
        return Decision()

    pipeline = driver(stage("one", (SUBMISSIONS,), decide))
    pipeline.submit("a")
    pipeline.set_policy("cancel.hold", "1m", jurisdiction="VA")
    pipeline.submit("b")
    assert [entry.key for entry in pipeline.entries(POLICIES)] == ["cancel.hold|VA||"]
    pipeline.set_policy("cancel.hold", None, jurisdiction="VA")
    pipeline.submit("c")
    assert versions[0] == versions[2] != versions[1]
    assert pipeline.latest(POLICIES) == {}


def test_a_stage_that_is_not_there_has_no_state() -> None:
    with pytest.raises(StopIteration):
        two(0, 0).state("three", "k")


def test_a_topic_nobody_wrote_to_is_empty() -> None:
    assert two(0, 0).entries(CLOCK) == []
