"""
The schemas of `schemas/avro` and their record types.

`<Record>.avsc` is the current schema; `history/<Record>/<n>.avsc` is every version ever used, the current one included,
so that records written under an earlier version can still be read.
"""

import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form
from msgspec import Struct

from processors.domain.agency import AgencyHeard
from processors.domain.erasure import Erased, Erasure, ErasureRequest, RegistrantKey
from processors.domain.event import Event
from processors.domain.expectation import Expectation
from processors.domain.external import InboundForm, ReceiptForm, RegistrationForm, VerificationForm
from processors.domain.inbound import Inbound
from processors.domain.intake import Intake
from processors.domain.journal import DeadLetter, DeadLetterSettled, Verdicts
from processors.domain.merge import Handover, Merge, SameEvent
from processors.domain.notification import Notification, Outbound, Receipt, Response
from processors.domain.offender import HiddenPerson, KnownPerson, OffenderStanding, StaffAction
from processors.domain.policy import Policy
from processors.domain.quarantine import QuarantinedRecord
from processors.domain.registration import (
    Enrolment,
    NearMatch,
    PresentStanding,
    Reachable,
    RegistrationStatus,
    Verification,
    VerificationPermit,
)
from processors.domain.review import OffenderAction, Review, ReviewAction
from processors.domain.seal import DigestKey
from processors.domain.sending import SendIntent
from processors.domain.submission import Submission
from processors.domain.tally import PartEnded, PartMatched, PartRepeated, RegistrantTold
from processors.domain.tick import Tick
from processors.runtime.wire import outsiders
from processors.runtime.wire.changelog import Position, State, Timer

_IN_REPOSITORY: Final = Path(__file__).parents[3] / "schemas"
_PACKAGED: Final = Path(__file__).parents[2] / "schemas"
SCHEMAS: Final = _IN_REPOSITORY if _IN_REPOSITORY.is_dir() else _PACKAGED
FOLDER: Final = SCHEMAS / "avro"

# What outsiders send.
EXTERNAL: Final[tuple[type[Struct], ...]] = (
    Submission,
    RegistrationForm,
    ReceiptForm,
    VerificationForm,
    InboundForm,
    ErasureRequest,
    ReviewAction,
    OffenderAction,
)
# What only the pipeline and its commands write.
INTERNAL: Final[tuple[type[Struct], ...]] = (
    Policy,
    Tick,
    Intake,
    Event,
    Enrolment,
    Merge,
    Handover,
    SameEvent,
    PartEnded,
    PartMatched,
    RegistrantTold,
    PartRepeated,
    Notification,
    Reachable,
    NearMatch,
    PresentStanding,
    Receipt,
    Verification,
    VerificationPermit,
    Inbound,
    Erasure,
    RegistrantKey,
    DigestKey,
    Erased,
    Outbound,
    SendIntent,
    RegistrationStatus,
    Response,
    Review,
    Expectation,
    DeadLetter,
    DeadLetterSettled,
    KnownPerson,
    OffenderStanding,
    HiddenPerson,
    StaffAction,
    QuarantinedRecord,
    AgencyHeard,
    Verdicts,
    State,
    Timer,
    Position,
)
RECORDS: Final = EXTERNAL + INTERNAL

# A schema has the name of its class, unless outsiders and the pipeline use different forms of one record: then the outsiders'
# form has the plain name.
NAMES: Final[dict[type[Struct], str]] = {
    RegistrationForm: "Registration",
    ReceiptForm: "Receipt",
    Receipt: "CheckedReceipt",
    VerificationForm: "Verification",
    Verification: "CheckedVerification",
    InboundForm: "Inbound",
    Inbound: "CheckedInbound",
}

# Fields that hold a time: `timestamp-millis` in the schemas.
TIMES: Final = frozenset(
    {
        "action_at",
        "at",
        "created_at",
        "deadline",
        "due_at",
        "heard_at",
        "kind_since",
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
        "status_since",
    }
)


def schema_name(record: type[Struct]) -> str:
    """Return the short name of a record's schema and file."""
    return NAMES.get(record, record.__name__)


@dataclass(frozen=True)
class Version:
    """One version of one schema, as in its file."""

    record: str
    source: dict[str, Any]

    @cached_property
    def plain(self) -> dict[str, Any]:
        """The schema without logical types; it describes the same bytes."""
        parsed = parse_schema(plain(self.source))
        if not isinstance(parsed, dict):
            raise TypeError(f"{self.record} is not a record")
        return parsed

    @cached_property
    def as_sent(self) -> Any:
        """The schema with times read by their logical types."""
        return outsiders.parse(self.source)

    @cached_property
    def names(self) -> dict[str, dict[str, Any]]:
        """Every named type declared within, by its short name."""
        return declared_types(self.source)

    @cached_property
    def canonical(self) -> str:
        """The Avro parsing canonical form."""
        return to_parsing_canonical_form(self.source)

    @cached_property
    def header(self) -> bytes:
        """The single-object header: C3 01 and the CRC-64-AVRO fingerprint, little-endian."""
        return b"\xc3\x01" + bytes.fromhex(fingerprint(self.canonical, "CRC-64-AVRO"))


def plain(schema: Any) -> Any:
    """Return `schema` without logical types."""
    if isinstance(schema, dict):
        return {key: plain(part) for key, part in schema.items() if key not in {"logicalType", "doc"}}
    if isinstance(schema, list):
        return [plain(part) for part in schema]
    return schema


def declared_types(schema: Any) -> dict[str, dict[str, Any]]:
    """Return every named type declared within `schema`, by its short name."""
    if isinstance(schema, list):
        return {name: kind for branch in schema for name, kind in declared_types(branch).items()}
    if not isinstance(schema, dict):
        return {}
    named = {short_name(schema["name"]): schema} if "name" in schema else {}
    parts = (schema["type"], schema.get("items"), schema.get("values"), *(field["type"] for field in schema.get("fields", ())))
    return named | {name: kind for part in parts for name, kind in declared_types(part).items()}


def short_name(name: str) -> str:
    """Return the last part of a qualified name."""
    return name.rpartition(".")[2]


@cache
def current(record: str) -> Version:
    """Return the current schema."""
    return _load(record, FOLDER / f"{record}.avsc")


@cache
def history(record: str) -> tuple[Version, ...]:
    """Return every version ever used, oldest first."""
    files = sorted((FOLDER / "history" / record).glob("*.avsc"), key=lambda file: int(file.stem))
    return tuple(_load(record, file) for file in files)


def _load(record: str, file: Path) -> Version:
    return Version(record, json.loads(file.read_text("utf-8")))


def structs_of(record: type[Struct]) -> dict[str, type[Struct]]:
    """Return the record type and every type nested in it, by schema name."""
    found = {schema_name(record): record}
    for hint in get_type_hints(record).values():
        for kind in _within(hint):
            found |= structs_of(kind)
    return found


def _within(hint: Any) -> list[type[Struct]]:
    if isinstance(hint, type) and issubclass(hint, Struct):
        return [hint]
    return [kind for part in get_args(hint) for kind in _within(part)]
