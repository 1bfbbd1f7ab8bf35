"""The store loses everything, something, or a while: it is a cache, and the decisions stay right."""

from pathlib import Path

import pytest
from msgspec import json, structs

from processors.runtime.local import Local
from processors.runtime.wire.changelog import Position
from tests.broker.bench import PARTITIONS, Bench

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


def test_emptied_while_running(bench: Bench) -> None:
    bench.start()
    for _ in range(3):
        bench.send(200)
        bench.settle()
        bench.store.call("DEL", *(bench.key(partition) for partition in range(PARTITIONS)))
    bench.send(200)
    bench.settle()
    bench.verify()


def test_set_back_while_running(bench: Bench) -> None:
    bench.start()
    bench.send(200)
    bench.settle()
    earlier = {partition: bench.cache(partition) for partition in range(PARTITIONS)}
    bench.send(200)
    bench.settle()
    for partition, fields in earlier.items():
        bench.put(partition, fields)
    bench.send(200)
    bench.settle()
    bench.verify()


def test_set_back_while_nobody_ran(bench: Bench) -> None:
    first = bench.start()
    bench.send(200)
    bench.settle()
    earlier = {partition: bench.cache(partition) for partition in range(PARTITIONS)}
    bench.send(200)
    bench.settle()
    assert first.stop() == 0
    for partition, fields in earlier.items():
        bench.put(partition, fields)
    bench.start()
    bench.send(200)
    bench.settle()
    bench.verify()


def test_ahead_of_kafka_is_dropped_and_told(bench: Bench) -> None:
    first = bench.start()
    bench.send(200)
    bench.settle()
    assert first.stop() == 0
    stamp = bench.stamp(0)
    assert stamp is not None
    position = Position(
        stamp.position.seq + 5, {topic: offset + 9 for topic, offset in stamp.position.positions.items()}, 0, stamp.position.at
    )
    bench.put(0, {b"__pos": json.encode(structs.replace(stamp, position=position)), b"=k1": b"wrong"})
    second = bench.start()
    second.said('"event": "stamp_ahead"')
    bench.send(200)
    bench.settle()
    bench.verify()


def test_killed_and_started_empty(tmp_path: Path) -> None:
    local = Local(tmp_path / "vn")
    local.up()
    bench = Bench(local.addresses.environment)
    try:
        worker = bench.start()
        bench.send(200)
        bench.settle()
        local.kill_store()
        bench.send(200)
        worker.said('"event": "start_over"')
        local.up()
        bench.store.call("FLUSHALL")
        bench.settle()
        bench.send(200)
        local.kill_broker()
        local.up()
        bench.send(200)
        bench.settle()
        bench.verify()
    finally:
        bench.close()
        local.down()
