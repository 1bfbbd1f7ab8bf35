"""`vn doctor` reads when certificates expire, in files and as servers present them."""

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server

import pytest

from processors.cli.certificates import certificates, expiry_finding, file_finding, server_finding
from processors.runtime.certificates import CertificateFile, ServerCertificate
from processors.runtime.settings import Settings
from processors.watch.certificates import measure
from processors.watch.metrics import CERTIFICATE_END
from tests.certificate import make_certificate

NOW = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[int]:
    """A server on this port that shows a certificate with three days left."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make_certificate(tmp_path, datetime.now(UTC) + timedelta(days=3, hours=1)))
    with create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(10)


@pytest.mark.parametrize(
    ("left", "fix", "said"),
    [
        (timedelta(days=90), "", "ends on 2027-01-31, in 90 days"),
        (timedelta(days=14), "", "in 14 days"),
        (timedelta(days=13, hours=23), "renew x", "in 13 days"),
        (timedelta(days=1), "renew x", "in 1 day"),
        (-timedelta(days=2), "renew x", "ended on 2026-10-31"),
    ],
    ids=str,
)
def test_a_certificate_is_renewed_a_fortnight_before_it_ends(left: timedelta, fix: str, said: str) -> None:
    found = expiry_finding("x", NOW + left, "renew x", NOW)
    assert (found.ok, found.fix) == (not fix, fix)
    assert said in found.found


def test_the_file_that_a_setting_names_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_certificate(tmp_path, datetime.now(UTC) + timedelta(days=5, hours=1))
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("KAFKA_SSL_CERTIFICATE_LOCATION", str(path))
    (found,) = certificates(Settings())
    assert (found.ok, found.fix) == (False, f"renew {path}")
    assert "in 5 days" in found.found


def test_a_file_without_a_certificate_is_named(tmp_path: Path) -> None:
    found = file_finding(CertificateFile("KAFKA_SSL_CA_LOCATION", tmp_path / "absent.pem"))
    assert not found.ok
    assert "KAFKA_SSL_CA_LOCATION" in found.fix


def test_what_a_server_shows_is_read(serving: int) -> None:
    found = server_finding(ServerCertificate("the broker", "127.0.0.1", serving))
    assert not found.ok
    assert "in 3 days" in found.found


def test_a_server_that_shows_none_is_told() -> None:
    with create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    found = server_finding(ServerCertificate("the store", "127.0.0.1", port))
    assert not found.ok
    assert "shows no certificate" in found.found


def test_the_watch_shows_when_a_certificate_ends_and_not_one_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end = datetime(2026, 12, 1, tzinfo=UTC)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("KAFKA_SSL_CERTIFICATE_LOCATION", str(make_certificate(tmp_path, end)))
    monkeypatch.setenv("KAFKA_SSL_CA_LOCATION", str(tmp_path / "absent.pem"))
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert list(measure(Settings())) == [(CERTIFICATE_END, ("KAFKA_SSL_CERTIFICATE_LOCATION",), end.timestamp())]
