"""
Twilio: requests, answers, callbacks.

The HTTP API is the one stand-in here: its answers are written from Twilio's documentation, not given by Twilio.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from html import unescape
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

import httpx2
import pytest
from starlette.requests import Request

from processors.domain.external import InboundForm, ReceiptForm
from processors.providers.outcome import Accepted, Ambiguous, Refused, SendOutcome, VendorUnavailable
from processors.providers.twilio.api import Account, TwilioVendor
from processors.providers.twilio.callbacks import MAX_BODY_BYTES, CallbackAccount, Callbacks, body_of, callback_app, signature
from processors.providers.twilio.codes import meaning, tables
from processors.providers.twilio.twiml import POST_AGAIN, twiml_of
from processors.runtime.metrics import UNKNOWN_CODES
from tests.providers.given import AT, MINUTE, outbound, prompt
from tests.web_client import client_of

ACCOUNT = Account("AC1", "secret", "+18045550100", "https://vn.example.org/twilio")
TEXT = outbound(channel="sms", to="+18045550107", subject=None, body="VN: John Q Sample has left Virginia.")
CALL = outbound(channel="voice", to="+18045550108", subject=None, body="Hello. Case 26-001432. In an emergency, call 911.", confirm=True)
REFERENCE = TEXT.reference


def send(answer: Any, message: Any = TEXT) -> tuple[SendOutcome, list[httpx2.Request]]:
    requests: list[httpx2.Request] = []

    def respond(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer[0], json=answer[1]) if isinstance(answer[1], dict) else httpx2.Response(answer[0], text=answer[1])

    async def run() -> SendOutcome:
        vendor = TwilioVendor("twilio", ACCOUNT, prompt, lambda: AT, httpx2.MockTransport(respond))
        try:
            return await vendor.send(message)
        finally:
            await vendor.close()

    return asyncio.run(run()), requests


# --- handing over


def test_a_text_message_carries_its_reference_and_its_lease() -> None:
    outcome, (request,) = send((201, {"sid": "SM1", "status": "queued"}))
    assert outcome == Accepted("accepted", "Twilio SM1")
    assert str(request.url) == "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"
    assert dict(parse_qsl(request.content.decode())) == {
        "To": "+18045550107",
        "From": "+18045550100",
        "StatusCallback": f"https://vn.example.org/twilio/sms/{REFERENCE}{POST_AGAIN}",
        "Body": TEXT.body,
        "ValidityPeriod": "900",
    }


def test_a_second_answer_to_one_message_is_not_taken_for_the_answer_to_the_next() -> None:
    answers = iter((b'{"sid": "SM1"}', b'{"code": 30005}'))
    tasks: list[asyncio.Task[Any] | None] = []

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(re.findall(rb"(?i)content-length: (\d+)", head)[0]))
                body = next(answers)
                status = b"400" if b"code" in body else b"201"
                writer.write(b"HTTP/1.1 %b -\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body) * 2)
                await writer.drain()
        writer.close()

    async def run() -> list[SendOutcome]:
        server = await asyncio.start_server(respond, "127.0.0.1", 0)
        async with server:
            address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            vendor = TwilioVendor("twilio", replace(ACCOUNT, base_url=address), prompt, lambda: AT)
            outcomes = [await vendor.send(TEXT), await vendor.send(TEXT)]
            await vendor.close()
            await asyncio.gather(*filter(None, tasks))
        return outcomes

    first, second = asyncio.run(run())
    assert first == Accepted("accepted", "Twilio SM1")
    assert isinstance(second, Refused)


@pytest.mark.parametrize(("left", "connecting"), [(15 * MINUTE, 15.0), (4_000, 4.0), (0, 0.001)])
def test_connecting_takes_no_longer_than_the_lease(left: int, connecting: float) -> None:
    _, (request,) = send((201, {"sid": "SM1"}), outbound(channel="sms", expires_at=AT + left))
    assert request.extensions["timeout"]["connect"] == connecting
    assert request.extensions["timeout"]["read"] == ACCOUNT.timeout


def test_a_lease_longer_than_twilio_takes_is_cut() -> None:
    _, (request,) = send((201, {"sid": "SM1"}), outbound(channel="sms", expires_at=AT + 1_440 * MINUTE))
    assert dict(parse_qsl(request.content.decode()))["ValidityPeriod"] == "36000"


def test_a_call_asks_for_the_pin() -> None:
    _, (request,) = send((201, {"sid": "CA1"}), CALL)
    fields = dict(parse_qsl(request.content.decode()))
    assert str(request.url).endswith("/Calls.json")
    assert fields["MachineDetection"] == "DetectMessageEnd"
    action = re.search(r'action="([^"]*)"', fields["Twiml"])
    assert action is not None
    assert unescape(action[1]) == f"https://vn.example.org/twilio/voice/{CALL.reference}/keys/en/1{POST_AGAIN}"
    assert fields["Twiml"].count("<s>Hello.</s>") == 2
    assert fields["Twiml"].count("<p>Enter your PIN (en).</p>") == 2


def test_plain_text_is_escaped_in_a_call() -> None:
    assert "Smith &amp; &lt;Sons&gt;" in twiml_of(outbound(channel="voice", body="Smith & <Sons>"), "https://x", prompt)


ANSWERS = [
    ((400, {"code": 21211}), Refused("permanent_failure", "Twilio error 21211")),
    ((400, {"code": 21610}), Refused("opted_out", "Twilio error 21610")),
    ((429, {"code": 20429}), VendorUnavailable("Twilio answered 429")),
    ((503, "down"), VendorUnavailable("Twilio answered 503")),
    ((401, {"message": "no"}), VendorUnavailable("Twilio answered 401 without a code")),
    ((500, "oops"), Ambiguous("Twilio answered 500 without a code")),
    ((502, "bad gateway"), Ambiguous("Twilio answered 502 without a code")),
    ((201, "not json"), Ambiguous("Twilio answered without an id")),
    (httpx2.ConnectError("refused"), VendorUnavailable("Twilio could not be reached (ConnectError)")),
    (httpx2.ConnectTimeout("slow"), VendorUnavailable("Twilio could not be reached (ConnectTimeout)")),
    (httpx2.ReadTimeout("slow"), Ambiguous("the request was sent and not answered (ReadTimeout)")),
    (httpx2.ReadError("reset"), Ambiguous("the request was sent and not answered (ReadError)")),
]


@pytest.mark.parametrize(("answer", "outcome"), ANSWERS, ids=str)
def test_what_an_answer_means(answer: Any, outcome: SendOutcome) -> None:
    assert send(answer)[0] == outcome


def test_an_unknown_code_is_a_technical_failure_and_counted() -> None:
    before = UNKNOWN_CODES.labels("twilio")._value.get()
    assert send((400, {"code": 99999}))[0] == VendorUnavailable("Twilio error 99999")
    assert UNKNOWN_CODES.labels("twilio")._value.get() == before + 1


def test_every_code_means_something() -> None:
    assert {meaning(code) for code in tables()["codes"]} == {"unavailable", "temporary_failure", "permanent_failure", "opted_out"}
    assert all(re.fullmatch(r"\d{5}", code) for code in tables()["codes"])


# --- callbacks


CALLER = CallbackAccount("twilio", "secret", "https://vn.example.org/twilio")


def again(language: str) -> str:
    return f"Another PIN ({language})?"


def post(
    path: str, fields: dict[str, str], *, given: str | None = None, times: int = 1
) -> tuple[list[int], list[ReceiptForm | InboundForm]]:
    written: list[ReceiptForm | InboundForm] = []

    async def write(record: ReceiptForm | InboundForm) -> None:
        written.append(record)

    client = client_of(callback_app(Callbacks([CALLER], write, lambda: AT, again)))
    sign = given if given is not None else signature("secret", f"https://vn.example.org/twilio{path}", list(fields.items()))
    headers = {"X-Twilio-Signature": sign.encode("latin-1"), "Content-Type": "application/x-www-form-urlencoded"}
    return [client.post(path, content=urlencode(fields), headers=headers).status_code for _ in range(times)], written


def test_the_signature_is_the_one_of_twilios_documentation() -> None:
    """https://www.twilio.com/docs/usage/security: the example with the token 12345."""
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    assert signature("12345", "https://example.com/myapp.php?foo=1&bar=2", list(fields.items())) == "L/OH5YylLD5NRKLltdqwSvS0BnU="


STATUSES = [
    ("sms", {"MessageStatus": "delivered"}, "delivered"),
    ("sms", {"MessageStatus": "sent"}, "accepted"),
    ("sms", {"MessageStatus": "undelivered", "ErrorCode": "30003"}, "temporary_failure"),
    ("sms", {"MessageStatus": "undelivered", "ErrorCode": "30005"}, "permanent_failure"),
    ("sms", {"MessageStatus": "failed", "ErrorCode": "21610"}, "opted_out"),
    ("sms", {"MessageStatus": "failed", "ErrorCode": "99999"}, "temporary_failure"),
    ("voice", {"CallStatus": "busy"}, "busy"),
    ("voice", {"CallStatus": "no-answer"}, "no_answer"),
    ("voice", {"CallStatus": "completed", "AnsweredBy": "human"}, "unconfirmed"),
    ("voice", {"CallStatus": "completed", "AnsweredBy": "machine_end_beep"}, "voicemail"),
    ("voice", {"CallStatus": "completed", "AnsweredBy": "unknown"}, "voicemail"),
    ("voice", {"CallStatus": "completed"}, "voicemail"),
]


@pytest.mark.parametrize(("channel", "fields", "status"), STATUSES, ids=str)
def test_a_callback_is_a_receipt(channel: str, fields: dict[str, str], status: str) -> None:
    codes, (found,) = post(f"/{channel}/{REFERENCE}", fields)
    assert codes == [204]
    assert isinstance(found, ReceiptForm)
    assert (found.reference, found.status, found.provider, found.occurred_at) == (REFERENCE, status, "twilio", AT)


def test_a_status_that_nobody_knows_is_no_receipt() -> None:
    assert post(f"/sms/{REFERENCE}", {"MessageStatus": "teleported"}) == ([204], [])


@pytest.mark.parametrize(("digits", "status"), [("4821", "confirmed"), ("9", "opted_out"), ("", "unconfirmed"), ("12", "unconfirmed")])
def test_keys_pressed_in_a_call(digits: str, status: str) -> None:
    codes, (found,) = post(f"/voice/{REFERENCE}/keys", {"Digits": digits})
    assert codes == [200]
    assert isinstance(found, ReceiptForm)
    assert (found.status, found.digits) == (status, "4821" if status == "confirmed" else None)


def test_a_call_takes_three_tries_at_the_pin() -> None:
    """Nobody here knows which PIN is right (contract §5): each try goes to deliver, which takes three."""
    path, heard = f"/voice/{REFERENCE}/keys/es/1", []
    written: list[Any] = []

    async def write(record: ReceiptForm | InboundForm) -> None:
        written.append(record)

    client = client_of(callback_app(Callbacks([CALLER], write, lambda: AT, again)))
    for digits in ("0000", "00", "4821", "1111"):
        headers = {"X-Twilio-Signature": signature("secret", f"https://vn.example.org/twilio{path}", [("Digits", digits)])}
        answer = client.post(path, data={"Digits": digits}, headers=headers).text
        heard.append(answer)
        action = re.search(r'action="([^"#]*)', answer)
        if action is None:
            break
        path = unescape(action[1]).removeprefix("https://vn.example.org/twilio")
    assert [(each.status, each.digits) for each in written] == [("confirmed", "0000"), ("unconfirmed", None), ("confirmed", "4821")]
    assert ["Another PIN (es)?" in each for each in heard] == [True, True, False]
    assert 'language="es-US"' in heard[0]
    assert "<Hangup/>" in heard[-1]


def test_a_call_whose_number_opts_out_ends() -> None:
    path = f"/voice/{REFERENCE}/keys/en/1"
    client = client_of(callback_app(Callbacks([replace(CALLER, public_url="https://vn.example.org")], nothing, lambda: AT, again)))
    headers = {"X-Twilio-Signature": signature("secret", f"https://vn.example.org{path}", [("Digits", "9")])}
    assert "<Hangup/>" in client.post(path, data={"Digits": "9"}, headers=headers).text


async def nothing(_: ReceiptForm | InboundForm) -> None:
    """Write nothing."""


def test_a_message_that_somebody_sends_goes_to_inbound() -> None:
    _, found = post("/inbound", {"MessageSid": "SM1", "From": "+18045550107", "To": "+18045550100", "Body": "STOP"})
    assert found == [
        InboundForm(provider="twilio", channel="sms", sender="+18045550107", to="+18045550100", body="STOP", occurred_at=AT, id="SM1")
    ]


@pytest.mark.parametrize(
    "given", ["", "bad", "\u00e9" * 28, signature("other", f"https://vn.example.org/twilio/sms/{REFERENCE}", [("MessageStatus", "sent")])]
)
def test_a_wrong_signature_is_refused(given: str) -> None:
    assert post(f"/sms/{REFERENCE}", {"MessageStatus": "sent"}, given=given) == ([403], [])


def test_a_signature_of_another_url_or_other_fields_is_refused() -> None:
    other = signature("secret", "https://vn.example.org/twilio/sms/R-9.x", [("MessageStatus", "sent")])
    assert post(f"/sms/{REFERENCE}", {"MessageStatus": "sent"}, given=other) == ([403], [])
    fields = signature("secret", f"https://vn.example.org/twilio/sms/{REFERENCE}", [("MessageStatus", "delivered")])
    assert post(f"/sms/{REFERENCE}", {"MessageStatus": "sent"}, given=fields) == ([403], [])


def test_each_account_of_the_file_signs_its_own_callbacks() -> None:
    """Texts fail over from one account to the next, and each reports to the same receiver."""
    written: list[Any] = []

    async def write(record: ReceiptForm | InboundForm) -> None:
        written.append(record)

    second = CallbackAccount("twilio-2", "another secret", "https://vn.example.org/second")
    client = client_of(callback_app(Callbacks([CALLER, second], write, lambda: AT, again)))
    for caller in (CALLER, second):
        given = signature(caller.token, f"{caller.public_url}/sms/{REFERENCE}", [("MessageStatus", "delivered")])
        answer = client.post(f"/sms/{REFERENCE}", data={"MessageStatus": "delivered"}, headers={"X-Twilio-Signature": given})
        assert answer.status_code == 204
    assert [each.provider for each in written] == ["twilio", "twilio-2"]
    mixed = signature(CALLER.token, f"{second.public_url}/sms/{REFERENCE}", [("MessageStatus", "sent")])
    assert client.post(f"/sms/{REFERENCE}", data={"MessageStatus": "sent"}, headers={"X-Twilio-Signature": mixed}).status_code == 403


class Endless:
    """A request whose body has no end."""

    read = 0

    async def stream(self) -> AsyncIterator[bytes]:
        while True:
            self.read += 1024
            yield bytes(1024)


def test_of_a_body_that_is_too_large_no_more_is_read() -> None:
    """Whoever posts here need not have signed anything yet."""
    request = Endless()
    assert asyncio.run(body_of(cast("Request", request))) is None
    assert request.read == MAX_BODY_BYTES + 1024


def test_a_replay_is_refused_and_writes_nothing() -> None:
    codes, found = post(f"/sms/{REFERENCE}", {"MessageStatus": "sent"}, times=3)
    assert codes == [204, 409, 409]
    assert len(found) == 1


def test_a_callback_that_could_not_be_written_may_come_again() -> None:
    failures = [OSError("the broker is away")]
    written: list[ReceiptForm | InboundForm] = []

    async def write(record: ReceiptForm | InboundForm) -> None:
        if failures:
            raise failures.pop()
        written.append(record)

    path, fields = f"/sms/{REFERENCE}", {"MessageStatus": "sent"}
    client = client_of(
        callback_app(Callbacks([replace(CALLER, public_url="https://vn.example.org")], write, lambda: AT, again)), raises=False
    )
    headers = {"X-Twilio-Signature": signature("secret", f"https://vn.example.org{path}", list(fields.items()))}
    assert [client.post(path, data=fields, headers=headers).status_code for _ in range(2)] == [500, 204]
    assert len(written) == 1


def test_nothing_is_done_by_a_get() -> None:
    client = client_of(callback_app(Callbacks([replace(CALLER, public_url="https://vn.example.org")], nothing, lambda: AT, again)))
    assert client.get(f"/sms/{REFERENCE}").status_code == 405
