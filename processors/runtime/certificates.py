"""When the certificates expire that connections to the broker and the store use: our own in files, and the servers'."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from processors.runtime.settings import Settings

FILES: Final = {
    "ssl.certificate.location": "KAFKA_SSL_CERTIFICATE_LOCATION",
    "ssl.ca.location": "KAFKA_SSL_CA_LOCATION",
}
CONNECT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class CertificateFile:
    """A PEM file that a setting names."""

    name: str
    path: Path

    def end(self) -> datetime:
        """Return when the first of its certificates expires; raises OSError or ValueError if it holds none."""
        return min(each.not_valid_after_utc for each in x509.load_pem_x509_certificates(self.path.read_bytes()))


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """The certificate that a broker or the store presents."""

    name: str
    host: str
    port: int

    def end(self) -> datetime:
        """Return when it expires; raises OSError if none is presented. Does not check whether it is trusted: clients do."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection((self.host, self.port), CONNECT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=self.host) as connected,
        ):
            presented = connected.getpeercert(binary_form=True) or b""
        return x509.load_der_x509_certificate(presented).not_valid_after_utc


def certificates(settings: Settings) -> Iterator[CertificateFile | ServerCertificate]:
    """Yield every certificate file that the settings name and every server they connect to with TLS; none without encryption."""
    properties = settings.kafka_properties()
    for name, variable in FILES.items():
        if name in properties:
            yield CertificateFile(variable, Path(properties[name]))
    if "SSL" in properties.get("security.protocol", "").upper():
        for each in properties["bootstrap.servers"].split(","):
            host, _, port = each.strip().rpartition(":")
            yield ServerCertificate("the broker", host, int(port))
    store = urlsplit(settings.redis_url or "")
    if store.scheme == "rediss":
        yield ServerCertificate("the store", store.hostname or "localhost", store.port or 6379)
