"""Negative controls: without each guard of the protocol, the same fault must do visible harm."""

import signal

import pytest
from confluent_kafka import KafkaException, Producer, TopicPartition

from processors.runtime.errors import Stop
from processors.runtime.kafka.clients import Broker
from processors.runtime.run.catchup import Changelog
from processors.runtime.run.store import STAMP
from processors.runtime.wire.changelog import Position
from tests.broker.probe import LEFT, STATE
from tests.broker.testbed import PARTITIONS, Testbed, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


@pytest.mark.parametrize("without", ["", "stamp compare"])
def test_states_are_used_only_under_their_stamp(testbed: Testbed, without: str) -> None:
    testbed.start(without=without)
    testbed.send(200)
    testbed.wait_until_settled()
    testbed.store.call("DEL", *(testbed.key(partition) for partition in range(PARTITIONS)))
    testbed.send(200)
    testbed.wait_until_settled()
    check(testbed, harmed=bool(without))


@pytest.mark.parametrize("without", ["", "compare"])
def test_the_store_takes_nothing_from_a_late_owner(testbed: Testbed, without: str) -> None:
    zombie = testbed.start("probe.committed=stop@2", without=without)
    testbed.send(200)
    zombie.wait_for_log('"event": "batch"')
    testbed.send(100)
    zombie.wait_until_stopped()
    testbed.start()
    testbed.send(200)
    testbed.wait_until_settled()
    zombie.signal(signal.SIGCONT)
    zombie.wait_for_log('"event": "start_over"') if not without else zombie.wait_for_log('"event": "batch"', 2)
    check(testbed, harmed=bool(without))


@pytest.mark.parametrize("without", ["", "fence"])
def test_a_batch_of_timers_alone_is_fenced_too(testbed: Testbed, without: str) -> None:
    first = testbed.start()
    until("the empty inputs are committed", testbed.idle)
    assert first.stop() == 0
    zombie = testbed.start("probe.decided=stop@2", without=without)
    zombie.wait_for_log('"event": "settled"')
    testbed.send(1, sides=(LEFT,))  # one batch with the record, and one with its timer
    zombie.wait_for_log('"event": "batch"')
    zombie.wait_until_stopped()
    testbed.start()
    testbed.wait_until_settled()
    zombie.signal(signal.SIGCONT)
    zombie.wait_for_log('"event": "start_over"')  # unfenced, its transaction goes through, and the store is the first to refuse it
    check(testbed, harmed=bool(without))


def check(testbed: Testbed, *, harmed: bool) -> None:
    """Verify the output, or assert that the verification fails."""
    if harmed:
        with pytest.raises(AssertionError):
            testbed.verify()
    else:
        testbed.verify()


def test_catching_up_goes_to_the_uncommitted_end(testbed: Testbed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A foreign transaction holds the last stable offset back, and behind it lies state that was committed."""
    topic = testbed.prefix + STATE.name
    before, after = Position(1, {"source": 5}), Position(2, {"source": 9})
    commit_position(testbed, topic, before)
    foreign = transactional_producer(testbed, "foreign")
    foreign.begin_transaction()
    foreign.produce(topic, b"", b"=left open", 0)
    assert foreign.flush(10) == 0
    commit_position(testbed, topic, after)
    changelog = Changelog(testbed.broker, testbed.store, testbed.codec, topic, "probe")

    with monkeypatch.context() as patch:
        patch.setattr(Broker, "offsets_consumer", lambda broker, _: broker.partition_consumer())  # which is read-committed
        with pytest.raises(Stop, match="written up to offset 5"):
            changelog.restore({("source", 0): 9}, [0], lambda: None)

    foreign.abort_transaction(10)
    restored = changelog.restore({("source", 0): 9}, [0], lambda: None)[0]
    assert restored.position == after


def test_a_group_that_another_life_of_the_stage_left_behind_is_not_guessed_about(testbed: Testbed) -> None:
    changelog = Changelog(testbed.broker, testbed.store, testbed.codec, testbed.prefix + STATE.name, "probe")
    commit_position(testbed, testbed.prefix + STATE.name, Position(1, {"source": 5}))
    with pytest.raises(Stop, match="lost or restored"):
        changelog.restore({("source", 0): None}, [0], lambda: None)
    with pytest.raises(Stop, match="lost or restored"):
        changelog.restore({("source", 1): 3}, [1], lambda: None)


def test_offsets_of_who_is_no_member_are_refused_by_us(testbed: Testbed) -> None:
    """The broker accepts them, which is why a runner without a member id does not commit."""
    outsider = testbed.broker.offsets_consumer(f"{testbed.prefix}probe")
    assert not outsider.memberid()
    producer = transactional_producer(testbed, "outsider")
    producer.begin_transaction()
    producer.produce(testbed.prefix + STATE.name, b"", b"=x", 0)
    try:
        producer.send_offsets_to_transaction([TopicPartition(testbed.prefix + LEFT.name, 0, 0)], outsider.consumer_group_metadata(), 10)
        producer.commit_transaction(10)
    except KafkaException:
        pytest.fail("the broker has become stricter: the runner's own check can go")
    finally:
        outsider.close()


def commit_position(testbed: Testbed, topic: str, position: Position) -> None:
    producer = transactional_producer(testbed, "owner")
    producer.begin_transaction()
    producer.produce(topic, testbed.codec.encode(position), STAMP, 0)
    producer.commit_transaction(10)


def transactional_producer(testbed: Testbed, name: str) -> Producer:
    return testbed.broker.producer(testbed.prefix + name)
