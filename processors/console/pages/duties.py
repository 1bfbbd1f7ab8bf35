"""`/expectations` and `/agencies`: which events are expected by when, and which agencies have been silent."""

from starlette.requests import Request
from starlette.responses import Response

from processors.console.page import Pages
from processors.domain.event import Scope
from processors.runtime.clock import wall_time
from processors.views import queries


async def expectations(pages: Pages, request: Request) -> Response:
    """Show the expected events, earliest deadline first."""
    found = await pages.ask(queries.expectations)
    expected = [each for each in found if request.state.person.may_see(each["jurisdiction"])]
    return pages.render(request, "expectations.html", expected=expected)


async def agencies(pages: Pages, request: Request) -> Response:
    """Show when each agency was last heard; the one that has been silent longest comes first."""
    found = await pages.ask(queries.agencies)
    rules = await pages.rules_in_force()
    for each in found:
        each["limit"] = rules.duration("feed.silence", Scope(jurisdiction=each["ori"][:2]))
        each["silent"] = wall_time() - each["heard_at"] > each["limit"]
    return pages.render(request, "agencies.html", agencies=found)
