"""Starts, changes, ends and expires the registrations for one offender."""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from processors.domain.journal import Verdict
from processors.domain.normalize import normalize
from processors.domain.registration import Enrolment, PresentStanding
from processors.match.notify import NAME
from processors.match.pages import (
    is_full,
    need_more_pages,
    page_keys,
    registration_documents,
    registration_page_key,
    registrations_in,
    registrations_of,
)
from processors.match.recipients import comparable_numbers
from processors.match.state import MAX_CHOICES, ActiveRegistration, ActiveRegistrations, Choice, State
from processors.stage import Context, Decision, Output, TimerFired
from processors.topics import NOTIFICATIONS


def keys_of_enrolment(enrolment: Enrolment, found: Mapping[str, State]) -> Iterator[str]:
    """Yield the key of the registration's page; of all pages if that one is full, since the registrations are then redistributed."""
    home = registration_page_key(enrolment.registration_id, enrolment.offender, found)
    yield from dict.fromkeys((enrolment.offender, home))
    if is_full(home, found):
        yield from (each for each in page_keys(enrolment.offender, found) if each != home)


def enrol(enrolment: Enrolment, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Put a registration in force for later events, or end it."""
    home = registration_page_key(enrolment.registration_id, enrolment.offender, states)
    before = registrations_in(home, states)
    known = {each.registration_id: each for each in before}
    previous = known.pop(enrolment.registration_id, None)
    if not enrolment.ended:
        known[enrolment.registration_id] = registration_after(enrolment, previous)
    after = tuple(known[each] for each in sorted(known))
    verdict = Verdict(
        stage=NAME,
        message_id=enrolment.registration_id,
        outcome="noted",
        reason="registration_removed" if enrolment.ended else "registered",
        detail=in_force_sentence(len(known)) if home == enrolment.offender else "many registrations are in force for this offender",
        at=enrolment.received_at,
        offender=enrolment.offender,
        rules=context.rules.version,
        registrant_id=enrolment.registrant_id,
    )
    if need_more_pages(after):
        others = (each for each in registrations_of(states, enrolment.offender) if each.registration_id not in known)
        return Decision((), registration_documents(enrolment.offender, (*others, *after), states), (verdict,))
    return Decision((), changed_registrations(home, before, after), (verdict,))


def forward_standing(enrolment: Enrolment) -> Decision[State]:
    """Forward an offender's standing to deliver, which asked for it."""
    found = PresentStanding(
        registrant_id=enrolment.registrant_id,
        registration_id=enrolment.registration_id,
        received_at=enrolment.received_at,
        standing=enrolment.standing,
    )
    return Decision((Output(NOTIFICATIONS, enrolment.registrant_id, found),))


def in_force_sentence(count: int) -> str:
    """Return the journal's sentence on how many registrations there are."""
    return f"{count} {'registration is' if count == 1 else 'registrations are'} in force for this offender"


def registration_after(enrolment: Enrolment, before: ActiveRegistration | None) -> ActiveRegistration:
    """Return the updated registration; its earlier choices still apply to earlier events, unless it now belongs to another registrant."""
    choice = Choice(
        enrolment.seq,
        tuple(sorted(comparable_numbers(*enrolment.case_numbers))),
        tuple(sorted(map(normalize, enrolment.event_subtypes))),
        enrolment.expires_at,
    )
    if before is None or before.registrant_id != enrolment.registrant_id:
        return ActiveRegistration(enrolment.registration_id, enrolment.registrant_id, (choice,))
    if replace(choice, seq=before.choices[-1].seq) == before.choices[-1]:
        return before
    return replace(before, choices=(*before.choices, choice)[-MAX_CHOICES:])


def forget_expired(timer: TimerFired, state: State | None) -> Decision[State]:
    """Forget expired registrations, or who was told of an old event."""
    if isinstance(state, ActiveRegistrations):
        left = tuple(each for each in state.registrations if each.expires_at is None or each.expires_at > timer.due_at)
        return Decision(states=changed_registrations(timer.key, state.registrations, left))
    return Decision(states={timer.key: None}) if state is not None else Decision()


def changed_registrations(
    key: str, before: tuple[ActiveRegistration, ...], after: tuple[ActiveRegistration, ...]
) -> Mapping[str, State | None]:
    """Return the document of the registrations if they have changed."""
    return {} if after == before else {key: ActiveRegistrations(after) if after else None}
