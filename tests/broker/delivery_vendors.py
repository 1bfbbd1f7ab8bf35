"""
A fake SMTP server and a fake Twilio HTTP API; each keeps its own log and misbehaves as scripted.

The SMTP server is aiosmtpd. Twilio's API is a stand-in written from its documentation: it answers requests and posts signed
callbacks to the copies of the receiver in turn, and posts one again that was neither taken nor refused. Every second message is
treated as `smtp`, `api` and `callbacks` say; the others go well.
"""

import asyncio
import json
import re
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from email import message_from_bytes
from html import unescape
from pathlib import Path
from threading import Thread
from time import time
from typing import Any, Final
from urllib.parse import parse_qsl, urldefrag, urlencode

import httpx2
import trustme
from aiosmtpd.smtp import SMTP

from processors.providers.mail import reference_of
from processors.providers.twilio.callbacks import signature
from tests.delivery.oracle import Callback, Send

TOKEN: Final = "a token of the stand-in"
PUBLIC_URL: Final = "https://vn.example.org/twilio"  # behind it stand the copies of the receiver
STALL: Final = 3.0  # seconds, longer than providers wait for an answer (TIMEOUT)
TIMEOUT: Final = 1.5
LATE: Final = 2.0  # seconds until a late callback
SMTP_FAULTS: Final = (
    "dies_before_the_dot",
    "dies_taken",
    "dies_untaken",
    "stalls_before_the_dot",
    "stalls_taken",
    "answers_twice",
    "answers_late",
    "nonsense_taken",
    "nonsense_untaken",
    "busy_451",
    "refuses_550",
    "closes_421",
)
API_FAULTS: Final = (
    "dies_taken",
    "dies_untaken",
    "stalls_taken",
    "answers_twice",
    "nonsense_taken",
    "error_500_taken",
    "error_500_untaken",
    "busy_429",
    "busy_503",
    "refuses_21211",
    "opted_out_21610",
    "unknown_code",
)
CALLBACK_FAULTS: Final = ("twice", "late", "before_the_answer", "never", "nonsense", "failures", "wrong_pin", "out_of_order")
API_REPLIES: Final[Mapping[str, tuple[int, bytes]]] = {
    "nonsense_taken": (201, b"<html>banana</html>"),
    "error_500_taken": (500, b"oops"),
    "error_500_untaken": (500, b"oops"),
    "busy_429": (429, b'{"code": 20429}'),
    "busy_503": (503, b""),
    "refuses_21211": (400, b'{"code": 21211}'),
    "opted_out_21610": (400, b'{"code": 21610}'),
    "unknown_code": (400, b'{"code": 99999}'),
}
SMTP_REPLIES: Final = {
    "answers_twice": "250 2.0.0 queued\r\n250 2.0.0 queued",
    "nonsense_taken": "banana",
    "nonsense_untaken": "999 banana",
    "busy_451": "451 4.3.0 try later",
    "refuses_550": "550 5.1.1 no such user",
    "closes_421": "421 4.3.2 closing",
}
UNTAKEN: Final = {
    "dies_untaken",
    "nonsense_untaken",
    "error_500_untaken",
    "busy_451",
    "refuses_550",
    "closes_421",
    "busy_429",
    "busy_503",
    "refuses_21211",
    "opted_out_21610",
    "unknown_code",
}
POSTS: Final = 120  # times that a callback is posted until it is taken
PAUSE: Final = 0.5
ACTION: Final = re.compile(r'action="([^"#]*)')
TAKEN_BEFORE: Final = 409
MEANINGS: Final[Mapping[str, str]] = {  # the receipt of a status, as docs/providers.md says
    "sent": "accepted",
    "delivered": "delivered",
    "busy": "busy",
    "no-answer": "no_answer",
    "completed human": "unconfirmed",
    "completed machine_end_beep": "voicemail",
    "undelivered 30003": "temporary_failure",
    "undelivered 30005": "permanent_failure",
}


class Vendors:
    """
    Both vendors in a thread of their own.

    `sends` is what they were given, `answered` the callbacks of which the receiver said that it has them. `callback_ports` are those
    of the receiver's copies, the latest first. `pins` are what those who answer a number key in. `phase` is called at every step of
    a call, by its name: `rcpt` before the final dot, `dot` after it, `request` once a request was read.
    """

    def __init__(self, folder: Path) -> None:
        self.sends: list[Send] = []
        self.answered: list[Callback] = []
        self.callback_ports: tuple[int, ...] = ()
        self.done: Counter[str] = Counter()
        self.pins: dict[str, str] = {}
        self.smtp = self.api = self.callbacks = ""
        self.phase: Callable[[str], None] = lambda _: None
        self.ca = folder / "ca.pem"
        self._messages = Counter[str]()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listening = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.smtp_port, self.api_port = (each.sockets[0].getsockname()[1] for each in self._listening)

    async def _listen(self) -> tuple[asyncio.Server, asyncio.Server]:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self._client = httpx2.AsyncClient(timeout=TIMEOUT)
        mail = await self._loop.create_server(
            lambda: Mailbox(self, self, tls_context=context, require_starttls=True, hostname="mx.example.org"), "127.0.0.1", 0
        )
        return mail, await asyncio.start_server(self._answer_api, "127.0.0.1", 0)

    @property
    def posting(self) -> bool:
        """Whether a callback is still to be posted."""
        return bool(self._tasks)

    def close(self) -> None:
        """Stop listening and forget the callbacks still to come."""

        async def close() -> None:
            for each in self._listening:
                each.close()
            for task in self._tasks:
                task.cancel()
            await self._client.aclose()
            await asyncio.sleep(0.1)  # connections of providers that are gone are noticed

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def next_fault(self, kind: str, fault: str) -> str:
        """Return how this message is treated: as the fault says if it is every second one, else well."""
        self._messages[kind] += 1
        if not fault or self._messages[kind] % 2:
            return ""
        self.done[f"{kind}.{fault}"] += 1
        return fault

    def note(self, reference: str, to: str, *, taken: bool = True) -> None:
        self.sends.append(Send(reference, to, int(time() * 1000), taken))

    # -- SMTP: aiosmtpd calls these

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802, ARG002
        envelope.rcpt_tos.append(address)
        self.phase("rcpt")
        if self.smtp == "stalls_before_the_dot" and self.next_fault("smtp", self.smtp):
            await asyncio.sleep(STALL)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802, ARG002
        fault = self.next_fault("smtp", self.smtp) if not self.smtp.endswith("before_the_dot") else ""
        reference = reference_of(message_from_bytes(envelope.content)["Message-ID"])
        self.note(reference, envelope.rcpt_tos[0], taken=fault not in UNTAKEN)
        self.phase("dot")
        if fault.startswith("dies"):
            server.transport.abort()
        elif fault == "stalls_taken":
            await asyncio.sleep(STALL)
        elif fault == "answers_late":
            await asyncio.sleep(TIMEOUT / 2)
        return SMTP_REPLIES.get(fault, "250 2.0.0 queued")

    # -- Twilio

    async def _answer_api(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
                fields = dict(parse_qsl((await reader.readexactly(length)).decode()))
                if not await self._take(fields, "voice" if b"/Calls.json" in head.split(b"\r\n")[0] else "sms", writer):
                    break
        writer.close()

    async def _take(self, fields: Mapping[str, str], channel: str, writer: asyncio.StreamWriter) -> bool:
        """Take one message or call; return whether the connection stays."""
        fault = self.next_fault("api", self.api)
        callback = urldefrag(fields["StatusCallback"]).url  # the fragment says how often it is posted, and is no part of it
        taken = fault not in UNTAKEN
        self.note(callback.rpartition("/")[2], fields["To"], taken=taken)
        self.phase("request")
        if fault.startswith("dies"):
            writer.transport.abort()
        told = self._report(fields["To"], channel, callback, fields.get("Twiml", "")) if taken else None
        if told is not None and self.callbacks == "before_the_answer":
            await told
        elif told is not None:
            self._tasks.add(task := asyncio.create_task(told))
            task.add_done_callback(self._tasks.discard)
        if fault.startswith("dies"):
            return False
        if fault == "stalls_taken":
            await asyncio.sleep(STALL)
        status, body = API_REPLIES.get(fault, (201, json.dumps({"sid": f"SM{len(self.sends)}", "status": "queued"}).encode()))
        reply = b"HTTP/1.1 %d -\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
        writer.write(reply * (2 if fault == "answers_twice" else 1))
        await writer.drain()
        return True

    async def _report(self, to: str, channel: str, callback: str, twiml: str) -> None:
        """Post the callbacks that follow from a message that was taken."""
        fault = self.next_fault("callbacks", self.callbacks)
        if fault == "never":
            return
        if fault == "late":
            await asyncio.sleep(LATE)
        steps = [*self._text_steps(callback, fault)] if channel == "sms" else [*self._call_steps(to, callback, fault, twiml)]
        if fault == "nonsense":
            url = callback.rpartition("/")[0]
            await self._post(f"{url}/R-0.000000000000", steps[0][1])  # of no message of ours
            await self._post(callback, {"MessageStatus": "teleported", "CallStatus": "teleported"})
            await self._post(callback, steps[-1][1], token="another token")
        for url, fields in reversed(steps) if fault == "out_of_order" else steps:
            for _ in range(3 if fault == "twice" else 1):
                await self._post(url, fields)

    def _text_steps(self, callback: str, fault: str) -> Any:
        yield callback, {"MessageStatus": "sent"}
        if fault == "failures":
            code = ("30003", "30005")[self.done["callbacks.failures"] % 2]  # for now, for good
            yield callback, {"MessageStatus": "undelivered", "ErrorCode": code}
        else:
            yield callback, {"MessageStatus": "delivered"}

    def _call_steps(self, to: str, callback: str, fault: str, twiml: str) -> Any:
        if fault == "failures":
            yield (
                callback,
                ({"CallStatus": "busy"}, {"CallStatus": "no-answer"}, {"CallStatus": "completed", "AnsweredBy": "machine_end_beep"})[
                    self.done["callbacks.failures"] % 3
                ],
            )
            return
        action = ACTION.search(twiml)
        if action is not None:
            yield unescape(action[1]), {"Digits": "0000" if fault == "wrong_pin" else self.pins[to]}
        yield callback, {"CallStatus": "completed", "AnsweredBy": "human"}

    async def _post(self, url: str, fields: Mapping[str, str], token: str = TOKEN) -> None:
        """Post one callback until it is taken or refused, to one copy of the receiver after the other."""
        given = signature(token, url, list(fields.items()))
        headers = {"X-Twilio-Signature": given, "Content-Type": "application/x-www-form-urlencoded"}
        path = url.removeprefix(PUBLIC_URL)
        for number in range(POSTS):
            with suppress(httpx2.HTTPError):
                port = self.callback_ports[number % len(self.callback_ports)]
                answer = await self._client.post(f"http://127.0.0.1:{port}{path}", content=urlencode(fields), headers=headers)
                if answer.is_success or answer.status_code == TAKEN_BEFORE:
                    self._note_answered(path, fields)
                if answer.status_code < 500:
                    return
            await asyncio.sleep(PAUSE)

    def _note_answered(self, path: str, fields: Mapping[str, str]) -> None:
        """Keep what a callback that was taken says, if it says anything."""
        digits = fields.get("Digits")
        words = " ".join(fields.get(name, "") for name in ("MessageStatus", "CallStatus", "AnsweredBy", "ErrorCode")).split()
        status = "confirmed" if digits else MEANINGS.get(" ".join(words))
        if status is not None:
            self.answered.append(Callback(path.split("/")[2], status, digits))


class Mailbox(SMTP):
    """One connection of the SMTP server, which may go away once it has asked for the message."""

    def __init__(self, vendors: Vendors, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._vendors = vendors

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  as aiosmtpd names them
        vendors = self._vendors
        if vendors.smtp == "dies_before_the_dot" and vendors.next_fault("smtp", vendors.smtp) and self.transport is not None:
            self.transport.write(b"354 go ahead\r\n")
            self.transport.close()
            return
        await super().smtp_DATA(arg)
