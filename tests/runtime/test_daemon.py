"""A daemon is identified by the folder it works in, even if a folder of the same name was created since."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from processors.runtime.local.daemon import Daemon


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    home = tmp_path / "home"
    home.mkdir()
    made = Daemon(home, frozenset({"sleep"}), (tmp_path / "log" / "out",))
    yield made
    made.kill()


def test_it_is_found_as_long_as_it_runs(daemon: Daemon) -> None:
    assert daemon.pid() is None
    daemon.start(["sleep", "60"])
    assert daemon.pid() is not None
    daemon.stop()
    assert daemon.pid() is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a folder that it was deleted")
def test_what_runs_in_a_deleted_folder_of_the_same_name_is_not_it_and_ends_when_it_starts(daemon: Daemon) -> None:
    daemon.start(["sleep", "60"])
    orphan = psutil.Process(daemon.pid())
    shutil.rmtree(daemon.home)
    daemon.home.mkdir()
    assert daemon.pid() is None
    daemon.start(["sleep", "60"])
    assert daemon.pid() not in {None, orphan.pid}
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
