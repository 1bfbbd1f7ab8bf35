"""The checks of `vn doctor` for certificates: our own files, and the servers'."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from processors.cli.finding import Finding
from processors.runtime import certificates as runtime
from processors.runtime.certificates import CertificateFile, ServerCertificate
from processors.runtime.settings import Settings

SOON: Final = timedelta(days=14)


def certificates(settings: Settings) -> Iterator[Finding]:
    """Check that no certificate that the pipeline depends on expires within 14 days."""
    for each in runtime.certificates(settings):
        yield file_finding(each) if isinstance(each, CertificateFile) else server_finding(each)


def file_finding(file: CertificateFile) -> Finding:
    """Return the finding on the certificate in a file that expires first."""
    try:
        end = file.end()
    except (OSError, ValueError):
        return Finding("certificates", ok=False, found=f"{file.path} holds no certificate", fix=f"let {file.name} name a PEM file")
    return expiry_finding(f"{file.name} ({file.path})", end, f"renew {file.path}")


def server_finding(server: ServerCertificate) -> Finding:
    """Return the finding on the certificate that a server presents."""
    whose = f"{server.name} at {server.host}:{server.port}"
    try:
        end = server.end()
    except OSError as error:
        return Finding(
            "certificates",
            ok=False,
            found=f"{whose} shows no certificate ({type(error).__name__})",
            fix="check whether it serves TLS there, and whether it requires a client certificate",
        )
    return expiry_finding(whose, end, "ask whoever runs the server to renew it")


def expiry_finding(whose: str, end: datetime, fix: str, now: datetime | None = None) -> Finding:
    """Return the finding on a certificate that expires at `end`."""
    left = end - (now or datetime.now(UTC))
    when = f"{end:%Y-%m-%d}"
    if left < timedelta():
        return Finding("certificates", ok=False, found=f"the certificate of {whose} ended on {when}", fix=fix)
    days = f"{left.days} day{'' if left.days == 1 else 's'}"
    return Finding("certificates", ok=left >= SOON, found=f"that of {whose} ends on {when}, in {days}", fix="" if left >= SOON else fix)
