"""`/registrants`, for advocates and call centres: was she told, register for somebody, end a registration."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from processors.console.page import Pages
from processors.runtime.errors import UserError
from processors.views import queries


async def registrants(pages: Pages, request: Request) -> Response:
    registrant, error, done = request.query_params.get("registrant", "").strip(), "", ""
    reason, person = request.query_params.get("reason", "").strip(), request.state.person.name
    form: dict[str, str] = {}
    if request.method == "POST":
        form = {name: str(value).strip() for name, value in (await request.form()).items()}
        try:
            done, form = await run_in_threadpool(change_registration, pages, form, person), {}
        except UserError as refused:
            error = str(refused)
    elif registrant and not reason:
        error = "Say why you look up what she was told: it is kept with your name."
    elif registrant:
        await run_in_threadpool(pages.console.actions.log, person, "registrant_seen", registrant, reason)
    return pages.render(
        request,
        "registrants.html",
        400 if error else 200,
        registrant=registrant,
        told=await pages.ask(queries.told_to, registrant) if registrant and not error else None,
        reason=reason,
        error=error,
        done=done,
        form=form,
    )


def change_registration(pages: Pages, form: Mapping[str, str], person: str) -> str:
    """Send a registration or the end of one, and return the sentence that says so; the pipeline judges whether it is good."""
    actions = pages.console.actions
    if form.get("what") == "end":
        if not form.get("registration_id"):
            raise UserError("Name the registration that ends.")
        actions.log(person, "registration_ended", form["registration_id"])
        actions.unregister(form["registration_id"])
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
    actions.log(person, "registered", registration_id)
    actions.register(registration_id, document)
    return f"Registration {registration_id} is on its way; each contact is asked to verify itself."
