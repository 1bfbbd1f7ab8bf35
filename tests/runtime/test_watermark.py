"""
The watermark holds: whatever was received by then has reached us, however the stages before interleave.

A small pipeline is run in random orders while a measurement is taken: two stages before ours, of which the second keeps
messages until a timer fires. Each rule of the measurement is taken out once, and then the same runs find a message that was
missed.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from processors.runtime.kafka.clients import TopicAndPartition
from processors.runtime.run import watermark
from processors.runtime.run.watermark import (
    CLOCK_SKEW,
    CommittedProgress,
    Measurement,
    Watermark,
    next_timer_metadata,
    parse_next_timer,
)

UPSTREAM = [("read", ["door"]), ("keep", ["middle"])]
PARTITIONS = 2
RUNS = 400
MARKER = -1


@dataclass
class Pipeline:
    """
    Two partitions a topic: `door` → read → `middle` → keep → `ours`, with the times at which messages were received.

    What a stage has read is committed with what it wrote. `keep` holds every second message until `HOLD` after it was received.
    """

    now: int = 1_000_000
    logs: dict[TopicAndPartition, list[int]] = field(
        default_factory=lambda: {(topic, each): [] for topic in ("door", "middle", "ours") for each in (0, 1)}
    )
    read: dict[TopicAndPartition, int] = field(
        default_factory=lambda: {(topic, each): 0 for topic in ("door", "middle") for each in (0, 1)}
    )
    kept: dict[int, list[int]] = field(default_factory=lambda: {0: [], 1: []})
    skew: int = 0

    HOLD = 40

    def receive(self, chance: random.Random) -> None:
        self.logs["door", chance.randrange(PARTITIONS)].append(self.now - self.skew)

    def run_read(self, chance: random.Random) -> None:
        partition = chance.randrange(PARTITIONS)
        for at in self.logs["door", partition][self.read["door", partition] :]:
            self.logs["middle", at % PARTITIONS].append(at)
        self.read["door", partition] = len(self.logs["door", partition])

    def run_keep(self, chance: random.Random) -> None:
        partition = chance.randrange(PARTITIONS)
        for at in self.logs["middle", partition][self.read["middle", partition] :]:
            if at // 2 % 2:
                self.kept[partition].append(at)
            else:
                self.logs["ours", at // 4 % PARTITIONS].append(at)
        self.read["middle", partition] = len(self.logs["middle", partition])

    def fire(self, chance: random.Random) -> None:
        partition = chance.randrange(PARTITIONS)
        for at in [each for each in self.kept[partition] if each + self.HOLD <= self.now]:
            self.kept[partition].remove(at)
            self.logs["ours", at // 4 % PARTITIONS].append(at)

    # what a measurement asks

    def ends(self, topics: Sequence[str]) -> Mapping[TopicAndPartition, int]:
        return {(topic, each): len(self.logs[topic, each]) for topic in topics for each in range(PARTITIONS)}

    def read_committed(self, stage: str, topic_partitions: Iterable[TopicAndPartition]) -> Mapping[TopicAndPartition, CommittedProgress]:
        timers = self.kept if stage == "keep" else {0: [], 1: []}
        return {
            topic_partition: CommittedProgress(
                self.read[topic_partition], min((at + self.HOLD for at in timers[topic_partition[1]]), default=None)
            )
            for topic_partition in topic_partitions
        }

    def only_markers(self, topic_partition: TopicAndPartition, start: int, end: int) -> bool:
        return set(self.logs[topic_partition][start:end]) <= {MARKER}

    def missed(self, found: Watermark) -> list[int]:
        """Return the messages received by the watermark, or due by it, that do not lie before its ends."""
        arrived = [at for (topic, each), log in self.logs.items() if topic == "ours" for at in log[: found.ends[topic, each]]]
        received = [at for (topic, _), log in self.logs.items() if topic == "door" for at in log if at <= found.time]
        held = {at for kept in self.kept.values() for at in kept if at + self.HOLD > found.time}
        fired = [at for at in received if at + self.HOLD >= found.time and at // 2 % 2]  # due at the watermark itself: may still come
        return [at for at in received if at not in arrived and at not in held and at not in fired]


def missed(seed: int, measure: Callable[[Pipeline], Measurement], skew: int = 0) -> list[int]:
    """Run the pipeline in a random order until the measurement is done; return what it missed."""
    chance, pipeline = random.Random(seed), Pipeline(skew=skew)
    steps = [pipeline.receive, pipeline.run_read, pipeline.run_keep, pipeline.fire]
    for _ in range(chance.randrange(60)):
        pipeline.now += chance.randrange(5)
        chance.choice(steps)(chance)
    measurement = measure(pipeline)
    for _ in range(10_000):
        if chance.random() < 0.3 and (found := measurement.step()) is not None:
            for _ in range(chance.randrange(20)):
                pipeline.now += chance.randrange(5)
                chance.choice(steps)(chance)
            return pipeline.missed(found)
        pipeline.now += chance.randrange(5)
        chance.choice(steps)(chance)
    raise AssertionError("the measurement did not end")


def usual(pipeline: Pipeline) -> Measurement:
    return Measurement(pipeline, UPSTREAM, ["ours"], pipeline.now)


class AllAtOnce(Measurement):
    """The ends of every topic are read at the beginning."""

    def __init__(self, log: Pipeline, now: int) -> None:
        super().__init__(log, UPSTREAM, ["ours"], now)
        first = {topic: log.ends([topic]) for topic in ("door", "middle", "ours")}
        self._log = Frozen(log, first)


@dataclass
class Frozen:
    """A log whose ends stay as they were."""

    log: Pipeline
    first: Mapping[str, Mapping[TopicAndPartition, int]]

    def ends(self, topics: Sequence[str]) -> Mapping[TopicAndPartition, int]:
        return {topic_partition: end for topic in topics for topic_partition, end in self.first[topic].items()}

    def read_committed(self, stage: str, topic_partitions: Iterable[TopicAndPartition]) -> Mapping[TopicAndPartition, CommittedProgress]:
        return self.log.read_committed(stage, topic_partitions)

    def only_markers(self, topic_partition: TopicAndPartition, start: int, end: int) -> bool:
        return self.log.only_markers(topic_partition, start, end)


class WithoutTimers(Pipeline):
    """A pipeline whose stages do not say when their next timer is due."""

    def read_committed(self, stage: str, topic_partitions: Iterable[TopicAndPartition]) -> Mapping[TopicAndPartition, CommittedProgress]:
        return {
            topic_partition: CommittedProgress(each.offset, None)
            for topic_partition, each in super().read_committed(stage, topic_partitions).items()
        }


@pytest.mark.parametrize("skew", [0, CLOCK_SKEW])
def test_nothing_received_by_the_watermark_is_missed(skew: int) -> None:
    assert [seed for seed in range(RUNS) if missed(seed, usual, skew)] == []


def test_without_the_order_of_the_questions_messages_are_missed() -> None:
    def measure(pipeline: Pipeline) -> Measurement:
        return AllAtOnce(pipeline, pipeline.now + CLOCK_SKEW)

    assert [seed for seed in range(RUNS) if missed(seed, measure)]


def test_without_the_timers_of_the_stages_before_messages_are_missed() -> None:
    def measure(pipeline: Pipeline) -> Measurement:
        silent = WithoutTimers(logs=pipeline.logs, read=pipeline.read, kept=pipeline.kept)
        return Measurement(silent, UPSTREAM, ["ours"], pipeline.now + CLOCK_SKEW)

    assert [seed for seed in range(RUNS) if missed(seed, measure)]


def test_without_an_allowance_for_clocks_that_differ_messages_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watermark, "CLOCK_SKEW", 0)
    assert [seed for seed in range(RUNS) if missed(seed, usual, CLOCK_SKEW)]


def test_an_idle_pipeline_has_a_watermark_at_once_and_one_that_lags_has_none() -> None:
    pipeline = Pipeline()
    assert usual(pipeline).step() == Watermark(pipeline.now - CLOCK_SKEW, {("ours", 0): 0, ("ours", 1): 0})
    pipeline.logs["door", 1].append(pipeline.now)
    assert usual(pipeline).step() is None


def test_markers_that_a_stopped_stage_did_not_commit_hold_nobody_up() -> None:
    pipeline = Pipeline()
    pipeline.logs["middle", 0].append(MARKER)
    measurement = usual(pipeline)
    assert measurement.step() is None
    assert measurement.step() is not None, "the stage has not moved since"
    pipeline.logs["middle", 1].append(pipeline.now)
    measurement = usual(pipeline)
    assert [measurement.step() for _ in range(3)] == [None] * 3


def test_a_stage_without_others_before_it_waits_for_its_own_inputs_only() -> None:
    pipeline = Pipeline()
    pipeline.logs["ours", 0] += [1, 2]
    found = Measurement(pipeline, [], ["ours"], pipeline.now).step()
    assert found is not None
    assert not found.has_reached(0, {"ours": 1})
    assert found.has_reached(0, {"ours": 2})
    assert found.has_reached(1, {"ours": 0})
    assert not found.has_reached(0, {"ours": 2, "unknown": 5}), "an input whose end was not read"


def test_the_next_timer_goes_with_the_offsets() -> None:
    assert parse_next_timer(next_timer_metadata(1_795_348_800_000)) == 1_795_348_800_000
    for other in (next_timer_metadata(None), None, "", "written by somebody else", "next_timer=soon"):
        assert parse_next_timer(other) is None
