"""
How long it takes to look up the life of one message in a year of the nation's journal: `python -m bench.explain`.

The index of six million verdicts is written directly into the view's file; the verdicts of the messages that are looked up are
in a real journal. What is timed is the work of `vn explain` after its start: index, journal, and what was written since.
"""

import os
import random
from statistics import quantiles
from time import perf_counter
from typing import Final

from bench.cluster import Deployment, bench_cluster
from processors.cli.explain import life
from processors.domain.journal import JOURNAL_STAGES, Verdict, Verdicts
from processors.topics import DECISIONS
from processors.views.database import View
from processors.views.lookup import CONSOLE_VIEW, lookup
from processors.views.tables import STAFF

VERDICTS: Final = 6_000_000
EACH: Final = 6  # verdicts of one message
BATCH: Final = 200  # messages whose verdicts of one stage are one record
WRITTEN: Final = 20_000  # messages whose verdicts are in the journal
SINCE: Final = 500  # messages that were written after the view's position
LOOKS: Final = 300


def main() -> None:
    with bench_cluster() as cluster:
        os.environ["VN_VIEWS_DIR"] = str(cluster.folder)
        deployment = cluster.deploy("explain.")
        write_journal(deployment, range(WRITTEN))
        write_index(deployment)
        write_journal(deployment, range(WRITTEN, WRITTEN + SINCE))
        size = (deployment.settings.views_dir / CONSOLE_VIEW).stat().st_size
        times = []
        for number in random.Random(1).sample(range(WRITTEN), LOOKS):
            begun = perf_counter()
            with lookup(deployment.client) as view:
                found = life(f"M-{number}", view.journal(f"M-{number}"))
            times.append((perf_counter() - begun) * 1000)
            if len(found["decisions"]) != EACH:
                raise AssertionError(f"{len(found['decisions'])} decisions were found of message M-{number}")
        cuts = quantiles(times, n=100)
        print(f"index of {VERDICTS:,} verdicts: {size / 2**20:.0f} MiB; one look-up: median {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms")


def write_journal(deployment: Deployment, messages: range) -> None:
    """Write the verdicts of the messages as the stages do, a batch a record."""
    encode = deployment.client.codec.encode
    records = []
    for first in range(messages.start, messages.stop, BATCH):
        for stage in JOURNAL_STAGES:
            verdicts = tuple(
                Verdict(
                    stage=stage,
                    message_id=f"M-{number}",
                    outcome="passed",
                    reason="accepted",
                    detail="The status after it follows from the status before.",
                    at=1_795_700_000_000 + number,
                    ori="VA0430000",
                    offender=f"o{number:012x}",
                    rules="3f2a91c07d44",
                )
                for number in range(first, min(first + BATCH, messages.stop))
            )
            records.append((f"{stage}-0", encode(Verdicts(verdicts))))
    deployment.client.send(DECISIONS, records)


def write_index(deployment: Deployment) -> None:
    """Write the view of the journal so far, and rows for as many other messages as a year brings."""
    prefix = deployment.settings.topic_prefix
    logs = deployment.broker.topic_identities(prefix + topic.name for topic in STAFF.apply)
    view = View(deployment.settings.views_dir / CONSOLE_VIEW, STAFF)
    view.open({name.removeprefix(prefix): log for name, log in logs.items()})
    decode = deployment.client.codec.decode
    with view.writing() as database:
        for record in deployment.client.read(DECISIONS):
            rows = {(each.message_id, record.partition, record.offset) for each in decode(record.value).verdicts} if record.value else ()
            database.executemany("INSERT INTO journal VALUES (?, ?, ?)", rows)
            database.execute("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", (DECISIONS.name, record.partition, record.offset + 1))
        others = ((f"Y-{number // EACH}", number % 4, 1_000_000 + number) for number in range(VERDICTS - WRITTEN * EACH))
        database.executemany("INSERT INTO journal VALUES (?, ?, ?)", others)


if __name__ == "__main__":
    main()
