"""SMTP against aiosmtpd: TLS is required, and what an error means depends on the phase."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult

from processors.domain.notification import Outbound
from processors.providers.mail import MailSender
from processors.providers.outcome import Accepted, Ambiguous, Refused, SendOutcome, VendorUnavailable
from processors.providers.smtp import SmtpServer, SmtpVendor, reply_text, xtext
from tests.providers.given import AT, MINUTE, outbound

SENDER = MailSender("notify@vn.example.org", bounces="bounces@vn.example.org")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


class Handler:
    """Takes messages, and answers as it is told."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.messages: list[tuple[str, list[str], bytes]] = []
        self.sessions: set[int] = set()

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802, ARG002
        envelope.mail_from = address
        return str(self.answers.get("mail", "250 OK"))

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802, ARG002
        envelope.rcpt_tos.append(address)
        return str(self.answers.get("rcpt", "250 OK"))

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.sessions.add(id(session))
        self.messages.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        answer = self.answers.get("data", "250 2.0.0 queued as 4b1f")
        if answer == "die":
            server.transport.abort()
            return "250 never heard"
        if answer == "stall":
            await asyncio.sleep(30)
        if answer == "twice":
            return "250 2.0.0 queued\r\n250 2.0.0 queued"
        return str(answer)


class DiesBeforeTheDot(SMTP):
    """Asks for the message and goes away."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802, ARG002
        self.transport.write(b"354 go ahead\r\n")
        self.transport.close()


@asynccontextmanager
async def server(handler: Any, authority: trustme.CA, kind: Callable[..., SMTP] = SMTP, **options: Any) -> AsyncIterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    options = {"tls_context": context, "require_starttls": True, "hostname": "mx.example.org"} | options
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: kind(handler, **options), "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


def vendor(port: int, authority: trustme.CA, folder: Path, now: Callable[[], int] = lambda: AT, **fields: Any) -> SmtpVendor:
    ca = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    given: dict[str, Any] = {"host": "127.0.0.1", "port": port, "timeout": 1.0, "ca_file": str(ca)}
    return SmtpVendor("relay", SmtpServer(**(given | fields)), SENDER, now)


def send(
    handler: Handler, authority: trustme.CA, folder: Path, *messages: Outbound, kind: Callable[..., SMTP] = SMTP, **options: Any
) -> list[SendOutcome]:
    async def run() -> list[SendOutcome]:
        async with server(handler, authority, kind, **options) as port:
            relay = vendor(port, authority, folder)
            try:
                return [await relay.send(each) for each in messages or (outbound(),)]
            finally:
                await relay.close()

    return asyncio.run(run())


def test_a_message_is_handed_over_once_and_whole(authority: trustme.CA, tmp_path: Path) -> None:
    handler = Handler()
    assert send(handler, authority, tmp_path) == [Accepted("accepted", "250 2.0.0 queued as 4b1f")]
    ((sender, recipients, content),) = handler.messages
    assert (sender, recipients) == ("bounces@vn.example.org", ["r1001@example.org"])
    email = message_from_bytes(content)
    assert email["Message-ID"] == "<R-1001.000000000001abcdef01@vn.example.org>"
    text = next(part for part in email.walk() if part.get_content_type() == "text/plain")
    assert text.get_payload(decode=True).splitlines() == [b"John Q Sample has left Virginia.", b".A line that begins with a dot."]


def test_a_connection_is_used_again(authority: trustme.CA, tmp_path: Path) -> None:
    handler = Handler()
    outcomes = send(handler, authority, tmp_path, *(outbound(number) for number in range(5)))
    assert len(handler.messages) == len(outcomes) == 5
    assert len(handler.sessions) == 1


ANSWERS = [
    ({"rcpt": "550 5.1.1 <r1001@example.org> no such user"}, Refused("permanent_failure", "550 5.1.1 … no such user")),
    ({"rcpt": "451 4.7.1 greylisted"}, Refused("temporary_failure", "451 4.7.1 greylisted")),
    ({"rcpt": "421 4.3.2 closing"}, VendorUnavailable("421 4.3.2 closing")),
    ({"mail": "550 5.7.1 sender not allowed"}, VendorUnavailable("550 5.7.1 sender not allowed")),
    ({"mail": "451 4.3.0 try later"}, VendorUnavailable("451 4.3.0 try later")),
    ({"data": "554 5.7.1 refused"}, Refused("permanent_failure", "554 5.7.1 refused")),
    ({"data": "451 4.3.0 try later"}, Refused("temporary_failure", "451 4.3.0 try later")),
    ({"data": "421 4.3.2 closing"}, VendorUnavailable("421 4.3.2 closing")),
]


@pytest.mark.parametrize(("answers", "outcome"), ANSWERS, ids=lambda each: str(each) if isinstance(each, dict) else "")
def test_an_answer_is_about_the_recipient_or_about_the_server(
    answers: dict[str, str], outcome: SendOutcome, authority: trustme.CA, tmp_path: Path
) -> None:
    assert send(Handler(**answers), authority, tmp_path) == [outcome]


def test_a_message_whose_lease_ends_while_the_server_takes_its_time_is_not_handed_over(authority: trustme.CA, tmp_path: Path) -> None:
    message, next_message = outbound(), outbound(2, expires_at=AT + 60 * MINUTE)
    handler, late = Handler(), message.expires_at

    async def run() -> list[SendOutcome]:
        async with server(handler, authority) as port:
            relay = vendor(port, authority, tmp_path, lambda: late)
            try:
                return [await relay.send(message), await relay.send(next_message)]
            finally:
                await relay.close()

    first, second = asyncio.run(run())
    assert first == VendorUnavailable("the message's lease expired before the server was ready for it")
    assert isinstance(second, Accepted)
    assert len(handler.messages) == len(handler.sessions) == 1


def test_after_a_refused_recipient_the_connection_serves_the_next_message(authority: trustme.CA, tmp_path: Path) -> None:
    handler = Handler(rcpt="550 5.1.1 no such user")

    async def run() -> list[SendOutcome]:
        async with server(handler, authority) as port:
            relay = vendor(port, authority, tmp_path)
            first = await relay.send(outbound(1))
            handler.answers.clear()
            second = await relay.send(outbound(2))
            await relay.close()
            return [first, second]

    assert [type(each) for each in asyncio.run(run())] == [Refused, Accepted]


@pytest.mark.parametrize(
    "fields",
    [
        {"to": "two words@example.org"},
        {"to": "nobody"},
        {"to": "a@b@c"},
        {"subject": "two\nlines"},
        {"subject": "two\r\n"},
        {"to": "a@b.example.org\nBcc: c@d"},
    ],
)
def test_what_cannot_be_written_as_an_email_is_refused_and_holds_up_nobody(
    fields: dict[str, str], authority: trustme.CA, tmp_path: Path
) -> None:
    first, second = send(Handler(), authority, tmp_path, outbound(1, **fields), outbound(2))
    assert first == Refused("permanent_failure", "its address or subject cannot be written as an email")
    assert isinstance(second, Accepted)


def test_a_server_that_dies_before_the_dot_has_taken_nothing(authority: trustme.CA, tmp_path: Path) -> None:
    (outcome,) = send(Handler(), authority, tmp_path, kind=DiesBeforeTheDot)
    assert isinstance(outcome, VendorUnavailable)


@pytest.mark.parametrize("death", ["die", "stall"])
def test_a_server_that_is_not_heard_after_the_dot_may_have_taken_the_message(death: str, authority: trustme.CA, tmp_path: Path) -> None:
    handler = Handler(data=death)
    (outcome,) = send(handler, authority, tmp_path)
    assert outcome == Ambiguous("the connection broke after the message was handed over")
    assert len(handler.messages) == 1


@pytest.mark.parametrize("nonsense", ["banana", "999 what", "354 go on", "25 0 OK"])
def test_an_answer_after_the_dot_that_nobody_understands_says_nothing(nonsense: str, authority: trustme.CA, tmp_path: Path) -> None:
    """Taken for a refusal, the message would be sent again."""
    (outcome,) = send(Handler(data=nonsense), authority, tmp_path)
    assert outcome == Ambiguous("the connection broke after the message was handed over")


def test_an_answer_too_many_is_not_taken_for_that_to_the_next_message(authority: trustme.CA, tmp_path: Path) -> None:
    handler = Handler(data="twice")

    async def run() -> list[SendOutcome]:
        async with server(handler, authority) as port:
            relay = vendor(port, authority, tmp_path)
            first = await relay.send(outbound(1))
            handler.answers["data"] = "554 5.7.1 refused"
            later = [await relay.send(outbound(number)) for number in (2, 3)]
            await relay.close()
            return [first, *later]

    first, second, third = asyncio.run(run())
    assert isinstance(first, Accepted)
    assert second == VendorUnavailable("the server's answers do not fit the commands")
    assert third == Refused("permanent_failure", "554 5.7.1 refused")


def test_a_server_without_tls_gets_nothing(authority: trustme.CA, tmp_path: Path) -> None:
    handler = Handler()
    (outcome,) = send(handler, authority, tmp_path, tls_context=None, require_starttls=False)
    assert isinstance(outcome, VendorUnavailable)
    assert handler.messages == []


def test_a_server_whose_certificate_is_not_trusted_gets_nothing(authority: trustme.CA, tmp_path: Path) -> None:
    handler = Handler()

    async def run() -> SendOutcome:
        async with server(handler, trustme.CA()) as port:
            return await vendor(port, authority, tmp_path).send(outbound())

    assert isinstance(asyncio.run(run()), VendorUnavailable)
    assert handler.messages == []


def test_nobody_listens(authority: trustme.CA, tmp_path: Path) -> None:
    async def run() -> SendOutcome:
        async with server(Handler(), authority) as port:
            pass
        return await vendor(port, authority, tmp_path).send(outbound())

    assert asyncio.run(run()) == VendorUnavailable("the server could not be reached (SMTPConnectError)")


def test_a_login_that_is_refused_says_so_and_shows_no_password(authority: trustme.CA, tmp_path: Path) -> None:
    async def run() -> SendOutcome:
        options = {"authenticator": lambda *_: AuthResult(success=False, handled=False), "auth_required": True}
        async with server(Handler(), authority, **options) as port:
            relay = vendor(port, authority, tmp_path, username="vn", password="hunter2")
            return await relay.send(outbound())

    outcome = asyncio.run(run())
    assert isinstance(outcome, VendorUnavailable)
    assert "hunter2" not in outcome.detail


def test_what_a_server_says_is_kept_without_addresses() -> None:
    class Reply:
        code, message = 550, "5.1.1 <r1001@example.org>: user\nunknown r1001@example.org"

    assert reply_text(Reply()) == "550 5.1.1 … user unknown …"  # type: ignore[arg-type]


def test_an_envelope_id_is_written_as_rfc_3461_asks() -> None:
    assert xtext("R-1001.ab+c=d e") == "R-1001.ab+2Bc+3Dd+20e"
