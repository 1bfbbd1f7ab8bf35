"""A batch on one partition: the order of records and timers, one change per key, dead letters."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from msgspec import Struct

from processors.domain.journal import Unreadable
from processors.domain.notification import Receipt
from processors.domain.seal import Seal
from processors.domain.tick import Tick
from processors.rules.load import load_rules
from processors.runtime.decide.dead_letters import MAX_IN_A_ROW, WINDOW, DeadLetterLimit
from processors.runtime.decide.states import States
from processors.runtime.decide.task import Task, receive_time
from processors.runtime.errors import Stop
from processors.runtime.wire.changelog import Position, Timer
from processors.runtime.wire.codec import Codec
from processors.runtime.wire.states import StateFormat
from processors.stage import Context, Decision, Input, Output, Record, RulesChanged, Stage, TimerFired
from processors.topics import DEAD_LETTERS, Topic, changelog
from tests.broker.probe import NoRules

IN, OTHER, OUT = Topic("in", (Receipt,), "key"), Topic("other", (Receipt,), "key"), Topic("out", (Receipt,), "key")
CODEC = Codec()
CONTEXT = Context(NoRules(), Seal(bytes(64)))


class Log(Struct, frozen=True):
    """What was decided on a key, in order, and until when."""

    seen: tuple[str, ...] = ()
    until: int | None = None


def keys(each: Input, _: Mapping[str, Log]) -> Iterable[str]:
    return (each.key or "",)


def decide(each: Input, states: Mapping[str, Log], _: Context) -> Decision[Log]:
    """Every input goes into the log of its key; a record's `detail` may say until when."""
    key = each.key or ""
    log = states.get(key, Log())
    if isinstance(each, TimerFired):
        return Decision(states={key: Log((*log.seen, f"wake {each.due_at}"))})
    if isinstance(each, RulesChanged):
        return Decision(states={key: Log((*log.seen, f"rules changed {each.at}"), 30 if key == "sooner" else 90)})
    until = int(each.value.detail) if each.value.detail else log.until
    return Decision((Output(OUT, key, each.value),), {key: Log((*log.seen, each.value.reference), until)})


def deadline(log: Log) -> int | None:
    return log.until


STAGE = Stage("test", (IN, OTHER), (OUT,), changelog("test"), Log, keys, decide, deadline)


def record(word: str, at: int, key: str = "k", wake: int | None = None, offset: int = 0) -> Record:
    value = Receipt(
        reference=word, status="accepted", occurred_at=0, provider="p", received_at=at, detail=None if wake is None else str(wake)
    )
    return Record("in", 0, offset, key, 0, value, CODEC.encode(value))


def task(timers: dict[str, int] | None = None, stage: Stage[Any] = STAGE) -> Task:
    return Task(stage, 0, Position(7, {"in": 0, "other": 0}), {"in": 0, "other": 0}, timers or {})


def nothing(fields: Sequence[bytes]) -> list[bytes | None]:
    return [None] * len(fields)


def seen(work: Any, key: str = "k") -> tuple[str, ...]:
    log: Log = CODEC.states(StateFormat(Log))(work.changes[b"=" + key.encode()])
    return log.seen


def test_timers_due_up_to_a_record_come_before_it() -> None:
    work = task().decide([record("a", 100, wake=150), record("b", 149), record("c", 150)], None, 100, nothing, CODEC, CONTEXT)
    assert seen(work) == ("a", "b", "wake 150", "c")
    assert b"@k" not in work.changes, "the timer was set and fired in the one batch"
    assert (work.records, work.timers, work.oldest) == (3, 1, 100)


def test_a_timer_follows_its_state_and_is_written_only_if_it_differs() -> None:
    one = task({"k": 70})
    work = one.decide([record("a", 10, wake=90), record("b", 10, wake=70)], None, 100, nothing, CODEC, CONTEXT)
    assert (one.timers.at("k"), set(work.changes)) == (70, {b"=k"})
    work = one.decide([record("c", 10, wake=80)], None, 100, nothing, CODEC, CONTEXT)
    assert (one.timers.at("k"), work.changes[b"@k"]) == (80, CODEC.encode(Timer(80)))


def test_a_timer_that_fired_is_set_again_if_the_state_it_left_alone_has_a_deadline() -> None:
    stage = Stage("test", (IN, OTHER), (), changelog("test"), Log, keys, lambda *_: Decision(), deadline)
    one = task({"k": 50, "gone": 60}, stage)
    stored = {b"=k": CODEC.encode_state(Log((), 80))}
    work = one.decide([], 70, 100, lambda names: [stored.get(name) for name in names], CODEC, CONTEXT)
    assert (work.timers, work.changes) == (2, {b"@k": CODEC.encode(Timer(80)), b"@gone": None})


def test_time_never_runs_backwards() -> None:
    work = task().decide([record("late", 200), record("early", 100, wake=150), record("x", 120)], None, 100, nothing, CODEC, CONTEXT)
    assert seen(work) == ("late", "early", "wake 150", "x")
    assert work.position.time == 200


def test_the_clock_fires_nothing_before_the_watermark_is_known() -> None:
    one = task({"k": 50})
    assert not one.has_due(None, 1000, "")
    assert one.decide([record("a", 10, "other")], None, 100, nothing, CODEC, CONTEXT).timers == 0
    assert not one.has_due(49, 1000, "")
    assert one.has_due(50, 1000, "")
    assert seen(one.decide([], 50, 100, nothing, CODEC, CONTEXT)) == ("wake 50",)


def test_a_record_fires_the_timers_of_its_own_states_only_since_others_may_still_be_settled() -> None:
    one = task({"k": 50, "elsewhere": 40})
    stored = {b"=k": CODEC.encode_state(Log((), 50))}
    result = one.decide([record("a", 60)], None, 100, lambda names: [stored.get(name) for name in names], CODEC, CONTEXT)
    assert (seen(result), result.timers) == (("wake 50", "a"), 1)
    assert one.timers.at("elsewhere") == 40
    assert one.awaited_watermark(60, "") == 40, "the watermark that it waits for"


def test_timers_due_by_a_watermark_that_was_reached_before_come_before_any_record() -> None:
    one = task({"elsewhere": 40})
    one.decide([], 30, 100, nothing, CODEC, CONTEXT)
    assert one.timers.at("elsewhere") == 40
    one.watermark = 45
    order = one.decide([record("a", 20)], None, 100, nothing, CODEC, CONTEXT)
    assert list(order.changes) == [b"=elsewhere", b"=k", b"@elsewhere"]


def test_a_timer_waits_for_the_watermark_however_late_the_clock_is() -> None:
    one = task({"k": 50})
    assert one.awaited_watermark(40, "") is None
    assert one.awaited_watermark(5000, "") == 50
    assert not one.has_due(49, 5000, "")


def test_a_record_ends_being_caught_up_and_comes_once() -> None:
    one = task()
    one.reach_end("in", 0)
    one.reach_end("other", 3)
    assert one.caught_up
    assert one.moved
    assert one.advance("in", 0)
    assert not one.caught_up
    assert not one.advance("in", 0)
    assert not one.advance("other", 2)
    assert one.positions == {"in": 1, "other": 3}


def test_so_many_timers_a_batch() -> None:
    one = task({f"k{number}": number for number in range(30)})
    assert [one.decide([], 1000, 10, nothing, CODEC, CONTEXT).timers for _ in range(4)] == [10, 10, 10, 0]


def test_a_changed_key_is_written_once_and_a_value_passed_on_is_the_same_bytes() -> None:
    records = [record(str(number), 0, wake=900) for number in range(20)]
    work = task().decide(records, None, 100, nothing, CODEC, CONTEXT)
    assert set(work.changes) == {b"=k", b"@k"}
    assert work.changes[b"@k"] == CODEC.encode(Timer(900))
    assert all(output.value is each.raw for output, each in zip(work.outputs, records, strict=True))
    assert work.position.seq == 8


def test_a_state_that_is_forgotten_is_a_tombstone() -> None:
    stage = Stage("test", (IN,), (), changelog("test"), Log, keys, lambda each, *_: Decision(states={each.key or "": None}))
    assert task(stage=stage).decide([record("a", 0)], None, 100, nothing, CODEC, CONTEXT).changes == {b"=k": None}


def test_what_cannot_be_read_is_a_dead_letter_and_the_rest_goes_on() -> None:
    bad = Record("in", 0, 5, "k", 9, Unreadable("malformed", "no datum"), b"bytes")
    work = task().decide([record("a", 0), bad, record("b", 0)], None, 100, nothing, CODEC, CONTEXT)
    written = work.outputs[1]
    letter = CODEC.decode(written.value or b"")
    assert (written.topic, written.key) == (DEAD_LETTERS, b"in-0-5")
    assert (letter.original, letter.reason, letter.offset, letter.encrypted) == (b"bytes", "malformed", 5, False)
    assert [each.outcome for each in work.verdicts] == ["rejected"]
    assert seen(work) == ("a", "b")


def test_too_many_dead_letters_in_a_row_stop_it() -> None:
    limit = DeadLetterLimit()
    counted(limit, [True] * (MAX_IN_A_ROW - 1) + [False])
    with pytest.raises(Stop, match="records of the pipeline's own"):
        counted(limit, [True] * MAX_IN_A_ROW)


def counted(limit: DeadLetterLimit, bad: Iterable[bool]) -> None:
    for each in bad:
        if each:
            limit.count_bad()
        else:
            limit.read += 1


def test_too_large_a_share_of_dead_letters_stops_it_and_a_smaller_one_does_not() -> None:
    limit = DeadLetterLimit()
    counted(limit, (number % 25 == 0 for number in range(3 * WINDOW)))
    with pytest.raises(Stop):
        counted(limit, (number % 10 == 0 for number in range(WINDOW)))


def test_outsiders_may_send_what_they_like() -> None:
    outside = Topic("outside", (Receipt,), "key", external=True)
    stage = Stage("test", (outside,), (), None, Log, lambda *_: (), lambda *_: Decision())
    one = Task(stage, 0, Position(0, {}), {"outside": 0}, {})
    bad = Record("outside", 0, 5, "k", 9, Unreadable("malformed", "no datum"), b"bytes")
    assert one.decide([bad] * 200, None, 200, nothing, CODEC, CONTEXT).outputs == []


def test_states_are_asked_for_in_rounds_and_read_together() -> None:
    """The state of `a` names `b`, which names `c`; all inputs of a batch share each round."""
    stored = {b"=a1": Log(("b1",)), b"=b1": Log(("c1",)), b"=c1": Log(), b"=a2": Log(("b2",)), b"=b2": Log(("c2",))}
    rounds: list[list[bytes]] = []

    def read(fields: Sequence[bytes]) -> list[bytes | None]:
        rounds.append(sorted(fields))
        return [None if field not in stored else CODEC.encode_state(stored[field]) for field in fields]

    def following(each: Input, found: Mapping[str, Log]) -> Iterable[str]:
        yield each.key or ""
        for log in found.values():
            yield from log.seen

    stage = Stage("test", (IN,), (), changelog("test"), Log, following, decide)
    states = States(stage, read, CODEC.states(StateFormat(Log)))
    inputs = [record("x", 0, "a1"), record("x", 0, "a2")]
    states.prefetch(inputs)
    assert rounds == [[b"=a1", b"=a2"], [b"=b1", b"=b2"], [b"=c1", b"=c2"]]
    assert set(states.of(inputs[0])) == {"a1", "b1", "c1"}
    assert set(states.of(inputs[1])) == {"a2", "b2"}
    assert len(rounds) == 3
    states.change({"a1": Log(("new",))})
    assert set(states.of(inputs[0])) == {"a1"}
    assert rounds[3] == [b"=new"]


def test_what_a_record_changed_the_next_one_of_its_batch_is_given() -> None:
    """The state of a key names another: changed to the same, changed to name another, and forgotten."""
    stored = {name: CODEC.encode_state(Log(seen)) for name, seen in ((b"=a", ("b",)), (b"=b", ()), (b"=c", ()))}

    def following(each: Input, found: Mapping[str, Log]) -> Iterable[str]:
        return (each.key or "", *(found[each.key].seen if each.key in found else ()))

    stage = Stage("test", (IN,), (), changelog("test"), Log, following, decide)
    states = States(stage, lambda fields: [stored.get(field) for field in fields], CODEC.states(StateFormat(Log)))
    inputs = [record(str(number), 0, "a") for number in range(4)]
    states.prefetch(inputs)
    assert states.of(inputs[0]) == {"a": Log(("b",)), "b": Log()}
    states.change({"b": Log(("told",))})
    assert states.of(inputs[1]) == {"a": Log(("b",)), "b": Log(("told",))}
    states.change({"a": Log(("c",))})
    assert states.of(inputs[2]) == {"a": Log(("c",)), "c": Log()}
    states.change({"a": None})
    assert states.of(inputs[3]) == {}


REEVALUATING = Stage("test", (IN, OTHER), (OUT,), changelog("test"), Log, keys, decide, deadline, reevaluates=True)
NEW_RULES = Context(load_rules(), Seal(bytes(64)))
VERSION = NEW_RULES.rules.version


def reevaluated(one: Task, now: int, most: int = 100) -> Any:
    """The batch that follows where everything received by now was read."""
    one.awaited_watermark(now, VERSION)
    return one.decide([], now, most, nothing, CODEC, NEW_RULES)


def test_after_the_rules_changed_everything_that_waits_is_looked_at_once() -> None:
    one = task({"a": 90, "b": 90}, REEVALUATING)
    assert one.has_due(20, 20, VERSION)
    assert not task({"a": 90}).has_due(20, 20, VERSION), "a stage that does not ask for it"
    assert not task({}, REEVALUATING).has_due(20, 20, VERSION), "nothing waits"
    work = reevaluated(one, 20)
    assert (seen(work, "a"), seen(work, "b")) == (("rules changed 20",), ("rules changed 20",))
    assert b"@a" not in work.changes, "the timer stays"
    assert work.position.settled == VERSION
    assert not one.has_due(20, 20, VERSION)
    assert reevaluated(one, 21).changes == {}
    assert (one.timers.next(), len(one.timers)) == (90, 2)


def test_what_waits_is_looked_at_in_batches_and_the_position_says_so_after_the_last() -> None:
    one = task({"a": 90, "b": 50, "c": 70}, REEVALUATING)
    first, second = reevaluated(one, 20, most=2), reevaluated(one, 20, most=2)
    assert (sorted(first.changes), first.position.settled) == ([b"=b", b"=c", b"@b", b"@c"], ""), "the first due goes first"
    assert (sorted(second.changes), second.position.settled) == ([b"=a"], VERSION)


def test_a_timer_that_is_due_goes_before_and_one_that_is_set_to_an_earlier_time_is_kept() -> None:
    one = task({"due": 10, "sooner": 90}, REEVALUATING)
    work = reevaluated(one, 20)
    assert (seen(work, "due"), seen(work, "sooner")) == (("wake 10",), ("rules changed 20",))
    assert one.timers.next() == 30


def test_nothing_is_looked_at_before_the_watermark_has_reached_the_change_of_rules() -> None:
    one = task({"a": 90}, REEVALUATING)
    assert not one.has_due(None, 20, VERSION)
    assert one.awaited_watermark(30, VERSION) == 20
    assert not one.has_due(19, 30, VERSION)
    work = one.decide([record("x", 5, key="k")], 19, 100, nothing, CODEC, NEW_RULES)
    assert (sorted(work.changes), work.position.settled) == ([b"=k"], "")


def test_whoever_takes_over_looks_again_only_if_the_last_owner_had_not_come_to_it() -> None:
    for before, due in ((VERSION, False), ("", True)):
        position = Position(7, {"in": 0, "other": 0}, settled=before)
        one = Task(REEVALUATING, 0, position, {"in": 0, "other": 0}, {"a": 90})
        assert one.has_due(20, 20, VERSION) is due


def test_when_a_message_came_in() -> None:
    assert receive_time(record("a", 5)) == 5
    assert receive_time(Record("in", 0, 0, None, 9, Tick(1))) == 9
    assert receive_time(Record("in", 0, 0, None, 9, None)) == 9
