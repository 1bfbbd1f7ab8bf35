"""
A program runs in the background, in a folder of its own.

The process table is the only record of what runs: a daemon is the process of that name that works in that folder. There
is no file of process ids to go stale, and a process that got an old id is never taken for ours.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Final

import psutil

from processors.runtime.errors import UserError

# Starts its arguments after the first in the background, with the first as their log, and leaves them to init: whoever
# started a daemon may end, or be killed, and need not wait for it.
DETACH: Final = 'log=$0; "$@" >>"$log" 2>&1 </dev/null & echo $!'
STOP_SECONDS: Final = 20
POLL_SECONDS: Final = 0.02


class Daemon:
    """A program in `home`, known by the names its process may have, which writes to `logs`."""

    def __init__(self, home: Path, names: frozenset[str], logs: Sequence[Path]) -> None:
        self.home = home
        self._names = names
        self._logs = logs

    def pid(self) -> int | None:
        """The id of the running process."""
        process = self._process()
        return process.pid if process else None

    def start(self, arguments: Sequence[str | Path]) -> None:
        """The program is started, and what ran in a deleted folder of this name is gone; whether it comes up is another question."""
        for orphan in filter(_homeless, self._running()):
            orphan.kill()
        out = self._logs[-1]
        out.parent.mkdir(mode=0o700, exist_ok=True)
        out.write_bytes(b"")
        command = ["/bin/sh", "-c", DETACH, out, *arguments]
        started = subprocess.run(command, cwd=self.home, start_new_session=True, check=True, stdout=subprocess.PIPE)
        self._await_name(int(started.stdout))

    def stop(self) -> None:
        """It has ended by itself or, if it would not within STOP_SECONDS, has been killed."""
        process = self._process()
        if process is None:
            return
        process.terminate()
        if not _gone(process, STOP_SECONDS):
            self.kill()

    def kill(self) -> None:
        """It and its children are gone, without a chance to tidy up."""
        process = self._process()
        if process is None:
            return
        family = [process, *process.children(recursive=True)]
        os.killpg(os.getpgid(process.pid), signal.SIGKILL)
        for it in family:
            if not _gone(it, STOP_SECONDS):
                raise UserError(f"process {it.pid} does not end: see what it is with `ps -p {it.pid}`")

    def why(self) -> str:
        """The end of what it last wrote."""
        texts = [log.read_text(errors="replace").splitlines()[-15:] for log in self._logs if log.is_file()]
        return "\n".join(line for text in texts for line in text) or "(its log is empty)"

    def _await_name(self, pid: int) -> None:
        """The process has become the program, and so can be found, or has ended."""
        try:
            process = psutil.Process(pid)
            while process.name() not in self._names and not _gone(process, POLL_SECONDS):
                pass
        except psutil.NoSuchProcess:
            return

    def _process(self) -> psutil.Process | None:
        return next((process for process in self._running() if not _homeless(process)), None)

    def _running(self) -> Iterator[psutil.Process]:
        home = str(self.home)
        for process in psutil.process_iter(["name", "cwd", "status"]):
            seen = process.info
            if seen["cwd"] == home and seen["name"] in self._names and seen["status"] != psutil.STATUS_ZOMBIE:
                yield process


def _homeless(process: psutil.Process) -> bool:
    """Whether the folder that the process works in was deleted, though there may be another of its name; Linux alone can tell."""
    try:
        return str(Path(f"/proc/{process.pid}/cwd").readlink()).endswith(" (deleted)")
    except OSError:
        return False


def _gone(process: psutil.Process, seconds: float) -> bool:
    """Whether the process ended in time; a zombie has, though nobody has asked how, once its last thread has let go of its ports."""
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        try:
            if not process.is_running() or (process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1):
                return True
        except psutil.NoSuchProcess:
            return True
        sleep(POLL_SECONDS)
    return False
