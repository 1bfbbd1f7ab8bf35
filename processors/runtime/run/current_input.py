"""
The name of the input being decided, in a file that outlives the process: finds an input that crashes the process.

If a process ended while it decided an input, the next start reads the input's name and counts a failure on it. The files
are in the directory of the process slots. That directory must outlive the process, which a container's does not do by
itself (deploy/runbook.md).
"""

import fcntl
import json
import mmap
from pathlib import Path
from typing import Final

SIZE: Final = 1024
LENGTH: Final = 2  # bytes that hold the name's length
MAX_DEATHS: Final = 100  # inputs for which deaths are counted


class CurrentInputFile:
    """A name in a memory-mapped file: writing it takes no system call, and it survives the process."""

    def __init__(self, path: Path) -> None:
        if not path.exists() or path.stat().st_size != SIZE:
            path.write_bytes(bytes(SIZE))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), SIZE)

    def set(self, name: str) -> None:
        """Store the input's name; an empty name means that no input is being decided."""
        text = name.encode()[: SIZE - LENGTH]
        self._map[: LENGTH + len(text)] = len(text).to_bytes(LENGTH, "little") + text

    def get(self) -> str:
        """Return the input that was being decided when the process ended; empty if none was."""
        length = int.from_bytes(self._map[:LENGTH], "little")
        return self._map[LENGTH : LENGTH + length].decode(errors="replace")

    def close(self) -> None:
        self._map.close()


def add_death(path: Path, name: str) -> dict[str, int]:
    """Count a process that died on the input, if one is named; return the deaths by input, of all processes that share the file."""
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        deaths: dict[str, int] = json.loads(text) if text else {}
        if name:
            deaths[name] = deaths.pop(name, 0) + 1  # moved to the end: the oldest are forgotten first
            kept = dict(list(deaths.items())[-MAX_DEATHS:])
            file.seek(0)
            file.truncate()
            file.write(json.dumps(kept))
        return deaths
