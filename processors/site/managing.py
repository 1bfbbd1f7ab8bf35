"""
Managing one's own registrations: signing in with a code that the pipeline sends, then seeing, changing, pausing, ending them.

To sign in, the site sends a registration of source SIGN_IN with only this contact; the pipeline sends it a code and never
anything else. Known and unknown contacts get the same answers in the same time.

The code proves that the address is the user's. So the user can confirm it for a registration whose own code was lost or has
expired. Signing in alone confirms nothing: somebody else may have made the registration.
"""

import hmac
import secrets
from typing import Final

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from processors.domain.registration import SIGN_IN, Channel, Contact, RegistrationStatus
from processors.domain.time import iso
from processors.masking import mask_contact
from processors.runtime.clock import wall_time
from processors.site import sealed_values
from processors.site.choices import CHOICES, chosen_subtypes
from processors.site.forms import address_of, code_of, vin_of
from processors.site.outbox import Outbox, StoredRegistration
from processors.site.page import Page, padded_time
from processors.site.registering import CODES_AN_HOUR, send_code, wait_for_status, wait_until_active

SIGN_INS_AN_HOUR: Final = 10  # sign-ins of one client
CODE_VALID: Final = 3_600_000
SESSION: Final = 15 * 60_000
ANSWER_WAIT: Final = 60_000  # milliseconds after which a status that the pipeline reports cannot be from before a registration was resumed
NOBODYS: Final = "nobody@site.invalid"  # stands in for the address if a number is unknown
DIGITS_TO_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")  # makes a name that nobody has


class PendingSignIn(msgspec.Struct, frozen=True):
    """A sign-in that waits for its code; `known` is 1 if the contact has registrations here."""

    sign_in_id: str
    digest: str
    known: int


class Session(msgspec.Struct, frozen=True):
    """A signed-in user, who has proved that the contact with this digest is theirs."""

    digest: str


async def manage(page: Page) -> Response:
    """Return the page that follows from the form."""
    step = page.form.get("step", "")
    if page.request.method != "POST" or step == "":
        return page.show("manage_contact.html")
    if step == "contact":
        return await send_sign_in_code(page)
    if step == "code":
        return await sign_in(page)
    session = sealed_values.unseal_value(page.form.get("session", ""), Session, wall_time(), page.site.seal, SESSION)
    if session is None:
        return page.sentence("too_old", 400)
    return await change(page, session, step)


async def send_sign_in_code(page: Page) -> Response:
    """Request a code for the contact if it has registrations here; the answer does not reveal whether it has."""
    number = page.form.get("vin", "").strip() if page.site.by_vin else ""
    address, vin = address_of(page.form.get("contact", "")), vin_of(number)
    if number and vin is None:
        return page.show("manage_contact.html", 400, problems={"vin": "bad_vin"})
    if address is None and vin is None:
        return page.show("manage_contact.html", 400, problems={"contact": "bad_contact"})
    if page.is_too_often("sign_in", SIGN_INS_AN_HOUR):
        return page.sentence("too_often", 429)
    async with padded_time():
        outbox, now = page.site.outbox, wall_time()
        if vin is not None:
            address = await run_in_threadpool(email_of, outbox, vin, page.form.get("pin", "").strip())
        address = address or NOBODYS
        digest, sign_in_id = outbox.digest(address), f"signin-{secrets.token_hex(12)}"
        found = await run_in_threadpool(outbox.registrations_of, digest)
        channels: list[Channel] = [
            each.channel for registration, _ in found for each in registration.contacts if outbox.digest(each.address) == digest
        ]
        document = sign_in_document(sign_in_id, channels[0] if channels else "sms", address, page.language, now)
        await run_in_threadpool(outbox.queue, "registrations" if found else "nothing", sign_in_id, document, now)
    return show_code(page, PendingSignIn(sign_in_id, digest, int(bool(found))))


def email_of(outbox: Outbox, vin: str, pin: str) -> str | None:
    """Return the email address of the registration with this number and PIN; None if there is none."""
    for registration, _ in outbox.registrations_of(outbox.vin_digest(vin)):
        if registration.pin is not None and hmac.compare_digest(registration.pin.encode(), pin.encode()):
            return next((each.address for each in registration.contacts if each.channel == "email"), None)
    return None


def sign_in_document(sign_in_id: str, channel: Channel, address: str, language: str, now: int) -> bytes:
    """Return the registration for signing in: about an invented person, expiring soon."""
    return msgspec.json.encode(
        {
            "registration_id": sign_in_id,
            "registrant_id": sign_in_id,
            "source": SIGN_IN,
            "offender": {"name": {"given": "Signing", "sur": sign_in_id.translate(DIGITS_TO_LETTERS)}, "birth_date": "1901-02-03"},
            "language": language,
            "contacts": [{"channel": channel, "address": address, "verified": False}],
            "created_at": iso(now),
            "expires_at": iso(now + CODE_VALID),
        }
    )


def show_code(page: Page, signing: PendingSignIn, status: int = 200, **values: object) -> Response:
    return page.show(
        "manage_code.html", status, signing=sealed_values.seal_value(signing, wall_time(), page.site.seal), **({"tried": False} | values)
    )


async def sign_in(page: Page) -> Response:
    """Show the registrations after the right code was entered; a wrong code and an unknown contact look the same."""
    signing = sealed_values.unseal_value(page.form.get("signing", ""), PendingSignIn, wall_time(), page.site.seal, CODE_VALID)
    if signing is None:
        return page.sentence("too_old", 400)
    code = code_of(page.form.get("code", ""))
    if code is None:
        return show_code(page, signing, 400, problems={"code": "bad_code"})
    if page.is_too_often("code", CODES_AN_HOUR):
        return page.sentence("too_often", 429)
    async with padded_time():
        if signing.known:
            await send_code(page, signing.sign_in_id, code)
        else:
            await run_in_threadpool(page.site.outbox.queue, "nothing", signing.sign_in_id, code.encode(), wall_time())
        verified = await wait_until_active(page, signing.sign_in_id)
    if not verified:
        return show_code(page, signing, tried=True)
    await run_in_threadpool(page.site.outbox.queue, "registrations", signing.sign_in_id, None, wall_time())
    return await show_registrations(page, Session(signing.digest))


async def show_registrations(page: Page, session: Session, status: int = 200, **values: object) -> Response:
    found = await run_in_threadpool(page.site.outbox.registrations_of, session.digest)
    statuses = await page.statuses([registration.registration_id for registration, _ in found])
    registrations = [
        {
            "id": registration.registration_id,
            "name": registration.shown_name,
            "choices": registration.choices,
            "language": registration.language,
            "discreet": registration.discreet,
            "contacts": [mask_contact(each) for each in registration.contacts],
            "status": await shown_status(page, registration, statuses.get(registration.registration_id), paused=paused),
            "paused": paused,
            "to_confirm": [] if paused else [mask_contact(each) for each in unconfirmed_contacts(page, session, registration)],
        }
        for registration, paused in found
    ]
    sealed = sealed_values.seal_value(session, wall_time(), page.site.seal)
    return page.show("manage.html", status, session=sealed, registrations=registrations, about=CHOICES, **({"changed": ""} | values))


async def shown_status(page: Page, registration: StoredRegistration, told: RegistrationStatus | None, *, paused: bool) -> str:
    """Return the status to show: the pipeline's, unless the registration is paused or the pipeline has not answered yet."""
    if paused:
        return "paused"
    if told is None:
        return "kept"
    if told.status == "expired" and registration.resumed_at:  # the pipeline may only have reported the pause so far
        sent = await run_in_threadpool(page.site.outbox.is_sent, registration.registration_id)
        if not sent or told.since < registration.resumed_at + ANSWER_WAIT:
            return "kept"
    return told.status


def unconfirmed_contacts(page: Page, session: Session, registration: StoredRegistration) -> list[Contact]:
    """Return the registration's contacts with the address that the user signed in with, unless the user has confirmed them."""
    return [each for each in registration.contacts if not each.verified and page.site.outbox.digest(each.address) == session.digest]


async def change(page: Page, session: Session, step: str) -> Response:
    """Do what the form asks with one of the user's own registrations."""
    found = await run_in_threadpool(page.site.outbox.registrations_of, session.digest)
    registration, paused = next((each for each in found if each[0].registration_id == page.form.get("registration", "")), (None, False))
    if registration is None or step not in {"show", "change", "confirm", "pause", "resume", "end", "end_confirmed"}:
        return page.sentence("too_old", 400)
    outbox, now = page.site.outbox, wall_time()
    if step == "show":
        return await show_registrations(page, session)
    if step == "end":
        return ask_whether_to_end(page, session, registration)
    if step == "end_confirmed":
        await run_in_threadpool(outbox.end_registration, registration.registration_id, now)
    elif step == "confirm":
        confirmed = with_confirmed(registration, unconfirmed_contacts(page, session, registration))
        await run_in_threadpool(lambda: outbox.change_registration(confirmed, now, paused=paused))
        await wait_until_active(page, registration.registration_id)
    elif step == "change":
        choices = tuple(each for each in CHOICES if page.form.get(f"about {each}"))
        changed = with_choices(page, registration, choices)
        await run_in_threadpool(lambda: outbox.change_registration(changed, now, paused=paused))
    elif step == "pause":
        await run_in_threadpool(lambda: outbox.change_registration(registration, now, paused=True))
    else:
        await run_in_threadpool(outbox.change_registration, msgspec.structs.replace(registration, resumed_at=now), now)
        await wait_for_status(page, registration.registration_id, lambda status: status != "expired")
    return await show_registrations(page, session, changed=step)


def ask_whether_to_end(page: Page, session: Session, registration: StoredRegistration) -> Response:
    sealed = sealed_values.seal_value(session, wall_time(), page.site.seal)
    return page.show("manage_end.html", session=sealed, registration=registration.registration_id, name=registration.shown_name)


def with_confirmed(registration: StoredRegistration, contacts: list[Contact]) -> StoredRegistration:
    """Return the registration with these of its contacts verified."""
    verified = tuple(msgspec.structs.replace(each, verified=True) if each in contacts else each for each in registration.contacts)
    return msgspec.structs.replace(registration, contacts=verified)


def with_choices(page: Page, registration: StoredRegistration, choices: tuple[str, ...]) -> StoredRegistration:
    """Return the registration with other events and another language."""
    language, discreet = page.form.get("told_in", registration.language), bool(page.form.get("discreet"))
    return msgspec.structs.replace(
        registration,
        choices=choices,
        event_subtypes=chosen_subtypes(choices, page.site.rules),
        language=language if language in page.site.languages else registration.language,
        discreet=discreet and {each.channel for each in registration.contacts} != {"sms"},
    )
