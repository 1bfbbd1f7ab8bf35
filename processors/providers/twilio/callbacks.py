"""
Takes Twilio's callbacks and writes receipts.

Every callback is signed over the public URL and its fields (X-Twilio-Signature); one with a wrong signature gets 403, a
replay of one that this process has taken 409. A replay after a restart, or to another copy, is written again and changes nothing:
deliver takes a receipt once for each attempt, identify a message once by its id (docs/providers.md). One that is answered 2xx has been
written; whatever happens before that, Twilio posts it again. No answer says what a reference stands for.
"""

import base64
import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Final
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from processors.domain.external import InboundForm, ReceiptForm
from processors.providers.twilio.codes import call_status, message_status
from processors.providers.twilio.twiml import HANG_UP, NO_ANSWER, OPT_OUT_KEY, PIN_DIGITS, TRIES, ask_again
from processors.runtime.run.faults import Point

REMEMBERED: Final = 100_000  # callbacks that a replay is recognised of
MOST_BYTES: Final = 64 * 1024

Fields = Sequence[tuple[str, str]]
Reader = Callable[[Mapping[str, str], str], ReceiptForm | InboundForm | None]  # of the fields, and the account's name


@dataclass(frozen=True, slots=True)
class Caller:
    """An account that posts callbacks: its name as a vendor, its token, and the public URL that it was given."""

    name: str
    token: str
    public_url: str


Answer = Callable[[Mapping[str, str], Caller], str]


@dataclass(slots=True)
class Callbacks:
    """
    The endpoint's state: the accounts that may post, the writer of records, and the callbacks already taken.

    `write` hands a record to the broker; what it returns waits until the broker has it. `again` is what is said, by language, after a
    PIN was keyed in.
    """

    callers: Sequence[Caller]
    write: Callable[[ReceiptForm | InboundForm], Awaitable[None]]
    now: Callable[[], int]
    again: Callable[[str], str]
    fault: Callable[[Point], None] = lambda _: None
    taken: "OrderedDict[str, None]" = field(default_factory=OrderedDict)

    def caller(self, path: str, fields: Fields, given: str) -> Caller | None:
        """Return the account that signed a callback; None if none did."""
        signed = ((each, signature(each.token, each.public_url + path, fields)) for each in self.callers)
        return next((each for each, right in signed if hmac.compare_digest(given.encode(), right.encode())), None)

    def remember(self, callback: str) -> None:
        """Remember a callback that was taken, so that a replay of it is recognised."""
        self.taken[callback] = None
        if len(self.taken) > REMEMBERED:
            self.taken.popitem(last=False)


def application(state: Callbacks) -> Starlette:
    """Return the endpoint: status of messages and calls, keys pressed in calls, messages that registrants send."""

    async def handle(request: Request, record: Reader, answer: Answer | None = None) -> Response:
        body = await body_of(request)
        state.fault("read")
        if body is None:
            return PlainTextResponse("too large", 413)
        fields = parse_qsl(body.decode("utf-8", errors="replace"), keep_blank_values=True)
        given = request.headers.get("x-twilio-signature", "")
        path = request.scope["raw_path"].decode("ascii", errors="replace")
        caller = state.caller(path, fields, given)
        if caller is None:
            return PlainTextResponse("the signature is wrong", 403)
        callback = f"{path} {given}"
        if callback in state.taken:
            return PlainTextResponse("this callback was taken before", 409)
        named = dict(fields)
        found = record(named, caller.name)
        if found is not None:
            state.fault("decided")
            writing = state.write(found)
            state.fault("produced")
            await writing
            state.fault("committed")
        state.remember(callback)  # only now: one that could not be written comes again
        state.fault("applied")
        return Response(status_code=204) if answer is None else Response(answer(named, caller), media_type="text/xml")

    async def message(request: Request) -> Response:
        reference = request.path_params["reference"]
        return await handle(request, lambda fields, name: message_receipt(reference, fields, name, state.now()))

    async def call(request: Request) -> Response:
        reference = request.path_params["reference"]
        return await handle(request, lambda fields, name: call_receipt(reference, fields, name, state.now()))

    async def keys(request: Request) -> Response:
        reference = request.path_params["reference"]
        record: Reader = lambda fields, name: keys_receipt(reference, fields, name, state.now())  # noqa: E731
        return await handle(request, record, after_keys(request, state.again))

    async def inbound(request: Request) -> Response:
        return await handle(request, lambda fields, name: inbound_message(fields, name, state.now()), lambda *_: NO_ANSWER)

    return Starlette(
        routes=[
            Route("/sms/{reference}", message, methods=["POST"]),
            Route("/voice/{reference}", call, methods=["POST"]),
            Route("/voice/{reference}/keys", keys, methods=["POST"]),
            Route("/voice/{reference}/keys/{language}/{number:int}", keys, methods=["POST"]),
            Route("/inbound", inbound, methods=["POST"]),
        ]
    )


async def body_of(request: Request) -> bytes | None:
    """Return the body; None if it is too large, of which no more is read."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return None
    return body


def after_keys(request: Request, again: Callable[[str], str]) -> Answer:
    """Return what a caller hears after keys were pressed: of a PIN the question for another, up to three; else the call ends."""
    language, number = request.path_params.get("language", ""), request.path_params.get("number", TRIES)

    def answer(fields: Mapping[str, str], caller: Caller) -> str:
        if number >= TRIES or fields.get("Digits") == OPT_OUT_KEY:
            return HANG_UP
        path = str(request.scope["raw_path"], "ascii", "replace").rpartition("/")[0]
        return ask_again(f"{caller.public_url}{path}/{number + 1}", language, again(language))

    return answer


def signature(token: str, url: str, fields: Fields) -> str:
    """Return Twilio's signature of a callback: HMAC-SHA1 of the URL and the sorted fields, in base64."""
    text = url + "".join(f"{name}{value}" for name, value in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), sha1).digest()).decode()


def message_receipt(reference: str, fields: Mapping[str, str], provider: str, at: int) -> ReceiptForm | None:
    """Return the receipt of a text message's status; None for a status that says nothing."""
    code = fields.get("ErrorCode", "")
    status = message_status(fields.get("MessageStatus", ""), code)
    return None if status is None else receipt(reference, status, provider, at, detail=f"Twilio error {code}" if code else None)


def call_receipt(reference: str, fields: Mapping[str, str], provider: str, at: int) -> ReceiptForm | None:
    """Return the receipt of a call's status; None for a status that says nothing."""
    status = call_status(fields.get("CallStatus", ""), fields.get("AnsweredBy", ""))
    return None if status is None else receipt(reference, status, provider, at)


def keys_receipt(reference: str, fields: Mapping[str, str], provider: str, at: int) -> ReceiptForm | None:
    """Return the receipt of keys pressed in a call: an opt-out, or digits that may be the PIN."""
    digits = fields.get("Digits", "")
    if digits == OPT_OUT_KEY:
        return receipt(reference, "opted_out", provider, at)
    if len(digits) == PIN_DIGITS and digits.isdigit():
        return receipt(reference, "confirmed", provider, at, digits=digits)
    return receipt(reference, "unconfirmed", provider, at)


def inbound_message(fields: Mapping[str, str], provider: str, at: int) -> InboundForm:
    """Return a text message that somebody sent to our number."""
    return InboundForm(
        provider=provider,
        channel="sms",
        sender=fields.get("From", ""),
        to=fields.get("To", ""),
        body=fields.get("Body", ""),
        occurred_at=at,
        id=fields.get("MessageSid"),
    )


def receipt(reference: str, status: str, provider: str, at: int, **more: str | None) -> ReceiptForm:
    """Return a receipt; `more` may be its `detail` or `digits`."""
    return ReceiptForm(reference=reference, status=status, occurred_at=at, provider=provider, **more)
