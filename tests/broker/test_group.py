"""Copies share partitions; an idle group has no lag; what must stop a worker stops it, with a sentence."""

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import ConfigResource, ResourceType

from processors.domain.policy import Policy
from processors.runtime.kafka.topics_admin import properties
from processors.topics import DEAD_LETTERS, DECISIONS, POLICIES, SUBMISSIONS
from tests.broker.bench import PARTITIONS, Bench, until
from tests.broker.probe import LEFT, RIGHT

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


def test_copies_come_and_go(bench: Bench) -> None:
    first = bench.start()
    bench.send(300)
    first.said('"event": "batch"')
    second = bench.start()
    second.said('"event": "settled"')
    bench.send(300)
    assert first.stop() == 0
    bench.send(300)
    third = bench.start()
    bench.send(300)
    third.said('"event": "settled"')
    second.kill()
    bench.settle()
    bench.verify()


def test_one_copy_has_the_same_partition_of_every_input(bench: Bench) -> None:
    first, second = bench.start(), bench.start()
    until(
        "both have one",
        lambda: all(
            '"partitions": [0], "event": "settled"' in w.log or '"partitions": [1], "event": "settled"' in w.log for w in (first, second)
        ),
    )
    admin = bench.broker.admin()
    group = f"{bench.prefix}probe"
    futures = admin.describe_consumer_groups([group])
    members = futures[group].result(10).members
    shares = [{(each.topic, each.partition) for each in member.assignment.topic_partitions} for member in members]
    assert sorted(sorted(share) for share in shares) == [
        [(bench.prefix + side.name, p) for side in (LEFT, RIGHT)] for p in range(PARTITIONS)
    ]


def test_an_idle_group_has_no_lag_though_the_log_ends_with_the_mark_of_a_transaction(bench: Bench) -> None:
    bench.start()
    until("the empty inputs are committed", bench.idle)
    producer = bench.broker.producer(f"{bench.prefix}agency")
    producer.begin_transaction()
    producer.produce(bench.prefix + LEFT.name, None, b"k")
    producer.abort_transaction(10)
    until("the mark is committed", bench.idle)
    ends = [bench.changelog()[partition][1].seq for partition in range(PARTITIONS)]
    bench.send(50)
    bench.settle()
    assert all(now[1].seq <= before + 6 for before, now in zip(ends, bench.changelog().values(), strict=True)), "it chases marks"


def test_settings_take_effect_while_it_runs(bench: Bench) -> None:
    bench.start()
    bench.client.send(POLICIES, [("surge.limit|||", bench.codec.encode(Policy(key="surge.limit", value="none")))])

    def heard() -> bool:
        bench.send(5)
        return any(verdict.rules == "r0.p1" for verdict in bench.client.verdicts(DECISIONS))

    until("verdicts under the new settings", heard, 10)


def test_what_the_pipeline_wrote_and_cannot_read_is_a_dead_letter(bench: Bench) -> None:
    worker = bench.start()
    bench.send(100)
    raw(bench, 3)
    bench.send(100)
    bench.settle()
    bench.verify()
    letters = list(bench.client.values(DEAD_LETTERS))
    assert [letter.original for letter in letters] == [b"not ours"] * 3
    raw(bench, 60)
    assert worker.died() == 1
    assert "cannot be read" in worker.log
    assert len(list(bench.client.values(DEAD_LETTERS))) == 3, "the batch that was too much is not committed"


def raw(bench: Bench, count: int) -> None:
    producer = Producer({"bootstrap.servers": bench.settings.kafka_properties()["bootstrap.servers"]})
    for _ in range(count):
        producer.produce(bench.prefix + LEFT.name, b"not ours", b"k", 0)
    assert producer.flush(10) == 0


def test_lost_offsets_stop_it(bench: Bench) -> None:
    worker = bench.start()
    bench.send(50)
    bench.settle()
    assert worker.stop() == 0
    group = f"{bench.prefix}probe"
    admin = bench.broker.admin()
    futures = admin.delete_consumer_groups([group])
    until("the group is empty", futures[group].done)
    futures[group].result(10)
    again = bench.start()
    assert again.died() == 1
    assert "lost or restored" in again.log


def test_topics_have_the_properties_that_the_pipeline_relies_on(bench: Bench) -> None:
    admin = bench.broker.admin()
    resource = ConfigResource(ResourceType.TOPIC, bench.prefix + POLICIES.name)
    futures = admin.describe_configs([resource])
    found = next(iter(futures.values())).result(10)
    assert {name: found[name].value for name in properties(POLICIES)} == properties(POLICIES)
    assert properties(SUBMISSIONS)["message.timestamp.type"] == "LogAppendTime"
