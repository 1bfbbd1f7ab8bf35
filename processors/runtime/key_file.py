"""
The key file (`VN_KEY_FILE`): one key per line, 64 bytes in hex, newest first; a `#` begins a comment.

The newest key encrypts, every key decrypts, the oldest key makes digests. A process notices a changed file within a second.
"""

import os
import re
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from processors.domain.seal import Seal
from processors.runtime.errors import Stop, UserError

KEY_BYTES: Final = 64
_KEY: Final = re.compile(rf"[0-9a-fA-F]{{{KEY_BYTES * 2}}}")


def read_seal(path: Path, setting: str = "VN_KEY_FILE") -> Seal:
    """Return the seal with the keys of the file that `setting` names; raises UserError if it is unusable or others may read it."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise UserError(
            f"{setting} cannot be read ({error.strerror}): name a file that exists; `vn local up` makes one, or "
            f"`(umask 077; openssl rand -hex {KEY_BYTES} > {path})`"
        ) from None
    if mode & 0o077:
        raise UserError(f"{setting} may be read by others (mode {mode:04o}): run `chmod 600 {path}`")
    keys = [found for line in text.splitlines() if (found := line.partition("#")[0].strip())]
    if not keys or not all(map(_KEY.fullmatch, keys)):
        raise UserError(
            f"{setting} does not hold keys of {KEY_BYTES} random bytes in hex, one a line: make one with `openssl rand -hex {KEY_BYTES}`"
        )
    newest, *older = map(bytes.fromhex, keys)
    return Seal(newest, tuple(older))


def add_key(path: Path) -> Seal:
    """Add a new key at the top of the file, which is replaced atomically; return the seal with it."""
    read_seal(path)
    text = path.read_text(encoding="ascii")
    changed = path.with_name(f"{path.name}.new")
    try:
        with os.fdopen(os.open(changed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{secrets.token_hex(KEY_BYTES)}\n{text.rstrip()}\n")
            file.flush()
            os.fsync(file.fileno())
        changed.replace(path)
    except OSError as error:
        raise UserError(
            f"VN_KEY_FILE cannot be replaced ({error.strerror}): put the output of `openssl rand -hex {KEY_BYTES}` on one line before the "
            "others wherever the file is kept, and remove one that ends in .new"
        ) from None
    return read_seal(path)


def check_same_key(known: str, seal: Seal) -> None:
    """Raise Stop unless the last key in the file has this id: all digests were made with it."""
    if known != seal.digest_key_id:
        raise Stop(
            f"VN_KEY_FILE ends with the key {seal.digest_key_id}, and this pipeline's data was sealed under a file that ends with {known}: "
            "use that file; a new key goes before the others (`vn key rotate`)"
        )


class KeyFile:
    """The seal of a key file, read again when the file changes."""

    def __init__(self, path: Path, read: Callable[[Path], Seal] = read_seal) -> None:
        self._path = path
        self._read = read
        self._seen = self._state()
        self.seal = read(path)

    def refresh(self) -> bool:
        """
        Read the file again if it changed; return whether its keys changed. An unusable file changes nothing.

        Raises Stop if the last key is not the same as before: that is another file.
        """
        state = self._state()
        if state is None or state == self._seen:
            return False
        try:
            seal = self._read(self._path)
        except UserError:
            return False  # being written, or broken: `vn doctor` reports it; the keys read before stay in use
        check_same_key(self.seal.digest_key_id, seal)
        self._seen = state
        before, self.seal = self.seal, seal
        return seal != before

    def _state(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
