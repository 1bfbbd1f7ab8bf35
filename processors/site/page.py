"""One request to the public's pages: its language, form, rate limits and response."""

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
from processors.rules.rule_set import Rules
from processors.runtime.clock import wall_time
from processors.site.challenge import Challenges
from processors.site.forms import MAX_CONTACTS
from processors.site.hotlines import hotlines
from processors.site.languages import Words
from processors.site.limits import RateLimits
from processors.site.outbox import Outbox
from processors.views.follower import Follower
from processors.views.public import PublicScope, registration_statuses

MAX_FIELDS: Final = 60
OF_ANY_FIELD: Final = frozenset({"missing", "bad_name", "bad_phone", "bad_email"})  # problems whose sentences do not name the field
BY_VIN: Final = frozenset({"DOJ_VNS", "ICE_VNP"})  # sources whose registrants have a verified email address, a VIN and a PIN
WITH_PHONE: Final = frozenset({"ICE_VNP"})  # of these, those that also call or text
EVEN_SECONDS: Final = 0.25  # responses whose timing must reveal nothing take a multiple of this
STALE_MILLISECONDS: Final = 30_000
T = TypeVar("T")

TEMPLATES: Final = Environment(
    loader=PackageLoader("processors.site"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True, slots=True)
class Site:
    """The services and settings that the public's pages use."""

    follower: Follower
    outbox: Outbox
    seal: Seal
    rules: Rules
    languages: Mapping[str, Words]
    source: str
    shown: PublicScope
    limits: RateLimits
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
        """The client's address, as named by our proxy if the request came through it."""
        peer = self.request.client.host if self.request.client else ""
        named = self.request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        return named if named and peer in self.site.proxies else peer

    def show(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a rendered page; the template gets the form's fields, so that the input is not lost."""
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
            "labels": field_labels(self.words, by_vin=self.site.by_vin),
            "of_any_field": OF_ANY_FIELD,
            "as_of_stale": as_of is None or wall_time() - as_of > STALE_MILLISECONDS,
        }
        return HTMLResponse(TEMPLATES.get_template(template).render(**(shared | values)), status)

    @property
    def hotlines(self) -> tuple[str, ...]:
        """The hotlines, one sentence each."""
        return hotlines(self.site.rules, self.words, self.language, wall_time())

    def sentence(self, name: str, status: int) -> HTMLResponse:
        """Return a page with one sentence."""
        return self.show("sentence.html", status, sentence=self.words["problems"][name])

    async def ask(self, query: Callable[..., T], *arguments: Any) -> T:
        """Return the result of a query of the view."""

        def run() -> T:
            with self.site.follower.view.reading() as database:
                return query(database, *arguments)

        return await run_in_threadpool(run)

    async def statuses(self, registration_ids: list[str]) -> Mapping[str, RegistrationStatus]:
        """Return the known statuses of registrations; empty before the view is first built."""
        try:
            return await self.ask(registration_statuses, registration_ids)
        except sqlite3.OperationalError:
            return {}

    def is_too_often(self, what: str, most: int) -> bool:
        """Count an action; whether the client has done it more than `most` times within an hour."""
        return self.site.limits.count(what, self.client, wall_time()) > most


def field_labels(words: Words, *, by_vin: bool) -> Mapping[str, str]:
    """Return the labels of the fields whose problems do not name them."""
    register, find, vin = words["register"], words["find"], words["vin"]
    contacts = {f"address{place}": register["contact"].format(number=place + 1) for place in range(MAX_CONTACTS)}
    return {
        **{name: register[name] for name in ("given", "sur", "birth_date")},
        **{name: find[name] for name in ("last_name", "initial")},
        **(contacts | ({"address0": vin["phone_number"]} if by_vin else {})),
        "email": vin["email"],
    }


@asynccontextmanager
async def padded_time() -> AsyncIterator[None]:
    """Make the block take a multiple of EVEN_SECONDS, so that its duration reveals nothing."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    await asyncio.sleep(EVEN_SECONDS - took % EVEN_SECONDS)


async def form_of(request: Request) -> Mapping[str, str]:
    """Return a form's text fields; the size of the body has been limited before."""
    if request.method != "POST":
        return {}
    form = await request.form(max_files=0, max_fields=MAX_FIELDS)
    return {key: value.replace("\0", "") for key, value in form.items() if isinstance(value, str)}
