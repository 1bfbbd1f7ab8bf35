"""`/expectations` and `/agencies`: who owes what by when, and who has been silent."""

from starlette.requests import Request
from starlette.responses import Response

from processors.console.page import Pages
from processors.domain.event import Scope
from processors.runtime.clock import wall
from processors.views import queries


async def expectations(pages: Pages, request: Request) -> Response:
    """Show what is expected, the soonest deadline first."""
    found = await pages.ask(queries.expectations)
    expected = [each for each in found if request.state.person.may_see(each["jurisdiction"])]
    return pages.render(request, "expectations.html", expected=expected)


async def agencies(pages: Pages, request: Request) -> Response:
    """Show when each agency was last heard, the one silent longest first."""
    found = await pages.ask(queries.agencies)
    rules = await pages.rules_in_force()
    for each in found:
        each["limit"] = rules.duration("feed.silence", Scope(jurisdiction=each["ori"][:2]))
        each["silent"] = wall() - each["heard_at"] > each["limit"]
    return pages.render(request, "agencies.html", agencies=found)
