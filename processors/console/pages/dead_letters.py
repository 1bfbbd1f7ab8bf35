"""`/dead-letters`: records that could not be read; replay them, or settle them with a reason."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from processors.console.page import Pages
from processors.runtime.errors import UserError
from processors.views import queries


async def dead_letters(pages: Pages, request: Request) -> Response:
    error = ""
    if request.method == "POST":
        form = await request.form()
        dead_letter_id, reason = str(form.get("dead_letter_id", "")), str(form.get("reason", "")).strip()
        actions, name = pages.console.actions, request.state.person.name
        try:
            if form.get("what") == "replay":
                await run_in_threadpool(actions.replay, dead_letter_id, name)
                return RedirectResponse("/dead-letters", 303)
            if reason:
                await run_in_threadpool(actions.settle, dead_letter_id, reason, name)
                return RedirectResponse("/dead-letters", 303)
            error = "Say why nothing more is needed: the reason is kept with the dead letter."
        except UserError as refused:
            error = str(refused)
    return pages.render(request, "dead_letters.html", 400 if error else 200, letters=await pages.ask(queries.dead_letters), error=error)
