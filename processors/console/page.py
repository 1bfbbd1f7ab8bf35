"""Shared by all pages: templates, the signed-in user, how current the page is, and queries of the view."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse

from processors.console.actions import Actions
from processors.console.contacts import ShownContact
from processors.console.formats import ago, duration, moment, sentence
from processors.console.overview import Overview
from processors.domain.policy import Policy
from processors.domain.reasons import REASONS
from processors.rules.rule_set import Rules
from processors.runtime.clock import wall_time
from processors.runtime.kafka.user_client import UserClient
from processors.views import queries
from processors.views.follower import Follower

STALE_MILLISECONDS: Final = 30_000


class Contacts(Protocol):
    """Returns a registrant's contacts."""

    def __call__(self, registrant_id: str, *, masked: bool) -> tuple[ShownContact, ...]: ...


@dataclass(frozen=True, slots=True)
class Console:
    """The services that the console's pages use."""

    client: UserClient
    follower: Follower
    actions: Actions
    overview: Overview
    rules: Rules
    rules_document: Callable[[str], Any]
    contacts: Contacts
    reply: Callable[[str], str | None]  # what a registrant wrote, by the id of the review that asks what it means


class Pages:
    """Renders the pages of one console."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._templates = Environment(
            loader=PackageLoader("processors.console"), autoescape=select_autoescape(["html"], default=True), undefined=StrictUndefined
        )
        self._templates.filters |= {"moment": moment, "ago": ago, "duration": duration, "sentence": sentence, "meaning": meaning}

    def render(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        follower = self.console.follower
        as_of = follower.as_of
        shared = {
            "person": request.state.person,
            "token": request.state.token,
            "path": request.url.path,
            "as_of": as_of,
            "stale": as_of is None or wall_time() - as_of > STALE_MILLISECONDS,
            "building": None if as_of is not None else (follower.applied, follower.total),
            "now": wall_time(),
        }
        return HTMLResponse(self._templates.get_template(template).render(**shared, **values), status)

    def missing(self, request: Request, what: str) -> HTMLResponse:
        text = f"There is no {what}, or not yet: the page is as of the time above."
        return self.render(request, "message.html", 404, title="Not found", text=text)

    async def ask(self, query: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Return the result of a query of the view."""

        def ask() -> Any:
            with self.console.follower.view.reading() as database:
                return query(database, *arguments, **named)

        return await run_in_threadpool(ask)

    async def rules_in_force(self) -> Rules:
        """Return the rules with the administrators' settings."""
        return self.console.rules.with_policies([msgspec.convert(each, Policy) for each in await self.ask(queries.policies)])

    def is_emergency(self, review: Mapping[str, Any]) -> bool:
        """Whether the event under review is an emergency by the rules of its jurisdiction."""
        code = self.console.rules.rule_set(review["jurisdiction"], review["since"]).code(review["event_type"], review["event_subtype"])
        return code is not None and code.emergency


def meaning(reason: str) -> str:
    """Return a reason code in words; the code itself if this version does not know it."""
    return REASONS.get(reason, reason)
