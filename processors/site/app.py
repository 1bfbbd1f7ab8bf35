"""The routes of the public's pages, and what every response has in common. No cookies, no foreign content."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from processors import web_headers
from processors.runtime.clock import wall_time
from processors.site.languages import DEFAULT_LANGUAGE
from processors.site.look_up import find
from processors.site.managing import manage
from processors.site.page import STALE_MILLISECONDS, Page, Site, form_of
from processors.site.registering import register
from processors.site.sender import OutboxSender
from processors.site.unsubscribing import unsubscribe

STATIC: Final = Path(__file__).parent / "static"
MAX_BODY_BYTES: Final = 64 * 1024
LEAVE_URL: Final = "https://www.weather.gov/"  # the target of "Leave this site": an inconspicuous page
HEADERS: Final = web_headers.HEADERS | {
    "X-Robots-Tag": "noindex",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class RequestGuard:
    """Sets the headers of every response and refuses bodies that are larger than a form."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        size = 0

        async def receive_part() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY_BYTES:
                raise HTTPException(413)
            return message

        async def send_part(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                added = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *(each for each in added if each[0] not in given)]
            await send(message)

        await self._app(scope, receive_part, send_part)


def create_app(site: Site, sender: OutboxSender) -> Starlette:
    """Return the application, which starts and stops the site's threads."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> Any:
        site.follower.start()
        sender.start()
        yield
        site.follower.stop()
        sender.stop()

    def route(path: str, answer: Callable[[Page], Awaitable[Response]]) -> Route:
        async def answered(request: Request) -> Response:
            language = request.path_params["language"]
            if language not in site.languages:
                return RedirectResponse(f"/{language_of(site, request)}/", 303)
            return await answer(Page(site, request, language, await form_of(request)))

        return Route(f"/{{language}}/{path}", answered, methods=["GET", "POST"])

    async def first(request: Request) -> Response:
        return RedirectResponse(f"/{language_of(site, request)}/", 303)

    async def leave(_: Request) -> Response:
        return RedirectResponse(LEAVE_URL, 303, {"Clear-Site-Data": '"cache", "cookies", "storage"'})

    async def one_click(request: Request) -> Response:
        return await unsubscribe(site, request, dict(await form_of(request)))

    async def health(_: Request) -> Response:
        as_of = site.follower.as_of
        current = as_of is not None and wall_time() - as_of <= STALE_MILLISECONDS
        return JSONResponse({"as_of": as_of, "applied": site.follower.applied}, 200 if current else 503)

    async def problem(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 503
        names = {404: "no_page", 405: "no_page", 413: "too_large", 400: "bad_form"}
        page = Page(site, request, language_of(site, request), {})
        return page.sentence(names.get(status, "not_now"), status)

    app = Starlette(
        routes=[
            Route("/", first),
            Route("/leave", leave),
            Route("/unsubscribe", one_click, methods=["POST"]),
            Route("/healthz", health),
            Mount("/static", StaticFiles(directory=STATIC), name="static"),
            *(Route(f"/{each}", first) for each in site.languages),
            route("", safety),
            route("find", find),
            route("register", register),
            route("manage", manage),
        ],
        middleware=[Middleware(RequestGuard)],
        exception_handlers=dict.fromkeys((HTTPException, sqlite3.OperationalError, SQLAlchemyError, Exception), problem),
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirect would go to whatever host the Host header names
    return app


async def safety(page: Page) -> Response:
    """Return the first page: whether this device is safe to use, where to get help, what one can do here."""
    return page.show("safety.html", hotlines=page.hotlines)


def language_of(site: Site, request: Request) -> str:
    """Return the language in the path, else the browser's first language that the site has, else the default."""
    named = request.url.path.split("/")[1]
    if named in site.languages:
        return named
    wanted = (each.split(";")[0].strip()[:2].lower() for each in request.headers.get("accept-language", "").split(","))
    return next((each for each in wanted if each in site.languages), DEFAULT_LANGUAGE)
