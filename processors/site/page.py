"""One request: its language and words, what it may carry, how it is answered."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse

from processors.domain.registration import RegistrationStatus
from processors.domain.seal import Seal
from processors.rules.book import Rules
from processors.runtime.clock import wall
from processors.site.challenge import Challenges
from processors.site.hotlines import hotlines
from processors.site.languages import Words
from processors.site.limits import Limits
from processors.site.outbox import Outbox
from processors.views.follower import Follower
from processors.views.public import PublicScope, registration_statuses

FIELDS: Final = 60
BY_VIN: Final = frozenset({"DOJ_VNS", "ICE_VNP"})  # sources whose registrants have a verified email address, a VIN and a PIN
WITH_PHONE: Final = frozenset({"ICE_VNP"})  # of these, those that also call or text
EVEN_SECONDS: Final = 0.25  # answers whose time must tell nothing are sent at multiples of it
STALE: Final = 30_000
T = TypeVar("T")

TEMPLATES: Final = Environment(
    loader=PackageLoader("processors.site"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True, slots=True)
class Site:
    """What the pages work with."""

    follower: Follower
    outbox: Outbox
    seal: Seal
    rules: Rules
    languages: Mapping[str, Words]
    source: str
    shown: PublicScope
    limits: Limits
    challenges: Challenges
    proxies: frozenset[str] = frozenset()
    wait_seconds: float = 8.0

    @property
    def by_vin(self) -> bool:
        return self.source in BY_VIN


@dataclass(frozen=True, slots=True)
class Page:
    """One request in one language."""

    site: Site
    request: Request
    language: str
    form: Mapping[str, str]

    @property
    def words(self) -> Words:
        return self.site.languages[self.language]

    @property
    def client(self) -> str:
        """The client's address; the one that our proxy names, if the request came through it."""
        peer = self.request.client.host if self.request.client else ""
        named = self.request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        return named if named and peer in self.site.proxies else peer

    def show(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return the page that a template makes; every field that a form had is kept in it."""
        as_of = self.site.follower.as_of
        shared = {
            "t": self.words,
            "language": self.language,
            "languages": {code: words["name"] for code, words in self.site.languages.items()},
            "path": self.request.url.path.partition(f"/{self.language}/")[2],
            "form": self.form,
            "source": self.site.source,
            "by_vin": self.site.by_vin,
            "with_phone": self.site.source in WITH_PHONE,
            "problems": {},
            "as_of_stale": as_of is None or wall() - as_of > STALE,
        }
        return HTMLResponse(TEMPLATES.get_template(template).render(**(shared | values)), status)

    @property
    def hotlines(self) -> tuple[str, ...]:
        """The lines with help, a sentence each."""
        return hotlines(self.site.rules, self.words, self.language, wall())

    def sentence(self, name: str, status: int) -> HTMLResponse:
        """Return a page that says one sentence."""
        return self.show("sentence.html", status, sentence=self.words["problems"][name])

    async def ask(self, query: Callable[..., T], *arguments: Any) -> T:
        """Return the result of a query of the view."""

        def run() -> T:
            with self.site.follower.view.reading() as database:
                return query(database, *arguments)

        return await run_in_threadpool(run)

    async def statuses(self, registration_ids: list[str]) -> Mapping[str, RegistrationStatus]:
        """Return what became of registrations; nothing is known before the view is first built."""
        try:
            return await self.ask(registration_statuses, registration_ids)
        except sqlite3.OperationalError:
            return {}

    def is_too_often(self, what: str, most: int) -> bool:
        """Whether the client has done this more often within an hour."""
        return self.site.limits.count(what, self.client, wall()) > most


@asynccontextmanager
async def even_time() -> AsyncIterator[None]:
    """Let the block take a multiple of a quarter of a second, so that its time tells nothing."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    await asyncio.sleep(EVEN_SECONDS - took % EVEN_SECONDS)


async def form_of(request: Request) -> Mapping[str, str]:
    """Return the fields of a form that are text; the body's size is bounded before."""
    if request.method != "POST":
        return {}
    form = await request.form(max_files=0, max_fields=FIELDS)
    return {key: value.replace("\0", "") for key, value in form.items() if isinstance(value, str)}
