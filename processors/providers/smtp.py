"""
Sends email by SMTP.

TLS is required (STARTTLS, or implicit TLS on port 465). What a broken connection means depends on the phase: before the final
dot of the message nothing was handed over; after it the server may have accepted the message (RFC 1047).
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.errors import MessageError
from typing import Final

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPAuthenticationError, SMTPException, SMTPResponseException
from aiosmtplib.response import SMTPResponse

from processors.domain.notification import Outbound
from processors.providers.dkim import Signer
from processors.providers.mail import MailSender, email_of
from processors.providers.outcome import Accepted, Ambiguous, Refused, SendOutcome, VendorUnavailable

IMPLICIT_TLS: Final = 465
FLUSH_POLL_SECONDS: Final = 0.002  # between checks whether the message has been written
CLOSING: Final = 421  # the server is shutting down, whatever the command
START_INPUT: Final = 354
COMPLETED: Final = range(200, 300)  # RFC 5321, section 4.2.1
REFUSED: Final = range(400, 600)
MAX_DETAIL: Final = 160


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """The address of a server, and the credentials for it."""

    host: str
    port: int = 587
    username: str = ""
    password: str = ""
    timeout: float = 30.0
    ca_file: str | None = None


class CommandRejected(Exception):
    """The server answered a command with an error; `recipient` says whether the error is about the recipient or message."""

    def __init__(self, reply: SMTPResponse, *, recipient: bool) -> None:
        super().__init__(f"{reply.code}")
        self.reply = reply
        self.recipient = recipient


class NotHandedOver(Exception):
    """The message was not handed over; the exception's message is the detail of the receipt."""


class OutOfStep(NotHandedOver):
    """The server's answer does not fit the command, so later answers cannot be trusted either."""


class LeaseExpired(NotHandedOver):
    """The message's lease expired before it could be handed over, because the server was slow."""


class OutcomeUnknown(Exception):
    """After the final dot the connection broke, or the answer was neither success nor failure."""


class SmtpVendor:
    """One SMTP server; connections are reused."""

    def __init__(self, name: str, server: SmtpServer, sender: MailSender, now: Callable[[], int], signer: Signer | None = None) -> None:
        self.name = name
        self._now = now
        self._server = server
        self._sender = sender
        self._signer = signer
        self._idle: list[SMTP] = []
        self._tls = ssl.create_default_context(cafile=server.ca_file)

    async def send(self, message: Outbound) -> SendOutcome:
        """Hand the message over."""
        try:
            content = email_of(message, self._sender)
        except (ValueError, MessageError):
            return Refused("permanent_failure", "its address or subject cannot be written as an email")
        return await self._hand_over(message, content if self._signer is None else self._signer.sign(content))

    async def _hand_over(self, message: Outbound, content: bytes) -> SendOutcome:
        try:
            async with self._connection() as client:
                reply = await self._transfer(client, message, content)
        except CommandRejected as error:
            return outcome_of_error(error)
        except OutcomeUnknown:
            return Ambiguous("the connection broke after the message was handed over")
        except SMTPAuthenticationError:
            return VendorUnavailable("the server refused the login")
        except NotHandedOver as error:
            return VendorUnavailable(str(error))
        except (SMTPException, OSError, ssl.SSLError) as error:
            return VendorUnavailable(f"the server could not be reached ({type(error).__name__})")
        return Accepted("accepted", reply_text(reply))

    async def find(self, message: Outbound) -> SendOutcome:
        """Return that the outcome is unknown: SMTP cannot be asked about earlier messages."""
        return Ambiguous(f"SMTP cannot tell what became of {message.reference}")

    async def close(self) -> None:
        """Close the connections."""
        for client in self._idle:
            client.close()
        self._idle.clear()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[SMTP]:
        """Yield an idle connection that still answers, or a new one; it is kept only if it is still usable afterwards."""
        client = await self._reusable() or await self._connect()
        try:
            yield client
        except (CommandRejected, LeaseExpired):
            await self._reset(client)
            raise
        except BaseException:
            client.close()
            raise
        self._idle.append(client)

    async def _reusable(self) -> SMTP | None:
        while self._idle:
            client = self._idle.pop()
            try:
                await client.noop()
            except (SMTPException, OSError):
                client.close()
                continue
            return client
        return None

    async def _connect(self) -> SMTP:
        server = self._server
        implicit = server.port == IMPLICIT_TLS
        client = SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.timeout,
            use_tls=implicit,
            start_tls=None if implicit else True,  # required: without STARTTLS connecting fails
            tls_context=self._tls,
            username=server.username or None,
            password=server.password or None,
        )
        await client.connect()
        await client.ehlo()  # again: the server may offer other extensions within TLS
        return client

    async def _reset(self, client: SMTP) -> None:
        try:
            await client.rset()
        except (SMTPException, OSError):
            client.close()
        else:
            self._idle.append(client)

    async def _transfer(self, client: SMTP, message: Outbound, content: bytes) -> SMTPResponse:
        """Hand over one message and return the server's answer to the final dot."""
        bounces = self._sender.bounces or self._sender.address
        mail, rcpt = f"FROM:<{bounces}>", f"TO:<{message.to}>"
        if client.supports_extension("dsn"):
            mail += f" RET=HDRS ENVID={xtext(message.reference)}"
            rcpt += f" NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;{xtext(message.to)}"
        await self._command(client, b"MAIL", mail.encode(), recipient=False)
        await self._command(client, b"RCPT", rcpt.encode(), recipient=True)
        if self._now() >= message.expires_at:  # connecting and the server's answers took time
            raise LeaseExpired("the message's lease expired before the server was ready for it")
        await self._command(client, b"DATA", recipient=False, expected=range(START_INPUT, START_INPUT + 1))
        await self._write(client, content)
        protocol = client.protocol
        if protocol is None:
            raise ConnectionResetError
        protocol.write(b".\r\n")
        try:
            reply = await protocol.read_response(timeout=self._server.timeout)
        except (SMTPException, OSError) as error:
            if isinstance(error, SMTPResponseException) and error.code in REFUSED:
                raise CommandRejected(SMTPResponse(error.code, error.message), recipient=True) from None
            raise OutcomeUnknown from None
        if reply.code in REFUSED:
            raise CommandRejected(reply, recipient=True)
        if reply.code not in COMPLETED:
            raise OutcomeUnknown
        return reply

    async def _command(self, client: SMTP, *words: bytes, recipient: bool, expected: range = COMPLETED) -> None:
        reply = await client.execute_command(*words, timeout=self._server.timeout)
        if reply.code in REFUSED:
            raise CommandRejected(reply, recipient=recipient)
        if reply.code not in expected:
            raise OutOfStep("the server's answers do not fit the commands")

    async def _write(self, client: SMTP, content: bytes) -> None:
        """Write the message without its final dot, and wait until it has been sent."""
        protocol = client.protocol
        if protocol is None:
            raise ConnectionResetError
        lines = content if content.endswith(b"\r\n") else content + b"\r\n"
        protocol.write(re.sub(rb"(?m)^\.", b"..", lines))
        async with asyncio.timeout(self._server.timeout):
            while (transport := protocol.transport) is not None and transport.get_write_buffer_size():  # type: ignore[attr-defined]  # noqa: ASYNC110  the library tells of no event
                await asyncio.sleep(FLUSH_POLL_SECONDS)
        await asyncio.sleep(0)  # so that a connection closed by the server is noticed


def outcome_of_error(error: CommandRejected) -> SendOutcome:
    """Return the outcome of an error answer: about the recipient or the message, or about the server itself."""
    if error.reply.code == CLOSING or not error.recipient:
        return VendorUnavailable(reply_text(error.reply))
    return Refused("temporary_failure" if error.reply.code < 500 else "permanent_failure", reply_text(error.reply))  # noqa: PLR2004


def reply_text(reply: SMTPResponse) -> str:
    """Return a server's answer without addresses, since it goes into receipts."""
    text = re.sub(r"<?\S+@\S+>?", "…", " ".join(reply.message.split()))
    return f"{reply.code} {text}"[:MAX_DETAIL]


def xtext(text: str) -> str:
    """Return `text` in the encoding of RFC 3461, section 4."""
    return re.sub(r"[^!-*,-<>-~]", lambda found: f"+{ord(found[0]):02X}", text)
