"""The store loses everything, something, or recent writes: it is a cache, and decisions stay right."""

from pathlib import Path

import pytest
from msgspec import json, structs

from processors.runtime.local import Local
from processors.runtime.wire.changelog import Position
from tests.broker.testbed import PARTITIONS, Testbed

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


def test_emptied_while_running(testbed: Testbed) -> None:
    testbed.start()
    for _ in range(3):
        testbed.send(200)
        testbed.wait_until_settled()
        testbed.store.call("DEL", *(testbed.key(partition) for partition in range(PARTITIONS)))
    testbed.send(200)
    testbed.wait_until_settled()
    testbed.verify()


def test_set_back_while_running(testbed: Testbed) -> None:
    testbed.start()
    testbed.send(200)
    testbed.wait_until_settled()
    earlier = {partition: testbed.cache(partition) for partition in range(PARTITIONS)}
    testbed.send(200)
    testbed.wait_until_settled()
    for partition, fields in earlier.items():
        testbed.put(partition, fields)
    testbed.send(200)
    testbed.wait_until_settled()
    testbed.verify()


def test_set_back_while_nobody_ran(testbed: Testbed) -> None:
    first = testbed.start()
    testbed.send(200)
    testbed.wait_until_settled()
    earlier = {partition: testbed.cache(partition) for partition in range(PARTITIONS)}
    testbed.send(200)
    testbed.wait_until_settled()
    assert first.stop() == 0
    for partition, fields in earlier.items():
        testbed.put(partition, fields)
    testbed.start()
    testbed.send(200)
    testbed.wait_until_settled()
    testbed.verify()


def test_ahead_of_kafka_is_dropped_and_told(testbed: Testbed) -> None:
    first = testbed.start()
    testbed.send(200)
    testbed.wait_until_settled()
    assert first.stop() == 0
    stamp = testbed.stamp(0)
    assert stamp is not None
    position = Position(
        stamp.position.seq + 5, {topic: offset + 9 for topic, offset in stamp.position.positions.items()}, 0, stamp.position.at
    )
    testbed.put(0, {b"__pos": json.encode(structs.replace(stamp, position=position)), b"=k1": b"wrong"})
    second = testbed.start()
    second.wait_for_log('"event": "stamp_ahead"')
    testbed.send(200)
    testbed.wait_until_settled()
    testbed.verify()


def test_killed_and_started_empty(tmp_path: Path) -> None:
    local = Local(tmp_path / "vn")
    local.up()
    testbed = Testbed(local.addresses.environment)
    try:
        worker = testbed.start()
        testbed.send(200)
        testbed.wait_until_settled()
        local.kill_store()
        testbed.send(200)
        worker.wait_for_log('"event": "start_over"')
        local.up()
        testbed.store.call("FLUSHALL")
        testbed.wait_until_settled()
        testbed.send(200)
        local.kill_broker()
        local.up()
        testbed.send(200)
        testbed.wait_until_settled()
        testbed.verify()
    finally:
        testbed.close()
        local.down()
