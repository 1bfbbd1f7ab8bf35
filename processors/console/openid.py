"""
Sign-in by OpenID Connect: authorization code flow with PKCE.

A user's name, states and roles come from the claims of the ID token; without these claims a user sees and changes nothing. The
session is a signed cookie that holds the three and expires when idle.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from processors.console.people import ALL_STATES, StaffMember, split_names
from processors.runtime.clock import wall_time

IDLE_SECONDS: Final = 30 * 60
MAX_SESSION_MILLISECONDS: Final = 12 * 3_600_000
SIGN_IN: Final = "/sign-in"
SIGNED_IN: Final = "/signed-in"
SIGN_OUT: Final = "/sign-out"
OPEN_PATHS: Final = frozenset({SIGN_IN, SIGNED_IN})


@dataclass(frozen=True, slots=True)
class OpenId:
    """The OpenID provider, and the claims that name a user's states and roles."""

    issuer: str
    client_id: str
    url: str
    client_secret: str = field(repr=False)
    states_claim: str = "vn_states"
    roles_claim: str = "vn_roles"

    def person(self, request: Request) -> StaffMember | None:
        signed_in = request.session.get("person")
        if signed_in is None or wall_time() - signed_in["at"] > MAX_SESSION_MILLISECONDS:
            return None
        states = frozenset(signed_in["states"])
        return StaffMember(signed_in["name"], None if ALL_STATES in states else states, frozenset(signed_in["roles"]))

    def routes(self) -> list[Route]:
        """Return the routes for signing in and out."""
        registry = OAuth()
        registry.register(
            "provider",
            server_metadata_url=f"{self.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_id=self.client_id,
            client_secret=self.client_secret or None,
            client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
        )
        provider: Any = registry.create_client("provider")  # type: ignore[no-untyped-call]

        async def sign_in(request: Request) -> Response:
            response: Response = await provider.authorize_redirect(request, f"{self.url.rstrip('/')}{SIGNED_IN}")
            return response

        async def signed_in(request: Request) -> Response:
            try:
                token = await provider.authorize_access_token(request)
            except OAuthError:
                return PlainTextResponse("Signing in did not work: open the console again and repeat it.", 403)
            request.session.clear()  # somebody else may have started the previous session
            request.session["person"] = self.session_claims(token["userinfo"])
            return RedirectResponse("/", 303)

        async def sign_out(request: Request) -> Response:
            request.session.clear()
            return PlainTextResponse("You are signed out.")

        return [
            Route(SIGN_IN, sign_in),
            Route(SIGNED_IN, signed_in),
            Route(SIGN_OUT, sign_out, methods=["POST"]),
        ]

    def session_claims(self, claims: Any) -> dict[str, Any]:
        """Return the part of the claims that the session stores."""
        return {
            "name": claims.get("preferred_username") or claims.get("email") or claims["sub"],
            "states": sorted(each.upper() for each in split_names(claims.get(self.states_claim))),
            "roles": sorted(split_names(claims.get(self.roles_claim))),
            "at": wall_time(),
        }
