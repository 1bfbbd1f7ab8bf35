"""
A soak test: two copies of the probe stage under load are killed, stopped and stalled at random fault points, and the store is emptied.

    python -m tests.broker.soak [--minutes N] [--seed N]        (`make soak`)

At the end every answer, cache and changelog must equal the fold of the inputs. Prints events, faults and the result.
"""

import argparse
import random
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import monotonic
from typing import Final

from processors.runtime.local import LocalCluster
from processors.runtime.run.faults import POINTS
from processors.runtime.stop_signals import exit_on_sigterm
from tests.broker.harness import PARTITIONS, ProbeHarness, Worker, until

ROUND: Final = 2_000  # records sent between two faults
BACKLOG: Final = 60_000  # records that may wait: the disturbed stages must keep up
FAULTS: Final = {"kill": "kill", "stop": "stop", "stall": "sleep:4"}


def round_of_faults(harness: ProbeHarness, chance: random.Random, workers: list[Worker], done: Counter[str]) -> None:
    """Send a round of records; wake or replace the older copy, and arm the next one with a fault."""
    harness.send(ROUND, keys=400)
    old = workers.pop(0)
    if old.process.poll() is None:
        old.signal(signal.SIGTERM)
    until("the older copy has ended", lambda: has_ended(old))
    point, fault = chance.choice(POINTS), chance.choice(sorted(FAULTS))
    workers.append(harness.start(f"probe.{point}={FAULTS[fault]}@{chance.randint(1, 2)}"))
    done["copies replaced"] += 1
    if chance.random() < 0.2:
        harness.store.call("DEL", *(harness.key(partition) for partition in range(PARTITIONS)))
        done["store emptied"] += 1
    until("the backlog is short", lambda: harness.backlog() < BACKLOG or revive(harness, workers), 300)


def has_ended(worker: Worker) -> bool:
    """Whether it has ended; wakes it otherwise, since its fault may stop it at any time, also while it shuts down."""
    if worker.process.poll() is not None:
        return True
    worker.signal(signal.SIGCONT)
    return False


def revive(harness: ProbeHarness, workers: list[Worker]) -> bool:
    """Replace each copy that has ended by one without a fault, and wake the stopped ones; return False."""
    for number, worker in enumerate(workers):
        if worker.process.poll() is not None:
            workers[number] = harness.start()
        else:
            worker.signal(signal.SIGCONT)
    return False


def main() -> int:
    """Run the soak, report it, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance, done = random.Random(options.seed), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="vn-soak-") as folder, exit_on_sigterm():
        local = LocalCluster(Path(folder) / "vn")
        harness = ProbeHarness(local.up().environment, seed=options.seed)
        try:
            workers = [harness.start(), harness.start()]
            until_then = monotonic() + 60 * options.minutes
            while monotonic() < until_then:
                round_of_faults(harness, chance, workers, done)
            for worker in workers:
                worker.kill()
            harness.start()
            harness.wait_until_settled()
            harness.verify()
            done["faults struck"] = harness.faults_struck()
        finally:
            harness.close()
            local.down()
    events = sum(map(len, harness.sent.values()))
    counts = ", ".join(f"{count} {what}" for what, count in sorted(done.items()))
    sys.stdout.write(f"{options.minutes:g} minutes, seed {options.seed}: {events} events, {counts}; none lost, none twice, none wrong.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
