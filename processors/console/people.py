"""The signed-in user (of this computer, or named by a sign-in proxy), and what they may see and change."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, Protocol, get_args

from starlette.requests import Request

Role = Literal["reviewer", "operator", "administrator", "advocate"]
ROLES: Final[frozenset[Role]] = frozenset(get_args(Role))
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
ALL_STATES: Final = "*"


@dataclass(frozen=True, slots=True)
class StaffMember:
    """A signed-in user; `jurisdictions` None means all. An administrator has every role."""

    name: str
    jurisdictions: frozenset[str] | None = None
    roles: frozenset[str] = ROLES

    def may_see(self, jurisdiction: str) -> bool:
        return self.jurisdictions is None or jurisdiction in self.jurisdictions

    def has_role(self, role: Role) -> bool:
        return role in self.roles or "administrator" in self.roles


class SignIn(Protocol):
    """Identifies the sender of a request."""

    def person(self, request: Request) -> StaffMember | None:
        """Return the sender of the request; None if nobody is signed in."""


@dataclass(frozen=True, slots=True)
class LocalUser:
    """
    The user of this computer, for requests from loopback.

    `hosts` are the names by which a browser may address the console. A page of another site could otherwise have its own name
    resolve to loopback, and then read and post as this user.
    """

    name: str
    hosts: frozenset[str] = LOOPBACK

    def is_addressed_by(self, host_header: str) -> bool:
        """Whether a Host header names one of the hosts, with any port."""
        found = re.fullmatch(r"(?:\[([0-9a-f:.]+)\]|([^:@/\[\]]+))(?::[0-9]*)?", host_header.lower())
        return found is not None and (found[1] or found[2]) in self.hosts

    def person(self, request: Request) -> StaffMember | None:
        peer = request.client.host if request.client else ""
        return StaffMember(self.name) if peer in LOOPBACK | {"testclient"} else None


@dataclass(frozen=True, slots=True)
class SignInProxy:
    """
    A proxy that signs users in; its headers count only in requests from `peers`.

    It names the user, their states (none = all) and, if `roles_header` is set, their roles (none = none).
    """

    name_header: str
    states_header: str
    peers: frozenset[str]
    roles_header: str = ""

    def person(self, request: Request) -> StaffMember | None:
        name = request.headers.get(self.name_header, "").strip()
        if not name or request.client is None or request.client.host not in self.peers:
            return None
        states = split_names(request.headers.get(self.states_header, ""))
        roles = split_names(request.headers.get(self.roles_header, "")) if self.roles_header else ROLES
        return StaffMember(name, frozenset(each.upper() for each in states) or None, frozenset(roles))


def split_names(value: str | Iterable[str] | None) -> frozenset[str]:
    """Return the names in a header or claim, which is text separated by commas or blanks, or a list."""
    names = value.replace(",", " ").split() if isinstance(value, str) else value or ()
    return frozenset(str(each).strip() for each in names if str(each).strip())
