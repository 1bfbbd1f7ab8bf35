"""`/`: who has not been notified yet, the stages, and a search by id."""

from starlette.requests import Request
from starlette.responses import Response

from processors.console.page import Pages
from processors.views import queries


async def overview(pages: Pages, request: Request) -> Response:
    """Show what waits for a person first, then the stages."""
    person, query = request.state.person, request.query_params.get("q", "").strip()
    reviews = [each for each in await pages.ask(queries.open_reviews) if person.may_see(each["jurisdiction"])]
    letters = [each for each in await pages.ask(queries.dead_letters) if each["settled"] is None]
    return pages.render(
        request,
        "overview.html",
        panels=pages.console.overview.panels,
        stages=pages.console.overview.stages(),
        figures=pages.console.overview.figures(),
        emergencies=[each for each in reviews if pages.is_emergency(each)],
        reviews=reviews,
        overdue=[each for each in await pages.ask(queries.expectations, states=("overdue",)) if person.may_see(each["jurisdiction"])],
        letters=letters,
        found=await pages.ask(queries.search, query) if query else None,
        query=query,
    )
