"""The README and every guide: each command in order, on one broker that `vn local up` starts."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Final

import pytest

from tests.docs.guides import GUIDES, START, STOP, Block, blocks, needs_broker
from tests.docs.pages import ROOT

pytestmark = [pytest.mark.long, pytest.mark.broker, pytest.mark.timeout(900, method="signal")]

PATIENCE: Final = 90.0
SHOWN: Final = ("Makefile", ".venv", "processors", "examples", "schemas", "docs")
INSTALLED: Final = ("pyproject.toml", "requirements-dev.lock")  # as old as possible, so that nothing is installed again


class Shell:
    """One shell that goes through all pages, in a folder that looks like a fresh clone."""

    def __init__(self, folder: Path) -> None:
        for name in SHOWN:
            (folder / name).symlink_to(ROOT / name)
        for name in INSTALLED:
            shutil.copy(ROOT / name, folder)
            os.utime(folder / name, (0, 0))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("VN_", "KAFKA_", "REDIS_"))}
        self._shell = subprocess.Popen(
            ["/bin/bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder, env=kept
        )

    def run(self, commands: str) -> tuple[bool, str]:
        """Return whether every command succeeded, and what they printed."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"failed=0\ntrap 'failed=$?' ERR\n{{\n{commands}\n}} </dev/null\ntrap - ERR\necho; echo @@ $failed\n")
        self._shell.stdin.flush()
        printed = []
        for line in self._shell.stdout:
            if line.startswith("@@ "):
                return line == "@@ 0\n", "".join(printed)
            printed.append(line)
        raise AssertionError(f"the shell ended:\n{''.join(printed)}")

    def walk(self, block: Block) -> None:
        """Run the block; it must print what its page says, at once or, if it changes nothing, a moment later."""
        deadline, pause = time.monotonic() + PATIENCE, Event()
        while True:
            succeeded, output = self.run(block.commands)
            missing = block.missing(output) if succeeded else f"{block.page}: {block.commands}failed:\n{output}"
            if missing is None:
                return
            assert block.looks, missing
            assert time.monotonic() < deadline, missing
            pause.wait(0.5)

    def close(self) -> None:
        """End whatever runs in the background, even if a page did not get to its last block."""
        self._shell.communicate("jobs -p | xargs -r kill\nwait\n", timeout=60)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    yield made
    made.close()
    subprocess.run([sys.executable, "-m", "processors", "local", "down", "--dir", str(tmp_path / ".vn")], cwd=ROOT, check=True)


def test_every_guide_is_followed_to_its_end(shell: Shell) -> None:
    begun = False
    pages = [page for page in GUIDES if needs_broker(page)]
    for page in pages:
        for block in blocks(page):
            last = block.commands == STOP and page == pages[-1]
            if (block.commands == START and begun) or (block.commands == STOP and not last):
                continue
            shell.walk(block)
            begun = begun or block.commands == START
