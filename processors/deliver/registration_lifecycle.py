"""
The lifecycle of registrations: requests to verify contacts, the confirmation, the status for the site, and forgetting.

Runs after every input that changed a registrant's registrations or contacts, and on their timers.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from processors.deliver.contacts import UNKNOWN, Destination, destinations
from processors.deliver.inputs.replies import start_message
from processors.deliver.keys import destroy_key
from processors.deliver.quiet import quiet_end_in_any
from processors.deliver.situation import Situation, registrant_after
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

STANDING_WAIT: Final = 60_000  # milliseconds that a confirmation waits for the offender's standing


def follow_registrations(registrant: Registrant, situation: Situation) -> Decision[State]:
    """Do what is due for a registrant's registrations."""
    decision: Decision[State] = Decision()
    for step in (request_verifications, send_confirmations, publish_statuses, forget_contacts):
        decision = decision.then(step(registrant_after(decision, registrant), situation))
    return decision


def request_verifications(registrant: Registrant, situation: Situation) -> Decision[State]:
    """Ask identify for permission to send a code to each contact that is due, outside quiet hours."""
    due = [name for name, each in registrant.contacts.items() if each.ask_at is not None and each.ask_at <= situation.at]
    if not due:
        return Decision()
    here = {each.name: each for each in destinations(registrant.in_force(situation.at), situation)}
    contacts = dict(registrant.contacts)
    outputs = []
    for name in due:
        to, known = here.get(name), contacts[name]
        begin = None if to is None or known.silent else end_of_quiet_hours(to, situation)
        contacts[name] = replace(known, ask_at=begin if begin is not None and begin > situation.at else None)
        if to is not None and begin == situation.at:
            request = VerificationRequest(registrant_id=registrant.registrant_id, contact=name)
            body = msgspec.json.encode(request)
            message_id = to.registration.registration_id
            outputs.append(
                Output(INTAKE, None, Intake(kind="verification_request", message_id=message_id, received_at=situation.at, body=body))
            )
    return Decision(tuple(outputs), {registrant.registrant_id: replace(registrant, contacts=contacts)})


def end_of_quiet_hours(to: Destination, situation: Situation) -> int:
    """Return when a contact's quiet hours end."""
    return quiet_end_in_any(situation.at, situation.rules.quiet_hours(EVERYWHERE), to.registration.zones)


def send_confirmations(registrant: Registrant, situation: Situation, answer: PresentStanding | None = None) -> Decision[State]:
    """
    Send one confirmation of each registration to its first verified contact, with the offender's current standing (contract §4).

    The standing is requested when the confirmation is due; if it does not arrive within a minute, the confirmation is sent without it.
    """
    decision: Decision[State] = Decision()
    for registration in registrant.registrations.values():
        if not registration.confirmed and registration.source != SIGN_IN:
            told = answer if answer is not None and answer.registration_id == registration.registration_id else None
            decision = decision.then(confirm_registration(registrant_after(decision, registrant), registration, told, situation))
    return decision


def confirm_registration(
    registrant: Registrant, registration: KnownRegistration, answer: PresentStanding | None, situation: Situation
) -> Decision[State]:
    """Return the next step towards the confirmation of one registration."""
    contacts = destinations([registration], situation) if registration.in_force(situation.at) else ()
    to = next((each for each in contacts if is_verified(registrant, each) and not has_opted_out(registrant, each)), None)
    begin = end_of_quiet_hours(to, situation) if to is not None else None
    outputs: tuple[Output, ...] = ()
    if to is None or begin is None or begin > situation.at:
        after = replace(registration, confirm_at=begin, asked=False)
    elif not registration.asked:
        after = replace(registration, confirm_at=situation.at + STANDING_WAIT, asked=True)
        outputs = (ask_standing(registration, situation),)
    elif answer is not None or registration.confirm_at is None or registration.confirm_at <= situation.at:
        confirmed = with_registration(registrant, replace(registration, confirm_at=None, asked=False, confirmed=True))
        standing = answer.standing if answer is not None else None
        begun = start_message(confirmed, "registered", to.name, registration.registration_id, situation, standing)
        return Decision[State](states={registrant.registrant_id: confirmed}).then(begun)
    else:
        return Decision()
    if after == registration:
        return Decision()
    return Decision(outputs, {registrant.registrant_id: with_registration(registrant, after)})


def ask_standing(registration: KnownRegistration, situation: Situation) -> Output:
    """Return the request for the standing of a registration's offender."""
    body = msgspec.json.encode(StandingRequest(registration_id=registration.registration_id))
    request = Intake(kind="standing_request", message_id=registration.registration_id, received_at=situation.at, body=body)
    return Output(INTAKE, None, request)


def publish_statuses(registrant: Registrant, situation: Situation) -> Decision[State]:
    """Publish the status of every registration whose status changed."""
    after, outputs = registrant, []
    for registration in registrant.registrations.values():
        status = status_of(registrant, registration, situation)
        if status is not None and status != registration.status:
            after = with_registration(after, replace(registration, status=status))
            told = RegistrationStatus(
                registration_id=registration.registration_id, source=registration.source, status=status, since=situation.at
            )
            outputs.append(Output(REGISTRATION_STATUS, registration.registration_id, told))
    return Decision(tuple(outputs), {registrant.registrant_id: after}) if outputs else Decision()


def status_of(registrant: Registrant, registration: KnownRegistration, situation: Situation) -> RegistrationState | None:
    """Return the status of a registration; None if it was removed before it was ever in force."""
    if not registration.in_force(situation.at):
        return "expired" if registration.sealed or registration.status is not None else None
    to = destinations([registration], situation)
    speaking = [each for each in to if not has_opted_out(registrant, each)]
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


def has_opted_out(registrant: Registrant, to: Destination) -> bool:
    return registrant.contacts.get(to.name, UNKNOWN).silent


def forget_contacts(registrant: Registrant, situation: Situation) -> Decision[State]:
    """Forget the contact data of registrations that ended longer ago than `retention.contacts`."""
    over = [each for each in registrant.registrations.values() if each.forget_at is not None and each.forget_at <= situation.at]
    if not over:
        return Decision()
    after = registrant
    for each in over:
        after = with_registration(after, replace(each, ended=True, forget_at=None, sealed=b"", status="expired"))
    kept = set(stored_contact_names(after, situation))
    after = replace(after, contacts={name: each for name, each in after.contacts.items() if name in kept})
    detail = "retention.contacts has passed since it ended"
    verdicts = tuple(situation.verdict(each.registration_id, "noted", "contacts_forgotten", detail) for each in over)
    forgotten = Decision[State](states={registrant.registrant_id: after}, verdicts=verdicts)
    if situation.key is None or any(each.sealed for each in after.registrations.values()):
        return forgotten
    return forgotten.then(destroy_key(after, max(each.seq for each in after.registrations.values()) + 1, situation))


def stored_contact_names(registrant: Registrant, situation: Situation) -> Iterator[str]:
    """Yield the names of contacts that any registration still has, in force or not."""
    kept = [each for each in registrant.registrations.values() if each.sealed]
    yield from (each.name for each in destinations(kept, situation))


def with_registration(registrant: Registrant, registration: KnownRegistration) -> Registrant:
    """Return the registrant with one registration replaced."""
    return replace(registrant, registrations={**registrant.registrations, registration.registration_id: registration})
