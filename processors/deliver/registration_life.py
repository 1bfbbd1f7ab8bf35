"""
The life of registrations: requests to verify contacts, the confirmation, the status for the site, forgetting.

Called after every input that changed a registrant's registrations or contacts, and when one of their deadlines came.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from processors.deliver.contacts import UNKNOWN, Destination, destinations
from processors.deliver.inbox.replies import start_message
from processors.deliver.keys import destroy_key
from processors.deliver.moment import Moment, registrant_after
from processors.deliver.quiet import quiet_end_in_any
from processors.deliver.state import KnownRegistration, Registrant, State
from processors.domain.event import EVERYWHERE
from processors.domain.intake import Intake
from processors.domain.registration import (
    SIGN_IN,
    PresentStanding,
    RegistrationState,
    RegistrationStatus,
    StandingRequest,
    VerificationRequest,
)
from processors.stage import Decision, Output
from processors.topics import INTAKE, REGISTRATION_STATUS

STANDING_WAIT: Final = 60_000  # how long a confirmation waits for where the offender stands


def follow_registrations(registrant: Registrant, moment: Moment) -> Decision[State]:
    """Return what is due for a registrant's registrations now."""
    decision: Decision[State] = Decision()
    for step in (request_verifications, confirm, publish_statuses, forget_contacts):
        decision = decision.then(step(registrant_after(decision, registrant), moment))
    return decision


def request_verifications(registrant: Registrant, moment: Moment) -> Decision[State]:
    """Ask identify for permission to send a code to each contact that is due; not in quiet hours."""
    due = [name for name, each in registrant.contacts.items() if each.ask_at is not None and each.ask_at <= moment.at]
    if not due:
        return Decision()
    here = {each.name: each for each in destinations(registrant.in_force(moment.at), moment)}
    contacts = dict(registrant.contacts)
    outputs = []
    for name in due:
        to, known = here.get(name), contacts[name]
        begin = None if to is None or known.silent else end_of_quiet_hours(to, moment)
        contacts[name] = replace(known, ask_at=begin if begin is not None and begin > moment.at else None)
        if to is not None and begin == moment.at:
            request = VerificationRequest(registrant_id=registrant.registrant_id, contact=name)
            body = msgspec.json.encode(request)
            message_id = to.registration.registration_id
            outputs.append(
                Output(INTAKE, None, Intake(kind="verification_request", message_id=message_id, received_at=moment.at, body=body))
            )
    return Decision(tuple(outputs), {registrant.registrant_id: replace(registrant, contacts=contacts)})


def end_of_quiet_hours(to: Destination, moment: Moment) -> int:
    """Return when a contact's quiet hours end."""
    return quiet_end_in_any(moment.at, moment.rules.quiet_hours(EVERYWHERE), to.registration.zones)


def confirm(registrant: Registrant, moment: Moment, answer: PresentStanding | None = None) -> Decision[State]:
    """
    Confirm each registration once, to its first verified contact, saying where the offender stands now (contract §4).

    It asks for that when it could leave, and leaves without it if no answer comes within a minute.
    """
    decision: Decision[State] = Decision()
    for registration in registrant.registrations.values():
        if not registration.confirmed and registration.source != SIGN_IN:
            told = answer if answer is not None and answer.registration_id == registration.registration_id else None
            decision = decision.then(confirm_one(registrant_after(decision, registrant), registration, told, moment))
    return decision


def confirm_one(registrant: Registrant, registration: KnownRegistration, answer: PresentStanding | None, moment: Moment) -> Decision[State]:
    """Return the next step towards the confirmation of one registration."""
    contacts = destinations([registration], moment) if registration.in_force(moment.at) else ()
    to = next((each for each in contacts if is_verified(registrant, each) and not is_silent(registrant, each)), None)
    begin = end_of_quiet_hours(to, moment) if to is not None else None
    outputs: tuple[Output, ...] = ()
    if to is None or begin is None or begin > moment.at:
        after = replace(registration, confirm_at=begin, asked=False)
    elif not registration.asked:
        after = replace(registration, confirm_at=moment.at + STANDING_WAIT, asked=True)
        outputs = (ask_standing(registration, moment),)
    elif answer is not None or registration.confirm_at is None or registration.confirm_at <= moment.at:
        confirmed = with_registration(registrant, replace(registration, confirm_at=None, asked=False, confirmed=True))
        standing = answer.standing if answer is not None else None
        begun = start_message(confirmed, "registered", to.name, registration.registration_id, moment, standing)
        return Decision[State](states={registrant.registrant_id: confirmed}).then(begun)
    else:
        return Decision()
    if after == registration:
        return Decision()
    return Decision(outputs, {registrant.registrant_id: with_registration(registrant, after)})


def ask_standing(registration: KnownRegistration, moment: Moment) -> Output:
    """Return the question where the offender of a registration stands."""
    body = msgspec.json.encode(StandingRequest(registration_id=registration.registration_id))
    request = Intake(kind="standing_request", message_id=registration.registration_id, received_at=moment.at, body=body)
    return Output(INTAKE, None, request)


def publish_statuses(registrant: Registrant, moment: Moment) -> Decision[State]:
    """Publish the status of every registration whose status has changed."""
    after, outputs = registrant, []
    for registration in registrant.registrations.values():
        status = status_of(registrant, registration, moment)
        if status is not None and status != registration.status:
            after = with_registration(after, replace(registration, status=status))
            told = RegistrationStatus(
                registration_id=registration.registration_id, source=registration.source, status=status, since=moment.at
            )
            outputs.append(Output(REGISTRATION_STATUS, registration.registration_id, told))
    return Decision(tuple(outputs), {registrant.registrant_id: after}) if outputs else Decision()


def status_of(registrant: Registrant, registration: KnownRegistration, moment: Moment) -> RegistrationState | None:
    """Return the status of a registration; None if it was removed before it was known."""
    if not registration.in_force(moment.at):
        return "expired" if registration.sealed or registration.status is not None else None
    to = destinations([registration], moment)
    speaking = [each for each in to if not is_silent(registrant, each)]
    if not speaking:
        return "opted_out"
    verified = [each for each in speaking if is_verified(registrant, each)]
    if not verified:
        return "opted_out" if any(is_verified(registrant, each) for each in to) else "awaiting_verification"
    if all(registrant.contacts.get(each.name, UNKNOWN).failed for each in verified):
        return "unreachable"
    return "possible_match" if registration.nearly else "active"


def is_verified(registrant: Registrant, to: Destination) -> bool:
    return to.contact.verified or registrant.contacts.get(to.name, UNKNOWN).verified_at is not None


def is_silent(registrant: Registrant, to: Destination) -> bool:
    return registrant.contacts.get(to.name, UNKNOWN).silent


def forget_contacts(registrant: Registrant, moment: Moment) -> Decision[State]:
    """Return the registrant without the contact data of registrations that ended long enough ago."""
    over = [each for each in registrant.registrations.values() if each.forget_at is not None and each.forget_at <= moment.at]
    if not over:
        return Decision()
    after = registrant
    for each in over:
        after = with_registration(after, replace(each, ended=True, forget_at=None, sealed=b"", status="expired"))
    kept = set(names_kept(after, moment))
    after = replace(after, contacts={name: each for name, each in after.contacts.items() if name in kept})
    detail = "retention.contacts has passed since it ended"
    verdicts = tuple(moment.verdict(each.registration_id, "noted", "contacts_forgotten", detail) for each in over)
    forgotten = Decision[State](states={registrant.registrant_id: after}, verdicts=verdicts)
    if moment.key is None or any(each.sealed for each in after.registrations.values()):
        return forgotten
    return forgotten.then(destroy_key(after, max(each.seq for each in after.registrations.values()) + 1, moment))


def names_kept(registrant: Registrant, moment: Moment) -> Iterator[str]:
    """Yield the names of contacts that some registration still has, in force or not."""
    kept = [each for each in registrant.registrations.values() if each.sealed]
    yield from (each.name for each in destinations(kept, moment))


def with_registration(registrant: Registrant, registration: KnownRegistration) -> Registrant:
    """Return the registrant with one registration replaced."""
    return replace(registrant, registrations={**registrant.registrations, registration.registration_id: registration})
