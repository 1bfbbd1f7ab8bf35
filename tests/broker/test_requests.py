"""How many requests the records of a transaction take."""

import json
from typing import Any

import pytest
from confluent_kafka import Producer

from processors.runtime.kafka.clients import PRODUCER_DEFAULTS, PRODUCER_FIXED
from tests.broker.harness import ProbeHarness
from tests.broker.probe import LEFT

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600, method="signal")]

HALF = 4_000  # records, of half the bytes that a request holds


def test_the_records_of_a_partition_leave_in_one_request_when_they_are_flushed(harness: ProbeHarness) -> None:
    statistics: list[str] = []
    heard = {"statistics.interval.ms": 20, "stats_cb": statistics.append}
    name = {"transactional.id": f"{harness.prefix}together"}
    producer = Producer({**PRODUCER_DEFAULTS, **PRODUCER_FIXED, **harness.settings.kafka_properties(), **name, **heard})
    producer.init_transactions(30)
    producer.begin_transaction()
    for value in (b"first" * 50, b"other" * 50):
        for _ in range(HALF):
            producer.produce(harness.prefix + LEFT.name, value, b"k", 0)
        statistics.clear()
        while not statistics:
            producer.poll(1)  # so that the first half could leave before the other is there
    assert requests(statistics[-1]) == 0
    assert producer.flush(30) == 0
    statistics.clear()
    while not statistics:
        producer.poll(1)
    assert requests(statistics[-1]) == 1
    producer.abort_transaction(30)


def requests(statistics: str) -> int:
    """Return the number of Produce requests so far."""
    brokers: dict[str, Any] = json.loads(statistics)["brokers"]
    return sum(each["req"].get("Produce", 0) for each in brokers.values())
