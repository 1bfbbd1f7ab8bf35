"""A batch is bounded in timers, records, bytes and outputs; the rest waits for the next one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from msgspec import Struct

from processors.domain.notification import Receipt
from processors.domain.seal import Seal
from processors.runtime.decide.batch import BYTES_PER_INPUT, OUTPUTS_PER_INPUT
from processors.runtime.decide.task import Task
from processors.runtime.run.pace import LOADED_INPUTS, LOADED_LINGER, MAX_BATCH, MIN_BATCH, linger_time, next_batch_size
from processors.runtime.wire.changelog import Position
from processors.runtime.wire.codec import Codec
from processors.stage import Context, Decision, Input, Output, Record, Stage
from processors.topics import Topic, changelog
from tests.broker.probe import NoRules

IN, OUT = Topic("in", (Receipt,), "key"), Topic("out", (Receipt,), "key")
CODEC = Codec()
CONTEXT = Context(NoRules(), Seal(bytes(64)))
MANY = 100_000


class Note(Struct, frozen=True):
    """When the key must be looked at again."""

    due: int | None = None


def keys(each: Input, _: Mapping[str, Note]) -> Iterable[str]:
    return (each.key or "",)


def decide(each: Input, states: Mapping[str, Note], _: Context) -> Decision[Note]:
    """A record is written as many times as its `detail` says; a timer is forgotten."""
    if not isinstance(each, Record):
        assert each.key in states, "the state of every timer was read"
        return Decision(states={each.key: None})
    return Decision(tuple(Output(OUT, each.key, each.value) for _ in range(int(each.value.detail or 0))))


STAGE = Stage("test", (IN,), (OUT,), changelog("test"), Note, keys, decide, lambda note: note.due)


def record(offset: int, copies: int = 0, key: str = "k", size: int = 0) -> Record:
    value = Receipt(reference="r" * size, status="accepted", occurred_at=0, provider="p", detail=str(copies))
    return Record("in", 0, offset, key, 1, value, CODEC.encode(value))


def task(timers: dict[str, int] | None = None) -> Task:
    return Task(STAGE, 0, Position(0, {"in": 0}), {"in": 0}, timers or {})


def queued(one: Task, most: int) -> list[Record]:
    return [each for _, each in list(one.queue)[:most]]


def batch(one: Task, most: int, watermark: int | None = None) -> Any:
    return one.decide(queued(one, most), watermark, most, lambda names: [None] * len(names), CODEC, CONTEXT)


@pytest.mark.slow
def test_a_hundred_thousand_timers_go_in_batches_whose_states_are_read_together() -> None:
    one = task({f"k{number}": 10 + number % 7 for number in range(MANY)})
    reads: list[int] = []
    note = CODEC.encode_state(Note())

    def read(names: Sequence[bytes]) -> list[bytes | None]:
        reads.append(len(names))
        return [note] * len(names)

    batches = [one.decide([], 100, 5_000, read, CODEC, CONTEXT).timers for _ in range(MANY // 5_000)]
    assert batches == [5_000] * 20
    assert reads == [5_000] * 20, "one read a batch"
    assert len(one.timers) == 0


def test_a_record_waits_for_timers_that_come_before_it_and_fill_the_batch() -> None:
    one = task({f"k{number}": 5 for number in range(30)})
    one.watermark = 5
    assert one.enqueue("in", record(0, 1))
    note = CODEC.encode_state(Note())
    counts = []
    for _ in range(4):
        result = one.decide(queued(one, 10), None, 10, lambda names: [note] * len(names), CODEC, CONTEXT)
        counts.append((result.timers, result.records, result.position.positions["in"]))
    assert counts == [(10, 0, 0), (10, 0, 0), (10, 0, 0), (0, 1, 1)]


@pytest.mark.parametrize(("copies", "size"), [(OUTPUTS_PER_INPUT * 10, 0), (0, BYTES_PER_INPUT * 5)], ids=["outputs", "bytes"])
def test_a_batch_ends_when_much_follows_from_it_and_the_rest_waits(copies: int, size: int) -> None:
    one = task()
    for offset in range(4):
        assert one.enqueue("in", record(offset, copies, size=size))
    one.reach_end("in", 7)
    first = batch(one, 10)
    assert 0 < first.records < 4
    assert first.position.positions == {"in": first.records}, "only what was decided is committed"
    assert not one.caught_up
    count, last = first.records, first
    while one.queue:
        last = batch(one, 10)
        count += last.records
    assert count == 4
    assert last.position.positions == {"in": 7}, "with the markers of transactions after the last"


def test_one_input_is_always_taken_however_much_follows_from_it() -> None:
    one = task()
    assert one.enqueue("in", record(0, MANY // 10))
    assert len(batch(one, 1).outputs) == MANY // 10


def test_the_watermark_fires_nothing_while_records_wait() -> None:
    """A record that is still in the queue may settle what is due."""
    one = task({"late": 5})
    for offset in range(3):
        one.enqueue("in", record(offset, OUTPUTS_PER_INPUT * 2))
    assert batch(one, 2, watermark=9).timers == 0
    assert one.timers.at("late") == 5


def test_what_was_read_is_not_read_again() -> None:
    one = task()
    assert one.enqueue("in", record(3))
    assert not one.enqueue("in", record(3))
    assert not one.enqueue("in", record(0))
    assert one.positions == {"in": 0}
    batch(one, 10)
    assert one.positions == {"in": 4}


def test_records_that_do_not_fit_are_not_lost_silently() -> None:
    with pytest.raises(ValueError, match="must be queued first"):
        task().decide([record(0), record(1)], None, 1, lambda names: [None] * len(names), CODEC, CONTEXT)


def test_a_batch_that_failed_is_not_made_larger_because_it_is_slow() -> None:
    assert next_batch_size(1, 1, 20.0) == 1
    assert next_batch_size(1, 1, 0.1) == 2
    assert next_batch_size(MAX_BATCH, MAX_BATCH, 20.0) == MAX_BATCH // 2
    assert next_batch_size(MIN_BATCH, MIN_BATCH, 20.0) == MIN_BATCH


def test_a_stage_waits_for_more_only_if_it_says_so_or_is_under_load() -> None:
    assert linger_time(0, 0) == 0
    assert linger_time(0, LOADED_INPUTS - 1) == 0
    assert linger_time(0, LOADED_INPUTS) == LOADED_LINGER
    assert linger_time(50, 0) == 0.05
    assert linger_time(1_000, LOADED_INPUTS) == 1
