"""
Who is signed in, and what keeps a page's actions that person's own.

On loopback the person is the user of the computer. Elsewhere a proxy in front signs people in and names them in a
header, which counts only from the peers named. Every form carries a token bound to the browser's session.
"""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

SESSION: Final = "vn_session"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in; `jurisdictions` empty means all."""

    name: str
    jurisdictions: frozenset[str] = frozenset()

    def may_see(self, jurisdiction: str) -> bool:
        return not self.jurisdictions or jurisdiction in self.jurisdictions


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy that signs people in: the header with the person's name, that with their states, and whose word counts."""

    name_header: str
    states_header: str
    peers: frozenset[str]


class Security(BaseHTTPMiddleware):
    """Puts the person and a form token on each request, refuses forged forms, and sets the headers of every answer."""

    def __init__(self, app: Callable[..., Awaitable[None]], local_person: str | None, proxy: Proxy | None) -> None:
        super().__init__(app)
        self._local_person = local_person
        self._proxy = proxy
        self._key = secrets.token_bytes(32)

    async def dispatch(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await self._answer(request, call_next)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    async def _answer(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.url.path == "/healthz":
            return await call_next(request)
        person = self._person(request)
        if person is None:
            return PlainTextResponse("You are not signed in: come by way of your office's sign-in page.", 401)
        session = request.cookies.get(SESSION) or secrets.token_urlsafe(24)
        token = hmac.new(self._key, f"{session}\0{person.name}".encode(), hashlib.sha256).hexdigest()
        request.state.person, request.state.token = person, token
        if request.method == "POST":
            await request.body()  # kept, so that the page can read the form again
            form = await request.form()
            sent = form.get("token")
            if not isinstance(sent, str) or not hmac.compare_digest(sent, token):
                return PlainTextResponse("This form is too old or not from here: open the page again and repeat it.", 403)
        response = await call_next(request)
        if SESSION not in request.cookies:
            response.set_cookie(SESSION, session, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/")
        return response

    def _person(self, request: Request) -> Person | None:
        peer = request.client.host if request.client else ""
        if self._proxy is not None:
            name = request.headers.get(self._proxy.name_header, "").strip()
            if peer not in self._proxy.peers or not name:
                return None
            states = request.headers.get(self._proxy.states_header, "")
            return Person(name, frozenset(filter(None, (each.strip().upper() for each in states.split(",")))))
        return Person(self._local_person) if self._local_person is not None and peer in LOOPBACK | {"testclient"} else None
