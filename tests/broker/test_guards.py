"""Negative controls: without each guard of the protocol, the same fault must do visible harm."""

import signal

import pytest
from confluent_kafka import KafkaException, Producer, TopicPartition

from processors.runtime.errors import Stop
from processors.runtime.kafka.clients import Broker
from processors.runtime.run.catchup import Changelog
from processors.runtime.run.store import STAMP
from processors.runtime.wire.changelog import Position
from tests.broker.harness import PARTITIONS, ProbeHarness, until
from tests.broker.probe import LEFT, STATE

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600, method="signal")]


@pytest.mark.parametrize("without", ["", "stamp compare"])
def test_states_are_used_only_under_their_stamp(harness: ProbeHarness, without: str) -> None:
    harness.start(without=without)
    harness.send(200)
    harness.wait_until_settled()
    harness.store.call("DEL", *(harness.key(partition) for partition in range(PARTITIONS)))
    harness.send(200)
    harness.wait_until_settled()
    check(harness, harmed=bool(without))


@pytest.mark.parametrize("without", ["", "compare"])
def test_the_store_takes_nothing_from_a_late_owner(harness: ProbeHarness, without: str) -> None:
    zombie = harness.start("probe.committed=stop@2", without=without)
    harness.send(200)
    zombie.wait_for_log('"event": "batch"')
    harness.send(100)
    zombie.wait_until_stopped()
    harness.start()
    harness.send(200)
    harness.wait_until_settled()
    zombie.signal(signal.SIGCONT)
    zombie.wait_for_log('"event": "start_over"') if not without else zombie.wait_for_log('"event": "batch"', 2)
    check(harness, harmed=bool(without))


@pytest.mark.parametrize("without", ["", "fence"])
def test_a_batch_of_timers_alone_is_fenced_too(harness: ProbeHarness, without: str) -> None:
    first = harness.start()
    until("the empty inputs are committed", harness.idle)
    assert first.stop() == 0
    zombie = harness.start("probe.decided=stop@2", without=without)
    zombie.wait_for_log('"event": "ready"')
    harness.send(1, sides=(LEFT,))  # one batch with the record, and one with its timer
    zombie.wait_for_log('"event": "batch"')
    zombie.wait_until_stopped()
    harness.start()
    harness.wait_until_settled()
    zombie.signal(signal.SIGCONT)
    zombie.wait_for_log('"event": "start_over"')  # unfenced, its transaction goes through, and the store is the first to refuse it
    check(harness, harmed=bool(without))


def check(harness: ProbeHarness, *, harmed: bool) -> None:
    """Verify the output, or assert that the verification fails."""
    if harmed:
        with pytest.raises(AssertionError):
            harness.verify()
    else:
        harness.verify()


def test_catching_up_goes_to_the_uncommitted_end(harness: ProbeHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A foreign transaction holds the last stable offset back, and behind it lies state that was committed."""
    topic = harness.prefix + STATE.name
    before, after = Position(1, {"source": 5}), Position(2, {"source": 9})
    commit_position(harness, topic, before)
    foreign = transactional_producer(harness, "foreign")
    foreign.begin_transaction()
    foreign.produce(topic, b"", b"=left open", 0)
    assert foreign.flush(10) == 0
    commit_position(harness, topic, after)
    changelog = Changelog(harness.broker, harness.store, harness.codec, topic, "probe")

    with monkeypatch.context() as patch:
        patch.setattr(Broker, "offsets_consumer", lambda broker, _: broker.partition_consumer())  # which is read-committed
        with pytest.raises(Stop, match="written up to offset 5"):
            changelog.restore({("source", 0): 9}, [0], lambda: None)

    foreign.abort_transaction(10)
    restored = changelog.restore({("source", 0): 9}, [0], lambda: None)[0]
    assert restored.position == after


def test_a_group_that_another_life_of_the_stage_left_behind_is_not_guessed_about(harness: ProbeHarness) -> None:
    changelog = Changelog(harness.broker, harness.store, harness.codec, harness.prefix + STATE.name, "probe")
    commit_position(harness, harness.prefix + STATE.name, Position(1, {"source": 5}))
    with pytest.raises(Stop, match="lost or restored"):
        changelog.restore({("source", 0): None}, [0], lambda: None)
    with pytest.raises(Stop, match="lost or restored"):
        changelog.restore({("source", 1): 3}, [1], lambda: None)


def test_offsets_of_who_is_no_member_are_refused_by_us(harness: ProbeHarness) -> None:
    """The broker accepts them, which is why a runner without a member id does not commit."""
    outsider = harness.broker.offsets_consumer(f"{harness.prefix}probe")
    assert not outsider.memberid()
    producer = transactional_producer(harness, "outsider")
    producer.begin_transaction()
    producer.produce(harness.prefix + STATE.name, b"", b"=x", 0)
    try:
        producer.send_offsets_to_transaction([TopicPartition(harness.prefix + LEFT.name, 0, 0)], outsider.consumer_group_metadata(), 10)
        producer.commit_transaction(10)
    except KafkaException:
        pytest.fail("the broker has become stricter: the runner's own check can go")
    finally:
        outsider.close()


def commit_position(harness: ProbeHarness, topic: str, position: Position) -> None:
    producer = transactional_producer(harness, "owner")
    producer.begin_transaction()
    producer.produce(topic, harness.codec.encode(position), STAMP, 0)
    producer.commit_transaction(10)


def transactional_producer(harness: ProbeHarness, name: str) -> Producer:
    return harness.broker.producer(harness.prefix + name)
