"""Who is signed in: the user of this computer, or whom a sign-in proxy names; what each may see and change."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, Protocol, get_args

from starlette.requests import Request

Role = Literal["reviewer", "operator", "administrator", "advocate"]
ROLES: Final[frozenset[Role]] = frozenset(get_args(Role))
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
EVERYTHING: Final = "*"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in; `jurisdictions` None means all. An administrator has every role."""

    name: str
    jurisdictions: frozenset[str] | None = None
    roles: frozenset[str] = ROLES

    def may_see(self, jurisdiction: str) -> bool:
        return self.jurisdictions is None or jurisdiction in self.jurisdictions

    def has_role(self, role: Role) -> bool:
        return role in self.roles or "administrator" in self.roles


class SignIn(Protocol):
    """Says who sends a request."""

    def person(self, request: Request) -> Person | None:
        """Return who sends the request; None if nobody is signed in."""


@dataclass(frozen=True, slots=True)
class LocalUser:
    """On loopback the person is the user of the computer."""

    name: str

    def person(self, request: Request) -> Person | None:
        peer = request.client.host if request.client else ""
        return Person(self.name) if peer in LOOPBACK | {"testclient"} else None


@dataclass(frozen=True, slots=True)
class Proxy:
    """
    The proxy that signs people in, whose word counts only from `peers`.

    It names the person, their states (none = all) and, if `roles_header` is set, their roles (none = none).
    """

    name_header: str
    states_header: str
    peers: frozenset[str]
    roles_header: str = ""

    def person(self, request: Request) -> Person | None:
        name = request.headers.get(self.name_header, "").strip()
        if not name or request.client is None or request.client.host not in self.peers:
            return None
        states = split_names(request.headers.get(self.states_header, ""))
        roles = split_names(request.headers.get(self.roles_header, "")) if self.roles_header else ROLES
        return Person(name, frozenset(each.upper() for each in states) or None, frozenset(roles))


def split_names(value: str | Iterable[str] | None) -> frozenset[str]:
    """Return the names in a header or claim: separated by commas or blanks, or a list."""
    names = value.replace(",", " ").split() if isinstance(value, str) else value or ()
    return frozenset(str(each).strip() for each in names if str(each).strip())
