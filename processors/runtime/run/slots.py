"""Process slots: a number unique on this machine, so that two copies of a stage do not fence each other."""

import fcntl
import os
import tempfile
from itertools import count
from pathlib import Path


class Slot:
    """The first free number, held until the process ends, however it ends."""

    def __init__(self, name: str, directory: Path | None = None) -> None:
        directory = directory or Path(tempfile.gettempdir()) / f"vn-slots-{os.getuid()}"
        directory.mkdir(mode=0o700, exist_ok=True)
        for number in count():
            self._file = (directory / f"{name}.{number}").open("a")
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._file.close()
                continue
            self.number = number
            break

    def close(self) -> None:
        """Release the number."""
        self._file.close()
