"""The part of `vn doctor` that looks at certificates: our own in the files that settings name, and those that servers show."""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from processors.cli.finding import Finding
from processors.runtime.settings import Settings

SOON: Final = timedelta(days=14)
FILES: Final = {
    "ssl.certificate.location": "KAFKA_SSL_CERTIFICATE_LOCATION",
    "ssl.ca.location": "KAFKA_SSL_CA_LOCATION",
}
CONNECT_SECONDS: Final = 5.0


def certificates(settings: Settings) -> Iterator[Finding]:
    """No certificate that the pipeline stands on ends within a fortnight."""
    given = settings.kafka_properties()
    for name, variable in FILES.items():
        if name in given:
            yield from of_file(variable, Path(given[name]))
    if "SSL" in given.get("security.protocol", "").upper():
        for each in given["bootstrap.servers"].split(","):
            host, _, port = each.strip().rpartition(":")
            yield from of_server("the broker", host, int(port))
    store = urlsplit(settings.redis_url or "")
    if store.scheme == "rediss":
        yield from of_server("the store", store.hostname or "localhost", store.port or 6379)


def of_file(variable: str, path: Path) -> Iterator[Finding]:
    """Yield what is to be said of the certificate in a file that ends first."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        yield Finding("certificates", ok=False, found=f"{path} holds no certificate", fix=f"let {variable} name a PEM file")
        return
    yield judged(f"{variable} ({path})", min(each.not_valid_after_utc for each in found), f"renew {path}")


def of_server(who: str, host: str, port: int) -> Iterator[Finding]:
    """Yield what is to be said of the certificate that a server shows; whether it is trusted is for the clients to say."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), CONNECT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as connected,
        ):
            shown = connected.getpeercert(binary_form=True) or b""
    except OSError as error:
        yield Finding(
            "certificates",
            ok=False,
            found=f"{who} at {host}:{port} shows no certificate ({type(error).__name__})",
            fix="see whether it serves TLS there, and whether it demands a certificate of ours",
        )
        return
    yield judged(f"{who} at {host}:{port}", x509.load_der_x509_certificate(shown).not_valid_after_utc, "have it renewed by who runs it")


def judged(whose: str, end: datetime, fix: str, now: datetime | None = None) -> Finding:
    """Return the finding on a certificate that ends then."""
    left = end - (now or datetime.now(UTC))
    when = f"{end:%Y-%m-%d}"
    if left < timedelta():
        return Finding("certificates", ok=False, found=f"the certificate of {whose} ended on {when}", fix=fix)
    days = f"{left.days} day{'' if left.days == 1 else 's'}"
    return Finding("certificates", ok=left >= SOON, found=f"that of {whose} ends on {when}, in {days}", fix="" if left >= SOON else fix)
