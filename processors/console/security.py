"""Protection against forged forms and foreign hosts: every form carries a token bound to the browser's session."""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from processors.console.openid import OPEN_PATHS, SIGN_IN, OpenId
from processors.console.people import LOOPBACK, LocalUser, SignIn
from processors.web_headers import HEADERS

SESSION: Final = "vn_session"


class SecurityMiddleware(BaseHTTPMiddleware):
    """Attaches the user and a form token to each request, refuses forged forms and foreign hosts, and sets every response's headers."""

    def __init__(self, app: Callable[..., Awaitable[None]], sign_in: SignIn) -> None:
        super().__init__(app)
        self._sign_in = sign_in
        self._key = secrets.token_bytes(32)

    async def dispatch(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await self._answer(request, call_next)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    async def _answer(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if isinstance(self._sign_in, LocalUser) and not self._sign_in.is_addressed_by(request.headers.get("host", "")):
            hosts = ", ".join(sorted(self._sign_in.hosts - LOOPBACK))
            sentence = "This console answers only at 127.0.0.1, localhost and [::1]" + (f", and at {hosts}." if hosts else ".")
            return PlainTextResponse(f"{sentence} VN_CONSOLE_URL can name one more host.", 400)
        if request.url.path in OPEN_PATHS | {"/healthz"}:
            return await call_next(request)
        person = self._sign_in.person(request)
        if person is None:
            if isinstance(self._sign_in, OpenId) and request.method == "GET":
                return RedirectResponse(SIGN_IN, 303)
            return PlainTextResponse("You are not signed in: open your office's sign-in page.", 401)
        session = request.cookies.get(SESSION) or secrets.token_urlsafe(24)
        token = hmac.new(self._key, f"{session}\0{person.name}".encode(), hashlib.sha256).hexdigest()
        request.state.person, request.state.token = person, token
        if request.method == "POST":
            await request.body()  # cached, so that the page can read the form again
            form = await request.form()
            sent = form.get("token")
            if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), token.encode()):
                return PlainTextResponse("This form is too old or not from here: open the page again and repeat it.", 403)
        response = await call_next(request)
        if SESSION not in request.cookies:
            response.set_cookie(SESSION, session, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/")
        return response
