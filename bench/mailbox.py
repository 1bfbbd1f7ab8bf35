"""
An SMTP server that logs every message: `python -m bench.mailbox LOG CERTIFICATES`.

It prints its port. It appends reference and recipient of every message to LOG, and writes its CA certificate to CERTIFICATES.
"""

import asyncio
import ssl
import sys
from pathlib import Path
from typing import IO, Any

import trustme
from aiosmtpd.smtp import SMTP

HEADER = b"Message-ID: <"


class Mailbox:
    """Accepts every message, and logs it before answering."""

    def __init__(self, log: IO[str]) -> None:
        self._log = log

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802  as aiosmtpd names it
        start = envelope.content.index(HEADER) + len(HEADER)
        reference = envelope.content[start : envelope.content.index(b"@", start)].decode()
        self._log.write(f"{reference} {envelope.rcpt_tos[0]}\n")
        self._log.flush()
        return "250 2.0.0 queued"


async def serve(log: Path, certificates: Path) -> None:
    """Serve until the process is ended."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(certificates))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with log.open("w", encoding="utf-8") as file:
        mailbox = Mailbox(file)
        listening = await asyncio.get_running_loop().create_server(
            lambda: SMTP(mailbox, tls_context=context, require_starttls=True, hostname="mx.example.org"), "127.0.0.1", 0
        )
        print(listening.sockets[0].getsockname()[1], flush=True)
        await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2])))
