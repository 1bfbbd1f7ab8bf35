"""Process slots: a number that is unique on this machine, so that two copies of a stage do not fence each other."""

import fcntl
import hashlib
import os
import secrets
import socket
import tempfile
from itertools import count
from pathlib import Path
from typing import Final


class ProcessSlot:
    """The first free number for a name, held by a file lock until the process ends."""

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
        self._directory, self._name = directory, name
        self.host = f"{socket.gethostname()}-{_host_id(directory)}"

    def path(self, kind: str) -> Path:
        """Return the path of a file of this slot, which the slot's next holder uses as well."""
        return self._directory / f"{self._name}.{self.number}.{kind}"

    def shared_path(self, kind: str) -> Path:
        """Return the path of a file that all slots of this name share."""
        return self._directory / f"{self._name}.{kind}"

    def close(self) -> None:
        """Release the number."""
        self._file.close()


BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def _host_id(directory: Path) -> str:
    """
    Return an id that distinguishes this host from others of the same name, such as replicas of a container or clones of a VM.

    Processes that share the directory, and so its locks, share the id; it changes when the host boots.
    """
    file = directory / "host"
    with (directory / "host.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            file.write_text(secrets.token_hex(8))
        token = file.read_text()
    boot = BOOT_ID.read_text() if BOOT_ID.exists() else ""
    return hashlib.sha256(f"{token} {boot}".encode()).hexdigest()[:8]
