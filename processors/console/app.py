"""
The console's pages. Reading asks the view; changing sends a record to the pipeline's topics; nothing else is changed.

Every page works without JavaScript; htmx only refreshes what is shown.
"""

import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from msgspec import structs
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from processors.console.actions import Actions
from processors.console.overview import Overview
from processors.console.security import Person, Proxy, Security
from processors.deliver.sample import sample_text
from processors.domain.event import Scope
from processors.domain.journal import Verdicts
from processors.domain.policy import Policy
from processors.domain.time import iso
from processors.rules.book import Rules
from processors.rules.settings import SETTINGS, BadSetting, check_setting
from processors.runtime.clock import wall
from processors.runtime.errors import Restart, UserError
from processors.runtime.kafka.user_client import Client
from processors.topics import DECISIONS, TOPICS
from processors.views import queries
from processors.views.follower import Follower

STATIC: Final = Path(__file__).parent / "static"
REVIEW_MINUTES: Final = 15
LANGUAGES: Final = ("en", "es")
STALE_MILLISECONDS: Final = 30_000
TAIL_MOST: Final = 50
MASKED: Final = frozenset({"to", "body", "subject", "sealed", "original", "submission", "contacts", "pin", "digits", "address"})
PLACEHOLDER: Final = "(not shown)"


@dataclass(frozen=True, slots=True)
class Console:
    """What the pages work with."""

    client: Client
    follower: Follower
    actions: Actions
    overview: Overview
    rules: Rules
    rules_document: Callable[[str], Any]


class Pages:
    """One method a page."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._templates = Environment(
            loader=PackageLoader("processors.console"), autoescape=select_autoescape(["html"], default=True), undefined=StrictUndefined
        )
        self._templates.filters |= {"moment": moment, "ago": ago}

    # -- what every page has

    def render(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        as_of = self._console.follower.as_of
        shared = {
            "person": request.state.person,
            "token": request.state.token,
            "path": request.url.path,
            "as_of": as_of,
            "stale": as_of is None or wall() - as_of > STALE_MILLISECONDS,
            "building": None if as_of is not None else (self._console.follower.applied, self._console.follower.total),
            "now": wall(),
        }
        return HTMLResponse(self._templates.get_template(template).render(**shared, **values), status)

    def _missing(self, request: Request, what: str) -> HTMLResponse:
        return self.render(
            request, "message.html", 404, title="Not found", text=f"There is no {what}, or not yet: the page is as of the time above."
        )

    async def _ask(self, query: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Return what a query of the view says; nothing at all while the view is being built for the first time."""

        def ask() -> Any:
            with self._console.follower.view.reading() as database:
                return query(database, *arguments, **named)

        return await run_in_threadpool(ask)

    # -- pages

    async def overview(self, request: Request) -> Response:
        reviews = [each for each in await self._ask(queries.open_reviews) if request.state.person.may_see(each["jurisdiction"])]
        overdue = await self._ask(queries.expectations, states=("overdue",))
        letters = [each for each in await self._ask(queries.dead_letters) if each["settled"] is None]
        emergencies = [each for each in reviews if self._emergency(each)]
        return self.render(
            request,
            "overview.html",
            stages=self._console.overview.stages(),
            figures=self._console.overview.figures(),
            emergencies=emergencies,
            reviews=reviews,
            overdue=overdue,
            letters=letters,
            found=await self._ask(queries.search, request.query_params["q"]) if request.query_params.get("q") else None,
            query=request.query_params.get("q", ""),
        )

    async def reviews(self, request: Request) -> Response:
        reason, jurisdiction = request.query_params.get("reason") or None, request.query_params.get("jurisdiction") or None
        found = await self._ask(queries.open_reviews, reason=reason, jurisdiction=jurisdiction)
        shown = [each for each in found if request.state.person.may_see(each["jurisdiction"])]
        shown.sort(key=lambda each: (not self._emergency(each), each["since"], each["review_id"]))
        return self.render(
            request,
            "reviews.html",
            reviews=[
                each | {"emergency": self._emergency(each), "left": REVIEW_MINUTES * 60 - (wall() - each["since"]) // 1000}
                for each in shown
            ],
            reason=reason or "",
            jurisdiction=jurisdiction or "",
            reasons=sorted({each["reason"] for each in found}),
            jurisdictions=sorted({each["jurisdiction"] for each in found}),
        )

    async def review(self, request: Request) -> Response:
        review_id = request.path_params["review_id"]
        found = await self._ask(queries.review, review_id)
        if found is None or not request.state.person.may_see(found["jurisdiction"]):
            return self._missing(request, f"review {review_id}")
        error = ""
        if request.method == "POST":
            answer = await self._decide(request, found)
            if isinstance(answer, Response):
                return answer
            error = answer
        group = await self._ask(queries.grouped_reviews, found["group"]) if found["group"] else []
        return self.render(
            request,
            "review.html",
            status=400 if error else 200,
            review=found,
            emergency=self._emergency(found),
            pending=await run_in_threadpool(self._console.actions.pending, review_id),
            texts=self._sample_texts(found),
            ended=await self._ask(queries.how_reviews_ended, found["reason"]),
            group=group,
            messages=await self._ask(queries.messages_of, found["offender"]),
            expected=await self._ask(queries.expectations_of, found["offender"]),
            error=error,
        )

    async def _decide(self, request: Request, review: Mapping[str, Any]) -> Response | str:
        """Do what the form says, and return where to go; a sentence where it cannot be done."""
        form = await request.form()
        what, reason, person = str(form.get("what", "")), str(form.get("reason", "")).strip(), request.state.person
        actions, review_id = self._console.actions, review["review_id"]
        here = RedirectResponse(f"/reviews/{review_id}", 303)
        if what == "undo":
            undone = await run_in_threadpool(actions.undo, review_id)
            return here if undone else "It had been sent already: it cannot be undone any more."
        if what not in {"release", "discard", "release_group", "discard_group"}:
            return "Choose release or discard."
        if not reason:
            return "Say why: the reason is kept in the audit trail."
        if review["state"] != "open":
            return f"This review was {review['state']} by {review.get('reviewer') or 'the pipeline'} before."
        decision: Any = what.removesuffix("_group")
        if what.endswith("_group"):
            count = len(await self._ask(queries.grouped_reviews, review["group"]))
            if str(form.get("count", "")).strip() != str(count):
                return f"Type {count}, the number of messages in the group, to confirm that all of them are meant."
            await run_in_threadpool(actions.decide_group, review["group"], decision, reason, person.name)
        else:
            await run_in_threadpool(actions.decide, review_id, decision, reason, person.name, at_once=self._emergency(review))
        return here

    def _sample_texts(self, review: Mapping[str, Any]) -> dict[str, str]:
        """Return what registrants would be told of an event of this kind, by language; names and places are made up."""
        rules, where = self._console.rules, review["jurisdiction"]
        code = rules.book(where, review["since"]).code(review["event_type"], review["event_subtype"])
        if code is None:
            return {}
        found = {language: sample_text(rules, where, code, review["since"], language) for language in LANGUAGES}
        return {language: text for language, text in found.items() if text}

    async def message(self, request: Request) -> Response:
        message_id = request.path_params["message_id"]
        places = await self._ask(queries.journal_places, message_id)
        if not places:
            return self._missing(request, f"message {message_id}")
        verdicts = await run_in_threadpool(self._verdicts, places, message_id)
        return self.render(request, "message_life.html", message_id=message_id, verdicts=verdicts)

    def _verdicts(self, places: list[tuple[int, int]], message_id: str) -> list[dict[str, Any]]:
        """Return the verdicts on a message in the order they were written."""
        found = []
        for record in self._console.client.read_at(DECISIONS, places):
            batch = None if record.value is None else self._console.client.codec.decode(record.value)
            if isinstance(batch, Verdicts):
                found += [{"written": record.timestamp, **structs.asdict(each)} for each in batch.verdicts if each.message_id == message_id]
        return sorted(found, key=lambda each: each["written"])

    async def offender(self, request: Request) -> Response:
        offender = request.path_params["offender"]
        messages = await self._ask(queries.messages_of, offender)
        if not messages:
            return self._missing(request, f"offender {offender}")
        return self.render(
            request,
            "offender.html",
            offender=offender,
            messages=messages,
            reviews=await self._ask(queries.reviews_of, offender),
            expected=await self._ask(queries.expectations_of, offender),
        )

    async def expectations(self, request: Request) -> Response:
        found = await self._ask(queries.expectations)
        return self.render(
            request, "expectations.html", expected=[each for each in found if request.state.person.may_see(each["jurisdiction"])]
        )

    async def agencies(self, request: Request) -> Response:
        rules = self._console.rules
        found = await self._ask(queries.agencies)
        for each in found:
            each["limit"] = rules.duration("feed.silence", Scope(jurisdiction=each["ori"][:2]))
            each["silent"] = wall() - each["heard_at"] > each["limit"]
        return self.render(request, "agencies.html", agencies=found)

    async def dead_letters(self, request: Request) -> Response:
        error = ""
        if request.method == "POST":
            form = await request.form()
            dead_letter_id, reason = str(form.get("dead_letter_id", "")), str(form.get("reason", "")).strip()
            try:
                if form.get("what") == "replay":
                    await run_in_threadpool(self._console.actions.replay, dead_letter_id, request.state.person.name)
                    return RedirectResponse("/dead-letters", 303)
                if reason:
                    await run_in_threadpool(self._console.actions.settle, dead_letter_id, reason, request.state.person.name)
                    return RedirectResponse("/dead-letters", 303)
                error = "Say why nothing more is needed: the reason is kept with the dead letter."
            except UserError as refused:
                error = str(refused)
        return self.render(request, "dead_letters.html", 400 if error else 200, letters=await self._ask(queries.dead_letters), error=error)

    async def policies(self, request: Request) -> Response:
        error = ""
        if request.method == "POST":
            form = {name: str(value).strip() for name, value in (await request.form()).items()}
            scope = Scope(*(form.get(name) or None for name in ("jurisdiction", "notification_type", "event_subtype")))
            policy = Policy(
                key=form.get("key", ""),
                value=form.get("value", ""),
                jurisdiction=scope.jurisdiction,
                notification_type=scope.notification_type,
                event_subtype=scope.event_subtype,
                set_by=request.state.person.name,
                set_at=wall(),
            )
            try:
                if form.get("what") == "unset":
                    await run_in_threadpool(self._console.actions.unset_policy, policy)
                else:
                    check_setting(policy.key, policy.value, scope, self._console.rules)
                    await run_in_threadpool(self._console.actions.set_policy, policy)
                return RedirectResponse("/policies", 303)
            except (BadSetting, UserError) as refused:
                error = str(refused)
        return self.render(
            request,
            "policies.html",
            400 if error else 200,
            settings=sorted(SETTINGS.values(), key=lambda each: each.key),
            policies=await self._ask(queries.policies),
            history=await self._ask(queries.policy_history),
            error=error,
        )

    async def rules(self, request: Request) -> Response:
        state = request.path_params["state"].upper()
        if state not in self._console.rules.jurisdictions:
            return self._missing(request, f"rule file for {state}")
        return self.render(request, "rules.html", document=await run_in_threadpool(self._console.rules_document, state), state=state)

    async def registrants(self, request: Request) -> Response:
        registrant, error, done = request.query_params.get("registrant", "").strip(), "", ""
        if request.method == "POST":
            form = {name: str(value).strip() for name, value in (await request.form()).items()}
            try:
                done = await run_in_threadpool(self._change_registration, form)
            except UserError as refused:
                error = str(refused)
        told = await self._ask(queries.told_to, registrant) if registrant else []
        return self.render(request, "registrants.html", 400 if error else 200, registrant=registrant, told=told, error=error, done=done)

    def _change_registration(self, form: Mapping[str, str]) -> str:
        """Send a registration or the end of one, and return the sentence that says so; the pipeline judges whether it is good."""
        if form.get("what") == "end":
            if not form.get("registration_id"):
                raise UserError("Name the registration that ends.")
            self._console.actions.unregister(form["registration_id"])
            return f"Registration {form['registration_id']} ends."
        missing = [
            label
            for name, label in (("registrant_id", "the registrant's id"), ("scheme", "the kind of number"), ("value", "the number"))
            if not form.get(name)
        ]
        contacts = [
            {"channel": channel, "address": form[channel], "verified": False} for channel in ("sms", "email", "voice") if form.get(channel)
        ]
        if missing or not contacts:
            raise UserError(f"Fill in {', '.join([*missing, *(() if contacts else ('a telephone number or an email address',))])}.")
        registration_id = form.get("registration_id") or f"AGY-{uuid4().hex[:12]}"
        document: dict[str, Any] = {
            "registration_id": registration_id,
            "registrant_id": form["registrant_id"],
            "source": "AGENCY",
            "offender": {
                "identifiers": [{"scheme": form["scheme"], "value": form["value"]}],
                "name": {"given": form.get("given") or None, "sur": form.get("sur") or None},
                "birth_date": form.get("birth_date") or None,
            },
            "language": form.get("language") or "en",
            "contacts": contacts,
        }
        if form.get("pin"):
            document["pin"] = form["pin"]
        self._console.actions.register(registration_id, document)
        return f"Registration {registration_id} is on its way; each contact is asked to verify itself."

    async def tail(self, request: Request) -> Response:
        name = request.query_params.get("topic", DECISIONS.name)
        topic = next((each for each in TOPICS if each.name == name), None)
        if topic is None:
            return self._missing(request, f"topic {name}")
        records = await run_in_threadpool(lambda: [self._shown(each) for each in self._console.client.newest(topic, TAIL_MOST)])
        return self.render(request, "tail.html", topic=name, topics=[each.name for each in TOPICS], records=records)

    def _shown(self, record: Any) -> dict[str, Any]:
        try:
            value = None if record.value is None else self._console.client.codec.decode(record.value)
        except Exception as error:  # noqa: BLE001  whatever outsiders sent is shown as what it is: unreadable
            value = {"unreadable": type(error).__name__}
        plain = json.loads(json.dumps(masked(value), default=str)) if value is not None else None
        return {
            "partition": record.partition,
            "offset": record.offset,
            "timestamp": record.timestamp,
            "key": record.key,
            "value": json.dumps(plain, indent=1),
        }

    async def health(self, _: Request) -> Response:
        as_of = self._console.follower.as_of
        fresh = as_of is not None and wall() - as_of < STALE_MILLISECONDS
        return JSONResponse({"as_of": None if as_of is None else iso(as_of), "fresh": fresh}, 200 if fresh else 503)

    def _emergency(self, review: Mapping[str, Any]) -> bool:
        code = self._console.rules.book(review["jurisdiction"], review["since"]).code(review["event_type"], review["event_subtype"])
        return code is not None and code.emergency


def masked(value: Any) -> Any:
    """Return a record as plain values, with whatever may hold contact data or a registrant's words left out."""
    if hasattr(value, "__struct_fields__"):
        return {
            name: PLACEHOLDER if name in MASKED and getattr(value, name) else masked(getattr(value, name))
            for name in value.__struct_fields__
        }
    if isinstance(value, Mapping):
        return {name: PLACEHOLDER if name in MASKED else masked(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked(each) for each in value]
    return PLACEHOLDER if isinstance(value, bytes) else value


def moment(millis: int | None) -> str:
    """Return an instant as people read it, in UTC."""
    return "" if millis is None else datetime.fromtimestamp(millis / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def ago(millis: int) -> str:
    """Return how long ago an instant was, in its largest unit."""
    seconds = max(0, (wall() - millis) // 1000)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def app_of(console: Console, local_person: str | None, proxy: Proxy | None) -> Starlette:
    """Return the application; its threads run as long as it does."""
    pages = Pages(console)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> Any:
        console.follower.start()
        console.actions.start()
        console.overview.start()
        yield
        for each in (console.follower, console.actions, console.overview):
            each.stop()

    def route(path: str, page: Callable[[Request], Awaitable[Response]], *, changes: bool = False) -> Route:
        return Route(path, page, methods=["GET", "POST"] if changes else ["GET"])

    async def unexpected(request: Request, error: Exception) -> Response:
        if isinstance(error, Restart):
            return pages.render(
                request, "message.html", 503, title="Kafka does not answer", text="Try again in a moment; nothing was changed."
            )
        return pages.render(
            request, "message.html", 503, title="Being built", text="The pages are being built from Kafka; try again in a moment."
        )

    return Starlette(
        routes=[
            route("/", pages.overview),
            route("/reviews", pages.reviews),
            route("/reviews/{review_id:path}", pages.review, changes=True),
            route("/messages/{message_id:path}", pages.message),
            route("/offenders/{offender:path}", pages.offender),
            route("/expectations", pages.expectations),
            route("/agencies", pages.agencies),
            route("/dead-letters", pages.dead_letters, changes=True),
            route("/policies", pages.policies, changes=True),
            route("/rules/{state}", pages.rules),
            route("/registrants", pages.registrants, changes=True),
            route("/tail", pages.tail),
            route("/healthz", pages.health),
            Mount("/static", StaticFiles(directory=STATIC), name="static"),
        ],
        middleware=[Middleware(Security, local_person=local_person, proxy=proxy)],
        exception_handlers={Restart: unexpected, sqlite3.OperationalError: unexpected},
        lifespan=lifespan,
    )


__all__ = ["Console", "Pages", "Person", "app_of", "masked"]
