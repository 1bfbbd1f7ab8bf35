"""One-click unsubscription (RFC 8058): mail programs send a POST with the email's reference; a GET changes nothing."""

import re
from typing import Final

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from processors.domain.time import iso
from processors.domain.unsubscription import LENGTH, SITE
from processors.runtime.clock import wall_time
from processors.site.languages import DEFAULT_LANGUAGE
from processors.site.limits import MAX_COUNTED
from processors.site.page import Page, Site

TOKEN: Final = re.compile(rf"[0-9a-f]{{{LENGTH}}}")
REFERENCE: Final = re.compile(r"[\x21-\x7e]{8,200}")


UNSUBSCRIPTIONS_AN_HOUR: Final = MAX_COUNTED - 1  # per client: a mail provider unsubscribes many people


async def unsubscribe(site: Site, request: Request, form: dict[str, str]) -> Response:
    """Store a receipt that the email's address opted out; the pipeline checks whether the token belongs to the reference."""
    reference = request.query_params.get("reference", "") or form.get("reference", "")
    token = request.query_params.get("token", "") or form.get("token", "")
    if form.get("List-Unsubscribe") != "One-Click" or not REFERENCE.fullmatch(reference) or not TOKEN.fullmatch(token):
        return PlainTextResponse("This is not an unsubscription: use the link in an email that you received.\n", 400)
    now = wall_time()
    if Page(site, request, DEFAULT_LANGUAGE, form).is_too_often("unsubscribe", UNSUBSCRIPTIONS_AN_HOUR):
        return PlainTextResponse("Too many unsubscriptions came from your connection this hour: try again in an hour.\n", 429)
    receipt = {"reference": reference, "status": "opted_out", "occurred_at": iso(now), "provider": SITE, "detail": token}
    await run_in_threadpool(site.outbox.queue, "receipts", reference[:64], msgspec.json.encode(receipt), now)
    return PlainTextResponse("You will get no more of these emails.\n")
