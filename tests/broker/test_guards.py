"""Every guard of the protocol, taken out: then the same disturbance must be seen to do harm."""

import signal

import pytest
from confluent_kafka import KafkaException, Producer, TopicPartition

from processors.runtime.errors import Stop
from processors.runtime.kafka.clients import Broker
from processors.runtime.run.catchup import Changelog
from processors.runtime.run.store import STAMP
from processors.runtime.wire.changelog import Position
from tests.broker.bench import PARTITIONS, Bench, until
from tests.broker.probe import LEFT, STATE

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


@pytest.mark.parametrize("without", ["", "stamp compare"])
def test_states_are_used_only_under_their_stamp(bench: Bench, without: str) -> None:
    bench.start(without=without)
    bench.send(200)
    bench.settle()
    bench.store.call("DEL", *(bench.key(partition) for partition in range(PARTITIONS)))
    bench.send(200)
    bench.settle()
    judged(bench, harmed=bool(without))


@pytest.mark.parametrize("without", ["", "compare"])
def test_the_store_takes_nothing_from_a_late_owner(bench: Bench, without: str) -> None:
    zombie = bench.start("probe.committed=stop@2", without=without)
    bench.send(200)
    zombie.said('"event": "batch"')
    bench.send(100)
    zombie.stopped()
    bench.start()
    bench.send(200)
    bench.settle()
    zombie.signal(signal.SIGCONT)
    zombie.said('"event": "start_over"') if not without else zombie.said('"event": "batch"', 2)
    judged(bench, harmed=bool(without))


@pytest.mark.parametrize("without", ["", "fence"])
def test_a_batch_of_timers_alone_is_fenced_too(bench: Bench, without: str) -> None:
    first = bench.start()
    until("the empty inputs are committed", bench.idle)
    assert first.stop() == 0
    zombie = bench.start("probe.decided=stop@2", without=without)
    zombie.said('"event": "settled"')
    bench.send(1, sides=(LEFT,))  # one batch with the record, and one with its timer
    zombie.said('"event": "batch"')
    zombie.stopped()
    bench.start()
    bench.settle()
    zombie.signal(signal.SIGCONT)
    zombie.said('"event": "start_over"')  # unfenced, its transaction goes through, and the store is the first to refuse it
    judged(bench, harmed=bool(without))


def judged(bench: Bench, *, harmed: bool) -> None:
    """All is right, or if harm must have been done, it is seen."""
    if harmed:
        with pytest.raises(AssertionError):
            bench.verify()
    else:
        bench.verify()


def test_catching_up_goes_to_the_uncommitted_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A foreign transaction holds the last stable offset back, and behind it lies state that was committed."""
    topic = bench.prefix + STATE.name
    before, after = Position(1, {"source": 5}), Position(2, {"source": 9})
    committed_to(bench, topic, before)
    foreign = transactional(bench, "foreign")
    foreign.begin_transaction()
    foreign.produce(topic, b"", b"=left open", 0)
    assert foreign.flush(10) == 0
    committed_to(bench, topic, after)
    changelog = Changelog(bench.broker, bench.store, bench.codec, topic, "probe")

    with monkeypatch.context() as patch:
        patch.setattr(Broker, "offsets_consumer", lambda broker, _: broker.partition_consumer())  # which is read-committed
        with pytest.raises(Stop, match="written up to offset 5"):
            changelog.restore({("source", 0): 9}, [0], lambda: None)

    foreign.abort_transaction(10)
    restored = changelog.restore({("source", 0): 9}, [0], lambda: None)[0]
    assert restored.position == after


def test_a_group_that_another_life_of_the_stage_left_behind_is_not_guessed_about(bench: Bench) -> None:
    changelog = Changelog(bench.broker, bench.store, bench.codec, bench.prefix + STATE.name, "probe")
    committed_to(bench, bench.prefix + STATE.name, Position(1, {"source": 5}))
    with pytest.raises(Stop, match="lost or restored"):
        changelog.restore({("source", 0): None}, [0], lambda: None)
    with pytest.raises(Stop, match="lost or restored"):
        changelog.restore({("source", 1): 3}, [1], lambda: None)


def test_offsets_of_who_is_no_member_are_refused_by_us(bench: Bench) -> None:
    """The broker takes them: that is the trap, and why a runner without a member's id does not commit."""
    outsider = bench.broker.offsets_consumer(f"{bench.prefix}probe")
    assert not outsider.memberid()
    producer = transactional(bench, "outsider")
    producer.begin_transaction()
    producer.produce(bench.prefix + STATE.name, b"", b"=x", 0)
    try:
        producer.send_offsets_to_transaction([TopicPartition(bench.prefix + LEFT.name, 0, 0)], outsider.consumer_group_metadata(), 10)
        producer.commit_transaction(10)
    except KafkaException:
        pytest.fail("the broker has become stricter: the runner's own check can go")
    finally:
        outsider.close()


def committed_to(bench: Bench, topic: str, position: Position) -> None:
    producer = transactional(bench, "owner")
    producer.begin_transaction()
    producer.produce(topic, bench.codec.encode(position), STAMP, 0)
    producer.commit_transaction(10)


def transactional(bench: Bench, name: str) -> Producer:
    return bench.broker.producer(bench.prefix + name)
