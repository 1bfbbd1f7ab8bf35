"""
Two copies of a stage against one, on the same records: `python -m bench.copies [RECORDS]`.

Each time the copies wait for the records, each with its share of the partitions, and are timed from the first record sent to the last
one committed. Broker, store and copies share the machine's cores.
"""

import sys
from collections.abc import Iterator
from time import monotonic

from bench.cluster import RUN, BenchCluster, bench_cluster, until
from bench.memory import StoredRecord, measure
from bench.stage import NAME, Speed, events
from processors.topics import DISTINCT

RECORDS = 100_000
COPIES = (1, 2, 1, 2)  # in turns, since a machine is faster at one time than at another


def run_copies(cluster: BenchCluster, few: list[StoredRecord], count: int, number: int, turn: int) -> Speed:
    """Time so many copies of the stage; their CPU seconds and memory are added up."""
    deployment = cluster.deploy(f"copies{turn}.")
    for copy in range(number):
        deployment.start(f"{NAME}{copy}", *RUN, NAME)
    deployment.wait_until_settled()
    done = deployment.progress(NAME, DISTINCT.name)
    records = list(events(few, count))
    began, before = monotonic(), sum(deployment.cpu().values())
    deployment.client.send(DISTINCT, records)
    until("every record is done", lambda: done() >= count, timeout=600)
    seconds, spent = monotonic() - began, sum(deployment.cpu().values()) - before
    memory = sum(deployment.memory().values())
    deployment.stop()
    return Speed(count / seconds, 1e5 * spent / count, memory)


def compare(cluster: BenchCluster, count: int) -> Iterator[str]:
    """Yield a line for each turn."""
    _, stored = measure(4_000)
    few = stored[DISTINCT.name]
    for turn, number in enumerate(COPIES):
        speed = run_copies(cluster, few, count, number, turn)
        yield (f"{number} of {NAME}: {speed.rate:,.0f} records/s, {speed.cpu:.2f} CPU s for 100,000, {speed.memory:.0f} MiB at most in all")


def main(count: int) -> None:
    with bench_cluster() as cluster:
        for line in compare(cluster, count):
            print(line, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS)
