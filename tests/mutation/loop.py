"""
Runs the tests against mutants: pytest collects once, then each mutant runs in a copy of the process until a test fails.

    python -m tests.mutation.loop NAMES ANSWERS [--cold]    in the folder of the mutated copy

NAMES is a file of mutants, one a line; to the file ANSWERS a line is added for each, its name and its verdict. The copies begin from a
process that has run the tests once, or, `--cold`, from one that has only collected them: needed where what the mutated
code makes is kept between tests.
"""

import gc
import json
import math
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from mutmut.configuration import config
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.utils.format_utils import mangled_name_from_mutant_name

AT_ONCE: Final = 2
SLOW: Final = 0.2  # seconds; slower tests come last
PATIENCE: Final = 10  # how many times the processor time that a test takes without a mutant it may take with one
GRACE: Final = 5  # seconds more
VERDICTS: Final = {0: "survived", 1: "killed", -signal.SIGXCPU: "timeout", -signal.SIGKILL: "timeout"}


class Loop:
    """The plugin."""

    def __init__(self, names: list[str], answers: Path, *, cold: bool) -> None:
        self.names = names
        self.answers = answers
        self.cold = cold
        self.in_copy = False
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self.in_copy:
            os._exit(1)
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        seconds, reached = self.learned(list(items.values())) if self.cold else self.learn(list(items.values()))
        if self.failed:
            raise pytest.UsageError(f"these fail without any mutant: {self.failed}")
        set_mutant_under_test("")
        gc.freeze()
        running: dict[int, str] = {}
        began = time.monotonic()
        for number, name in enumerate(self.names):
            tests = sorted(reached.get(mangled_name_from_mutant_name(name), ()), key=lambda each: seconds[each] > SLOW)
            if not tests:
                self.answer(name, "no tests")
                continue
            if len(running) == AT_ONCE:
                self.wait(running)
            running[self.copy(name, [items[each] for each in tests], seconds)] = name
            if number % 50 == 0:
                sys.stderr.write(f"{number}/{len(self.names)} mutants after {time.monotonic() - began:.0f} s\n")
        while running:
            self.wait(running)
        return True

    def learn(self, items: list[pytest.Item]) -> tuple[dict[str, float], dict[str, list[str]]]:
        """Run every test without a mutant; return how long each takes, and which reach each function."""
        seconds: dict[str, float] = {}
        reached: dict[str, list[str]] = {}
        set_mutant_under_test("stats")
        for item, following in zip(items, [*items[1:], None], strict=True):
            self.forget()
            state()._stats.clear()
            begin = time.process_time()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            seconds[item.nodeid] = time.process_time() - begin
            for function in state()._stats:
                reached.setdefault(function, []).append(item.nodeid)
        return seconds, reached

    def forget(self) -> None:
        """Clear the caches of what is mutated: a test whose answer was remembered would not be seen to reach the function."""
        for module in {name.rpartition(".")[0] for name in self.names}:
            for each in vars(sys.modules[module]).values():
                if hasattr(each, "cache_clear"):
                    each.cache_clear()

    def learned(self, items: list[pytest.Item]) -> tuple[dict[str, float], dict[str, list[str]]]:
        """Do as `learn`, in a copy of the process, so that this one has run nothing."""
        with tempfile.NamedTemporaryFile("r+") as file:
            pid = os.fork()
            if not pid:
                Path(file.name).write_text(json.dumps([*self.learn(items), self.failed]))
                os._exit(0)
            os.waitpid(pid, 0)
            seconds, reached, self.failed = json.load(file)
        return seconds, reached

    def copy(self, name: str, items: list[pytest.Item], seconds: Mapping[str, float]) -> int:
        """Return the process in which the mutant meets its tests."""
        pid = os.fork()
        if pid:
            return pid
        end = 1
        try:
            self.in_copy = True
            set_mutant_under_test(name)
            for item, following in zip(items, [*items[1:], None], strict=True):
                limit = math.ceil(time.process_time() + PATIENCE * seconds[item.nodeid] + GRACE)
                resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            end = 0
        finally:
            os._exit(end)

    def wait(self, running: dict[int, str]) -> None:
        pid, status = os.wait()
        self.answer(running.pop(pid), VERDICTS.get(os.waitstatus_to_exitcode(status), "killed"))

    def answer(self, name: str, verdict: str) -> None:
        with self.answers.open("a") as file:
            file.write(f"{name} {verdict}\n")


def main(names: str, answers: str, *options: str) -> int:
    loop = Loop(Path(names).read_text().split(), Path(answers), cold="--cold" in options)
    arguments: list[Any] = [*config().pytest_add_cli_args, *config().pytest_add_cli_args_test_selection]
    return int(pytest.main(["-q", "--no-header", "--rootdir=.", "--tb=no", *arguments], plugins=[loop]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
