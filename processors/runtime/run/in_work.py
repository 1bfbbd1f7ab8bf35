"""
The input being decided, in a file that outlives the process, so that one which ends the process is found.

A stage whose process ended while it decided an input reads its name at the next start and counts it as a failure on that
input. The files are in the directory of the process slots: it must outlive the process, as a container's does not by
itself (deploy/runbook.md).
"""

import fcntl
import json
import mmap
from pathlib import Path
from typing import Final

SIZE: Final = 1024
LENGTH: Final = 2  # bytes that say how long the name is
KEPT: Final = 100  # inputs whose deaths are remembered


class InWorkFile:
    """A name in a memory-mapped file: writing it takes no system call, and it is there when the process is not."""

    def __init__(self, path: Path) -> None:
        if not path.exists() or path.stat().st_size != SIZE:
            path.write_bytes(bytes(SIZE))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), SIZE)

    def put(self, name: str) -> None:
        """Note the input; an empty name says that none is in work."""
        text = name.encode()[: SIZE - LENGTH]
        self._map[: LENGTH + len(text)] = len(text).to_bytes(LENGTH, "little") + text

    def get(self) -> str:
        """Return the input that was in work when the process ended; empty if none was."""
        length = int.from_bytes(self._map[:LENGTH], "little")
        return self._map[LENGTH : LENGTH + length].decode(errors="replace")

    def close(self) -> None:
        self._map.close()


def count_death(path: Path, name: str) -> dict[str, int]:
    """Add a death on an input, if one is named; return how many each input caused, by all processes that share the file."""
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        deaths: dict[str, int] = json.loads(text) if text else {}
        if name:
            deaths[name] = deaths.pop(name, 0) + 1  # the last of the dictionary: the oldest are forgotten first
            kept = dict(list(deaths.items())[-KEPT:])
            file.seek(0)
            file.truncate()
            file.write(json.dumps(kept))
        return deaths
