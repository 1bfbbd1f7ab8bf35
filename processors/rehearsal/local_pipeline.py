"""
A pipeline of a command's own, under the topic clock: broker, store and all five stages in one folder, for as long as it lasts.

Whatever the user's environment says of another pipeline is left out of it.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from processors.runtime.errors import UserError
from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.local import Local
from processors.runtime.settings import Settings

STOPPED: Final = 10.0  # seconds that the stages have to stop
OTHERS: Final = ("VN_", "KAFKA_", "REDIS_URL", "SCHEMA_REGISTRY_URL")


@contextmanager
def empty_cluster(folder: Path, progress: Callable[[str], None]) -> Iterator[Local]:
    """A broker and a store with empty topics answer, the environment names these, and at the end they are stopped; their data is kept."""
    local = Local(folder)
    local.down()
    shutil.rmtree(folder, ignore_errors=True)
    try:
        addresses = local.up(progress=progress)
        with _environment(addresses.environment | {"VN_CLOCK": "topic"}):
            create_topics(Settings())
            yield local
    finally:
        local.down()


class Stages:
    """All five stages, in processes of their own; they write to `log`."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process = process
        self._log = log

    def check_running(self) -> None:
        """They run; an error says where to look why, if they ended by themselves."""
        if self._process.poll() is not None:
            raise UserError(f"the stages ended by themselves: see {self._log}")

    def processes(self) -> list[psutil.Process]:
        """Return the process of each unit that runs."""
        return sorted(psutil.Process(self._process.pid).children(), key=lambda each: each.pid)


@contextmanager
def running_stages(folder: Path) -> Iterator[Stages]:
    """All five stages run until the end of the block."""
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
                process.wait(STOPPED)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """The process has these variables, and none of the pipeline's beside them."""
    before = dict(os.environ)
    try:
        for name in [name for name in os.environ if name.startswith(OTHERS)]:
            del os.environ[name]
        os.environ.update(variables)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
