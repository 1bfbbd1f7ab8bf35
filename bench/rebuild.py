"""
Rebuild: how long a stage with a large state takes to start, and what a burst of timers costs.

The changelog of `dedupe` is filled with generated states of many offenders, each with a timer. Then the stage is started
three times: with an empty store (rebuild), with the store of the previous run (resume), and with every timer due (the end of an
outage). Each time is given beside that of a stage without any state. Redis records its longest command meanwhile.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from confluent_kafka import Producer

from bench import feed
from bench.cluster import PARTITIONS, RUN, TIMEOUT, BenchCluster, Deployment, bench_cluster, cpu_seconds, until
from bench.memory import StoredRecord, feed_through, running_stages
from processors.runtime.clock import wall_time
from processors.runtime.decide.driver import StatesInMemory
from processors.runtime.run.store import STAMP, Store
from processors.runtime.wire.changelog import Position, Timer
from processors.runtime.wire.codec import Codec
from processors.topics import DEDUPE_STATE, SUBMISSIONS

STAGE: Final = "dedupe"
SAMPLE: Final = 200  # offenders whose states are made by the stage itself; the others are copies under other keys
OFFENDER: Final = re.compile(rb"o[0-9a-f]{16}")
HOUR: Final = 3_600_000
STILL: Final = 5.0  # seconds
SLOW: Final = 1_000  # microseconds: Redis records commands that take longer


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds until a stage was ready, more than a stage without state takes; CPU seconds; Redis's longest command in milliseconds."""

    changes: int
    seconds: float
    cpu: float
    longest: float


def sample() -> list[StoredRecord]:
    """Return the changelog records of a few offenders with one event each: states, and timers that are not due."""
    states = StatesInMemory()
    units = running_stages(lambda name: states if name == STAGE else StatesInMemory())
    now = feed.now()
    feed_through(units, SUBMISSIONS, [feed.submission(person, 0, f"r-{person}", now) for person in range(SAMPLE)])
    return [(name, value) for name, value in states.fields.items() if OFFENDER.search(name)]


def copies(few: Sequence[StoredRecord], offenders: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield the partition, key and value of changelog records for this many offenders, each a copy of one in the sample."""
    for turn in range(offenders // SAMPLE):
        for name, value in few:
            found = OFFENDER.search(name or b"")
            own = found[0] if found else b""
            renamed = b"o%04x%s" % (turn, own[5:])
            yield int(own[-1:], 16) % PARTITIONS, (name or b"").replace(own, renamed), (value or b"").replace(own, renamed)


def fill(deployment: Deployment, records: Iterator[tuple[int, bytes, bytes]]) -> int:
    """Write the records to the stage's changelog, and each partition's position last; return how many there were."""
    codec, topic = deployment.client.codec, deployment.prefix + DEDUPE_STATE.name
    producer, count = Producer(deployment.settings.kafka_properties() | {"linger.ms": 50, "compression.type": "lz4"}), 0
    for partition, key, value in records:
        while True:
            try:
                producer.produce(topic, value, key, partition)
                break
            except BufferError:
                producer.poll(0.1)
        count += 1
        producer.poll(0)
    producer.flush(TIMEOUT)
    for partition in range(PARTITIONS):
        producer.produce(topic, codec.encode(Position(1, {}, at=wall_time())), STAMP, partition)
    producer.flush(TIMEOUT)
    return count


def start(deployment: Deployment, store: Store, changes: int) -> Start:
    """Start the stage, and measure it until it is ready."""
    store.call("SLOWLOG", "RESET")
    began = monotonic()
    process = deployment.start(STAGE, *RUN, STAGE)
    until("the stage is ready", lambda: b'"ready"' in deployment.log(STAGE), timeout=600)
    seconds, cpu = monotonic() - began, cpu_seconds(process)
    return Start(changes, seconds, cpu, longest(store))


def longest(store: Store) -> float:
    """Return the milliseconds of the longest command that Redis recorded."""
    found: Any = store.call("SLOWLOG", "GET", 1_000)
    return max((each["duration"] if isinstance(each, dict) else each[2] for each in found), default=0) / 1_000


def measure(cluster: BenchCluster, offenders: int) -> Iterator[str]:
    few = sample()
    empty, full = cluster.deploy("empty."), cluster.deploy("full.")
    store = Store(full.settings.redis_url)
    store.call("CONFIG", "SET", "slowlog-log-slower-than", SLOW)
    for _ in range(2):  # the second start finds the broker warm, as those after it do
        bare = start(empty, store, 0)
        empty.stop()
    yield f"A stage without state is ready after {bare.seconds:.1f} s and {bare.cpu:.1f} CPU s."
    changes = fill(full, copies(few, offenders))
    for what in ("with an empty store", "with the store as it was left"):
        found = start(full, store, changes)
        full.stop()
        seconds, cpu = found.seconds - bare.seconds, found.cpu - bare.cpu
        spent = f"{seconds:.1f} s more ({changes / seconds:,.0f} changes/s), {cpu:.1f} CPU s more"
        yield f"{offenders:,} offenders, {changes:,} changes, {what}: {spent}; Redis's longest command took {found.longest:.1f} ms."
    yield from fire(cluster, few, offenders, store)


def fire(cluster: BenchCluster, few: Sequence[StoredRecord], offenders: int, store: Store) -> Iterator[str]:
    """Start the stage with every timer due, and time it until none is left."""
    codec = Codec()
    due = codec.encode(Timer(wall_time() - HOUR))
    late = cluster.deploy("late.")
    records = ((partition, key, due if key.startswith(b"@") else value) for partition, key, value in copies(few, offenders))
    fill(late, records)
    timers = offenders // SAMPLE * sum((name or b"").startswith(b"@") for name, _ in few)
    ready = start(late, store, timers)
    process, began = late.processes[STAGE], monotonic()
    seconds = wait_until_still(late) - began
    cpu = cpu_seconds(process) - ready.cpu
    late.stop()
    if left := overdue(late, store, codec):
        raise RuntimeError(f"{left} timers are still due")
    spent = f"in {seconds:.1f} s ({timers / seconds:,.0f}/s), {1e5 * cpu / timers:.1f} CPU s for 100,000"
    yield f"{timers:,} timers due at once: fired {spent}; Redis's longest command took {longest(store):.1f} ms."


def wait_until_still(deployment: Deployment) -> float:
    """Wait until nothing has been written to the changelog for some seconds; return the time of the last write."""
    topic_partitions = [(deployment.prefix + DEDUPE_STATE.name, partition) for partition in range(PARTITIONS)]
    ends, since = deployment.broker.end_offsets(topic_partitions), monotonic()

    def still() -> bool:
        nonlocal ends, since
        found = deployment.broker.end_offsets(topic_partitions)
        if found != ends:
            ends, since = found, monotonic()
        return monotonic() - since > STILL

    until("nothing is written any more", still, timeout=900, interval=0.25)
    return since


def overdue(deployment: Deployment, store: Store, codec: Codec) -> int:
    """Return how many timers in the cache are due; those that fired have been set again or removed."""
    key = f"vn:{{{deployment.prefix}{STAGE}:%d}}"
    return sum(
        codec.decode(value).due_at <= wall_time() for partition in range(PARTITIONS) for _, value in store.scan(key % partition, "@*")
    )


def main(offenders: int) -> None:
    with bench_cluster() as cluster:
        for line in measure(cluster, offenders):
            print(line, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
