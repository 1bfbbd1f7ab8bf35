"""
A background program, identified by its name and working directory.

The process table is the only record of what runs: there is no PID file that could be stale, and a process that reuses an old
PID is never taken for ours.
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

# Runs a command in the background with a log file (the first argument), reparented to init, so that the process that started a
# daemon need not wait for it.
DETACH: Final = 'log=$0; "$@" >>"$log" 2>&1 </dev/null & echo $!'
STOP_SECONDS: Final = 20
POLL_SECONDS: Final = 0.02


class Daemon:
    """A program running in `home`, under one of the process `names`, that writes to `logs`."""

    def __init__(self, home: Path, names: frozenset[str], logs: Sequence[Path]) -> None:
        self.home = home
        self._names = names
        self._logs = logs

    def pid(self) -> int | None:
        """Return the PID; None if it is not running."""
        process = self._process()
        return process.pid if process else None

    def start(self, arguments: Sequence[str | Path]) -> None:
        """Start the program without waiting until it is up; kills any that still runs in a deleted folder of this name."""
        for orphan in filter(_in_deleted_folder, self._running()):
            orphan.kill()
            _has_ended(orphan, STOP_SECONDS)
        out = self._logs[-1]
        out.parent.mkdir(mode=0o700, exist_ok=True)
        out.write_bytes(b"")
        command = ["/bin/sh", "-c", DETACH, out, *arguments]
        started = subprocess.run(command, cwd=self.home, start_new_session=True, check=True, stdout=subprocess.PIPE)
        self._await_name(int(started.stdout))

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Terminate it; kill it after this many seconds. Returns whether it ended by itself."""
        process = self._process()
        if process is None:
            return False
        process.terminate()
        if _has_ended(process, seconds):
            return True
        self.kill()
        return False

    def kill(self) -> None:
        """Kill it and its children."""
        process = self._process()
        if process is None:
            return
        family = [process, *process.children(recursive=True)]
        os.killpg(os.getpgid(process.pid), signal.SIGKILL)
        for each in family:
            if not _has_ended(each, STOP_SECONDS):
                raise UserError(f"process {each.pid} does not end: see what it is with `ps -p {each.pid}`")

    def log_tail(self) -> str:
        """Return the last lines of its logs."""
        texts = [log.read_text(errors="replace").splitlines()[-15:] for log in self._logs if log.is_file()]
        return "\n".join(line for text in texts for line in text) or "(its log is empty)"

    def _await_name(self, pid: int) -> None:
        """Wait until the process has executed the program, so that it can be found by name, or has ended."""
        try:
            process = psutil.Process(pid)
            while process.name() not in self._names and not _has_ended(process, POLL_SECONDS):
                pass
        except psutil.NoSuchProcess:
            return

    def _process(self) -> psutil.Process | None:
        return next((process for process in self._running() if not _in_deleted_folder(process)), None)

    def _running(self) -> Iterator[psutil.Process]:
        home = str(self.home)
        for process in psutil.process_iter(["name", "cwd", "status"]):
            seen = process.info
            if seen["cwd"] == home and seen["name"] in self._names and seen["status"] != psutil.STATUS_ZOMBIE:
                yield process


def _in_deleted_folder(process: psutil.Process) -> bool:
    """Whether the process's working directory was deleted, even if a new one has the same name (Linux only)."""
    try:
        return str(Path(f"/proc/{process.pid}/cwd").readlink()).endswith(" (deleted)")
    except OSError:
        return False


def _has_ended(process: psutil.Process, seconds: float) -> bool:
    """Whether the process ends within this many seconds; a zombie counts once its last thread has released its ports."""
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        try:
            if not process.is_running() or (process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1):
                return True
        except psutil.NoSuchProcess:
            return True
        sleep(POLL_SECONDS)
    return False
