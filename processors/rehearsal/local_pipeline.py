"""
A temporary local pipeline under the topic clock: broker, store and all five stages, with their data in one folder.

Environment variables that configure another pipeline are not passed on to it.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import psutil

from processors.runtime.errors import UserError
from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.local import LocalCluster
from processors.runtime.settings import Settings
from processors.runtime.stop_signals import exit_on_sigterm

STOP_TIMEOUT: Final = 10.0  # seconds
PIPELINE_VARIABLES: Final = ("VN_", "KAFKA_", "REDIS_URL", "SCHEMA_REGISTRY_URL")


@contextmanager
def empty_cluster(folder: Path, progress: Callable[[str], None]) -> Iterator[LocalCluster]:
    """Start a broker and a store with empty topics and point the environment at them; stop them at the end, keeping their data."""
    local = LocalCluster(folder)
    local.down()
    shutil.rmtree(folder, ignore_errors=True)
    with exit_on_sigterm():
        try:
            addresses = local.up(progress=progress)
            with _environment(addresses.environment | {"VN_CLOCK": "topic"}):
                create_topics(Settings())
                yield local
        finally:
            local.down()


class Stages:
    """All five stages, in processes of their own that log to `log`."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process = process
        self._log = log

    def check_running(self) -> None:
        """Raise UserError if the stages have ended by themselves."""
        if self._process.poll() is not None:
            raise UserError(f"the stages ended by themselves: see {self._log}")

    def processes(self) -> list[psutil.Process]:
        """Return the running processes, one per stage."""
        return sorted(psutil.Process(self._process.pid).children(), key=lambda each: each.pid)


@contextmanager
def running_stages(folder: Path) -> Iterator[Stages]:
    """Run all five stages until the end of the block."""
    path = folder / "stages.log"
    command = [sys.executable, "-m", "processors", "run", "all"]
    with (
        path.open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True) as process,
    ):
        try:
            yield (stages := Stages(process, path))
            stages.check_running()
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def running_pages(folder: Path) -> Iterator[Mapping[str, str]]:
    """Serve the staff's and the public's pages of the pipeline until the end of the block; yield the address of each by its command."""
    own = {
        "VN_VIEWS_DIR": str(folder / "views"),
        "VN_SITE_DB": f"sqlite:///{folder / 'site.sqlite'}",
        "VN_SITE_KEY_FILE": str(folder / "site.key"),
    }
    with ExitStack() as stack:
        found = {}
        for name in ("console", "site"):
            log = stack.enter_context((folder / f"{name}.log").open("wb"))
            command = [sys.executable, "-m", "processors", name]
            process = subprocess.Popen(
                command,
                env=os.environ | own,
                stdout=subprocess.PIPE,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                text=True,
            )
            stack.callback(_end, process)
            address = process.stdout.readline().strip() if process.stdout else ""
            if not address:
                raise UserError(f"vn {name} did not start: see {folder / name}.log")
            found[name] = address
        yield found


def _end(process: "subprocess.Popen[str]") -> None:
    """Stop a process, at once if it does not by itself."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set these variables and no others of the pipeline; restore the environment at the end."""
    before = dict(os.environ)
    try:
        for name in [name for name in os.environ if name.startswith(PIPELINE_VARIABLES)]:
            del os.environ[name]
        os.environ.update(variables)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
