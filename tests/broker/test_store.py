"""The store loses everything, a part, or recent writes: it is a cache, and decisions stay right."""

from pathlib import Path

import pytest
from msgspec import json, structs

from processors.runtime.local import LocalCluster
from processors.runtime.wire.changelog import Position
from tests.broker.harness import PARTITIONS, ProbeHarness

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600, method="signal")]


def test_emptied_while_running(harness: ProbeHarness) -> None:
    harness.start()
    for _ in range(3):
        harness.send(200)
        harness.wait_until_settled()
        harness.store.call("DEL", *(harness.key(partition) for partition in range(PARTITIONS)))
    harness.send(200)
    harness.wait_until_settled()
    harness.verify()


def test_set_back_while_running(harness: ProbeHarness) -> None:
    harness.start()
    harness.send(200)
    harness.wait_until_settled()
    earlier = {partition: harness.cache(partition) for partition in range(PARTITIONS)}
    harness.send(200)
    harness.wait_until_settled()
    for partition, fields in earlier.items():
        harness.put(partition, fields)
    harness.send(200)
    harness.wait_until_settled()
    harness.verify()


def test_set_back_while_nobody_ran(harness: ProbeHarness) -> None:
    first = harness.start()
    harness.send(200)
    harness.wait_until_settled()
    earlier = {partition: harness.cache(partition) for partition in range(PARTITIONS)}
    harness.send(200)
    harness.wait_until_settled()
    assert first.stop() == 0
    for partition, fields in earlier.items():
        harness.put(partition, fields)
    harness.start()
    harness.send(200)
    harness.wait_until_settled()
    harness.verify()


def test_ahead_of_kafka_is_dropped_and_told(harness: ProbeHarness) -> None:
    first = harness.start()
    harness.send(200)
    harness.wait_until_settled()
    assert first.stop() == 0
    stamp = harness.stamp(0)
    assert stamp is not None
    position = Position(
        stamp.position.seq + 5, {topic: offset + 9 for topic, offset in stamp.position.positions.items()}, 0, stamp.position.at
    )
    harness.put(0, {b"__pos": json.encode(structs.replace(stamp, position=position)), b"=k1": b"wrong"})
    second = harness.start()
    second.wait_for_log('"event": "stamp_ahead"')
    harness.send(200)
    harness.wait_until_settled()
    harness.verify()


def test_killed_and_started_empty(tmp_path: Path) -> None:
    local = LocalCluster(tmp_path / "vn")
    local.up()
    harness = ProbeHarness(local.addresses.environment)
    try:
        worker = harness.start()
        harness.send(200)
        harness.wait_until_settled()
        local.kill_store()
        harness.send(200)
        worker.wait_for_log('"event": "start_over"')
        local.up()
        harness.store.call("FLUSHALL")
        harness.wait_until_settled()
        harness.send(200)
        local.kill_broker()
        local.up()
        harness.send(200)
        harness.wait_until_settled()
        harness.verify()
    finally:
        harness.close()
        local.down()
