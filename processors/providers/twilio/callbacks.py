"""
Receives Twilio's callbacks and writes receipts.

Every callback is signed over the public URL and its fields (X-Twilio-Signature). A wrong signature gets 403, a replay of a
callback that this process has accepted gets 409. A replay after a restart, or to another copy, is written again and changes
nothing: deliver counts a receipt once per attempt, identify an inbound message once by its id (docs/providers.md). A callback
that is answered 2xx has been written; otherwise Twilio posts it again. No response reveals what a reference belongs to.
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

MAX_REMEMBERED: Final = 100_000  # callbacks remembered to recognize replays
MAX_BODY_BYTES: Final = 64 * 1024

Fields = Sequence[tuple[str, str]]
RecordBuilder = Callable[[Mapping[str, str], str], ReceiptForm | InboundForm | None]  # from the fields and the account's name


@dataclass(frozen=True, slots=True)
class CallbackAccount:
    """An account that posts callbacks: its vendor name, its token, and the public URL that it posts to."""

    name: str
    token: str
    public_url: str


Answer = Callable[[Mapping[str, str], CallbackAccount], str]


@dataclass(slots=True)
class Callbacks:
    """
    The endpoint's state: the accounts that may post, the writer of records, and the callbacks already accepted.

    `write` produces a record and returns an awaitable that waits until the broker has it. `again` returns what is said after a PIN
    was keyed in, by language.
    """

    accounts: Sequence[CallbackAccount]
    write: Callable[[ReceiptForm | InboundForm], Awaitable[None]]
    now: Callable[[], int]
    again: Callable[[str], str]
    fault: Callable[[Point], None] = lambda _: None
    accepted: "OrderedDict[str, None]" = field(default_factory=OrderedDict)

    def signing_account(self, path: str, fields: Fields, given: str) -> CallbackAccount | None:
        """Return the account whose signature of the callback is `given`; None if there is none."""
        signatures = ((each, signature(each.token, each.public_url + path, fields)) for each in self.accounts)
        return next((each for each, expected in signatures if hmac.compare_digest(given.encode(), expected.encode())), None)

    def remember(self, callback: str) -> None:
        """Remember an accepted callback, so that a replay of it is recognized."""
        self.accepted[callback] = None
        if len(self.accepted) > MAX_REMEMBERED:
            self.accepted.popitem(last=False)


def callback_app(state: Callbacks) -> Starlette:
    """Return the endpoint for the status of messages and calls, keys pressed in calls, and messages from registrants."""

    async def handle(request: Request, record: RecordBuilder, answer: Answer | None = None) -> Response:
        body = await body_of(request)
        state.fault("read")
        if body is None:
            return PlainTextResponse("too large", 413)
        fields = parse_qsl(body.decode("utf-8", errors="replace"), keep_blank_values=True)
        given = request.headers.get("x-twilio-signature", "")
        path = request.scope["raw_path"].decode("ascii", errors="replace")
        account = state.signing_account(path, fields, given)
        if account is None:
            return PlainTextResponse("the signature is wrong", 403)
        callback = f"{path} {given}"
        if callback in state.accepted:
            return PlainTextResponse("this callback was taken before", 409)
        named = dict(fields)
        found = record(named, account.name)
        if found is not None:
            state.fault("decided")
            writing = state.write(found)
            state.fault("produced")
            await writing
            state.fault("committed")
        state.remember(callback)  # only now: a callback that could not be written is posted again
        state.fault("applied")
        return Response(status_code=204) if answer is None else Response(answer(named, account), media_type="text/xml")

    async def message(request: Request) -> Response:
        reference = request.path_params["reference"]
        return await handle(request, lambda fields, name: message_receipt(reference, fields, name, state.now()))

    async def call(request: Request) -> Response:
        reference = request.path_params["reference"]
        return await handle(request, lambda fields, name: call_receipt(reference, fields, name, state.now()))

    async def keys(request: Request) -> Response:
        reference = request.path_params["reference"]
        record: RecordBuilder = lambda fields, name: keys_receipt(reference, fields, name, state.now())  # noqa: E731
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
    """Return the body; None if it is too large, in which case the rest is not read."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            return None
    return body


def after_keys(request: Request, again: Callable[[str], str]) -> Answer:
    """Return a function that returns the TwiML after keys were pressed: asks for the PIN again, up to three times, or hangs up."""
    language, number = request.path_params.get("language", ""), request.path_params.get("number", TRIES)

    def answer(fields: Mapping[str, str], account: CallbackAccount) -> str:
        if number >= TRIES or fields.get("Digits") == OPT_OUT_KEY:
            return HANG_UP
        path = str(request.scope["raw_path"], "ascii", "replace").rpartition("/")[0]
        return ask_again(f"{account.public_url}{path}/{number + 1}", language, again(language))

    return answer


def signature(token: str, url: str, fields: Fields) -> str:
    """Return Twilio's signature of a callback: HMAC-SHA1 of the URL and the sorted fields, in base64."""
    text = url + "".join(f"{name}{value}" for name, value in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), sha1).digest()).decode()


def message_receipt(reference: str, fields: Mapping[str, str], provider: str, at: int) -> ReceiptForm | None:
    """Return the receipt for a text message's status; None for a status that needs none."""
    code = fields.get("ErrorCode", "")
    status = message_status(fields.get("MessageStatus", ""), code)
    return None if status is None else receipt(reference, status, provider, at, detail=f"Twilio error {code}" if code else None)


def call_receipt(reference: str, fields: Mapping[str, str], provider: str, at: int) -> ReceiptForm | None:
    """Return the receipt for a call's status; None for a status that needs none."""
    status = call_status(fields.get("CallStatus", ""), fields.get("AnsweredBy", ""))
    return None if status is None else receipt(reference, status, provider, at)


def keys_receipt(reference: str, fields: Mapping[str, str], provider: str, at: int) -> ReceiptForm | None:
    """Return the receipt for keys pressed in a call: an opt-out, or digits that may be the PIN."""
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
    """Return a receipt; `more` may hold its `detail` or `digits`."""
    return ReceiptForm(reference=reference, status=status, occurred_at=at, provider=provider, **more)
