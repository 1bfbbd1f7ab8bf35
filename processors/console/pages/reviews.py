"""`/reviews` and `/reviews/ID`: the reviews that wait for a decision, and deciding on them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from processors.console.actions import Decision
from processors.console.page import Pages
from processors.deliver.sample import sample_text
from processors.domain.offender import CLAIMED, UNCLAIMED
from processors.runtime.clock import wall_time
from processors.runtime.errors import UserError
from processors.views import queries

REVIEW_SECONDS: Final = 15 * 60
REPLY: Final = "unclear_reply"  # the reason of a review of a registrant's reply
MAY_WAIT: Final = frozenset({REPLY, "too_far_ahead"})  # reasons that may wait: ten business days; until the date is in range
CLAIM_MILLISECONDS: Final = 10 * 60_000  # how long others see who claimed a review; they may decide it nevertheless
LANGUAGES: Final = ("en", "es")
CLAIMS: Final = {"claim": CLAIMED, "unclaim": UNCLAIMED}
DECISIONS: Final[Mapping[str, Decision]] = {each: each for each in get_args(Decision)}


async def reviews(pages: Pages, request: Request) -> Response:
    """Show the open reviews, emergencies first, then oldest first; decide several at once."""
    error = ""
    if request.method == "POST":
        try:
            return await decide_several(pages, request)
        except UserError as refused:
            error = str(refused)
    reason, jurisdiction = request.query_params.get("reason") or None, request.query_params.get("jurisdiction") or None
    shown = await visible_reviews(pages, request, reason, jurisdiction)
    shown.sort(key=lambda each: (not pages.is_emergency(each), each["since"], each["review_id"]))
    claims = await pages.ask(queries.claims, wall_time() - CLAIM_MILLISECONDS)
    return pages.render(
        request,
        "reviews.html",
        400 if error else 200,
        reviews=[
            each
            | {
                "emergency": pages.is_emergency(each),
                "left": seconds_left(each),
                "claimed_by": claims[each["review_id"]][0] if each["review_id"] in claims else "",
            }
            for each in shown
        ],
        reason=reason or "",
        jurisdiction=jurisdiction or "",
        reasons=sorted({each["reason"] for each in shown}),
        jurisdictions=sorted({each["jurisdiction"] for each in shown}),
        at_most=(await pages.rules_in_force()).reviewer_limit(),
        error=error,
    )


async def visible_reviews(
    pages: Pages, request: Request, reason: str | None = None, jurisdiction: str | None = None
) -> list[dict[str, Any]]:
    """Return the open reviews that the user may see."""
    found = await pages.ask(queries.open_reviews, reason=reason, jurisdiction=jurisdiction)
    return [each for each in found if request.state.person.may_see(each["jurisdiction"])]


async def decide_several(pages: Pages, request: Request) -> Response:
    """Decide the reviews that were selected and redirect; raises UserError if that is not possible."""
    form = await request.form()
    selected = {str(each) for each in form.getlist("review_id")}
    chosen = [each for each in await visible_reviews(pages, request) if each["review_id"] in selected]
    if not chosen:
        raise UserError("Select at least one review.")
    decision, reason = chosen_decision(form)
    limit = (await pages.rules_in_force()).reviewer_limit()
    if len(chosen) > limit:
        raise UserError(f"{len(chosen)} are more than one person may decide at once ({limit}): decide on them as a group.")
    if str(form.get("count", "")).strip() != str(len(chosen)):
        raise UserError(f"Type {len(chosen)}, the number of reviews you selected, to confirm that you mean all of them.")
    for each in chosen:
        await decide_one(pages, request, each, decision, reason)
    return RedirectResponse(str(request.url.include_query_params()), 303)


async def review(pages: Pages, request: Request) -> Response:
    """Show one review with everything that helps to decide it."""
    review_id = request.path_params["review_id"]
    found = await pages.ask(queries.review, review_id)
    if found is None or not request.state.person.may_see(found["jurisdiction"]):
        return pages.missing(request, f"review {review_id}")
    error = ""
    if request.method == "POST":
        try:
            return await decide(pages, request, found)
        except UserError as refused:
            error = str(refused)
    group = await pages.ask(queries.grouped_reviews, found["group"]) if found["group"] else []
    return pages.render(
        request,
        "review.html",
        400 if error else 200,
        review=found,
        emergency=pages.is_emergency(found),
        left=seconds_left(found),
        is_reply=found["reason"] == REPLY,
        reply=await read_reply(pages, request, found),
        pending=await run_in_threadpool(pages.console.actions.pending, review_id),
        texts=sample_texts(pages, found),
        ended=await pages.ask(queries.review_outcomes, found["reason"]),
        group=group,
        two_needed=len(group) > (await pages.rules_in_force()).reviewer_limit(),
        messages=await pages.ask(queries.messages_of, found["offender"]),
        expected=await pages.ask(queries.expectations_of, found["offender"]),
        claim=(await pages.ask(queries.claims, wall_time() - CLAIM_MILLISECONDS)).get(review_id),
        first_decision=await pages.ask(queries.first_decision, found["group"]) if found["group"] else None,
        error=error,
    )


def seconds_left(review: Mapping[str, Any]) -> int | None:
    """Return how many seconds a review may still wait, negative if overdue; None if there is no time limit."""
    return None if review["reason"] in MAY_WAIT else REVIEW_SECONDS - (wall_time() - review["since"]) // 1000


async def read_reply(pages: Pages, request: Request, review: Mapping[str, Any]) -> str | None:
    """Return the registrant's reply to a reviewer if an open review is about it; logs that the user has read it."""
    if review["reason"] != REPLY or review["state"] != "open" or not request.state.person.has_role("reviewer"):
        return None
    await run_in_threadpool(pages.console.actions.log, request.state.person.name, "reply_read", review["review_id"])
    return await run_in_threadpool(pages.console.reply, review["review_id"])


def chosen_decision(form: FormData) -> tuple[Decision, str]:
    """Return the decision and the reason in a form; raises UserError if one is missing."""
    decision, reason = DECISIONS.get(str(form.get("what", "")).removesuffix("_group")), str(form.get("reason", "")).strip()
    if decision is None:
        raise UserError("Choose release or discard.")
    if not reason:
        raise UserError("Say why: the reason is kept in the audit trail.")
    return decision, reason


async def decide(pages: Pages, request: Request, review: Mapping[str, Any]) -> Response:
    """Do what the form says and redirect; raises UserError if that is not possible."""
    form = await request.form()
    actions, review_id = pages.console.actions, review["review_id"]
    here = RedirectResponse(f"/reviews/{review_id}", 303)
    if form.get("what") == "undo":
        if not await run_in_threadpool(actions.undo, review_id):
            raise UserError("It had been sent already: it cannot be undone any more.")
        return here
    if form.get("what") in CLAIMS:
        await run_in_threadpool(actions.log, request.state.person.name, CLAIMS[str(form["what"])], review_id)
        return here
    decision, reason = chosen_decision(form)
    if review["state"] != "open":
        raise UserError(f"This review was {review['state']} by {review.get('reviewer') or 'the pipeline'} before.")
    if not str(form["what"]).endswith("_group"):
        await decide_one(pages, request, review, decision, reason)
        return here
    group: Sequence[Any] = await pages.ask(queries.grouped_reviews, review["group"])
    if str(form.get("count", "")).strip() != str(len(group)):
        raise UserError(f"Type {len(group)}, the number of messages in the group, to confirm that all of them are meant.")
    await run_in_threadpool(actions.decide_group, review["group"], decision, reason, request.state.person.name)
    return here


async def decide_one(pages: Pages, request: Request, review: Mapping[str, Any], decision: Decision, reason: str) -> None:
    at_once = pages.is_emergency(review)
    name = request.state.person.name
    await run_in_threadpool(pages.console.actions.decide, review["review_id"], decision, reason, name, at_once=at_once)


def sample_texts(pages: Pages, review: Mapping[str, Any]) -> dict[str, str]:
    """Return the text that registrants would get about an event of this kind, by language; with invented names and places."""
    rules, where = pages.console.rules, review["jurisdiction"]
    code = rules.rule_set(where, review["since"]).code(review["event_type"], review["event_subtype"])
    if code is None:
        return {}
    found = {language: sample_text(rules, where, code, review["since"], language) for language in LANGUAGES}
    return {language: text for language, text in found.items() if text}
