"""
Every schema of `schemas/avro` and the record type it belongs to.

`<Record>.avsc` is the schema in force, `history/<Record>/<n>.avsc` every version that was ever in force, the present one
included: what was written under an earlier one is still read.
"""

import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form
from msgspec import Struct

from processors.domain.clockwork import Policy, Tick
from processors.domain.event import Event
from processors.domain.expectation import Expectation
from processors.domain.forms import ReceiptForm, RegistrationForm
from processors.domain.intake import Intake
from processors.domain.journal import DeadLetter, Verdicts
from processors.domain.notification import Notification, Outbound, Receipt, Response
from processors.domain.registration import Enrolment, Reachable
from processors.domain.review import Review, ReviewAction
from processors.domain.submission import Submission
from processors.runtime.wire.changelog import Position, State, Timer

_BESIDE: Final = Path(__file__).parents[3] / "schemas"
_PACKAGED: Final = Path(__file__).parents[2] / "schemas"
FOLDER: Final = (_BESIDE if _BESIDE.is_dir() else _PACKAGED) / "avro"

# What outsiders send.
EXTERNAL: Final[tuple[type[Struct], ...]] = (Submission, RegistrationForm, ReceiptForm, ReviewAction)
# What only the pipeline and its commands write.
INTERNAL: Final[tuple[type[Struct], ...]] = (
    Policy,
    Tick,
    Intake,
    Event,
    Enrolment,
    Notification,
    Reachable,
    Receipt,
    Outbound,
    Response,
    Review,
    Expectation,
    DeadLetter,
    Verdicts,
    State,
    Timer,
    Position,
)
RECORDS: Final = EXTERNAL + INTERNAL

# A record's name is its class's, but for the two that outsiders and the pipeline know in different forms: the plain name
# is the outsiders'.
NAMES: Final[dict[type[Struct], str]] = {RegistrationForm: "Registration", ReceiptForm: "Receipt", Receipt: "CheckedReceipt"}

# The fields that hold a time: `timestamp-millis` where they are numbers.
TIMES: Final = frozenset(
    {
        "action_at",
        "at",
        "created_at",
        "deadline",
        "due_at",
        "expires_at",
        "not_before",
        "now",
        "occurred_at",
        "past_from",
        "received_at",
        "responded_at",
        "set_at",
        "settled_at",
        "since",
    }
)


def name_of(record: type[Struct]) -> str:
    """Return the short name of a record's schema, which is also its file's."""
    return NAMES.get(record, record.__name__)


@dataclass(frozen=True)
class Version:
    """One version of one schema, as its file says it."""

    record: str
    source: dict[str, Any]

    @cached_property
    def plain(self) -> dict[str, Any]:
        """The schema with times as numbers: the bytes are the same."""
        parsed = parse_schema(plain(self.source))
        if not isinstance(parsed, dict):
            raise TypeError(f"{self.record} is no record")
        return parsed

    @cached_property
    def names(self) -> dict[str, dict[str, Any]]:
        """Every type that is declared within, by its short name."""
        return declared(self.source)

    @cached_property
    def canonical(self) -> str:
        """The parsing canonical form."""
        return to_parsing_canonical_form(self.source)

    @cached_property
    def header(self) -> bytes:
        """The header of a single-object encoding: C3 01 and the CRC-64-AVRO fingerprint, least significant byte first."""
        return b"\xc3\x01" + bytes.fromhex(fingerprint(self.canonical, "CRC-64-AVRO"))


def plain(schema: Any) -> Any:
    """Return `schema` without logical types."""
    if isinstance(schema, dict):
        return {key: plain(part) for key, part in schema.items() if key not in {"logicalType", "doc"}}
    if isinstance(schema, list):
        return [plain(part) for part in schema]
    return schema


def declared(schema: Any) -> dict[str, dict[str, Any]]:
    """Return every named type that is declared within `schema`, by its short name."""
    if isinstance(schema, list):
        return {name: kind for branch in schema for name, kind in declared(branch).items()}
    if not isinstance(schema, dict):
        return {}
    named = {short(schema["name"]): schema} if "name" in schema else {}
    parts = (schema["type"], schema.get("items"), schema.get("values"), *(field["type"] for field in schema.get("fields", ())))
    return named | {name: kind for part in parts for name, kind in declared(part).items()}


def short(name: str) -> str:
    """Return the last part of a qualified name."""
    return name.rpartition(".")[2]


@cache
def current(record: str) -> Version:
    """Return the schema in force."""
    return _load(record, FOLDER / f"{record}.avsc")


@cache
def history(record: str) -> tuple[Version, ...]:
    """Return every version that was ever in force, the oldest first."""
    files = sorted((FOLDER / "history" / record).glob("*.avsc"), key=lambda file: int(file.stem))
    return tuple(_load(record, file) for file in files)


def _load(record: str, file: Path) -> Version:
    return Version(record, json.loads(file.read_text("utf-8")))


def structs_of(record: type[Struct]) -> dict[str, type[Struct]]:
    """Return the record type and every type within it, by the names of their schemas."""
    found = {name_of(record): record}
    for hint in get_type_hints(record).values():
        for kind in _within(hint):
            found |= structs_of(kind)
    return found


def _within(hint: Any) -> list[type[Struct]]:
    if isinstance(hint, type) and issubclass(hint, Struct):
        return [hint]
    return [kind for part in get_args(hint) for kind in _within(part)]
