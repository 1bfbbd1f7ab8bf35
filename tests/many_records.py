"""One stage's task over a store in memory, for tests with 100,000 records of one key."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from processors.domain.seal import Seal
from processors.runtime.decide.batch import BatchResult
from processors.runtime.decide.task import Task
from processors.runtime.kafka.clients import MAX_RECORD_BYTES
from processors.runtime.wire.changelog import Position
from processors.runtime.wire.codec import Codec
from processors.stage import Context, Record, Stage
from tests.one_stage import rules

MANY: Final = 100_000
BATCH: Final = 5_000
CODEC: Final = Codec()


class ManyRecords:
    """
    Feeds a stage batch by batch, and keeps what it writes.

    `written` are the bytes of state changes of each batch, `largest` those of the largest state. `most` bounds a batch.
    """

    def __init__(self, stage: Stage[Any], topic: str, key: str | None, seal: Seal = Seal(bytes(64))) -> None:  # noqa: B008  immutable
        self._topic, self._key = topic, key
        self._fields: dict[bytes, bytes] = {}
        self._context = Context(rules(), seal)
        self._stage = stage
        self._position = Position(0, {each.name: 0 for each in stage.inputs})
        self.task = self.next_owner()
        self.most = BATCH
        self.written: list[int] = []
        self.largest = 0
        self._offset = 0

    def keep(self, key: str, state: Any) -> None:
        """Put a state where the stage would have written it."""
        self._fields[b"=" + key.encode()] = CODEC.encode_state(state)

    def record(self, value: Any) -> Record:
        """Return the next record of the key."""
        self._offset += 1
        at = getattr(value, "received_at", None) or value.event.received_at
        return Record(self._topic, 0, self._offset - 1, self._key, at, value, b"")

    def feed(self, values: Iterable[Any]) -> list[BatchResult]:
        """Decide the values as records of one key, `most` at a time; return the results."""
        batch: list[Record] = []
        results: list[BatchResult] = []
        for value in values:
            batch.append(self.record(value))
            if len(batch) == self.most:
                results.append(self.decide(batch))
                batch = []
        return [*results, self.decide(batch)] if batch else results

    def next_owner(self) -> Task:
        """Return the task of an owner who starts with what is committed, and let it decide from now on."""
        timers = {name[1:].decode(): CODEC.decode(value).due_at for name, value in self._fields.items() if name.startswith(b"@")}
        self.task = Task(self._stage, 0, self._position, dict(self._position.positions), timers)
        return self.task

    def decide(self, records: Sequence[Record] = (), watermark: int | None = None, *, killed: bool = False) -> BatchResult:
        """Decide one batch and apply what it changes; of an owner who is killed before the commit nothing is left."""
        for each in records:
            self.task.enqueue(self._topic, each)
        queued = [record for _, record in self.task.queue]
        result = self.task.decide(queued, watermark, self.most, self._read, CODEC, self._context)
        if killed:
            self.next_owner()
            return result
        self._position = result.position
        sizes = [len(value) for value in result.changes.values() if value is not None]
        self.written.append(sum(sizes))
        self.largest = max([self.largest, *sizes])
        assert self.largest < MAX_RECORD_BYTES, "no state is larger than the largest record"
        for field, value in result.changes.items():
            if value is None:
                self._fields.pop(field, None)
            else:
                self._fields[field] = value
        return result

    def check_linear(self) -> None:
        """Assert that the second half of the batches wrote not much more than the first."""
        middle = len(self.written) // 2
        assert sum(self.written[middle:]) < 3 * sum(self.written[:middle])

    def _read(self, names: Sequence[bytes]) -> list[bytes | None]:
        return [self._fields.get(name) for name in names]
