"""
The fault matrix of deliveries: every fault at every point of deliver, answer and the providers, and every misbehaviour of vendors.

    python -m tests.broker.delivery_matrix [--only NAME] [--results FILE]        (`make delivery-faults`)

A run sends emergencies and hearings to three registrants by text, email and voice, wave after wave, while one unit is struck or
one vendor misbehaves. Afterwards the oracle (tests/delivery/oracle.py) judges what was written and what the vendors saw. Results
are appended to a file, and runs that held are not repeated. The exit code is 0 if every cell holds.

    kill    kill -9, and started again
    stop    SIGSTOP until another copy has taken over, then SIGCONT
    raise   an exception; the process ends, and is started again
    stall   it stands still for longer than its session and its transaction may last
"""

import argparse
import json
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final

from processors.runtime.run.faults import POINTS, Point
from tests.broker.delivery_run import ROOT, WAVE_SECONDS, World, running, strike_at
from tests.broker.delivery_vendors import API_FAULTS, CALLBACK_FAULTS, SMTP_FAULTS
from tests.broker.fault_matrix import FAULTS, own_cluster
from tests.delivery.oracle import Facts, violations

RESULTS: Final = ROOT / "build" / "delivery-faults.jsonl"
PROVIDER_POINTS: Final[tuple[Point, ...]] = ("assigned", "restored", "read", "decided", "begun", "sent", "produced", "committed")
UNITS: Final[Mapping[str, tuple[Point, ...]]] = {
    "deliver": POINTS,
    "answer": POINTS,
    "provider-email": PROVIDER_POINTS,
    "provider-sms": PROVIDER_POINTS,
    "provider-voice": PROVIDER_POINTS,
}
PHASES: Final = (("rcpt", "provider-email"), ("dot", "provider-email"), ("request", "provider-sms"))
SIGNALS: Final = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
WAVES: Final = 2  # at least
STRIKES: Final = 3  # in the middle of a call
MISBEHAVIOURS: Final = 4
MOST_WAVES: Final = 40
STRIKE_EVERY: Final = 4  # messages


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of the matrix: its cells, and what it does."""

    name: str
    cells: tuple[str, ...]
    play: Callable[[World], Facts]


def trials() -> Iterator[Trial]:
    """Yield every run of the matrix."""
    for unit, points in UNITS.items():
        for fault in FAULTS:
            yield Trial(
                f"{unit}.{fault}",
                tuple(f"{unit}.{point}.{fault}" for point in points),
                lambda world, unit=unit, fault=fault: struck(world, unit, fault),
            )
    for phase, unit in PHASES:
        for how, number in SIGNALS.items():
            yield Trial(
                f"{phase}.{how}",
                (f"{unit}.{phase}.{how}",),
                lambda world, phase=phase, unit=unit, number=number: struck_in_call(world, unit, phase, number),
            )
    for kind, faults in (("smtp", SMTP_FAULTS), ("api", API_FAULTS), ("callbacks", CALLBACK_FAULTS)):
        for fault in faults:
            for killed in (False, True):
                name = f"{kind}.{fault}{'.kill' if killed else ''}"
                yield Trial(
                    name, (name,), lambda world, kind=kind, fault=fault, killed=killed: misbehaved(world, kind, fault, killed=killed)
                )


def struck(world: World, unit: str, fault: str) -> Facts:
    """Strike a unit with a fault at each of its points, one after the other."""
    with running(world, {unit: (fault, UNITS[unit])}) as run:
        for _ in range(MOST_WAVES):
            run.send_wave()
            run.tend_for(WAVE_SECONDS, lambda: not run.missed)
            if not run.missed:
                break
        assert not run.missed, f"not struck: {', '.join(run.missed)}"
        run.send_wave()
        return run.finish()


def struck_in_call(world: World, unit: str, phase: str, number: int) -> Facts:
    """Kill or stop a provider in the middle of a call, again and again; the vendor does it."""
    name = signal.Signals(number).name
    with running(world, {unit: ("kill" if number == signal.SIGKILL else "stop", ())}) as run:
        world.vendors.phase = strike_at(run, unit, phase, number, STRIKE_EVERY)
        try:
            before, done = world.vendors.done[f"{phase}.{name}"], world.vendors.done
            for _ in range(MOST_WAVES):
                run.send_wave()
                if run.tend_for(WAVE_SECONDS, lambda: done[f"{phase}.{name}"] >= before + STRIKES):
                    break
            assert done[f"{phase}.{name}"] >= before + STRIKES, "nobody was struck"
        finally:
            world.vendors.phase = lambda _: None
        return run.finish()


def misbehaved(world: World, kind: str, fault: str, *, killed: bool) -> Facts:
    """Let a vendor misbehave at every second message; if `killed`, its provider is killed after each wave."""
    vendors = world.vendors
    unit = "provider-email" if kind == "smtp" else "provider-sms"
    with running(world, {}) as run:
        setattr(vendors, kind, fault)
        try:
            before = vendors.done[f"{kind}.{fault}"]
            for number in range(MOST_WAVES):
                run.send_wave()
                enough = run.tend_for(WAVE_SECONDS, lambda: vendors.done[f"{kind}.{fault}"] >= before + MISBEHAVIOURS)
                if killed and run.copies[unit].process.poll() is None:
                    run.copies[unit].process.kill()
                if enough and number >= WAVES:
                    break
            assert vendors.done[f"{kind}.{fault}"] > before, "the vendor did not misbehave"
        finally:
            setattr(vendors, kind, "")
        return run.finish()


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
    lines += [f"{name}: {run['problem']}" for name, run in found.items() if run["problem"]]
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
