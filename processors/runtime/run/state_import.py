"""
Imports a stage's whole state from a file into topics that hold none.

The steps (their numbers are in the code); the import may be interrupted at any point and repeated:

1. Check that no copy is running, and that the stage's group has no offsets on these topics, or on the same logs exactly those
   of the export.
2. If the inputs are other logs, make them continue above the ends of the exported ones, since offsets identify messages:
   aborted transactions take up the offsets in between.
3. Mark every partition of the changelog as unfinished: no copy starts on it, whatever its committed offsets.
4. Write each state with its timer to the partition of its records.
5. Write every partition's position.
6. Commit the offsets.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from processors.runtime.errors import UserError
from processors.runtime.kafka.clients import (
    CALL_DEADLINE,
    REQUEST_TIMEOUT,
    Broker,
    TopicAndPartition,
    call_with_deadline,
    committed_progress,
    translated_errors,
)
from processors.runtime.run.grow import move_table
from processors.runtime.run.inputs import Origin
from processors.runtime.run.partitions import check_topics
from processors.runtime.run.state_export import by_topic, state_file_path
from processors.runtime.run.state_file import NO_STATE, Header, read_entries, read_header
from processors.runtime.run.state_log import (
    STATE,
    TIMER,
    Change,
    PartitionState,
    StateWriter,
    bounded_batches,
    new_position,
    next_timer,
    partition_of,
    read_partition,
)
from processors.runtime.run.stopped import check_stopped, commit_progress, holds_records, input_partitions
from processors.runtime.run.store import STAMP
from processors.runtime.settings import Settings
from processors.runtime.wire.changelog import State, Timer
from processors.runtime.wire.codec import Codec
from processors.stage import Stage

UNFINISHED: Final = -1  # the offset in a position while its partition is being imported: no group ever commits it
IMPORTED: Final = 1  # the `seq` of the position that an import writes: the stage's first batch has the next one
MAX_OFFSETS_PER_ABORT: Final = 100_000  # offsets that one aborted transaction takes up


def import_state(
    settings: Settings, stages: Sequence[Stage[Any]], chosen: Sequence[Stage[Any]], folder: Path, *, mirrored: bool
) -> Iterator[str]:
    """
    Import the state of each chosen stage from its file; yield progress lines.

    `mirrored` says that the external topics hold exactly what the exported stages have read.
    """
    broker, codec, prefix = Broker(settings), Codec(settings.schema_registry_url, prefix=settings.topic_prefix), settings.topic_prefix
    headers = {stage.name: read_header(state_file_path(folder, stage)) for stage in chosen}
    check_stopped(broker, prefix, stages)  # 1
    imports = [_StageImport(broker, codec, prefix, stage, headers[stage.name]) for stage in chosen]
    for each in imports:
        each.check(mirrored=mirrored)
    for each in imports:
        each.fill_offsets()  # 2
    for each in imports:
        yield f"{each.stage.name}: {each.write(state_file_path(folder, each.stage))} states"  # 3, 4, 5
    check_stopped(broker, prefix, stages)
    for each in imports:
        each.commit()  # 6


class _StageImport:
    """The import of one stage's state."""

    def __init__(self, broker: Broker, codec: Codec, prefix: str, stage: Stage[Any], header: Header) -> None:
        self.stage = stage
        self._broker = broker
        self._codec = codec
        self._prefix = prefix
        self._group = prefix + stage.name
        self._header = header
        self._partitions = check_topics(broker, stage, prefix)
        self._topic_partitions = input_partitions(broker, prefix, stage)
        self._logs = broker.topic_identities({topic for topic, _ in self._topic_partitions})
        self._committed: dict[TopicAndPartition, int] = {}
        self._held: list[PartitionState] = []
        self._positions: dict[TopicAndPartition, int] = {}
        self._next_timers: dict[int, int | None] = {}

    @property
    def _same_logs(self) -> bool:
        return all(self._header.logs.get(topic.removeprefix(self._prefix)) == log for topic, log in self._logs.items())

    def check(self, *, mirrored: bool) -> None:
        """Raise UserError unless the state may be imported here."""
        progress = committed_progress(self._broker.offsets_consumer(self._group), self._topic_partitions)
        self._committed = {topic_partition: offset for topic_partition, (offset, _) in progress.items() if offset is not None}
        self._check_changelog()
        self._check_table()
        finished = self._committed == self._broker.end_offsets(self._topic_partitions)  # as an import leaves it, interrupted or not
        if self._committed and not self._same_logs and not finished:
            raise UserError(
                f"{self._group} already has committed offsets on these topics, from an earlier run of {self.stage.name}: delete them "
                f"with kafka-consumer-groups.sh --delete --group {self._group}, then try again"
            )
        if self._committed and self._same_logs and by_topic(self._prefix, self._committed) != self._header.positions:
            raise UserError(
                f"{self.stage.name} has decided records since the export of {self._header.exported_at}: what it sent since would be sent "
                "again; use a later export, or start with another VN_TOPIC_PREFIX"
            )
        if not (self._committed or self._same_logs or mirrored):
            self._check_empty()

    def _check_table(self) -> None:
        """Raise UserError if the memory table that is needed to read the state is empty; exports do not contain it."""
        if self.stage.table is None:
            return
        topic = self._prefix + self.stage.table.topic.name
        if not any(read_partition(self._broker, None, topic, each).fields for each in range(self._partitions)):
            raise UserError(
                f"{topic} is empty, and sealed data in the state of {self.stage.name} can only be read with it: mirror {topic} and "
                f"{self._prefix}{self.stage.table.marks.name} first, then try again"
            )

    def _check_changelog(self) -> None:
        """Read the changelog; raises UserError if it holds a state that the stage has used."""
        if self.stage.changelog is None:
            return
        topic = self._prefix + self.stage.changelog.name
        self._held = [read_partition(self._broker, self._codec, topic, each) for each in range(self._partitions)]
        for each in self._held:
            imported = each.position is not None and each.position.seq <= IMPORTED
            if (each.position is not None or each.fields) and not imported:
                raise UserError(
                    f"{topic} holds a state of {self.stage.name}: an import needs it empty; delete the topic and run `vn topics create`"
                )

    def _check_empty(self) -> None:
        """Raise UserError if external topics hold records: only the operator knows whether they were read before."""
        outsiders = {self._prefix + topic.name for topic in self.stage.inputs if topic.external}
        topic_partitions = [topic_partition for topic_partition in self._topic_partitions if topic_partition[0] in outsiders]
        starts, ends = self._broker.start_offsets(topic_partitions), self._broker.end_offsets(topic_partitions)
        for topic_partition in topic_partitions:
            if holds_records(self._broker, topic_partition, starts[topic_partition], ends[topic_partition]):
                raise UserError(
                    f"{topic_partition[0]}[{topic_partition[1]}] holds records: if they mirror what was read before the export, add "
                    "--mirrored; if not, delete the topic, run `vn topics create`, and start the feeds after the import"
                )

    def fill_offsets(self) -> None:
        """Make other logs than the exported ones continue above the exported ones' ends."""
        if self._same_logs:
            return
        ends = self._broker.end_offsets(self._topic_partitions)
        for (topic, partition), end in ends.items():
            wanted = self._header.ends.get(topic.removeprefix(self._prefix), {}).get(partition, 0)
            while end < wanted:
                self._take_offsets(topic, partition, min(MAX_OFFSETS_PER_ABORT, wanted - end))
                end = self._broker.end_offsets([(topic, partition)])[topic, partition]  # noqa: PLW2901

    def _take_offsets(self, topic: str, partition: int, count: int) -> None:
        """Take up this many offsets with an aborted transaction."""
        producer = self._broker.producer(f"{self._group}.writer")
        with translated_errors(f"{topic} could not be written"):
            producer.begin_transaction()
            for _ in range(count):
                producer.produce(topic, None, None, partition)
            producer.flush(REQUEST_TIMEOUT)
            call_with_deadline(CALL_DEADLINE, producer.abort_transaction, REQUEST_TIMEOUT)

    def write(self, path: Path) -> int:
        """Write the states and positions; return the number of states."""
        self._positions = self._next_offsets()
        if self.stage.table is not None:
            move_table(self._broker, self._prefix + self.stage.table.topic.name, self._partitions)
        if self.stage.changelog is None:
            return 0
        topics = {topic for topic, _ in self._topic_partitions}
        writer = StateWriter(self._broker, self._prefix + self.stage.changelog.name)
        unfinished = self._codec.encode(new_position(dict.fromkeys(topics, UNFINISHED), self._partitions, seq=0))
        writer.write((each, STAMP, unfinished) for each in range(self._partitions))  # 3
        held = [PartitionState() for _ in range(self._partitions)]
        count = 0
        for changes in bounded_batches(self._changes(path)):  # 4
            writer.write(changes)
            for partition, name, value in changes:
                held[partition].change(name, value)
                count += name.startswith(STATE)
        for changes in bounded_batches(self._removals(held)):
            writer.write(changes)
        self._next_timers = {number: next_timer(self._codec, each.fields) for number, each in enumerate(held)}
        positions = {
            each: new_position(
                {topic: self._positions[topic, each] for topic in topics},
                self._partitions,
                seq=IMPORTED,
                time=self._header.time,
                settled=self._header.settled,
            )
            for each in range(self._partitions)
        }
        writer.write((each, STAMP, self._codec.encode(position)) for each, position in positions.items())  # 5
        return count

    def _next_offsets(self) -> dict[TopicAndPartition, int]:
        """Return the offsets to continue from: the exported ones on the same logs; on other logs their ends, since all was read."""
        if not self._same_logs:
            return self._broker.end_offsets(self._topic_partitions)
        starts = self._broker.start_offsets(self._topic_partitions)
        exported = {
            topic_partition: self._header.positions.get(topic_partition[0].removeprefix(self._prefix), {}).get(topic_partition[1])
            for topic_partition in self._topic_partitions
        }
        return {topic_partition: starts[topic_partition] if offset is None else offset for topic_partition, offset in exported.items()}

    def _changes(self, path: Path) -> Iterator[list[Change]]:
        """Yield the changes that write each state with its timer."""
        for entry in read_entries(path):
            key = entry.key.encode()
            partition = partition_of(self.stage, key, self._partitions)
            changes: list[Change] = []
            if bytes(entry.state) != NO_STATE:
                changes.append((partition, STATE + key, self._codec.encode(State(bytes(entry.state), entry.format))))
            if entry.due_at is not None:
                changes.append((partition, TIMER + key, self._codec.encode(Timer(entry.due_at, entry.urgent))))
            yield changes

    def _removals(self, held: Sequence[PartitionState]) -> Iterator[list[Change]]:
        """Yield the changes that remove what an interrupted import of another file left behind."""
        for partition, before in enumerate(self._held):
            for name in before.fields.keys() - held[partition].fields.keys():
                yield [(partition, name, None)]

    def commit(self) -> None:
        """Commit the offsets in the positions."""
        origins = {topic_partition: Origin(self._logs[topic_partition[0]]) for topic_partition in self._topic_partitions}
        commit_progress(self._broker, self._group, self._positions, origins, self._next_timers)
