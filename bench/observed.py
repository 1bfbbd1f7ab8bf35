"""
The cost of observing the pipeline: `python -m bench.observed [SUBMISSIONS]`.

Two pipelines on one broker process the same submissions in turns, a few seconds each: one by itself, the other with its metrics
served and scraped, `vn watch` beside it, and every span sent to a collector that never answers.
"""

import socket
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from threading import Event, Thread
from typing import Final

from bench import feed
from bench.cluster import DEFAULT_PARTITIONS, RUN, TIMEOUT, BenchCluster, Deployment, bench_cluster, until
from bench.memory import POLICIES
from bench.whole import PROCESSES, measure_throughput, wait_until_idle
from processors.runtime.local.ports import free_ports
from processors.topics import REGISTRATIONS

SUBMISSIONS: Final = 3_000  # of one turn
TURNS: Final = 8
SCRAPE_EVERY: Final = 5.0  # seconds; deploy/prometheus asks every fifteen
WATCH: Final = (*RUN[:-1], "watch")


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn of one pipeline: submissions a second, and the CPU seconds of its stages for 100,000."""

    rate: float
    cpu: float


def start(cluster: BenchCluster, prefix: str, ports: Mapping[str, int], collector: str | None) -> Deployment:
    """Start the stages of a pipeline; with ports, each serves its metrics and sends its spans to the collector."""
    deployment = cluster.deploy(prefix, DEFAULT_PARTITIONS)
    deployment.set_policies(POLICIES)
    tracing = {} if collector is None else {"OTEL_EXPORTER_OTLP_ENDPOINT": collector}
    for name in PROCESSES:
        deployment.start(name, *RUN, name, VN_METRICS_PORT=str(ports.get(name, 0)), **tracing)
    deployment.wait_until_settled()
    return deployment


def scrape(ports: Mapping[str, int], stop: Event) -> None:
    """Read every page again and again, as Prometheus does."""
    while not stop.wait(SCRAPE_EVERY):
        for port in ports.values():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=TIMEOUT) as page:
                page.read()


def measure(cluster: BenchCluster, count: int) -> Iterator[str]:
    """Measure both pipelines in turns, and yield the results."""
    names = (*PROCESSES, "watch")
    silent = socket.create_server(("127.0.0.1", 0))  # accepts connections and never answers
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    alone = start(cluster, "alone.", {}, None)
    seen = start(cluster, "seen.", ports, f"http://127.0.0.1:{silent.getsockname()[1]}")
    seen.start("watch", *WATCH, VN_METRICS_PORT=str(ports["watch"]))
    until("the watch serves its page", lambda: b"/metrics" in seen.log("watch"))
    stop = Event()
    scraper = Thread(target=scrape, args=(ports, stop), daemon=True)
    scraper.start()
    for deployment in (alone, seen):
        deployment.client.send(REGISTRATIONS, feed.registrations(count // feed.EVENTS_EACH, "o"))
        wait_until_idle(deployment)
    turns: dict[str, list[Turn]] = {"alone.": [], "seen.": []}
    for number in range(TURNS + 1):
        for deployment in (alone, seen) if number % 2 else (seen, alone):
            found = measure_throughput(cluster, deployment, count, f"o{number}")
            stages = sum(cpu for name, cpu in found.cpu.items() if name not in {"broker", "store", "watch"})
            turns[deployment.prefix].append(Turn(found.rate, stages))
    stop.set()
    scraper.join()
    pairs = list(zip(turns["alone."], turns["seen."], strict=True))[1:]  # the first of each warms up
    for bare, observed in pairs:
        yield f"alone {bare.rate:,.0f}/s, {bare.cpu:.1f} CPU s; observed {observed.rate:,.0f}/s, {observed.cpu:.1f} CPU s"
    rate, cpu = median(each.rate / bare.rate for bare, each in pairs), median(each.cpu / bare.cpu for bare, each in pairs)
    yield f"Observed to alone, median of {len(pairs)} turns: rate {rate:.2f}, CPU of the stages {cpu:.2f}."
    yield f"The watch took {seen.cpu()['watch']:.1f} CPU s in all."
    for deployment in (alone, seen):
        deployment.stop()
    silent.close()


def main(count: int) -> None:
    with bench_cluster() as cluster:
        for line in measure(cluster, count):
            print(line, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SUBMISSIONS)
