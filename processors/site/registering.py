"""
The steps of a registration: offender, events, contacts, PIN, verification code, done.

Each step is a form that carries the previous steps' answers, sealed. The registration's id is created in the first step, so
that a form submitted twice, or from two tabs, registers only once.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from processors.domain.registration import Contact, RegistrationState
from processors.domain.time import iso
from processors.ingest.identify.agency import NATIONAL
from processors.masking import mask_contact
from processors.runtime.clock import wall_time
from processors.site import sealed_values
from processors.site.choices import CHOICES, chosen_subtypes
from processors.site.forms import (
    CHANNELS,
    MAX_CONTACTS,
    VIN_LENGTH,
    Offender,
    Problems,
    code_of,
    contacts_of,
    email_and_phone_of,
    number_of,
    offender_document,
    offender_of,
    pin_problem,
    refusal_of,
)
from processors.site.look_up import FoundPerson
from processors.site.outbox import StoredRegistration
from processors.site.page import Page

REGISTRATIONS_AN_HOUR: Final = 20  # registrations of one client
CODES_AN_HOUR: Final = 60
CODE_PAGE_VALID: Final = 34 * 3_600_000  # milliseconds: a night without codes (10 hours), and the 24 hours that a code is good for
STATUS_POLL_SECONDS: Final = 0.25
SCHEME: Final = {"DOJ_VNS": "REGISTER", "ICE_VNP": "A-NUMBER"}  # the scheme of the number that a victim may know


class Draft(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answers so far."""

    registration_id: str
    registrant_id: str
    name: str
    offender: Offender
    choices: tuple[str, ...] = CHOICES
    contacts: tuple[Contact, ...] = ()
    language: str = "en"
    discreet: bool = False
    vin: str = ""


class PendingVerification(msgspec.Struct, frozen=True):
    """A registration that was sent and whose contacts must still be verified."""

    registration_id: str
    shown: tuple[str, ...]
    vin: str = ""


async def register(page: Page) -> Response:
    """Return the next step, or the same one with the problems found in it."""
    step = page.form.get("step", "")
    if page.request.method != "POST" or step == "":
        return page.show("register_who.html")
    if step == "who":
        return choose_person(page)
    if step == "code":
        return await check_code(page)
    draft = sealed_values.unseal_value(page.form.get("draft", ""), Draft, wall_time(), page.site.seal)
    if draft is None or step not in STEPS:
        return page.sentence("too_old", 400)
    return await STEPS[step](page, draft)


def sealed_draft(page: Page, draft: Draft) -> str:
    return sealed_values.seal_value(draft, wall_time(), page.site.seal)


def choose_person(page: Page) -> Response:
    """Handle the first step: an offender who was looked up, or is described in the form."""
    found = sealed_values.unseal_value(page.form.get("who", ""), FoundPerson, wall_time(), page.site.seal)
    if found is None:
        offender, problems = offender_of(page.form, datetime.fromtimestamp(wall_time() / 1000, UTC).date())
        number, wrong = number_of(page.form)
        if offender is None or wrong:
            return page.show("register_who.html", 400, problems=problems | wrong)
        if number and page.site.by_vin:
            offender = msgspec.structs.replace(offender, numbers=((SCHEME[page.site.source], number, None),))
        found = FoundPerson(f"{offender.given} {offender.sur}", offender)
    if refusal := refusal_of(found.offender, page.site.rules.rule_set(NATIONAL, wall_time()).identity):
        return page.show("register_who.html", 400, problems=refusal)
    draft = Draft(
        f"site-{secrets.token_hex(12)}",
        f"person-{secrets.token_hex(12)}",
        found.name,
        found.offender,
        vin=f"{secrets.randbelow(10**VIN_LENGTH):0{VIN_LENGTH}}" if page.site.by_vin else "",
    )
    return show_events(page, draft)


async def correct_person(page: Page, draft: Draft) -> Response:
    """Show the first step again, with what was typed there."""
    offender = draft.offender
    number = offender.numbers[0][1] if offender.numbers and offender.sur else ""  # somebody found has numbers and no name
    return page.show("register_who.html", form=msgspec.to_builtins(offender) | {"number": number})


async def correct_events(page: Page, draft: Draft) -> Response:
    return show_events(page, draft)


async def correct_contacts(page: Page, draft: Draft) -> Response:
    return show_contacts(page, draft)


def show_events(page: Page, draft: Draft) -> Response:
    return page.show("register_what.html", draft=sealed_draft(page, draft), name=draft.name, about=CHOICES, chosen=draft.choices)


async def choose_events(page: Page, draft: Draft) -> Response:
    choices = tuple(each for each in CHOICES if page.form.get(f"about {each}"))
    return show_contacts(page, msgspec.structs.replace(draft, choices=choices))


def show_contacts(page: Page, draft: Draft, problems: Problems | None = None) -> Response:
    """Show the step with what has just been typed if there are problems in it, else with what was typed there before."""
    return page.show(
        "register_how.html",
        400 if problems else 200,
        form=page.form if problems else typed_contacts(page, draft),
        problems=problems or {},
        draft=sealed_draft(page, draft),
        name=draft.name,
        channels=CHANNELS,
        places=range(MAX_CONTACTS),
    )


def typed_contacts(page: Page, draft: Draft) -> dict[str, str]:
    """Return the fields of the form about contacts as they are in the draft."""
    if not draft.contacts:
        return {}
    email, *others = draft.contacts if page.site.by_vin else (None, *draft.contacts)
    emails = {"email": email.address, "email_again": email.address} if email is not None else {}
    channels = {f"channel{place}": each.channel for place, each in enumerate(others) if each is not None}
    addresses = {f"address{place}": each.address for place, each in enumerate(others) if each is not None}
    return {**emails, **channels, **addresses, "told_in": draft.language, "discreet": "1" if draft.discreet else ""}


async def choose_contacts(page: Page, draft: Draft) -> Response:
    contacts, problems = (email_and_phone_of if page.site.by_vin else contacts_of)(page.form)
    discreet = bool(page.form.get("discreet"))
    if discreet and not problems and {each.channel for each in contacts} == {"sms"}:
        problems = {"discreet": "discreet_alone"}
    if problems:
        return show_contacts(page, draft, problems)
    language = page.form.get("told_in", page.language)
    language = language if language in page.site.languages else page.language
    return show_pin(page, msgspec.structs.replace(draft, contacts=contacts, language=language, discreet=discreet))


def show_pin(page: Page, draft: Draft, status: int = 200, **values: object) -> Response:
    return page.show("register_pin.html", status, draft=sealed_draft(page, draft), name=draft.name, called=is_called(draft), **values)


def is_called(draft: Draft) -> bool:
    return any(each.channel == "voice" for each in draft.contacts)


async def send_registration(page: Page, draft: Draft) -> Response:
    """Store the registration for sending, and ask for the code that the pipeline sends to the contacts."""
    pin = page.form.get("pin", "").strip()
    problem = pin_problem(pin) if pin or page.site.by_vin or is_called(draft) else None
    if problem is not None:
        return show_pin(page, draft, 400, problems={"pin": problem})
    if page.is_too_often("register", REGISTRATIONS_AN_HOUR):
        return page.sentence("too_often", 429)
    now = wall_time()
    registration = StoredRegistration(
        registration_id=draft.registration_id,
        registrant_id=draft.registrant_id,
        source=page.site.source,
        offender=offender_document(draft.offender),
        shown_name=draft.name,
        event_subtypes=chosen_subtypes(draft.choices, page.site.rules),
        choices=draft.choices,
        language=draft.language,
        contacts=draft.contacts,
        pin=pin or None,
        created_at=now,
        discreet=draft.discreet,
        vin=draft.vin,
    )
    await run_in_threadpool(page.site.outbox.store_registration, registration, now)
    awaiting = PendingVerification(draft.registration_id, tuple(mask_contact(each) for each in draft.contacts), draft.vin)
    return show_code(page, awaiting)


def show_code(page: Page, awaiting: PendingVerification, status: int = 200, **values: object) -> Response:
    shown = {"unsent": False, "tried": False} | values
    return page.show(
        "register_code.html",
        status,
        awaiting=sealed_values.seal_value(awaiting, wall_time(), page.site.seal),
        shown=awaiting.shown,
        **shown,
    )


async def check_code(page: Page) -> Response:
    """Pass on the code, and show whether the registration has become active."""
    sealed = page.form.get("awaiting", "")
    awaiting = sealed_values.unseal_value(sealed, PendingVerification, wall_time(), page.site.seal, CODE_PAGE_VALID)
    if awaiting is None:
        return page.sentence("code_too_old", 400)
    if text := page.form.get("code", "").strip():
        code = code_of(text)
        if code is None:
            return show_code(page, awaiting, 400, problems={"code": "bad_code"})
        if page.is_too_often("code", CODES_AN_HOUR):
            return page.sentence("too_often", 429)
        await send_code(page, awaiting.registration_id, code)
    if await wait_until_active(page, awaiting.registration_id):
        return page.show("register_done.html", shown=awaiting.shown, vin=spoken_vin(awaiting.vin))
    unsent = not await run_in_threadpool(page.site.outbox.is_sent, awaiting.registration_id)
    return show_code(page, awaiting, tried=True, unsent=unsent)


def spoken_vin(vin: str) -> str:
    """Return the number in groups that are easy to write down."""
    return " ".join((vin[:3], vin[3:6], vin[6:])) if vin else ""


async def send_code(page: Page, registration_id: str, code: str) -> None:
    now = wall_time()
    value = msgspec.json.encode({"registration_id": registration_id, "code": code, "at": iso(now)})
    await run_in_threadpool(page.site.outbox.queue, "verifications", registration_id, value, now)


async def wait_until_active(page: Page, registration_id: str) -> bool:
    """Wait a few seconds; whether the pipeline has reported the registration as active."""
    return await wait_for_status(page, registration_id, lambda status: status == "active")


async def wait_for_status(page: Page, registration_id: str, wanted: Callable[[RegistrationState], bool]) -> bool:
    """Wait a few seconds; whether the pipeline has reported a wanted status of the registration."""
    until = time.monotonic() + page.site.wait_seconds
    while True:
        statuses = await page.statuses([registration_id])
        if (found := statuses.get(registration_id)) is not None and wanted(found.status):
            return True
        if time.monotonic() >= until:
            return False
        await asyncio.sleep(STATUS_POLL_SECONDS)


STEPS: Final = {
    "what": choose_events,
    "how": choose_contacts,
    "pin": send_registration,
    "back to who": correct_person,
    "back to what": correct_events,
    "back to how": correct_contacts,
}
