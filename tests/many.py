"""One stage's task over a store in memory, for tests of what 100,000 records of one key come to."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from processors.domain.seal import Seal
from processors.runtime.decide.task import BatchResult, Task
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

    `written` are the bytes of state changes of each batch, `largest` those of the largest state.
    """

    def __init__(self, stage: Stage[Any], topic: str, key: str | None) -> None:
        self._topic, self._key = topic, key
        self._fields: dict[bytes, bytes] = {}
        self._context = Context(rules(), Seal(bytes(64)))
        positions = {each.name: 0 for each in stage.inputs}
        self.task = Task(stage, 0, Position(0, dict(positions)), positions, {})
        self.written: list[int] = []
        self.largest = 0
        self._offset = 0

    def keep(self, key: str, state: Any) -> None:
        """Put a state where the stage would have written it."""
        self._fields[b"=" + key.encode()] = CODEC.encode_state(state)

    def feed(self, values: Iterable[Any]) -> list[BatchResult]:
        """Decide the values as records of one key, BATCH at a time; return the results."""
        batch: list[Record] = []
        results: list[BatchResult] = []
        for value in values:
            batch.append(Record(self._topic, 0, self._offset, self._key, value.received_at, value, b""))
            self._offset += 1
            if len(batch) == BATCH:
                results.append(self.decide(batch))
                batch = []
        return [*results, self.decide(batch)] if batch else results

    def decide(self, records: Sequence[Record] = (), watermark: int | None = None) -> BatchResult:
        """Decide one batch and apply what it changes."""
        for each in records:
            self.task.enqueue(self._topic, each)
        queued = [record for _, record in self.task.queue]
        result = self.task.decide(queued, watermark, BATCH, self._read, CODEC, self._context)
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
