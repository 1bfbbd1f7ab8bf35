"""
Identify: puts every event under its offender's key, in one order.

Reads     intake          all accepted records, in one order
Writes    events          by offender: one event per offender, registrations, actions on reviews
          registrants     by registrant: contacts, receipts, verification codes, replies
          reviews         whether offenders are one person, or a registration is for an offender; surges
          people          an offender's names and numbers, when they change
          agencies        an agency's latest message, at most once a minute
          expectations    agencies that fell silent, or sent again
          tally           parts of submissions that end here
          dead-letters    registrations that are rejected here
          dead-letters.keys   the key of a registration that is quarantined
Keeps     identifiers and names -> offenders
          registrations -> the offenders they were sent to; registrants -> registrations
          addresses (keyed digests) -> registrations, and whether they opted out
          messages -> offenders, for `duplicate.window`
          the message rate of each agency and event subtype; when each agency last sent; open reviews, with the events they hold
Flags     messages beyond `surge.limit`; offenders who may be one person: the message is held for those from whom it is withheld
Rejects   a registration that would bring its registrant above the limit on contacts (contact_limit.py)
Replayed  keys and ids are digests of what was read, and the order is that of the intake
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec
from msgspec import structs

from processors.domain.erasure import Erasure
from processors.domain.intake import Intake
from processors.domain.notification import Receipt
from processors.domain.registration import Registration, StandingRequest
from processors.ingest.identify import contact_limit, groups, registrations
from processors.ingest.identify.actions import action_keys, decide_action
from processors.ingest.identify.addresses import (
    decide_inbound,
    decide_request,
    decide_verification,
    inbound_keys,
    request_keys,
    verification_keys,
)
from processors.ingest.identify.description import describe
from processors.ingest.identify.earlier_messages import forget_expired, page_keys
from processors.ingest.identify.identity import offenders_at
from processors.ingest.identify.journal import STAGE, intake_verdict
from processors.ingest.identify.old_intake import people_of
from processors.ingest.identify.people import ask_about_registration, decide_offender_action, offender_action_keys
from processors.ingest.identify.publish import known_people
from processors.ingest.identify.silence import check_silence
from processors.ingest.identify.state import GroupSettlement, MessagePage, State, States, after, deadline, find, registration_key
from processors.ingest.identify.submissions import decide_submission, submission_keys
from processors.stage import Context, Decision, Input, Output, Record, RulesChanged, Stage, TimerFired
from processors.topics import (
    AGENCIES,
    DEAD_LETTER_KEYS,
    DEAD_LETTERS,
    EVENTS,
    EXPECTATIONS,
    IDENTIFY_STATE,
    INTAKE,
    PEOPLE,
    REGISTRANTS,
    REVIEWS,
    TALLY,
)

_registration = msgspec.json.Decoder(Registration).decode
_standing_request = msgspec.json.Decoder(StandingRequest).decode
_erasure = msgspec.json.Decoder(Erasure).decode
_receipt = msgspec.json.Decoder(Receipt).decode


class RegistrantFields(msgspec.Struct, frozen=True, gc=False):
    """The part of an intake record's body that says which registrant it is about."""

    registrant_id: str | None = None
    reference: str = ""


_of_registrant = msgspec.json.Decoder(RegistrantFields).decode


def registrant_of(record: Record) -> str | None:
    """Return the registrant whose data a record may hold; None if it does not say."""
    found = _of_registrant(record.value.body or b"{}")
    return found.registrant_id or found.reference.rpartition(".")[0] or None


def keys(given: Input, states: Mapping[str, State]) -> Iterable[str]:
    """Return the keys of the states that the input needs, given those found so far."""
    if isinstance(given, Record):
        return KEYS[given.value.kind](given, states)
    return (*page_keys(given.key, states), *groups.page_keys(given.key, states)) if isinstance(given, TimerFired) else (given.key,)


def decide(given: Input, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Return the decision on one record or timer; a timer forgets messages, settles a page of a group, or notices a silence."""
    if isinstance(given, Record):
        decision = DECIDE[given.value.kind](given, states, context)
        return decision.then(Decision(people)) if (people := known_people(states, decision.states)) else decision
    if isinstance(given, RulesChanged):
        return check_silence(states, given.key, given.at, context)
    if (page := find(states, given.key, MessagePage)) is not None:
        return forget_expired(states, given.key, page, given.due_at)
    if (settlement := find(states, given.key, GroupSettlement)) is not None:
        return groups.settle_page(given.key, settlement, states, context)
    return check_silence(states, given.key, given.due_at, context)


def registration_keys(record: Record, states: States) -> Iterator[str]:
    registration, (person,) = _registration(record.value.body), record.value.people or people_of(record.value)
    described = describe(person)
    return registrations.registration_keys(
        registration.registration_id, described, states, registration.addresses, registration.registrant_id
    )


def removal_keys(record: Record, states: States) -> Iterator[str]:
    return registrations.registration_keys(record.value.message_id, None, states)


def no_keys(_record: Record, _states: States) -> Iterator[str]:
    return iter(())


def decide_registration(record: Record, states: States, context: Context) -> Decision[State]:
    """Put the registration in force for every offender that it describes, now or later."""
    intake: Intake = record.value
    described, registration = describe((intake.people or people_of(intake))[0]), _registration(intake.body)
    if contact_limit.exceeds_limit(states, registration):
        return contact_limit.reject_registration(registration, record, states, context)
    current, accepted = registrations.accept_registration(states, registration, described, record.offset, intake.received_at)
    detail = f"Known offenders it describes: {len(current.offenders)}."
    registered = accepted.then(Decision(verdicts=(intake_verdict(intake, context, "registered", detail, current.registrant_id),)))
    for key in offenders_at((*described.identifier_keys, *registrations.listing_keys(described)), states):
        asked = ask_about_registration(after(states, registered), intake.message_id, key, record, context)
        registered = registered.then(asked)
    return registered


def decide_removal(record: Record, states: States, context: Context) -> Decision[State]:
    """End the registration for every offender it was sent to."""
    intake: Intake = record.value
    before, removed = registrations.remove_registration(states, intake.message_id, record.offset, intake.received_at)
    if before is None:
        verdict = intake_verdict(intake, context, "registration_removed", "No such registration was in force.")
    else:
        detail = f"Offenders it was for: {len(before.offenders)}."
        verdict = intake_verdict(intake, context, "registration_removed", detail, before.registrant_id)
    return removed.then(Decision(verdicts=(verdict,)))


def erasure_keys(record: Record, states: States) -> Iterator[str]:
    return registrations.erasure_keys(record.value.message_id, states)


def decide_erasure(record: Record, states: States, context: Context) -> Decision[State]:
    """End every registration of the registrant, then have deliver erase them."""
    intake: Intake = record.value
    erasure = structs.replace(_erasure(intake.body), seq=record.offset)
    ended, removed = registrations.remove_all_registrations(states, erasure.registrant_id, record.offset, intake.received_at)
    verdict = intake_verdict(intake, context, "erasure", f"Registrations that end: {ended}.", erasure.registrant_id)
    return removed.then(Decision((Output(REGISTRANTS, erasure.registrant_id, erasure),), verdicts=(verdict,)))


def standing_keys(record: Record, _states: States) -> Iterator[str]:
    yield registration_key(_standing_request(record.value.body).registration_id)


def decide_standing(record: Record, states: States, _context: Context) -> Decision[State]:
    """Ask validate for the standing of a registration's offender, for the confirmation message."""
    return registrations.ask_standing(states, _standing_request(record.value.body).registration_id, record.value.received_at)


def decide_receipt(record: Record, _states: States, context: Context) -> Decision[State]:
    """Route a receipt to the registrant whose attempt it names."""
    receipt = msgspec.structs.replace(_receipt(record.value.body), origin=record.value.origin)
    registrant_id = receipt.reference.rpartition(".")[0]
    verdict = intake_verdict(record.value, context, "receipt", f"A provider says {receipt.status}.", registrant_id)
    return Decision((Output(REGISTRANTS, registrant_id, receipt),), verdicts=(structs.replace(verdict, reference=receipt.reference),))


KEYS: Final[Mapping[str, Callable[[Record, States], Iterable[str]]]] = {
    "submission": submission_keys,
    "registration": registration_keys,
    "removal": removal_keys,
    "erasure": erasure_keys,
    "receipt": no_keys,
    "verification": verification_keys,
    "inbound": inbound_keys,
    "verification_request": request_keys,
    "standing_request": standing_keys,
    "review_action": action_keys,
    "offender_action": offender_action_keys,
}
DECIDE: Final[Mapping[str, Callable[[Record, States, Context], Decision[State]]]] = {
    "submission": decide_submission,
    "registration": decide_registration,
    "removal": decide_removal,
    "erasure": decide_erasure,
    "receipt": decide_receipt,
    "verification": decide_verification,
    "inbound": decide_inbound,
    "verification_request": decide_request,
    "standing_request": decide_standing,
    "review_action": decide_action,
    "offender_action": decide_offender_action,
}

IDENTIFY: Final[Stage[State]] = Stage(
    name=STAGE,
    inputs=(INTAKE,),
    outputs=(EVENTS, REGISTRANTS, REVIEWS, EXPECTATIONS, AGENCIES, PEOPLE, DEAD_LETTERS, DEAD_LETTER_KEYS, TALLY),
    changelog=IDENTIFY_STATE,
    state=State,
    keys=keys,
    decide=decide,
    deadline=deadline,
    reevaluates=True,
    registrant=registrant_of,
)
