"""`/registrants`, for advocates and call centers: whether a registrant was notified; make, change or end a registration for them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from processors.console.contacts import ShownContact
from processors.console.page import Pages
from processors.console.registrations import changed_registration, contacts_to_change, filled_form, is_made_here, new_registration
from processors.domain.journal import Outcome
from processors.runtime.errors import UserError
from processors.views import queries

# The answer to "Was the registrant told?" by outcome, the best outcome first.
ANSWERS: Final[Mapping[Outcome, str]] = {
    "delivered": "Yes: the registrant was reached",
    "sent": "Sent, not yet known whether it arrived",
    "undelivered": "No: no contact could be reached",
    "dropped": "No: nothing was sent",
    "gathered": "Not yet: it waits for the end of quiet hours or for others of the same event",
}
NOT_YET: Final = "Not yet"
CHANNELS: Final = {"sms": "text message", "email": "email", "voice": "call"}


async def registrants(pages: Pages, request: Request) -> Response:
    registrant, error, done = request.query_params.get("registrant", "").strip(), "", ""
    reason, person = request.query_params.get("reason", "").strip(), request.state.person.name
    form: dict[str, str] = {}
    masked = True
    if request.method == "POST":
        form = {name: str(value).strip() for name, value in (await request.form()).items()}
    if form.get("what") in {"contacts", "change"}:
        registrant, reason, masked = form.get("registrant", ""), form.get("reason", ""), False
    elif form:
        try:
            done, form = await run_in_threadpool(change_registration, pages, form, person), {}
        except UserError as refused:
            error = str(refused)
    contacts: tuple[ShownContact, ...] = ()
    if registrant and not reason:
        error = "Say why you look up what this registrant was told: it is kept with your name."
    elif registrant:
        try:
            await run_in_threadpool(pages.console.actions.log, person, "registrant_seen" if masked else "contacts_seen", registrant, reason)
            contacts = await run_in_threadpool(pages.console.contacts, registrant, masked=masked)
            if form.get("what") == "change":
                form = filled_form(registrant, contacts_to_change(form.get("registration_id", ""), contacts))
        except UserError as refused:
            error = str(refused)
    return pages.render(
        request,
        "registrants.html",
        400 if error else 200,
        registrant=registrant,
        told=answers_by_message(await pages.ask(queries.decisions_for, registrant)) if registrant and reason else None,
        contacts=contacts,
        is_made_here=is_made_here,
        masked=masked,
        reason=reason,
        error=error,
        done=done,
        form=form,
    )


def answers_by_message(decisions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return for each message, newest first, the answer whether the registrant was told."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for each in decisions:
        found.setdefault((each["ori"], each["message_id"]), []).append(each)
    return [
        {
            "ori": ori,
            "message_id": message_id,
            "at": max(each["at"] for each in parts),
            "channels": sorted({CHANNELS.get(each["channel"], each["channel"]) for each in parts if each["channel"]}),
            "answer": next((words for outcome, words in ANSWERS.items() if any(each["outcome"] == outcome for each in parts)), NOT_YET),
        }
        for (ori, message_id), parts in found.items()
    ]


def change_registration(pages: Pages, form: Mapping[str, str], person: str) -> str:
    """Send a new or changed registration or the end of one; return a sentence that says so. The pipeline decides whether it is accepted."""
    actions, registration_id = pages.console.actions, form.get("registration_id", "")
    if form.get("what") == "end":
        if not registration_id:
            raise UserError("Name the registration that ends.")
        actions.log(person, "registration_ended", registration_id)
        actions.unregister(registration_id)
        return f"Registration {registration_id} ends."
    if registration_id:
        changed = changed_registration(form, pages.console.contacts(form.get("registrant_id", ""), masked=False))
        actions.log(person, "registration_changed", registration_id)
        actions.register(registration_id, changed)
        return f"The change of registration {registration_id} is on its way; a contact that is new is asked to verify itself."
    made = new_registration(form)
    registration_id = made["registration_id"]
    actions.log(person, "registered", registration_id)
    actions.register(registration_id, made)
    return f"Registration {registration_id} is on its way; each contact is asked to verify itself."
