"""
Fuzz every input of the pipeline, guided by coverage: `make fuzz`.

Each target runs in a process of its own for so many inputs or seconds. What reached new code is added to tests/fuzz/corpus,
whose smallest set is kept with --keep. Prints a line a target, and fails where one broke, with the input that broke it.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic

from tests.fuzz.targets import CORPUS, TARGETS

MOST = 4_096  # bytes of an input
KEPT = 24  # inputs of a target that are kept, the smallest first


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"one of {', '.join(TARGETS)}; all if left out")
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs a target (a million)")
    parser.add_argument("--seconds", type=int, default=0, help="or seconds in all")
    parser.add_argument("--keep", action="store_true", help="keep the inputs that reach new code")
    given = parser.parse_args()
    targets = given.targets or list(TARGETS)
    if sys.platform != "linux":
        print("fuzzing needs atheris, which is there for Linux only")  # noqa: T201
        return 0
    print(f"{'target':<20} {'inputs':>10} {'a second':>9} {'seconds':>8}  outcome")  # noqa: T201
    failed = 0
    for name in targets:
        limit = [f"-max_total_time={max(1, given.seconds // len(targets))}"] if given.seconds else [f"-runs={given.runs}"]
        failed += not fuzz(name, limit, keep=given.keep)
    return 1 if failed else 0


def fuzz(name: str, limit: list[str], *, keep: bool) -> bool:
    """Fuzz one target and print what came of it; whether nothing broke."""
    with tempfile.TemporaryDirectory() as folder:
        new, seeds = Path(folder) / "new", Path(folder) / "seeds"
        new.mkdir()
        seeds.mkdir()
        for index, seed in enumerate(TARGETS[name][1]()):
            (seeds / f"{index}").write_bytes(seed)
        kept = CORPUS / name
        kept.mkdir(exist_ok=True)
        options = [*limit, f"-max_len={MOST}", "-print_final_stats=1", f"-artifact_prefix={folder}/", "-timeout=30", "-rss_limit_mb=4096"]
        command = [sys.executable, "-m", "tests.fuzz.one", name, str(new), str(seeds), str(kept), *options]
        start = monotonic()
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        seconds = monotonic() - start
        found = re.search(r"stat::number_of_executed_units: *(\d+)", done.stderr)
        inputs = int(found[1]) if found else 0
        print(f"{name:<20} {inputs:>10} {inputs / seconds:>9.0f} {seconds:>8.0f}  {'ok' if done.returncode == 0 else 'BROKEN'}", flush=True)  # noqa: T201
        if done.returncode != 0:
            print("\n".join((done.stdout + done.stderr).splitlines()[-40:]))  # noqa: T201
            for broken in Path(folder).glob("crash-*"):
                print(repr(broken.read_bytes()[:2_000]))  # noqa: T201
        elif keep:
            keep_smallest(new, kept)
        return done.returncode == 0


def keep_smallest(new: Path, kept: Path) -> None:
    """Keep the smallest of the inputs that reached new code."""
    every = sorted({path.read_bytes() for folder in (new, kept) for path in folder.iterdir()}, key=lambda raw: (len(raw), raw))
    for path in kept.iterdir():
        path.unlink()
    step = max(1, len(every) // KEPT)
    for index, raw in enumerate(every[::step][:KEPT]):
        (kept / f"{index:02}").write_bytes(raw)


if __name__ == "__main__":
    sys.exit(main())
