"""
The console's application and its routes.

Pages read from the view; changes are records sent to the pipeline's topics, and nothing else is changed. Every page works
without JavaScript; htmx only refreshes what is shown.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from processors.console.openid import IDLE_SECONDS, OpenId
from processors.console.page import STALE_MILLISECONDS, Console, Pages
from processors.console.pages.dead_letters import dead_letters
from processors.console.pages.duties import agencies, expectations
from processors.console.pages.messages import message, offender
from processors.console.pages.overview import overview
from processors.console.pages.registrants import registrants
from processors.console.pages.reviews import review, reviews
from processors.console.pages.rules import policies, rules
from processors.console.pages.tail import tail
from processors.console.people import Role, SignIn
from processors.console.security import SecurityMiddleware
from processors.domain.time import iso
from processors.runtime.clock import wall_time
from processors.runtime.errors import Restart

STATIC: Final = Path(__file__).parent / "static"
Handler = Callable[[Pages, Request], Awaitable[Response]]


def create_app(console: Console, sign_in: SignIn, session_key: str) -> Starlette:
    """Return the application, which starts and stops the console's threads. `session_key` signs the session cookie."""
    pages = Pages(console)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> Any:
        for each in (console.follower, console.actions, console.overview):
            each.start()
        yield
        for each in (console.follower, console.actions, console.overview):
            each.stop()

    def route(path: str, handler: Handler, *, changed_by: Role | None = None, seen_by: Role | None = None) -> Route:
        async def answer(request: Request) -> Response:
            role = seen_by if request.method == "GET" else changed_by
            if role is not None and not request.state.person.has_role(role):
                text = f"Only somebody with the role {role} may do this: ask your administrator."
                return pages.render(request, "message.html", 403, title="Not yours to do", text=text)
            return await handler(pages, request)

        return Route(path, answer, methods=["GET"] if changed_by is None else ["GET", "POST"])

    async def unavailable(request: Request, error: Exception) -> Response:
        title, text = "Being built", "The pages are being built from Kafka; try again in a moment."
        if isinstance(error, Restart):
            title, text = "Kafka does not answer", "Try again in a moment; nothing was changed."
        return pages.render(request, "message.html", 503, title=title, text=text)

    async def no_page(request: Request, _: Exception) -> Response:
        return pages.render(request, "message.html", 404, title="Not found", text="There is no such page.")

    app = Starlette(
        routes=[
            route("/", overview),
            route("/reviews", reviews, changed_by="reviewer"),
            route("/reviews/{review_id:path}", review, changed_by="reviewer"),
            route("/messages/{message_id:path}", message),
            route("/offenders/{offender:path}", offender),
            route("/expectations", expectations),
            route("/agencies", agencies),
            route("/dead-letters", dead_letters, changed_by="operator"),
            route("/policies", policies, changed_by="administrator"),
            route("/rules/{state}", rules),
            route("/registrants", registrants, changed_by="advocate", seen_by="advocate"),
            route("/tail", tail, seen_by="operator"),
            route("/healthz", health),
            Mount("/static", StaticFiles(directory=STATIC), name="static"),
            *(sign_in.routes() if isinstance(sign_in, OpenId) else ()),
        ],
        middleware=[
            Middleware(
                SessionMiddleware,
                secret_key=session_key,
                session_cookie="vn_person",
                max_age=IDLE_SECONDS,
                same_site="lax",  # the provider's redirect back comes from another site
                https_only=isinstance(sign_in, OpenId) and sign_in.url.startswith("https:"),
            ),
            Middleware(SecurityMiddleware, sign_in=sign_in),
        ],
        exception_handlers={404: no_page, Restart: unavailable, sqlite3.OperationalError: unavailable},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirect would go to whatever host the Host header names
    return app


async def health(pages: Pages, _: Request) -> Response:
    """Return status 200 while the view is at most half a minute old, else 503."""
    as_of = pages.console.follower.as_of
    fresh = as_of is not None and wall_time() - as_of < STALE_MILLISECONDS
    return JSONResponse({"as_of": None if as_of is None else iso(as_of), "fresh": fresh}, 200 if fresh else 503)
