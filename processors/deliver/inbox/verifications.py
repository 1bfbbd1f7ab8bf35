"""A registrant returned a verification code, or identify says whether another may be sent (contract §4)."""

from collections.abc import Iterable

from msgspec.structs import replace

from processors.deliver.contacts import UNKNOWN, destinations, find
from processors.deliver.inbox.registrations import advance_all
from processors.deliver.inbox.replies import start_message
from processors.deliver.moment import Moment
from processors.deliver.state import Delivery, KnownRegistration, Registrant, State
from processors.deliver.verification import VALID, code_of, proves
from processors.domain.event import EVERYWHERE
from processors.domain.registration import Verification, VerificationPermit
from processors.domain.time import iso
from processors.stage import Decision


def verify(registrant: Registrant, verification: Verification, deliveries: Iterable[Delivery], moment: Moment) -> Decision[State]:
    """Return the registrant with the contact verified that was sent this code."""
    registration = registrant.registrations.get(verification.registration_id)
    if registration is None or not registration.in_force(moment.at):
        return verdict_only(verification, "unknown_registration", "no such registration is in force", moment)
    if (closed := closed_until(registration, moment)) > moment.at:
        return verdict_only(verification, "verification_closed", f"too many wrong codes: none is taken until {iso(closed)}", moment)
    name = proven_contact(registrant, registration, verification, moment)
    if name is None:
        wrong = replace(registration, wrong_codes=(*registration.wrong_codes, moment.at)[-limit_of(moment) :])
        after = replace(registrant, registrations={**registrant.registrations, registration.registration_id: wrong})
        noted = verdict_only(verification, "wrong_code", "no contact of the registration was sent this code within the last day", moment)
        return noted.then(Decision(states={registrant.registrant_id: after}))
    again = moment.at + moment.rules.duration("contact.reverify", EVERYWHERE)
    known = replace(registrant.contacts[name], asked_at=None, verified_at=moment.at, ask_at=again, failed=False)
    after = replace(registrant, contacts={**registrant.contacts, name: known})
    noted = verdict_only(verification, "verified", f"its contact by {name.partition(':')[0]} is verified", moment)
    return advance_all(noted.then(Decision(states={registrant.registrant_id: after})), after, deliveries, moment)


def proven_contact(registrant: Registrant, registration: KnownRegistration, verification: Verification, moment: Moment) -> str | None:
    """Return the contact that was sent this code and may still give it back; None if there is none."""
    for each in destinations([registration], moment):
        asked_at = registrant.contacts.get(each.name, UNKNOWN).asked_at
        if asked_at is not None and moment.at < asked_at + VALID:
            code = code_of(registrant.registrant_id, each.name, asked_at, moment.seal)
            if proves(verification.code, code, registration.registration_id, moment.seal):
                return each.name
    return None


def closed_until(registration: KnownRegistration, moment: Moment) -> int:
    """Return until when no code is taken for a registration after too many wrong ones (`verify.attempts`)."""
    limit = moment.rules.verify_attempts()
    times = registration.wrong_codes
    if limit is None or len(times) < limit.limit or times[-1] - times[-limit.limit] > limit.window:
        return 0
    return times[-1] + limit.window


def limit_of(moment: Moment) -> int:
    """Return how many times of wrong codes need to be kept."""
    limit = moment.rules.verify_attempts()
    return 1 if limit is None else limit.limit


def ask(registrant: Registrant, permit: VerificationPermit, moment: Moment) -> Decision[State]:
    """Send a contact a code, or try again later if the address was sent enough codes today."""
    known = registrant.contacts.get(permit.contact, UNKNOWN)
    to = find(registrant, permit.contact, moment)
    if to is None or known.silent:
        return Decision()
    if permit.not_before is not None:
        later = replace(known, ask_at=permit.not_before)
        after = replace(registrant, contacts={**registrant.contacts, permit.contact: later})
        detail = f"the address was asked often enough today; again after {iso(permit.not_before)}"
        waits = moment.verdict(to.registration.registration_id, "noted", "verification_waits", detail)
        return Decision(states={registrant.registrant_id: after}, verdicts=(waits,))
    asked = replace(known, asked_at=moment.at, ask_at=None)
    after = replace(registrant, contacts={**registrant.contacts, permit.contact: asked})
    begun = start_message(after, "verification", permit.contact, to.registration.registration_id, moment)
    return Decision[State](states={registrant.registrant_id: after}).then(begun)


def verdict_only(verification: Verification, reason: str, detail: str, moment: Moment) -> Decision[State]:
    """Return the verdict on a code, without the code."""
    return Decision(verdicts=(moment.verdict(verification.registration_id, "noted", reason, detail),))
