"""`/messages/ID` and `/offenders/ID`: the history of a message, and everything known of an offender."""

from typing import Any

from msgspec import structs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from processors.console.page import Pages
from processors.domain.journal import Verdicts, stage_order
from processors.topics import DECISIONS
from processors.views import queries


async def message(pages: Pages, request: Request) -> Response:
    """Show every stage's decision on a message, by time."""
    message_id = request.path_params["message_id"]
    offsets = await pages.ask(queries.journal_offsets, message_id)
    if not offsets:
        return pages.missing(request, f"message {message_id}")
    verdicts = await run_in_threadpool(read_verdicts, pages, offsets, message_id)
    return pages.render(
        request,
        "message_life.html",
        message_id=message_id,
        verdicts=verdicts,
        agencies=sorted({each["ori"] for each in verdicts if each["ori"]}),
        offenders=sorted({each["offender"] for each in verdicts if each["offender"]}),
        end=verdicts[-1] if verdicts else None,
    )


def read_verdicts(pages: Pages, offsets: list[tuple[int, int]], message_id: str) -> list[dict[str, Any]]:
    """Return the verdicts on a message by time, then by stage."""
    found = []
    for record in pages.console.client.read_at(DECISIONS, offsets):
        batch = None if record.value is None else pages.console.client.codec.decode(record.value)
        if isinstance(batch, Verdicts):
            found += [structs.asdict(each) for each in batch.verdicts if each.message_id == message_id]
    return sorted(found, key=lambda each: (each["at"], stage_order(each["stage"])))


async def offender(pages: Pages, request: Request) -> Response:
    """Show an offender's names, numbers and standing, with their messages, reviews and legal deadlines."""
    key = request.path_params["offender"]
    if into := await pages.ask(queries.merged_into, key):
        return RedirectResponse(f"/offenders/{into}", 303)
    messages, known = await pages.ask(queries.messages_of, key), await pages.ask(queries.person_of, key)
    if not messages and known is None:
        return pages.missing(request, f"offender {key}")
    return pages.render(
        request,
        "offender.html",
        offender=key,
        messages=messages,
        known=known,
        standing=await pages.ask(queries.standing_of, key),
        merged=await pages.ask(queries.merged_from, key),
        reviews=await pages.ask(queries.reviews_of, key),
        expected=await pages.ask(queries.expectations_of, key),
    )
