"""
The file that a stage's state is exported to: JSON, one object per line.

    {"stage", "format", "cluster", "prefix", "exported_at", "time", "settled", "logs", "positions", "ends"}
    {"key", "format", "state", "due_at", "urgent"}     one per state, in the format of its stage's documents; or a timer without a state
    {"states", "sha256"}                     their number, and the digest of all preceding bytes

Topics are named without their prefix. `positions` are the offsets that the stage had read, `ends` those of the logs: another
cluster's logs must continue above them, because offsets identify messages. Contact data is sealed as it is in the changelog.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw, Struct, field

from processors.runtime.errors import UserError

FILE_FORMAT: Final = 1
NO_STATE: Final = b"null"


class Header(Struct, frozen=True):
    """Where the state comes from; `logs` holds `<cluster id>/<topic id>` of every input."""

    stage: str
    exported_at: str
    cluster: str
    prefix: str
    logs: Mapping[str, str]
    positions: Mapping[str, Mapping[int, int]]
    ends: Mapping[str, Mapping[int, int]]
    time: int = 0
    settled: str = ""
    format: int = FILE_FORMAT


class StateEntry(Struct, frozen=True, omit_defaults=True):
    """One state with its timer; `state` is its JSON document in format `format`, null for a timer alone."""

    key: str
    state: Raw = field(default_factory=lambda: Raw(NO_STATE))
    format: int = 1
    due_at: int | None = None
    urgent: bool = False


class Footer(Struct, frozen=True):
    """The last line, without which the file is incomplete."""

    states: int
    sha256: str


def write_state_file(path: Path, header: Header, entries: Iterable[StateEntry]) -> int:
    """Write the file atomically, readable only by its owner; return the number of states."""
    digest, count = hashlib.sha256(), 0
    partial = path.with_suffix(".part")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:

        def put(line: bytes) -> None:
            digest.update(line + b"\n")
            file.write(line + b"\n")

        put(msgspec.json.encode(header))
        for count, entry in enumerate(entries, 1):  # noqa: B007  counted
            put(msgspec.json.encode(entry))
        file.write(msgspec.json.encode(Footer(count, digest.hexdigest())) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    return count


def read_header(path: Path) -> Header:
    """Return the header of a complete file; raises UserError for one that is incomplete or changed."""
    digest, last, count = hashlib.sha256(), b"", -2
    try:
        with path.open("rb") as file:
            for line in file:
                digest.update(last)
                last, count = line, count + 1
        with path.open("rb") as file:
            header = msgspec.json.decode(file.readline(), type=Header)
        footer = msgspec.json.decode(last, type=Footer)
    except FileNotFoundError:
        raise UserError(f"there is no {path}: name the folder that `vn state export` wrote to") from None
    except msgspec.DecodeError:
        raise UserError(f"{path} is not a complete export of a state: use another copy of it") from None
    if footer != Footer(count, digest.hexdigest()):
        raise UserError(f"{path} was cut short or changed since it was exported: use another copy of it")
    if header.format > FILE_FORMAT:
        raise UserError(f"{path} was exported by a later version: run that version")
    return header


def read_entries(path: Path) -> Iterator[StateEntry]:
    """Yield the states of a file that `read_header` has checked."""
    decoder = msgspec.json.Decoder(StateEntry)
    with path.open("rb") as file:
        file.readline()
        waiting = file.readline()
        for line in file:
            yield decoder.decode(waiting)
            waiting = line
