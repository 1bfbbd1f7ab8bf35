"""
Takes Twilio's callbacks and writes receipts.

Every callback is signed over the public URL and its fields (X-Twilio-Signature); one with a wrong signature gets 403, a
replay of one that was taken 409. One that is answered 2xx has been written; whatever happens before that, Twilio posts it
again. No answer says what a reference stands for.
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
Reader = Callable[[Mapping[str, str]], ReceiptForm | InboundForm | None]


@dataclass(slots=True)
class Callbacks:
    """
    The endpoint's state: the account's token, the public URL, the writer of records, and the callbacks already taken.

    `write` hands a record to the broker; what it returns waits until the broker has it. `again` is what is said, by language, after a
    PIN was keyed in.
    """

    token: str
    public_url: str
    write: Callable[[ReceiptForm | InboundForm], Awaitable[None]]
    now: Callable[[], int]
    again: Callable[[str], str]
    provider: str = "twilio"
    fault: Callable[[Point], None] = lambda _: None
    taken: "OrderedDict[str, None]" = field(default_factory=OrderedDict)

    def remember(self, callback: str) -> None:
        """Remember a callback that was taken, so that a replay of it is recognised."""
        self.taken[callback] = None
        if len(self.taken) > REMEMBERED:
            self.taken.popitem(last=False)


def application(state: Callbacks) -> Starlette:
    """Return the endpoint: status of messages and calls, keys pressed in calls, messages that registrants send."""

    async def handle(request: Request, record: Reader, answer: Callable[[Mapping[str, str]], str] | None = None) -> Response:
        body = await request.body()
        state.fault("read")
        if len(body) > MOST_BYTES:
            return PlainTextResponse("too large", 413)
        fields = parse_qsl(body.decode("utf-8", errors="replace"), keep_blank_values=True)
        given = request.headers.get("x-twilio-signature", "")
        path = request.scope["raw_path"].decode("ascii", errors="replace")
        if not hmac.compare_digest(given.encode(), signature(state.token, state.public_url + path, fields).encode()):
            return PlainTextResponse("the signature is wrong", 403)
        callback = f"{path} {given}"
        if callback in state.taken:
            return PlainTextResponse("this callback was taken before", 409)
        named = dict(fields)
        found = record(named)
        if found is not None:
            state.fault("decided")
            writing = state.write(found)
            state.fault("produced")
            await writing
            state.fault("committed")
        state.remember(callback)  # only now: one that could not be written comes again
        state.fault("applied")
        return Response(status_code=204) if answer is None else Response(answer(named), media_type="text/xml")

    async def message(request: Request) -> Response:
        reference = request.path_params["reference"]
        return await handle(request, lambda fields: message_receipt(reference, fields, state))

    async def call(request: Request) -> Response:
        reference = request.path_params["reference"]
        return await handle(request, lambda fields: call_receipt(reference, fields, state))

    async def keys(request: Request) -> Response:
        reference = request.path_params["reference"]
        return await handle(request, lambda fields: keys_receipt(reference, fields, state), after_keys(request, state))

    async def inbound(request: Request) -> Response:
        return await handle(request, lambda fields: inbound_message(fields, state), lambda _: NO_ANSWER)

    return Starlette(
        routes=[
            Route("/sms/{reference}", message, methods=["POST"]),
            Route("/voice/{reference}", call, methods=["POST"]),
            Route("/voice/{reference}/keys", keys, methods=["POST"]),
            Route("/voice/{reference}/keys/{language}/{number:int}", keys, methods=["POST"]),
            Route("/inbound", inbound, methods=["POST"]),
        ]
    )


def after_keys(request: Request, state: Callbacks) -> Callable[[Mapping[str, str]], str]:
    """Return what a caller hears after keys were pressed: of a PIN the question for another, up to three; else the call ends."""
    language, number = request.path_params.get("language", ""), request.path_params.get("number", TRIES)

    def answer(fields: Mapping[str, str]) -> str:
        if number >= TRIES or fields.get("Digits") == OPT_OUT_KEY:
            return HANG_UP
        path = str(request.scope["raw_path"], "ascii", "replace").rpartition("/")[0]
        return ask_again(f"{state.public_url}{path}/{number + 1}", language, state.again(language))

    return answer


def signature(token: str, url: str, fields: Fields) -> str:
    """Return Twilio's signature of a callback: HMAC-SHA1 of the URL and the sorted fields, in base64."""
    text = url + "".join(f"{name}{value}" for name, value in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), sha1).digest()).decode()


def message_receipt(reference: str, fields: Mapping[str, str], state: Callbacks) -> ReceiptForm | None:
    """Return the receipt of a text message's status; None for a status that says nothing."""
    status = message_status(fields.get("MessageStatus", ""), fields.get("ErrorCode", ""))
    return None if status is None else receipt(reference, status, state, fields.get("ErrorCode", ""))


def call_receipt(reference: str, fields: Mapping[str, str], state: Callbacks) -> ReceiptForm | None:
    """Return the receipt of a call's status; None for a status that says nothing."""
    status = call_status(fields.get("CallStatus", ""), fields.get("AnsweredBy", ""))
    return None if status is None else receipt(reference, status, state)


def keys_receipt(reference: str, fields: Mapping[str, str], state: Callbacks) -> ReceiptForm | None:
    """Return the receipt of keys pressed in a call: an opt-out, or digits that may be the PIN."""
    digits = fields.get("Digits", "")
    if digits == OPT_OUT_KEY:
        return receipt(reference, "opted_out", state)
    if len(digits) == PIN_DIGITS and digits.isdigit():
        return receipt(reference, "confirmed", state, digits=digits)
    return receipt(reference, "unconfirmed", state)


def inbound_message(fields: Mapping[str, str], state: Callbacks) -> InboundForm:
    """Return a text message that somebody sent to our number."""
    return InboundForm(
        provider=state.provider,
        channel="sms",
        sender=fields.get("From", ""),
        to=fields.get("To", ""),
        body=fields.get("Body", ""),
        occurred_at=state.now(),
    )


def receipt(reference: str, status: str, state: Callbacks, code: str = "", digits: str | None = None) -> ReceiptForm:
    return ReceiptForm(
        reference=reference,
        status=status,
        occurred_at=state.now(),
        provider=state.provider,
        detail=f"Twilio error {code}" if code else None,
        digits=digits,
    )
