"""The site's own database, on SQLite and on PostgreSQL: nothing stored is lost, doubled or readable."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client import REGISTRY
from sqlalchemy import text

from processors.domain.registration import Contact
from processors.domain.seal import Seal
from processors.runtime.errors import UserError
from processors.site.outbox import DAY, Outbox, StoredRegistration
from processors.site.sender import OutboxSender

SEAL = Seal(bytes(range(64)))
OTHER = Seal(bytes(64))
Starts = Callable[[Seal], Outbox]
POSTGRES = next((each for each in sorted(Path("/usr/lib/postgresql").glob("*/bin")) if (each / "initdb").exists()), None)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of its own; skipped where none is installed."""
    if POSTGRES is None or (os.geteuid() == 0 and shutil.which("runuser") is None):
        pytest.skip("no PostgreSQL server is installed")
    folder = Path("/var/tmp") / f"vn-postgres-{os.getpid()}"  # noqa: S108  a socket path must be short, and its user must reach it
    folder.mkdir(mode=0o700)
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def run(*command: str) -> None:
        subprocess.run([*user, *command], check=True, cwd="/", capture_output=True)

    assert POSTGRES is not None
    run(f"{POSTGRES}/initdb", "-D", f"{folder}/data", "-U", "vn", "--auth=trust")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    run(f"{POSTGRES}/pg_ctl", "-D", f"{folder}/data", "-w", "-o", options, "-l", f"{folder}/log", "start")
    yield f"postgresql://vn@127.0.0.1:{port}/postgres"
    run(f"{POSTGRES}/pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def outbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outbox]:
    if request.param == "sqlite":
        yield Outbox(f"sqlite:///{tmp_path / 'site.sqlite'}", SEAL)
        return
    url: str = request.getfixturevalue("postgresql")
    made = Outbox(url, SEAL)
    with made._engine.begin() as database:
        for table in ("outbox", "registrations", "contacts"):
            database.execute(text(f"DELETE FROM {table}"))  # noqa: S608
    yield made
    made._engine.dispose()


def kept(registration_id: str = "site-1", address: str = "+18045550142") -> StoredRegistration:
    return StoredRegistration(
        registration_id=registration_id,
        registrant_id=f"person-{registration_id}",
        source="IVINS",
        offender={"name": {"given": "Ann", "sur": "Walker"}, "birth_date": "1979-02-11"},
        shown_name="Ann Walker",
        event_subtypes=("Escape",),
        choices=("Movement",),
        language="en",
        contacts=(Contact("sms", address), Contact("voice", address)),
        pin="2580",
    )


def test_a_registration_is_kept_once_and_found_by_its_contact(outbox: Outbox) -> None:
    assert outbox.store_registration(kept(), 1)
    assert not outbox.store_registration(kept(), 2)
    assert outbox.registrations_of(outbox.digest("+18045550142")) == [(kept(), False)]
    assert outbox.registrations_of(outbox.digest("+18045550143")) == []
    (record,) = outbox.to_send(10)
    assert (record.kind, record.key) == ("registrations", "site-1")
    assert b"shown_name" not in (record.value or b"")


def test_what_is_sent_is_sent_once_in_order_and_forgotten(outbox: Outbox) -> None:
    outbox.store_registration(kept(), 1)
    outbox.queue("verifications", "site-1", b"{}", 2)
    outbox.queue("nothing", "signin-1", b"{}", 2)
    outbox.end_registration("site-1", 3)
    records = outbox.to_send(10)
    assert [(each.kind, each.value is None) for each in records] == [
        ("registrations", False),
        ("verifications", False),
        ("registrations", True),
    ]
    assert not outbox.is_sent("site-1")
    outbox.mark_sent([each.id for each in records], 4)
    assert outbox.is_sent("site-1")
    assert outbox.to_send(10) == []
    outbox.mark_sent([], 5 + DAY)
    with outbox._engine.begin() as database:
        assert database.execute(text("SELECT count(*) FROM outbox")).scalar() == 0


def test_a_paused_registration_is_taken_back_and_goes_on(outbox: Outbox) -> None:
    outbox.store_registration(kept(), 1)
    outbox.change_registration(kept(), 2, paused=True)
    assert outbox.registrations_of(outbox.digest("+18045550142")) == [(kept(), True)]
    outbox.change_registration(kept(), 3)
    assert [each.value is None for each in outbox.to_send(10)] == [False, True, False]


def test_nothing_is_readable_without_the_sites_key(outbox: Outbox, with_keys: Starts) -> None:
    outbox.store_registration(kept(), 1)
    with outbox._engine.begin() as database:
        rows = repr(database.execute(text("SELECT sealed, key FROM outbox")).all())
        rows += repr(database.execute(text("SELECT * FROM registrations")).all())
        rows += repr(database.execute(text("SELECT * FROM contacts")).all())
    for secret in ("8045550142", "Walker", "1979-02-11", "Escape"):
        assert secret not in rows
    other = with_keys(OTHER)
    assert other.to_send(10) == []
    assert other.registrations_of(outbox.digest("+18045550142")) == []


@pytest.fixture
def with_keys(outbox: Outbox) -> Iterator[Starts]:
    """The same database, as a site with another file of keys starts on it."""
    made: list[Outbox] = []

    def start(seal: Seal) -> Outbox:
        made.append(Outbox(outbox._engine.url.render_as_string(hide_password=False), seal))
        return made[-1]

    yield start
    for each in made:
        each._engine.dispose()


def test_a_site_counts_unreadable_rows_of_either_table_from_0(outbox: Outbox) -> None:
    assert outbox.to_send(10) == []
    for table in ("outbox", "registrations"):
        assert REGISTRY.get_sample_value("vn_site_unreadable_total", {"table": table}) is not None


@pytest.mark.parametrize("rows", [1, 25])
def test_rows_that_no_key_opens_stop_no_other_and_are_sent_once_the_key_is_back(outbox: Outbox, with_keys: Starts, rows: int) -> None:
    for each in range(rows):
        outbox.queue("verifications", f"lost-{each}", b"{}", 1)
    later = with_keys(OTHER)
    later.queue("verifications", "theirs", b"{}", 2)
    before = REGISTRY.get_sample_value("vn_site_unreadable_total", {"table": "outbox"}) or 0
    with structlog.testing.capture_logs() as logs:
        assert [each.key for each in later.to_send(10)] == ["theirs"]
    assert (REGISTRY.get_sample_value("vn_site_unreadable_total", {"table": "outbox"}) or 0) - before == rows
    assert "put back the key that is missing" in str(logs)
    later.mark_sent([each.id for each in later.to_send(10)], 3)
    assert later.to_send(10) == []
    assert not later.is_sent("lost-0")
    both = with_keys(Seal(OTHER.key, (SEAL.key,)))
    assert [each.key for each in both.to_send(100)] == [f"lost-{each}" for each in range(rows)]


def test_a_row_set_aside_does_not_come_after_a_later_one_of_its_key(outbox: Outbox, with_keys: Starts) -> None:
    """Otherwise a registration that its owner has ended would begin again once the key is back."""
    outbox.store_registration(kept(), 1)
    outbox.store_registration(kept("site-2"), 1)
    later = with_keys(OTHER)
    later.end_registration("site-1", 2)
    (ended,) = later.to_send(10)
    assert (ended.key, ended.value) == ("site-1", None)
    later.mark_sent([ended.id], 3)
    later.mark_sent([], 4 + DAY)
    both = with_keys(Seal(OTHER.key, (SEAL.key,)))
    assert [each.key for each in both.to_send(10)] == ["site-2"]


def test_a_registration_that_no_key_opens_does_not_hide_the_others_of_its_owner(outbox: Outbox, with_keys: Starts) -> None:
    outbox.store_registration(kept(), 1)
    later = with_keys(OTHER)
    later.digest = outbox.digest  # type: ignore[method-assign]  the digests stay the same when a key is added
    later.store_registration(kept("site-2"), 2)
    assert [found.registration_id for found, _ in later.registrations_of(outbox.digest("+18045550142"))] == ["site-2"]


class FailingClient:
    """A client whose broker is away for some calls, or whose process dies after the broker has acknowledged."""

    def __init__(self, *failures: type[BaseException] | None) -> None:
        self.failures = list(failures)
        self.sent: list[Any] = []

    def send(self, topic: Any, records: Any) -> None:
        failure = self.failures.pop(0) if self.failures else None
        if failure is UserError:
            raise UserError("the broker is away")
        self.sent += [(topic.name, key, value) for key, value in records]
        if failure is not None:
            raise failure


def test_what_could_not_be_sent_stays(outbox: Outbox) -> None:
    outbox.store_registration(kept(), 1)
    client = FailingClient(UserError)
    sender = OutboxSender(outbox, client)  # type: ignore[arg-type]
    with pytest.raises(UserError):
        sender.send()
    assert client.sent == []
    assert sender.send() == 1
    assert [key for _, key, _ in client.sent] == ["site-1"]
    assert sender.send() == 0


def test_a_site_killed_between_sending_and_noting_sends_the_same_again(outbox: Outbox) -> None:
    outbox.store_registration(kept(), 1)
    client = FailingClient(KeyboardInterrupt)
    sender = OutboxSender(outbox, client)  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        sender.send()
    sender.send()
    assert len(client.sent) == 2
    assert client.sent[0] == client.sent[1]
