"""Inputs that were deleted and recreated, truncated, or given more partitions stop a stage, which says why."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import NewPartitions, NewTopic

from processors.runtime.kafka.clients import committed_offsets
from processors.runtime.kafka.topics_admin import PropertyDifference, apply_properties, create_topics, properties, property_differences
from processors.runtime.local import LocalCluster
from processors.topics import POLICIES, Topic
from tests.broker.harness import PARTITIONS, ProbeHarness, environment, until
from tests.broker.probe import LEFT, RIGHT, STATE

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600, method="signal")]


def recreate(harness: ProbeHarness) -> None:
    """Delete the left input and create it again."""
    name, admin = harness.prefix + LEFT.name, harness.broker.admin()
    admin.delete_topics([name])[name].result(10)
    until("it is gone", lambda: harness.broker.partition_counts([name]) == {name: 0})
    admin.create_topics([NewTopic(name, PARTITIONS)])[name].result(10)
    until("it is back", lambda: harness.broker.partition_counts([name]) == {name: PARTITIONS})


def test_a_topic_that_was_deleted_and_recreated_is_not_taken_for_the_old_one(harness: ProbeHarness) -> None:
    """The broker forgets the offsets with the topic; the changelog does not."""
    worker = harness.start()
    harness.send(100)
    harness.wait_until_settled()
    assert worker.stop() == 0
    recreate(harness)
    harness.send(400, sides=(LEFT,))
    again = harness.start()
    assert again.wait_for_exit() == 1
    assert "the group's committed offset is None: one of them was lost or restored" in again.log


@pytest.mark.parametrize("without", ["", "origin"])
def test_offsets_that_were_committed_on_another_cluster_are_not_used(harness: ProbeHarness, without: str) -> None:
    """As if a tool had copied the group to a mirror, whose logs have the same names and other records."""
    worker = harness.start()
    harness.send(100)
    harness.wait_until_settled()
    assert worker.stop() == 0
    group = harness.broker.offsets_consumer(f"{harness.prefix}probe")
    topic_partitions = [(harness.prefix + LEFT.name, partition) for partition in range(PARTITIONS)]
    offsets = committed_offsets(group, topic_partitions)
    copied = [TopicPartition(*topic_partition, offset or 0, "topic=a-mirror/its-topic") for topic_partition, offset in offsets.items()]
    until("the group is empty", lambda: committed(group, copied))
    again = harness.start(without=without)
    if without:
        again.wait_for_log('"event": "ready"')
    else:
        assert again.wait_for_exit() == 1
        assert "were committed on cluster a-mirror, and this is cluster" in again.log


def committed(group: Consumer, offsets: list[TopicPartition]) -> bool:
    """Whether the broker took the offsets: it does once the group has no members."""
    try:
        group.commit(offsets=offsets, asynchronous=False)
    except KafkaException:
        return False
    return True


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    """A broker and a store whose files the test may damage."""
    local = LocalCluster(tmp_path / "vn")
    try:
        local.up()
        yield local
    finally:
        local.down()


@pytest.mark.parametrize("without", ["", "origin"])
def test_a_log_that_lost_its_end_and_grew_again_is_not_taken_for_the_old_one(own_cluster: LocalCluster, without: str) -> None:
    harness = ProbeHarness(own_cluster.addresses.environment)
    try:
        worker = harness.start(without=without)
        harness.send(100)
        harness.wait_until_settled()
        assert worker.stop() == 0
        own_cluster.kill_broker()
        for partition in range(PARTITIONS):
            for file in (own_cluster.folder / "broker" / "data" / f"{harness.prefix}{LEFT.name}-{partition}").iterdir():
                if file.name != "partition.metadata":
                    file.unlink()
        own_cluster.up()
        harness.send(400, sides=(LEFT,))
        again = harness.start(without=without)
        if without:
            until("it reads on at the old offset", harness.idle)
            assert harness.expected() - harness.answers(), "what lies before the old offset is passed over without a word"
        else:
            assert again.wait_for_exit() == 1
            assert "its end was lost and written again" in again.log
    finally:
        harness.close()


def test_a_log_that_lost_its_end_is_noticed_before_anything_is_read(own_cluster: LocalCluster) -> None:
    harness = ProbeHarness(own_cluster.addresses.environment)
    try:
        worker = harness.start()
        harness.send(100)
        harness.wait_until_settled()
        assert worker.stop() == 0
        own_cluster.kill_broker()
        shutil.rmtree(own_cluster.folder / "broker" / "data" / f"{harness.prefix}{RIGHT.name}-0")
        own_cluster.up()
        again = harness.start()
        assert again.wait_for_exit() == 1
        assert "its end was lost" in again.log
    finally:
        harness.close()


@pytest.mark.parametrize(
    ("topics", "sentence"), [((LEFT,), "must have the same number of partitions"), ((LEFT, RIGHT, STATE), "were added by hand")]
)
def test_partitions_added_under_a_running_stage_stop_it(harness: ProbeHarness, topics: tuple[Topic, ...], sentence: str) -> None:
    worker = harness.start()
    harness.send(50)
    harness.wait_until_settled()
    admin = harness.broker.admin()
    wanted = [NewPartitions(harness.prefix + topic.name, PARTITIONS + 1) for topic in (LEFT, RIGHT, STATE) if topic in topics]
    for future in admin.create_partitions(wanted).values():
        future.result(10)
    assert worker.wait_for_exit() == 1
    assert sentence in worker.log


def test_what_an_operator_set_on_a_topic_stays_until_it_is_applied(harness: ProbeHarness) -> None:
    topics, name = (POLICIES,), harness.prefix + POLICIES.name
    assert property_differences(harness.settings, topics) == []
    apply_properties(harness.settings, [PropertyDifference(name, "delete.retention.ms", "", "60000")])  # as an operator would
    with environment(harness.environment):
        assert create_topics(harness.settings, topics) == []
    (found,) = property_differences(harness.settings, topics)
    assert found == PropertyDifference(name, "delete.retention.ms", "60000", properties(POLICIES)["delete.retention.ms"])
    apply_properties(harness.settings, [found])
    assert property_differences(harness.settings, topics) == []
