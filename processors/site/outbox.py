"""
The site's own database: the records to send to Kafka, and who owns which registration.

Everything about a person is sealed with the site's own key; contacts are identified by keyed digests. The same code serves
SQLite and PostgreSQL. A sent record stays marked as sent for a day, without its content.

A row that the site's keys cannot decrypt (a key is missing, or the bytes are damaged) is set aside and does not block others.
Every start tries it again. Once a later record of the same kind and key has been sent, the row is dropped: the later record
replaces it, and the older one must not follow it.
"""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec
import structlog
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    and_,
    create_engine,
    delete,
    event,
    exists,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from processors.domain.registration import Contact
from processors.domain.seal import Seal, SealBroken
from processors.runtime.metrics import SITE_UNREADABLE

DAY: Final = 86_400_000
SUBJECT: Final = "site-outbox"
UNREADABLE: Final = "no key of VN_SITE_KEY_FILE opens it: put back the key that is missing from the file and start the site again"
Kind = Literal["registrations", "verifications", "receipts", "nothing"]

METADATA: Final = MetaData()
OUTBOX: Final = Table(
    "outbox",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),
    Column("key", String(64), nullable=False),
    Column("sealed", LargeBinary),
    Column("kept_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
)
Index("outbox_to_send", OUTBOX.c.sent_at, OUTBOX.c.id)
SET_ASIDE: Final = Table("set_aside", METADATA, Column("id", Integer, primary_key=True, autoincrement=False))
REGISTRATIONS: Final = Table(
    "registrations",
    METADATA,
    Column("registration_id", String(64), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("kept_at", BigInteger, nullable=False),
)
CONTACTS: Final = Table(
    "contacts",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("registration_id", String(64), primary_key=True),
)


class StoredRegistration(msgspec.Struct, frozen=True, omit_defaults=True):
    """A registration as the site stores it: what is sent, and what the pages show of it."""

    registration_id: str
    registrant_id: str
    source: str
    offender: dict[str, object]
    shown_name: str
    event_subtypes: tuple[str, ...]
    choices: tuple[str, ...]
    language: str
    contacts: tuple[Contact, ...]
    pin: str | None = None
    created_at: int = 0
    discreet: bool = False
    vin: str = ""
    resumed_at: int = 0

    def document(self) -> dict[str, object]:
        """Return the registration as it is sent to the pipeline."""
        own = {"shown_name", "choices", "discreet", "vin", "resumed_at"}
        fields: dict[str, object] = {key: value for key, value in msgspec.to_builtins(self).items() if key not in own}
        return fields | ({"language": f"{self.language}-x-discreet"} if self.discreet else {})


class PendingRecord(msgspec.Struct, frozen=True):
    """One record to send; `value` None is a tombstone."""

    id: int
    kind: Kind
    key: str
    value: bytes | None


class Outbox:
    """The database; every method is one transaction."""

    def __init__(self, url: str, seal: Seal) -> None:
        self._seal = seal
        self._engine = engine_of(url)
        self._log = structlog.get_logger()
        METADATA.create_all(self._engine)
        for table in (OUTBOX, REGISTRATIONS):
            SITE_UNREADABLE.labels(table.name)  # so that the metric is 0 and not absent
        with self._engine.begin() as database:
            database.execute(delete(SET_ASIDE))  # a missing key may have been put back

    def store_registration(self, registration: StoredRegistration, now: int) -> bool:
        """Store a new registration and queue it for sending; return False if it exists: a form submitted twice changes nothing."""
        row = {
            "registration_id": registration.registration_id,
            "sealed": self._close(msgspec.json.encode(registration)),
            "paused": False,
            "kept_at": now,
        }
        try:
            with self._engine.begin() as database:
                database.execute(insert(REGISTRATIONS).values(row))
                digests = {self.digest(each.address) for each in registration.contacts} | (
                    {self.vin_digest(registration.vin)} if registration.vin else set()
                )
                database.execute(
                    insert(CONTACTS), [{"digest": each, "registration_id": registration.registration_id} for each in sorted(digests)]
                )
                self._queue(database, "registrations", registration.registration_id, msgspec.json.encode(registration.document()), now)
        except IntegrityError:
            return False
        return True

    def change_registration(self, registration: StoredRegistration, now: int, *, paused: bool = False) -> None:
        """Store a changed registration and queue it for sending; while `paused`, it is withdrawn from the pipeline."""
        with self._engine.begin() as database:
            database.execute(
                update(REGISTRATIONS)
                .where(REGISTRATIONS.c.registration_id == registration.registration_id)
                .values(sealed=self._close(msgspec.json.encode(registration)), paused=paused)
            )
            value = None if paused else msgspec.json.encode(registration.document())
            self._queue(database, "registrations", registration.registration_id, value, now)

    def end_registration(self, registration_id: str, now: int) -> None:
        """Delete a registration and queue its removal for sending."""
        with self._engine.begin() as database:
            database.execute(delete(REGISTRATIONS).where(REGISTRATIONS.c.registration_id == registration_id))
            database.execute(delete(CONTACTS).where(CONTACTS.c.registration_id == registration_id))
            self._queue(database, "registrations", registration_id, None, now)

    def queue(self, kind: Kind, key: str, value: bytes | None, now: int) -> None:
        """Queue a record for sending; one of kind `nothing` is never sent."""
        with self._engine.begin() as database:
            self._queue(database, kind, key, value, now)

    def registrations_of(self, digest: str) -> list[tuple[StoredRegistration, bool]]:
        """Return the registrations with a contact or number, and whether each is paused; those that cannot be decrypted are left out."""
        query = (
            select(REGISTRATIONS.c.sealed, REGISTRATIONS.c.paused)
            .join(CONTACTS, CONTACTS.c.registration_id == REGISTRATIONS.c.registration_id)
            .where(CONTACTS.c.digest == digest)
            .order_by(REGISTRATIONS.c.kept_at, REGISTRATIONS.c.registration_id)
        )
        with self._engine.begin() as database:
            rows = database.execute(query).all()
        return [(found, paused) for sealed, paused in rows if (found := self._registration(sealed)) is not None]

    def is_sent(self, key: str) -> bool:
        """Whether no record with this key waits to be sent."""
        query = select(OUTBOX.c.id).where(and_(OUTBOX.c.key == key, OUTBOX.c.sent_at.is_(None), OUTBOX.c.kind != "nothing")).limit(1)
        with self._engine.begin() as database:
            return database.execute(query).first() is None

    def to_send(self, most: int) -> list[PendingRecord]:
        """Return the oldest unsent records, in order; sets aside those that cannot be decrypted."""
        unsent = and_(OUTBOX.c.sent_at.is_(None), OUTBOX.c.kind != "nothing", OUTBOX.c.id.not_in(select(SET_ASIDE.c.id)))
        query = select(OUTBOX).where(unsent).order_by(OUTBOX.c.id).limit(most)
        found: list[PendingRecord] = []
        while not found:
            with self._engine.begin() as database:
                rows = database.execute(query).mappings().all()
            unreadable: list[int] = []
            for row in rows:
                try:
                    found.append(PendingRecord(row["id"], row["kind"], row["key"], self._open(row["sealed"])))
                except SealBroken:
                    unreadable.append(row["id"])
            if not unreadable:
                break
            self._set_aside(unreadable)
        return found

    def mark_sent(self, ids: Sequence[int], now: int) -> None:
        """Mark records as sent and delete their content; delete what was sent a day ago, and set-aside rows that they replace."""
        later = OUTBOX.alias()
        replaced = exists().where(
            and_(later.c.id.in_(ids), later.c.kind == OUTBOX.c.kind, later.c.key == OUTBOX.c.key, later.c.id > OUTBOX.c.id)
        )
        with self._engine.begin() as database:
            database.execute(delete(OUTBOX).where(and_(OUTBOX.c.id.in_(select(SET_ASIDE.c.id)), replaced)))
            database.execute(update(OUTBOX).where(OUTBOX.c.id.in_(ids)).values(sent_at=now, sealed=None))
            database.execute(delete(OUTBOX).where(OUTBOX.c.sent_at < now - DAY))
            database.execute(delete(OUTBOX).where(and_(OUTBOX.c.kind == "nothing", OUTBOX.c.kept_at < now - DAY)))

    def digest(self, address: str) -> str:
        """Return the keyed digest that identifies an address here."""
        return self._seal.fingerprint(address.lower(), "site-contact")

    def vin_digest(self, vin: str) -> str:
        """Return the keyed digest of a victim identification number."""
        return self._seal.fingerprint(vin, "site-vin")

    def _queue(self, database: Connection, kind: Kind, key: str, value: bytes | None, now: int) -> None:
        sealed = None if value is None else self._close(value)
        database.execute(insert(OUTBOX).values(kind=kind, key=key, sealed=sealed, kept_at=now))

    def _set_aside(self, ids: Sequence[int]) -> None:
        """Exclude these rows from sending until the next start."""
        with self._engine.begin() as database:
            for each in ids:
                try:
                    with database.begin_nested():
                        database.execute(insert(SET_ASIDE).values(id=each))
                except IntegrityError:
                    continue  # another copy of the site set it aside at the same moment
        SITE_UNREADABLE.labels(OUTBOX.name).inc(len(ids))
        self._log.error("site_unreadable", table=OUTBOX.name, rows=list(ids), do=UNREADABLE)

    def _registration(self, sealed: bytes) -> StoredRegistration | None:
        """Return a decrypted registration; None if that fails, which must not hide the same person's other registrations."""
        try:
            return msgspec.json.decode(self._seal.open(sealed, SUBJECT), type=StoredRegistration)
        except SealBroken:
            SITE_UNREADABLE.labels(REGISTRATIONS.name).inc()
            self._log.error("site_unreadable", table=REGISTRATIONS.name, do=UNREADABLE)
            return None

    def _open(self, sealed: bytes | None) -> bytes | None:
        return None if sealed is None else self._seal.open(sealed, SUBJECT)

    def _close(self, value: bytes) -> bytes:
        return self._seal.close(value, SUBJECT)


def engine_of(url: str) -> Engine:
    """Return the engine of a database; SQLite waits for other writers and syncs every commit."""
    if not url.startswith("sqlite"):
        return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_pre_ping=True, hide_parameters=True)
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 10}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: object, _: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")  # type: ignore[attr-defined]
        connection.execute("PRAGMA synchronous = FULL")  # type: ignore[attr-defined]

    return engine
