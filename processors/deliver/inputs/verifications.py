"""Verification codes: a registrant returned one, or identify says whether another may be sent (contract §4)."""

from collections.abc import Iterable

from msgspec.structs import replace

from processors.deliver.contacts import UNKNOWN, destinations, find_contact
from processors.deliver.inputs.registrations import advance_all
from processors.deliver.inputs.replies import start_message
from processors.deliver.situation import Situation
from processors.deliver.state import Delivery, KnownRegistration, Registrant, State
from processors.deliver.verification import VALID, code_of, is_digest_of
from processors.domain.event import EVERYWHERE
from processors.domain.registration import Verification, VerificationPermit
from processors.domain.time import iso
from processors.stage import Decision


def verify_contact(
    registrant: Registrant, verification: Verification, deliveries: Iterable[Delivery], situation: Situation
) -> Decision[State]:
    """Verify the contact that was sent this code."""
    registration = registrant.registrations.get(verification.registration_id)
    if registration is None or not registration.in_force(situation.at):
        return verdict_only(verification, "unknown_registration", "no such registration is in force", situation)
    if (closed := closed_until(registration, situation)) > situation.at:
        return verdict_only(verification, "verification_closed", f"too many wrong codes: none is taken until {iso(closed)}", situation)
    name = proven_contact(registrant, registration, verification, situation)
    if name is None:
        wrong = replace(registration, wrong_codes=(*registration.wrong_codes, situation.at)[-limit_of(situation) :])
        after = replace(registrant, registrations={**registrant.registrations, registration.registration_id: wrong})
        decision = verdict_only(
            verification, "wrong_code", "no contact of the registration was sent this code within the last day", situation
        )
        return decision.then(Decision(states={registrant.registrant_id: after}))
    again = situation.at + situation.rules.duration("contact.reverify", EVERYWHERE)
    known = replace(registrant.contacts[name], asked_at=None, verified_at=situation.at, ask_at=again, failed=False)
    after = replace(registrant, contacts={**registrant.contacts, name: known})
    decision = verdict_only(verification, "verified", f"its contact by {name.partition(':')[0]} is verified", situation)
    return advance_all(decision.then(Decision(states={registrant.registrant_id: after})), after, deliveries, situation)


def proven_contact(registrant: Registrant, registration: KnownRegistration, verification: Verification, situation: Situation) -> str | None:
    """Return the contact that was sent this code, while it is valid; None if there is none."""
    for each in destinations([registration], situation):
        asked_at = registrant.contacts.get(each.name, UNKNOWN).asked_at
        if asked_at is not None and situation.at < asked_at + VALID:
            code = code_of(registrant.registrant_id, each.name, asked_at, situation.seal)
            if is_digest_of(verification.code, code, registration.registration_id, situation.seal):
                return each.name
    return None


def closed_until(registration: KnownRegistration, situation: Situation) -> int:
    """Return until when codes for a registration are refused after too many wrong ones (`verify.attempts`)."""
    limit = situation.rules.verify_attempts()
    times = registration.wrong_codes
    if limit is None or len(times) < limit.limit or times[-1] - times[-limit.limit] > limit.window:
        return 0
    return times[-1] + limit.window


def limit_of(situation: Situation) -> int:
    """Return how many wrong codes must be remembered."""
    limit = situation.rules.verify_attempts()
    return 1 if limit is None else limit.limit


def send_code(registrant: Registrant, permit: VerificationPermit, situation: Situation) -> Decision[State]:
    """Send a contact a code, or try again later if its address was sent too many codes today."""
    known = registrant.contacts.get(permit.contact, UNKNOWN)
    to = find_contact(registrant, permit.contact, situation)
    if to is None or known.silent:
        return Decision()
    if permit.not_before is not None:
        later = replace(known, ask_at=permit.not_before)
        after = replace(registrant, contacts={**registrant.contacts, permit.contact: later})
        detail = f"the address was asked often enough today; again after {iso(permit.not_before)}"
        waits = situation.verdict(to.registration.registration_id, "noted", "verification_waits", detail)
        return Decision(states={registrant.registrant_id: after}, verdicts=(waits,))
    asked = replace(known, asked_at=situation.at, ask_at=None)
    after = replace(registrant, contacts={**registrant.contacts, permit.contact: asked})
    begun = start_message(after, "verification", permit.contact, to.registration.registration_id, situation)
    return Decision[State](states={registrant.registrant_id: after}).then(begun)


def verdict_only(verification: Verification, reason: str, detail: str, situation: Situation) -> Decision[State]:
    """Return the verdict on a code, without the code."""
    return Decision(verdicts=(situation.verdict(verification.registration_id, "noted", reason, detail),))
