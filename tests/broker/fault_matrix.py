"""
The fault matrix: every fault at every fault point of the protocol in every stage, under a simulated feed.

    python -m tests.broker.fault_matrix [--only GROUP.FAULT] [--results FILE]        (`make faults`)

A run plays ten simulated days through seven processes, one a stage, and strikes each of them with one fault at each point
of a group, one after the other: twenty-one cells. Afterwards every topic, cache and changelog must equal the driver's, record
by record. Results are appended to a file, and runs that held are not repeated: an interrupted matrix continues where it stopped.
The exit code is 0 if every cell holds.

    kill    kill -9, and started again
    stop    SIGSTOP until another copy has taken over, then SIGCONT: a zombie wakes
    raise   an exception; the process ends, and is started again
    stall   the stage stands still for longer than its session and its transaction may last
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, Final

import psutil

from processors.domain.time import millis
from processors.rehearsal.feed import Step
from processors.runtime.local import LocalCluster
from processors.runtime.run.faults import Point
from processors.runtime.stop_signals import exit_on_sigterm
from processors.simulation.world import simulate
from tests.broker.feed_run import NAMES, ROOT, FeedRun

RESULTS: Final = ROOT / "build" / "faults.jsonl"
FAULTS: Final = {"kill": "kill", "stop": "stop", "raise": "raise", "stall": "sleep:4"}
GROUPS: Final[dict[str, tuple[Point, ...]]] = {
    "start": ("assigned", "restored", "read"),
    "decide": ("decided", "begun", "produced"),
    "commit": ("sent", "committed", "applied"),
}
AT_START: Final = {"assigned", "restored"}  # reached once in each assignment; the others in every batch
RUNS: Final = tuple((group, fault) for group in GROUPS for fault in FAULTS)
COMMAND: Final = (sys.executable, "-m", "tests.broker.stage_process")
STRUCK: Final = re.compile(r'"why": "(\w+)", "event": "fault"')
ENDS: Final = {"kill": -signal.SIGKILL, "raise": 1}
STOP_TIMEOUT: Final = 60
STEP_TIMEOUT: Final = 600.0  # seconds for one moment: each stage may be struck three times in it
ROUNDS: Final = 40  # idle moments at the end, until every fault has struck


def write_feed(folder: Path) -> Path:
    """Write ten simulated days: 24 records in 15 moments, with every stage at work."""
    world = simulate(millis("2026-03-01T00:00:00-05:00"), 10, 7, 0.0002)
    feed = folder / "feed.jsonl"
    feed.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in world.feed()), encoding="utf-8")
    return feed


@dataclass(slots=True)
class Copies:
    """The process of one stage, started again when a fault has ended it, and a copy that takes over when it is stopped."""

    run: FeedRun
    unit: str
    points: tuple[Point, ...]
    fault: str
    process: "subprocess.Popen[bytes]" = field(init=False)
    heir: "subprocess.Popen[bytes] | None" = field(init=False, default=None)
    _lives: int = field(init=False, default=0)
    _ends: ClassVar[Mapping[str, int]] = ENDS  # the exit codes of faults that end the process
    _ready: ClassVar[str] = '"event": "ready"'  # in the log of a copy that has taken over

    def __post_init__(self) -> None:
        self.process = self._start()

    @property
    def struck(self) -> list[str]:
        """The points at which the fault has struck."""
        return [point for log in self._logs() for point in STRUCK.findall(log.read_text())]

    def tend(self) -> None:
        """Start the stage again if a fault has ended it; if one has stopped it, let a copy take over, then wake it."""
        status = self.process.poll()
        if status is not None:
            if status != self._ends.get(self.fault):
                raise AssertionError(f"{self.unit} ended with {status}:\n{self._logs()[-1].read_text()[-3000:]}")
            self.process = self._start()
        elif self.fault == "stop" and psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED:
            if self.heir is None:
                self.heir = self._spawn(self._heir_log, "")
            elif self._ready in self._heir_log.read_text():
                self.process.send_signal(signal.SIGCONT)
        elif self.heir is not None:  # the zombie is awake: it takes its partitions back, to be struck again
            self.heir.send_signal(signal.SIGTERM)
            self.heir.wait(STOP_TIMEOUT)
            self.heir = None

    def stop(self) -> None:
        """Stop cleanly."""
        for process in filter(None, (self.process, self.heir)):
            process.send_signal(signal.SIGTERM)
        for process in filter(None, (self.process, self.heir)):
            if process.wait(STOP_TIMEOUT) != 0:
                raise AssertionError(f"{self.unit} ended with {process.returncode}")

    def kill(self) -> None:
        for process in filter(None, (self.process, self.heir)):
            if process.poll() is None:
                process.kill()
                process.wait()

    @property
    def _heir_log(self) -> Path:
        return self.run.folder / f"{self.unit}-heir.log"

    def _logs(self) -> list[Path]:
        return [self.run.folder / f"{self.unit}-{life}.log" for life in range(self._lives)]

    def _start(self) -> "subprocess.Popen[bytes]":
        """Start the stage: with the next fault if a fault ends the process, otherwise with all of them, a batch apart."""
        left = [point for point in self.points if point not in self.struck]
        if self.fault in self._ends:
            left = left[:1]
        armed = [f"{self.unit}.{point}={FAULTS[self.fault]}@{1 if point in AT_START else 2 + number}" for number, point in enumerate(left)]
        self._lives += 1
        return self._spawn(self._logs()[-1], ",".join(armed))

    def _spawn(self, log: Path, faults: str) -> "subprocess.Popen[bytes]":
        variables = {**os.environ, **self.run.environment, "VN_FAULTS": faults, "VN_LOG_LEVEL": "info"}
        with log.open("wb") as file:
            return subprocess.Popen([*COMMAND, self.unit], env=variables, stderr=file, stdout=file, cwd=ROOT)


def strike(addresses: dict[str, str], folder: Path, feed: Path, group: str, fault: str) -> None:
    """Play the feed while each stage is struck at each point of the group; raises AssertionError if anything differs."""
    run = FeedRun(addresses, folder, feed=feed)
    stages = [Copies(run, unit, GROUPS[group], fault) for unit in NAMES]

    def tend() -> None:
        for each in stages:
            each.tend()

    try:
        run.play(run.moments, meanwhile=tend, timeout=STEP_TIMEOUT)
        for _ in range(ROUNDS):
            if all(set(each.struck) == set(GROUPS[group]) for each in stages):
                break
            run.play([Step(run.moments[-1].at, ())], meanwhile=tend, timeout=STEP_TIMEOUT)
        missed = [f"{each.unit}.{point}" for each in stages for point in GROUPS[group] if point not in each.struck]
        assert not missed, f"not struck: {', '.join(missed)}"
        run.play([Step(run.moments[-1].at, ())], meanwhile=tend, timeout=STEP_TIMEOUT)
        for each in stages:
            each.stop()
    finally:
        for each in stages:
            each.kill()
    run.verify()


@contextmanager
def own_cluster() -> Iterator[tuple[dict[str, str], Path]]:
    """Run a broker and a store in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="vn-faults-") as name, exit_on_sigterm():
        local = LocalCluster(Path(name) / "vn")
        try:
            yield local.up().environment, Path(name)
        finally:
            local.down()


def results(file: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the recorded result of every run, the latest of each."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {(each["group"], each["fault"]): each for each in map(json.loads, lines)}


def table(found: dict[tuple[str, str], dict[str, Any]]) -> str:
    """Return the matrix: a row a point, a column a fault, in each cell how many stages hold."""
    lines = [f"{'':10}" + "".join(f"{fault:>12}" for fault in FAULTS)]
    for group, points in GROUPS.items():
        runs = [found.get((group, fault)) for fault in FAULTS]
        words = ["not run" if run is None else "FAILED" if run["problem"] else f"{len(NAMES)} hold" for run in runs]
        lines += [f"{point:10}" + "".join(f"{word:>12}" for word in words) for point in points]
    cells = len(NAMES) * sum(len(GROUPS[group]) for (group, _), run in found.items() if not run["problem"])
    total = len(NAMES) * len(FAULTS) * sum(map(len, GROUPS.values()))
    lines.append(f"{cells} of {total} cells hold (points x faults x the stages {', '.join(NAMES)}), record by record.")
    lines += [f"{group}.{fault}: {run['problem']}" for (group, fault), run in found.items() if run["problem"]]
    return "\n".join(lines)


def main() -> int:
    """Run the cells that are missing, show the table, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--only", action="append", metavar="GROUP.FAULT", help="these runs only, done before or not")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    chosen = RUNS if options.only is None else tuple(run for run in RUNS if ".".join(run) in options.only)
    options.results.parent.mkdir(parents=True, exist_ok=True)
    done = results(options.results) if options.only is None else {}
    missing = [run for run in chosen if run not in done or done[run]["problem"]]
    if missing:
        with own_cluster() as (addresses, folder), options.results.open("a", encoding="utf-8") as file:
            feed = write_feed(folder)
            for group, fault in missing:
                own, began, problem = folder / f"{group}-{fault}", monotonic(), ""
                own.mkdir()
                try:
                    strike(addresses, own, feed, group, fault)
                except Exception:  # noqa: BLE001  whatever it is, it is the run's result
                    problem = traceback.format_exc(limit=3)
                line = {"group": group, "fault": fault, "seconds": round(monotonic() - began, 1), "problem": problem}
                file.write(json.dumps(line) + "\n")
                file.flush()
                sys.stdout.write(f"{group}.{fault}: {'FAILED' if problem else 'ok'}, {line['seconds']} s\n")
                sys.stdout.flush()
    found = results(options.results)
    sys.stdout.write(table(found) + "\n")
    return int(any(run not in found or found[run]["problem"] for run in chosen))


if __name__ == "__main__":
    sys.exit(main())
