"""
Exports a stage's whole state to a file: for another cluster, for another partition count, for a restore.

No copy of any stage may be running, and every stage must have read all its inputs, so that the files are consistent and no
message is in flight between two stages.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Raw

from processors.domain.time import iso
from processors.runtime.clock import wall_time
from processors.runtime.errors import UserError
from processors.runtime.kafka.clients import (
    Broker,
    TopicAndPartition,
    committed_progress,
)
from processors.runtime.run.state_file import Header, StateEntry, write_state_file
from processors.runtime.run.state_log import (
    STATE,
    TIMER,
    PartitionState,
    read_partition,
)
from processors.runtime.run.stopped import check_read, check_stopped, input_partitions
from processors.runtime.settings import Settings
from processors.runtime.wire.changelog import State, Timer
from processors.runtime.wire.codec import Codec
from processors.stage import Stage


def state_file_path(folder: Path, stage: Stage[Any]) -> Path:
    return folder / f"{stage.name}.jsonl"


def export_state(settings: Settings, stages: Sequence[Stage[Any]], chosen: Sequence[Stage[Any]], folder: Path) -> Iterator[str]:
    """Write the state of each chosen stage to a file of its own; yield progress lines. `stages` are all stages of the pipeline."""
    broker, codec, prefix = Broker(settings), Codec(settings.schema_registry_url, prefix=settings.topic_prefix), settings.topic_prefix
    if existing := [state_file_path(folder, each) for each in chosen if state_file_path(folder, each).exists()]:
        raise UserError(f"{existing[0]} already exists: name another folder")
    check_stopped(broker, prefix, stages)
    check_read(broker, prefix, stages)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for stage in chosen:
        count = export_stage(broker, codec, prefix, stage, state_file_path(folder, stage))
        yield f"{stage.name}: {count} states"
    check_stopped(broker, prefix, stages)


def export_stage(broker: Broker, codec: Codec, prefix: str, stage: Stage[Any], path: Path) -> int:
    """Write one stage's state to a file; return the number of states."""
    held: list[PartitionState] = []
    if stage.changelog is not None:
        topic = prefix + stage.changelog.name
        held = [read_partition(broker, codec, topic, each) for each in range(broker.partition_counts([topic])[topic])]
    topic_partitions = input_partitions(broker, prefix, stage)
    committed = committed_progress(broker.offsets_consumer(prefix + stage.name), topic_partitions)
    logs = broker.topic_identities({topic for topic, _ in topic_partitions})
    known = [each.position for each in held if each.position is not None]
    versions = {each.settled for each in known}
    header = Header(
        stage=stage.name,
        exported_at=iso(wall_time()),
        cluster=next(iter(logs.values())).partition("/")[0],
        prefix=prefix,
        logs={topic.removeprefix(prefix): log for topic, log in logs.items()},
        positions=by_topic(prefix, {topic_partition: offset for topic_partition, (offset, _) in committed.items() if offset is not None}),
        ends=by_topic(prefix, broker.end_offsets(topic_partitions)),
        time=max((each.time for each in known), default=0),
        settled=versions.pop() if len(versions) == 1 else "",
    )
    return write_state_file(path, header, state_entries(codec, held))


def by_topic(prefix: str, offsets: Mapping[TopicAndPartition, int]) -> dict[str, dict[int, int]]:
    """Return offsets by topic name without prefix, then by partition."""
    found: dict[str, dict[int, int]] = {}
    for (topic, partition), offset in offsets.items():
        found.setdefault(topic.removeprefix(prefix), {})[partition] = offset
    return found


def state_entries(codec: Codec, held: Sequence[PartitionState]) -> Iterator[StateEntry]:
    """Yield the states of a changelog's partitions with their timers."""
    for partition in held:
        for key in dict.fromkeys(name[1:] for name in partition.fields):
            timer = partition.fields.get(TIMER + key)
            found: Timer | None = None if timer is None else codec.decode(timer)
            due_at, urgent = (None, False) if found is None else (found.due_at, found.urgent)
            raw = partition.fields.get(STATE + key)
            if raw is None:
                yield StateEntry(key.decode(), due_at=due_at, urgent=urgent)
            else:
                state: State = codec.decode(raw)
                yield StateEntry(key.decode(), Raw(state.state), state.format, due_at, urgent)
