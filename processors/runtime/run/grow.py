"""
Gives the stages more partitions while all of them are stopped, and moves every state to the new partition of its records.

The steps (their numbers are in the code); each may be interrupted at any point and repeated:

1. Check that no copy of any stage is running, and that the stages with a state per partition have read all their inputs.
2. Add partitions to a stage's changelog. From now on no copy of the stage starts: inputs and changelog differ.
3. Move each state with its timer in one transaction: write it to its new partition, remove it from the old one.
4. Write every partition's position, with the new number of partitions. Move the records of a memory table likewise.
5. Add partitions to the inputs. A copy that starts now stops again: positions and committed offsets differ.
6. Commit the offsets of the new partitions, and those of the old ones again, since their timers have changed.
7. Last, the topics that `read` reads: a sender's next record goes to another partition, so they must be read to the end first.

Topics that no stage reads keep their partitions (`Topic.fixed`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from threading import Event
from time import monotonic
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, murmur2
from confluent_kafka.admin import NewPartitions  # type: ignore[attr-defined]
from msgspec import structs

from processors.runtime.clock import wall_time
from processors.runtime.errors import UserError
from processors.runtime.kafka.clients import (
    CALL_DEADLINE,
    REQUEST_TIMEOUT,
    Broker,
    TopicAndPartition,
    committed_progress,
    translated_errors,
)
from processors.runtime.run.catchup import NEW, check_positions
from processors.runtime.run.inputs import Origin, check_identities
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
from processors.runtime.run.stopped import check_read, check_stopped, commit_progress, unread_partition
from processors.runtime.run.store import STAMP
from processors.runtime.settings import Settings
from processors.runtime.wire.changelog import Position
from processors.runtime.wire.codec import Codec
from processors.stage import Stage
from processors.topics import Topic

METADATA_SECONDS: Final = 10.0


def grow(settings: Settings, stages: Sequence[Stage[Any]], partitions: int) -> Iterator[str]:
    """Give the topics that follow the pipeline's partition count this many partitions and move the stages' states; yield progress lines."""
    broker, codec = Broker(settings), Codec(settings.schema_registry_url, prefix=settings.topic_prefix)
    prefix = settings.topic_prefix
    stateful = [each for each in stages if each.changelog is not None and each.changelog.partitions == "shared"]
    stateless = [each for each in stages if each.changelog is None]
    check_partition_counts(broker, prefix, [*stateful, *stateless], partitions)
    check_stopped(broker, prefix, stages)  # 1
    check_read(broker, prefix, stateful)
    growing = [_StageGrowth(broker, codec, prefix, each, partitions) for each in stateful]
    for each in growing:
        yield f"{each.stage.name}: {each.move()} states moved"  # 2, 3, 4
    check_stopped(broker, prefix, stages)
    for table in (prefix + each.table.topic.name for each in stateful if each.table is not None):
        add_partitions(broker, [table], partitions)
        move_table(broker, table, partitions)
    inputs = [topic for each in stateful for topic in each.inputs]
    add_partitions(broker, (prefix + topic.name for topic in inputs), partitions)  # 5
    for each in growing:
        each.commit()  # 6
    for stage in stateless:
        grow_inputs(broker, prefix, stage, partitions)  # 7
    yield f"every stage reads {partitions} partitions: set VN_PARTITIONS={partitions} wherever it is set, then start the stages"


def check_partition_counts(broker: Broker, prefix: str, stages: Iterable[Stage[Any]], partitions: int) -> None:
    """Raise UserError unless every topic exists and none has more than `partitions`: a topic cannot get fewer."""
    counts = broker.partition_counts(prefix + topic.name for topic in shared_topics(stages))
    if missing := [name for name, count in counts.items() if count == 0]:
        raise UserError(f"there is no topic {missing[0]}: run `vn topics create`")
    if larger := [name for name, count in counts.items() if count > partitions]:
        raise UserError(f"{larger[0]} has {counts[larger[0]]} partitions, and a topic cannot be given fewer: name a larger number")


def shared_topics(stages: Iterable[Stage[Any]]) -> set[Topic]:
    """Return the inputs, changelogs and memory tables that follow the pipeline's number of partitions."""
    topics = {topic for each in stages for topic in each.inputs}
    topics |= {each.changelog for each in stages if each.changelog} | {each.table.topic for each in stages if each.table}
    return {topic for topic in topics if topic.partitions == "shared"}


def add_partitions(broker: Broker, topics: Iterable[str], partitions: int) -> None:
    """Give each topic this many partitions; return once the broker shows them."""
    names = list(dict.fromkeys(topics))
    short = [name for name, count in broker.partition_counts(names).items() if count < partitions]
    if short:
        admin = broker.admin()
        with translated_errors("the partitions could not be added"):
            made = admin.create_partitions([NewPartitions(name, partitions) for name in short], request_timeout=REQUEST_TIMEOUT)
            for future in made.values():
                try:
                    future.result(CALL_DEADLINE)
                except KafkaException as error:
                    if error.args[0].code() != KafkaError.INVALID_PARTITIONS:  # another process added them first
                        raise
    deadline, pause = monotonic() + METADATA_SECONDS, Event()
    while monotonic() < deadline:
        if all(count == partitions for count in broker.partition_counts(names).values()):
            return
        pause.wait(0.05)
    raise UserError("the broker does not show the new partitions yet: run the same command again")


def grow_inputs(broker: Broker, prefix: str, stage: Stage[Any], partitions: int) -> None:
    """Give the inputs of a stateless stage more partitions; raises UserError if it has not read all that is in them."""
    if (topic_partition := unread_partition(broker, prefix, stage)) is not None:
        raise UserError(
            f"the stages have their new partitions, but {topic_partition[0]}[{topic_partition[1]}] holds records that {stage.name} has not "
            "read, which a sender's next would overtake: pause the feeds, `vn run all --until-idle 5`, then run the same command again"
        )
    add_partitions(broker, (prefix + topic.name for topic in stage.inputs), partitions)


def move_table(broker: Broker, topic: str, partitions: int) -> None:
    """Move each record of a memory table to the partition of its key."""
    held = [read_partition(broker, None, topic, each) for each in range(partitions)]
    moves = (
        [(target, key, value), (partition, key, None)]
        for partition, state in enumerate(held)
        for key, value in state.fields.items()
        if (target := murmur2(key, partitions)) != partition
    )
    writer = StateWriter(broker, topic)
    for changes in bounded_batches(moves):
        writer.write(changes)


class _StageGrowth:
    """Gives one stateful stage more partitions."""

    def __init__(self, broker: Broker, codec: Codec, prefix: str, stage: Stage[Any], partitions: int) -> None:
        if stage.changelog is None:
            raise TypeError(f"{stage.name} keeps no state")
        self.stage = stage
        self._broker = broker
        self._codec = codec
        self._group = prefix + stage.name
        self._changelog = prefix + stage.changelog.name
        self._inputs = [prefix + topic.name for topic in stage.inputs]
        self._partitions = partitions
        self._positions: dict[int, Position] = {}
        self._next_timers: dict[int, int | None] = {}

    def move(self) -> int:
        """Move every state to its new partition and write the positions; return how many states were moved."""
        counts = self._broker.partition_counts([self._changelog, *self._inputs])
        held = [read_partition(self._broker, self._codec, self._changelog, each) for each in range(counts[self._changelog])]
        self._check(held, min(counts[topic] for topic in self._inputs))
        add_partitions(self._broker, [self._changelog], self._partitions)  # 2
        held += [PartitionState() for _ in range(len(held), self._partitions)]
        writer, moved = StateWriter(self._broker, self._changelog), 0
        for changes in bounded_batches(self._moves(held)):  # 3
            writer.write(changes)
            moved += sum(name.startswith(STATE) and value is None for _, name, value in changes)
            for partition, name, value in changes:
                held[partition].change(name, value)
        self._positions = positions_after(held, self._inputs, self._broker.start_offsets(self._topic_partitions(counts)), self._partitions)
        self._next_timers = {number: next_timer(self._codec, each.fields) for number, each in enumerate(held)}
        writer.write((number, STAMP, self._codec.encode(position)) for number, position in self._positions.items())  # 4
        return moved

    def commit(self) -> None:
        """Commit the offsets in the positions."""
        topic_partitions = self._topic_partitions(dict.fromkeys(self._inputs, self._partitions))
        committed = committed_progress(self._broker.offsets_consumer(self._group), topic_partitions)
        identities = self._broker.topic_identities(self._inputs)
        known = {topic_partition: Origin.parse(metadata) for topic_partition, (_, metadata) in committed.items()}
        commit_progress(
            self._broker,
            self._group,
            {(topic, partition): self._positions[partition].positions[topic] for topic, partition in topic_partitions},
            {topic_partition: known[topic_partition] or Origin(identities[topic_partition[0]]) for topic_partition in topic_partitions},
            self._next_timers,
        )

    def _check(self, held: Sequence[PartitionState], partitions: int) -> None:
        """Raise Stop unless positions and committed offsets agree and belong to these logs."""
        topic_partitions = self._topic_partitions(dict.fromkeys(self._inputs, partitions))
        progress = committed_progress(self._broker.offsets_consumer(self._group), topic_partitions)
        origins = {
            topic_partition: Origin.parse(metadata) for topic_partition, (offset, metadata) in progress.items() if offset is not None
        }
        check_identities(origins, self._broker.topic_identities(self._inputs))
        for partition in range(partitions):
            position = held[partition].position
            offsets = {topic: progress[topic, partition][0] for topic in self._inputs}
            if position is None and all(offset is None for offset in offsets.values()):
                continue
            if position is not None and position.partitions == self._partitions and None in offsets.values():
                continue  # step 6 is still to be done
            check_positions(self._changelog, partition, position or NEW, offsets)

    def _moves(self, held: Sequence[PartitionState]) -> Iterator[list[Change]]:
        """Yield the changes that move each misplaced state with its timer."""
        for partition, state in enumerate(held):
            for key in list(dict.fromkeys(name[1:] for name in state.fields)):
                target = partition_of(self.stage, key, self._partitions)
                if target != partition:
                    found = [(name, state.fields[name]) for name in (STATE + key, TIMER + key) if name in state.fields]
                    yield [(target, name, value) for name, value in found] + [(partition, name, None) for name, _ in found]

    def _topic_partitions(self, counts: Mapping[str, int]) -> list[TopicAndPartition]:
        return [(topic, partition) for topic in self._inputs for partition in range(counts[topic])]


def positions_after(
    held: Sequence[PartitionState], inputs: Sequence[str], starts: Mapping[TopicAndPartition, int], partitions: int
) -> dict[int, Position]:
    """
    Return the position of every partition after its states were moved; a partition that had a position keeps its offsets.

    All get the latest time of any partition, since its states may be in any of them now. If rules or settings differed
    between partitions, everything is re-evaluated.
    """
    known = [each.position for each in held if each.position is not None]
    time = max((each.time for each in known), default=0)
    versions = {each.settled for each in known}
    settled = versions.pop() if len(versions) == 1 else ""
    after = {}
    for number, each in enumerate(held):
        offsets = {topic: starts.get((topic, number), 0) for topic in inputs}
        if each.position is None:
            after[number] = new_position(offsets, partitions, time=time, settled=settled)
        else:
            after[number] = structs.replace(
                each.position,
                seq=each.position.seq + 1,
                positions=offsets | each.position.positions,
                time=time,
                at=wall_time(),
                settled=settled,
                partitions=partitions,
            )
    return after
