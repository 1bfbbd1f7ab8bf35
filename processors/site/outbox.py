"""
The site's own database: what is to be sent to Kafka, and which registrations belong to whom.

Everything about a person is sealed with the site's own key; contacts are known by keyed digests. One code path for
SQLite and PostgreSQL. What is sent stays marked as sent for a day, without its content.

A row that the site's keys do not open (a key is missing from the file, or its bytes were damaged) is set aside and holds
nothing else back. Every start tries it again. Once a later record of the same kind and key has been sent, the row is
dropped: that record says all there is to say, and the older one must not come after it.
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


class KeptRegistration(msgspec.Struct, frozen=True, omit_defaults=True):
    """A registration as the site keeps it: what is sent, and in plain words whom it is for and which events it is about."""

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

    def document(self) -> dict[str, object]:
        """Return the registration as the pipeline takes it."""
        own = {"shown_name", "choices", "discreet", "vin"}
        fields: dict[str, object] = {key: value for key, value in msgspec.to_builtins(self).items() if key not in own}
        return fields | ({"language": f"{self.language}-x-discreet"} if self.discreet else {})


class ToSend(msgspec.Struct, frozen=True):
    """One record that is to be sent; `value` None is a tombstone."""

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
            SITE_UNREADABLE.labels(table.name)  # the page says 0, and not nothing
        with self._engine.begin() as database:
            database.execute(delete(SET_ASIDE))  # the key that was missing may be there now

    def keep_registration(self, kept: KeptRegistration, now: int) -> bool:
        """Keep a registration to be sent; whether it is new. A form sent again changes nothing."""
        row = {"registration_id": kept.registration_id, "sealed": self._close(msgspec.json.encode(kept)), "paused": False, "kept_at": now}
        try:
            with self._engine.begin() as database:
                database.execute(insert(REGISTRATIONS).values(row))
                digests = {self.digest(each.address) for each in kept.contacts} | ({self.vin_digest(kept.vin)} if kept.vin else set())
                database.execute(insert(CONTACTS), [{"digest": each, "registration_id": kept.registration_id} for each in sorted(digests)])
                self._keep(database, "registrations", kept.registration_id, msgspec.json.encode(kept.document()), now)
        except IntegrityError:
            return False
        return True

    def change_registration(self, kept: KeptRegistration, now: int, *, paused: bool = False) -> None:
        """Keep a registration as it is now; paused, it is taken back until it goes on."""
        with self._engine.begin() as database:
            database.execute(
                update(REGISTRATIONS)
                .where(REGISTRATIONS.c.registration_id == kept.registration_id)
                .values(sealed=self._close(msgspec.json.encode(kept)), paused=paused)
            )
            value = None if paused else msgspec.json.encode(kept.document())
            self._keep(database, "registrations", kept.registration_id, value, now)

    def end_registration(self, registration_id: str, now: int) -> None:
        """Take a registration back and forget it."""
        with self._engine.begin() as database:
            database.execute(delete(REGISTRATIONS).where(REGISTRATIONS.c.registration_id == registration_id))
            database.execute(delete(CONTACTS).where(CONTACTS.c.registration_id == registration_id))
            self._keep(database, "registrations", registration_id, None, now)

    def keep(self, kind: Kind, key: str, value: bytes | None, now: int) -> None:
        """Keep one record to be sent; of kind `nothing` it never is."""
        with self._engine.begin() as database:
            self._keep(database, kind, key, value, now)

    def registrations_of(self, digest: str) -> list[tuple[KeptRegistration, bool]]:
        """Return the registrations that have a contact, and whether each is paused; of those that the keys do not open, none."""
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
        """Whether everything about the key has been sent."""
        query = select(OUTBOX.c.id).where(and_(OUTBOX.c.key == key, OUTBOX.c.sent_at.is_(None), OUTBOX.c.kind != "nothing")).limit(1)
        with self._engine.begin() as database:
            return database.execute(query).first() is None

    def to_send(self, most: int) -> list[ToSend]:
        """Return the oldest records that are not sent yet, in order, and set aside those that cannot be read."""
        unsent = and_(OUTBOX.c.sent_at.is_(None), OUTBOX.c.kind != "nothing", OUTBOX.c.id.not_in(select(SET_ASIDE.c.id)))
        query = select(OUTBOX).where(unsent).order_by(OUTBOX.c.id).limit(most)
        found: list[ToSend] = []
        while not found:
            with self._engine.begin() as database:
                rows = database.execute(query).mappings().all()
            unreadable: list[int] = []
            for row in rows:
                try:
                    found.append(ToSend(row["id"], row["kind"], row["key"], self._open(row["sealed"])))
                except SealBroken:
                    unreadable.append(row["id"])
            if not unreadable:
                break
            self._set_aside(unreadable)
        return found

    def mark_sent(self, ids: Sequence[int], now: int) -> None:
        """Remember that these were sent, without their content; forget what was sent a day ago, and what they replace."""
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
        """Return the keyed digest by which an address is known here."""
        return self._seal.fingerprint(address.lower(), "site-contact")

    def vin_digest(self, vin: str) -> str:
        """Return the keyed digest by which a registration is found by the number that its owner has."""
        return self._seal.fingerprint(vin, "site-vin")

    def _keep(self, database: Connection, kind: Kind, key: str, value: bytes | None, now: int) -> None:
        sealed = None if value is None else self._close(value)
        database.execute(insert(OUTBOX).values(kind=kind, key=key, sealed=sealed, kept_at=now))

    def _set_aside(self, ids: Sequence[int]) -> None:
        """Let these rows wait for the next start."""
        with self._engine.begin() as database:
            for each in ids:
                try:
                    with database.begin_nested():
                        database.execute(insert(SET_ASIDE).values(id=each))
                except IntegrityError:
                    continue  # another copy of the site met it at the same moment
        SITE_UNREADABLE.labels(OUTBOX.name).inc(len(ids))
        self._log.error("site_unreadable", table=OUTBOX.name, rows=list(ids), do=UNREADABLE)

    def _registration(self, sealed: bytes) -> KeptRegistration | None:
        """Return a registration; None if it cannot be read, which must not hide the others of the same person."""
        try:
            return msgspec.json.decode(self._seal.open(sealed, SUBJECT), type=KeptRegistration)
        except SealBroken:
            SITE_UNREADABLE.labels(REGISTRATIONS.name).inc()
            self._log.error("site_unreadable", table=REGISTRATIONS.name, do=UNREADABLE)
            return None

    def _open(self, sealed: bytes | None) -> bytes | None:
        return None if sealed is None else self._seal.open(sealed, SUBJECT)

    def _close(self, value: bytes) -> bytes:
        return self._seal.close(value, SUBJECT)


def engine_of(url: str) -> Engine:
    """Return the engine of a database; SQLite waits for another writer and writes through."""
    if not url.startswith("sqlite"):
        return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_pre_ping=True, hide_parameters=True)
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 10}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: object, _: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")  # type: ignore[attr-defined]
        connection.execute("PRAGMA synchronous = FULL")  # type: ignore[attr-defined]

    return engine
