"""
How long it takes to look up the life of one message among ten million verdicts: `python -m bench.explain`.

A year of the nation's messages brings six million. The index is written directly into the view's file; the verdicts of the
messages that are looked up are in a real journal. Timed are the work of `vn explain` after its start (index, journal, and what
was written since), the whole command, and the message's page of a running `vn console`.
"""

import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from statistics import quantiles
from time import perf_counter, process_time
from typing import Final

import httpx2
import psutil

from bench.cluster import Deployment, bench_cluster, cpu_seconds, until
from processors.cli.explain import message_history
from processors.domain.journal import JOURNAL_STAGES, Verdict, Verdicts
from processors.topics import DECISIONS
from processors.views.database import View
from processors.views.tables import STAFF_MODEL
from processors.views.view_reader import CONSOLE_VIEW, open_view

VERDICTS: Final = 10_000_000
EACH: Final = 6  # verdicts of one message
BATCH: Final = 200  # messages whose verdicts of one stage are one record
WRITTEN: Final = 20_000  # messages whose verdicts are in the journal
SINCE: Final = 500  # messages that were written after the view's position
LOOK_UPS: Final = 300
COMMANDS: Final = 20
VN: Final = (sys.executable, "-c", "from processors.cli.main import run; run()")


def main() -> None:
    with bench_cluster() as cluster:
        os.environ["VN_VIEWS_DIR"] = str(cluster.folder)
        deployment = cluster.deploy("explain.")
        write_journal(deployment, range(WRITTEN))
        write_index(deployment)
        write_journal(deployment, range(WRITTEN, WRITTEN + SINCE))
        size = (deployment.settings.views_dir / CONSOLE_VIEW).stat().st_size
        print(f"index of {VERDICTS:,} verdicts: {size / 2**20:.0f} MiB; load of the machine {os.getloadavg()[0]:.1f}")
        numbers = random.Random(1).sample(range(WRITTEN), LOOK_UPS)
        report("one look-up", partial(look_up, deployment), numbers, process_time)
        report("vn explain, start and all", command, numbers[:COMMANDS], children_seconds)
        with httpx2.Client(base_url=start_console(deployment), timeout=30.0) as staff:
            until("the console is up to date", lambda: staff.get("healthz").status_code == HTTPStatus.OK)
            console = deployment.processes["console"]
            report("the message's page", partial(page, staff), numbers, partial(cpu_seconds, console))
        stop(console)


def report(what: str, work: Callable[[int], None], numbers: Sequence[int], cpu: Callable[[], float]) -> None:
    """Do the work for each number; print how long it took, and how much CPU by a clock of CPU seconds, in which no other program counts."""
    times, before = [], cpu()
    for number in numbers:
        begun = perf_counter()
        work(number)
        times.append((perf_counter() - begun) * 1000)
    cost = (cpu() - before) / len(numbers) * 1000
    cuts = quantiles(times, n=100)
    print(f"{what}: median {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms; {cost:.0f} ms of CPU", flush=True)


def children_seconds() -> float:
    """Return the CPU seconds of the commands that have ended."""
    taken = os.times()
    return taken.children_user + taken.children_system


def look_up(deployment: Deployment, number: int) -> None:
    """Do what `vn explain` does after its start."""
    with open_view(deployment.client) as view:
        found = message_history(f"M-{number}", view.journal(f"M-{number}"), view.responses(f"M-{number}"))
    if len(found["decisions"]) != EACH:
        raise AssertionError(f"{len(found['decisions'])} decisions were found of message M-{number}")


def command(number: int) -> None:
    said = subprocess.run([*VN, "explain", f"M-{number}", "--json"], check=True, capture_output=True, text=True).stdout
    if said.count('"stage"') != EACH:
        raise AssertionError(f"vn explain M-{number} printed {said}")


def page(staff: httpx2.Client, number: int) -> None:
    if staff.get(f"messages/M-{number}").text.count('<p class="when">') != EACH:
        raise AssertionError(f"the page of M-{number} does not show {EACH} decisions")


def start_console(deployment: Deployment) -> str:
    """Start `vn console` on the view and return its address."""
    deployment.start("console", *VN, "console")

    def address() -> str:
        found = re.search(rb"http://\S+/", deployment.log("console"))
        return found[0].decode() if found else ""

    until("the console serves", lambda: bool(address()))
    return address()


def stop(process: psutil.Popen) -> None:
    """End a process that writes into the folder, before the folder goes."""
    process.terminate()
    process.wait(30)


def write_journal(deployment: Deployment, messages: range) -> None:
    """Write the verdicts of the messages as the stages do, one record per batch."""
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
    logs = deployment.broker.topic_identities(prefix + topic.name for topic in STAFF_MODEL.apply)
    view = View(deployment.settings.views_dir / CONSOLE_VIEW, STAFF_MODEL)
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
