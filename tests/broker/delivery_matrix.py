"""
The fault matrix of deliveries: every fault at every point of deliver, answer, the providers and the receiver of callbacks,
and every misbehavior of vendors.

    python -m tests.broker.delivery_matrix [--only NAME] [--results FILE]        (`make delivery-faults`)

A run sends emergencies and hearings to three registrants by text, email and voice, wave after wave, while every unit is struck at
one point after the other, or vendors misbehave in one way after the other. Afterwards the oracle (tests/delivery/oracle.py) judges
what was written and what the vendors saw. Results are appended to a file, and runs that held are not repeated. The exit code is 0
if every cell holds.

    kill    kill -9, and started again
    stop    SIGSTOP until another copy has taken over, then SIGCONT
    raise   an exception; the process ends, and is started again
    stall   it stands still for longer than its session and its transaction may last
"""

import argparse
import json
import logging
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path
from time import monotonic
from typing import Any, Final

from processors.runtime.run.faults import POINTS, Point
from tests.broker.delivery_run import PROVIDERS, RECEIVER, ROOT, WAVE_SECONDS, Run, World, running
from tests.broker.delivery_vendors import API_FAULTS, CALLBACK_FAULTS, SMTP_FAULTS
from tests.broker.fault_matrix import FAULTS, own_cluster
from tests.delivery.oracle import Facts, violations

RESULTS: Final = ROOT / "build" / "delivery-faults.jsonl"
RECEIVER_POINTS: Final[tuple[Point, ...]] = ("read", "decided", "produced", "committed", "applied")
PROVIDER_POINTS: Final[tuple[Point, ...]] = ("assigned", "restored", "read", "decided", "begun", "sent", "produced", "committed")
UNITS: Final[Mapping[str, tuple[Point, ...]]] = {
    "deliver": POINTS,
    "answer": POINTS,
    "provider-email": PROVIDER_POINTS,
    "provider-sms": PROVIDER_POINTS,
    "provider-voice": PROVIDER_POINTS,
    RECEIVER: RECEIVER_POINTS,
}
SLOW: Final = {"stop"}  # each time another copy has to start first: two runs
EARLY: Final[tuple[Point, ...]] = ("assigned", "restored", "read", "decided", "begun")
LATE: Final[tuple[Point, ...]] = ("produced", "sent", "committed", "applied")
PHASES: Final = {"rcpt": "provider-email", "dot": "provider-email", "request": "provider-sms"}  # of a call, and who makes it
SIGNALS: Final = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
WAVES: Final = 2  # at least, for each misbehavior
MOST_WAVES: Final = 120
STRIKE_EVERY: Final = 4  # calls
STRIKES: Final = 2  # at each phase
MISBEHAVIOURS: Final = 3  # of each kind


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of the matrix: its cells, and what it does."""

    name: str
    cells: tuple[str, ...]
    play: Callable[[World], Facts]


def trials() -> Iterator[Trial]:
    """Yield every run of the matrix."""
    for fault in FAULTS:
        for name, chosen in (
            {f"points.{fault}-1": EARLY, f"points.{fault}-2": LATE}.items() if fault in SLOW else [(f"points.{fault}", POINTS)]
        ):
            units = {unit: tuple(point for point in points if point in chosen) for unit, points in UNITS.items()}
            cells = tuple(f"{unit}.{point}.{fault}" for unit, points in units.items() for point in points)
            yield Trial(name, cells, partial(run_with_faults, fault=fault, units=units))
    for how in SIGNALS:
        yield Trial(f"calls.{how}", tuple(f"{phase}.{how}" for phase in PHASES), partial(run_with_killed_calls, how=how))
    for killed in (False, True):
        end = "killed" if killed else "alone"
        vendors = (*(("smtp", each) for each in SMTP_FAULTS), *(("api", each) for each in API_FAULTS))
        for name, faults in (("vendors", vendors), ("callbacks", tuple(("callbacks", each) for each in CALLBACK_FAULTS))):
            cells = tuple(f"{kind}.{fault}.{end}" for kind, fault in faults)
            yield Trial(f"{name}.{end}", cells, partial(run_with_misbehaving_vendors, faults=faults, killed=killed))


def run_with_faults(world: World, fault: str, units: Mapping[str, Sequence[Point]]) -> Facts:
    """Strike every unit with a fault at each of its points, one after the other."""
    with running(world, {unit: (fault, points) for unit, points in units.items()}) as run:
        for _ in range(MOST_WAVES):
            run.send_wave()
            run.tend_for(WAVE_SECONDS, lambda: not run.missed)
            if not run.missed:
                break
        assert not run.missed, f"not struck: {', '.join(run.missed)}"
        run.send_wave()
        return run.finish()


def run_with_killed_calls(world: World, how: str) -> Facts:
    """Kill or stop providers in the middle of their calls, again and again; the vendors do it."""
    done, number = Counter[str](), SIGNALS[how]
    with running(world, dict.fromkeys(PHASES.values(), (how, ()))) as run:
        world.vendors.phase = signal_in_calls(run, number, done)
        try:
            for _ in range(MOST_WAVES):
                run.send_wave()
                if run.tend_for(WAVE_SECONDS, lambda: all(done[phase] >= STRIKES for phase in PHASES)):
                    break
            assert all(done[phase] >= STRIKES for phase in PHASES), f"struck: {dict(done)}"
        finally:
            world.vendors.phase = lambda _: None
        return run.finish()


def signal_in_calls(run: Run, number: int, done: Counter[str]) -> Callable[[str], None]:
    """Return what the vendors do at the phases of a call: at every so many the calling process gets a signal."""
    seen = Counter[str]()

    def reach(phase: str) -> None:
        seen[phase] += 1
        process = run.copies[PHASES[phase]].process
        if seen[phase] % STRIKE_EVERY == 0 and done[phase] < STRIKES and process.poll() is None:
            done[phase] += 1
            process.send_signal(number)

    return reach


def run_with_misbehaving_vendors(world: World, faults: Sequence[tuple[str, str]], *, killed: bool) -> Facts:
    """Let vendors misbehave at every second message, in one way after the other; if `killed`, their providers are killed meanwhile."""
    vendors = world.vendors
    kinds = {kind: [fault for each, fault in faults if each == kind] for kind, _ in faults}
    with running(world, {}) as run:
        try:
            for together in zip_longest(*([(kind, fault) for fault in several] for kind, several in kinds.items())):
                now = [each for each in together if each is not None]
                misbehave_in_waves(run, now, killed=killed)
        finally:
            for kind in kinds:
                setattr(vendors, kind, "")
        return run.finish()


def misbehave_in_waves(run: Run, faults: Sequence[tuple[str, str]], *, killed: bool) -> None:
    """Send waves until each vendor has misbehaved often enough."""
    vendors = run.world.vendors
    before = {f"{kind}.{fault}": vendors.done[f"{kind}.{fault}"] for kind, fault in faults}
    for kind, fault in faults:
        setattr(vendors, kind, fault)

    def enough() -> bool:
        return all(vendors.done[name] >= count + MISBEHAVIOURS for name, count in before.items())

    for number in range(MOST_WAVES):
        run.send_wave()
        run.tend_for(WAVE_SECONDS / 2, enough)
        if killed and number == 0:
            for unit in (*PROVIDERS, RECEIVER):
                run.copies[unit].process.kill()
        if run.tend_for(WAVE_SECONDS / 2, enough) and number + 1 >= WAVES:
            return
    raise AssertionError(f"the vendors did not misbehave as {', '.join(before)}")


def verdict(facts: Facts) -> dict[str, Any]:
    """Return a run's result: its figures, and the violations."""
    return {
        "attempts": len(facts.outbound),
        "sends": len(facts.sends),
        "in_doubt": len(facts.in_doubt),
        "receipts": len(facts.receipts),
        "twice": sum(1 for count in facts.taken.values() if count > 1),
        "problem": "\n".join(violations(facts)[:12]),
    }


def results(file: Path) -> dict[str, dict[str, Any]]:
    """Return the latest result of every run."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {each["name"]: each for each in map(json.loads, lines)}


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the matrix in words: a line a run, and how many cells hold."""
    every = list(trials())
    held = sum(len(each.cells) for each in every if each.name in found and not found[each.name]["problem"])
    lines = []
    for each in every:
        run = found.get(each.name)
        word = "not run" if run is None else "FAILED" if run["problem"] else f"{len(each.cells)} hold"
        figures = "" if run is None else " ".join(f"{name}={run.get(name, '-')}" for name in ("attempts", "sends", "in_doubt", "twice"))
        lines.append(f"{each.name:32}{word:>10}  {figures}")
    lines.append(f"{held} of {sum(len(each.cells) for each in every)} cells hold.")
    lines += [f"{each.name}: {found[each.name]['problem']}" for each in every if each.name in found and found[each.name]["problem"]]
    return "\n".join(lines)


def main() -> int:
    """Run what is missing, show the table, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--only", action="append", metavar="NAME", help="runs whose names begin so, done before or not")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no run after so long")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    every = list(trials())
    chosen = every if options.only is None else [each for each in every if each.name.startswith(tuple(options.only))]
    options.results.parent.mkdir(parents=True, exist_ok=True)
    done = results(options.results) if options.only is None else {}
    missing = [each for each in chosen if each.name not in done or done[each.name]["problem"]]
    if missing:
        began = monotonic()
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd tells of every connection that a fault has cut off
        with own_cluster() as (addresses, folder), options.results.open("a", encoding="utf-8") as file:
            world = World(addresses, folder)
            try:
                for trial in missing:
                    if monotonic() - began > options.seconds:
                        break
                    run_trial(trial, world, file)
            finally:
                world.close()
    found = results(options.results)
    sys.stdout.write(table(found) + "\n")
    return int(any(each.name not in found or found[each.name]["problem"] for each in chosen))


def run_trial(trial: Trial, world: World, file: Any) -> None:
    """Run one trial and append its result."""
    began = monotonic()
    try:
        result = verdict(trial.play(world))
    except Exception:  # noqa: BLE001  whatever it is, it is the run's result
        result = {"problem": traceback.format_exc(limit=-2)}
    line = {"name": trial.name, "seconds": round(monotonic() - began, 1), **result}
    file.write(json.dumps(line) + "\n")
    file.flush()
    sys.stdout.write(f"{trial.name}: {'FAILED' if result['problem'] else 'ok'}, {json.dumps(line)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
