"""
Runs a `vn` command that kills itself with SIGKILL at the n-th call of some functions.

`python -m tests.broker.killed N module:function,module:Class.method ARGUMENTS…`
"""

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from operator import attrgetter
from typing import Any


def killed_at(number: int, functions: str, *arguments: str) -> None:
    """Run the command in a process of its own, which must die of its own SIGKILL."""
    command = [sys.executable, "-m", "tests.broker.killed", str(number), functions, *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


class Countdown:
    """Counts calls of all wrapped functions together."""

    def __init__(self, last: int) -> None:
        self._left = last

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)

        return counted


def main(number: str, functions: str, *arguments: str) -> None:
    countdown = Countdown(int(number))
    for each in functions.split(","):
        module, _, path = each.partition(":")
        holder, _, name = path.rpartition(".")
        found: Any = importlib.import_module(module)
        owner = attrgetter(holder)(found) if holder else found
        setattr(owner, name, countdown.wrap(getattr(owner, name)))
    sys.argv = ["vn", *arguments]
    from processors.cli.main import run  # noqa: PLC0415  the command line is read when it is imported

    run()


if __name__ == "__main__":
    main(*sys.argv[1:])
