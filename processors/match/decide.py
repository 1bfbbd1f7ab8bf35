"""
Match: everyone who registered for this offender and event, and nobody else, is to be told.

Reads     events.confirmed   by offender: events to be told, enrolments
Writes    notifications      one a registrant: the event, and the registrations by which they are told
Keeps     the registrations in force, each as it stood over time, until they end or expire; and who was told of each
          event, for `duplicate.window` and, if that is later, until its date is past by `date.past`, since an event
          may be told a year ahead and cancelled after that
Flags     nothing
Rejects   nothing
Replayed  who is told follows from the record and the states; those told before are told of a change once each

News goes to every registration in force that chose it; a change to those told of the event and those in force now; a
cancellation to exactly those told, whether or not their registration still stands: deliver knows whether it does.
A registration is in force for events received after it (contract §4), also for one that waited since: what it chose
then counts, not what it chooses now. An event without a case number is in every case.
The journal counts registrants and names none.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from processors.domain.event import Event
from processors.domain.journal import Outcome, Verdict
from processors.domain.normalize import normalize
from processors.domain.notification import Notification
from processors.domain.registration import Enrolment
from processors.match.state import VERSIONS, Choice, Register, Registered, State, Told, deadline, told_key
from processors.stage import Context, Decision, Input, Output, Record, Resettle, Stage, Wake
from processors.topics import CONFIRMED, MATCH_STATE, NOTIFICATIONS

NAME: Final = "match"
NOBODY: Final[Mapping[str, tuple[str, ...]]] = {}

Registrants = Mapping[str, tuple[str, ...]]


def keys(given: Input, _: Mapping[str, State]) -> Iterable[str]:
    """Name the offender's register and who was told of the event."""
    if not isinstance(given, Record):
        return (given.key,)
    if isinstance(given.value, Event):
        return (given.value.offender, told_key(given.value))
    return (given.value.offender,)


def decide(given: Input, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Return what follows from one event, enrolment or timer."""
    if isinstance(given, Wake):
        return _woken(given, states.get(given.key))
    if isinstance(given, Resettle):
        return Decision()
    if isinstance(given.value, Enrolment):
        return _enrolled(given.value, _register(states, given.value.offender), context)
    return _told(given.value, states, context)


def _register(states: Mapping[str, State], offender: str) -> Register:
    found = states.get(offender)
    return found if isinstance(found, Register) else Register()


# who is told


def _told(event: Event, states: Mapping[str, State], context: Context) -> Decision[State]:
    key = told_key(event)
    found = states.get(key)
    before = found.registrants if isinstance(found, Told) else NOBODY
    to = _to(event, before, states)
    verdicts = (_verdict(event, len(to), len(before), context),)
    outputs = tuple(
        Output(NOTIFICATIONS, each, Notification(registrant_id=each, registration_ids=to[each], event=event)) for each in sorted(to)
    )
    if event.telling == "cancellation":
        forgotten: Mapping[str, None] = {key: None} if found is not None else {}
        return Decision(outputs, forgotten, verdicts)
    if not to:
        return Decision(verdicts=verdicts)
    until = _until(event, context)
    if isinstance(found, Told):
        until = max(until, found.until)
    return Decision(outputs, {key: Told(_joined(before, to), until)}, verdicts)


def _to(event: Event, before: Registrants, states: Mapping[str, State]) -> Registrants:
    """Return who is to be told of the event, where those in `before` were told of it."""
    if event.telling == "cancellation":
        return before
    register = states.get(event.offender)
    now = in_force(event, register.registrations) if isinstance(register, Register) else NOBODY
    return now if event.telling == "news" else _joined(before, now)


def in_force(event: Event, registrations: Iterable[Registered]) -> Registrants:
    """Return the registrants who chose this event, each with the registrations that say so."""
    found: dict[str, list[str]] = {}
    numbers = _numbers(event.case_number, event.compact_case) if _numbers(event.case_number) else frozenset[str]()
    subtype = normalize(event.event_subtype)
    for each in registrations:
        choice = _choice_at(each, event.seq)
        if choice is not None and _chosen(choice, subtype, numbers, event.received_at):
            found.setdefault(each.registrant_id, []).append(each.registration_id)
    return {registrant: tuple(sorted(ids)) for registrant, ids in found.items()}


def _choice_at(registered: Registered, seq: int) -> Choice | None:
    """Return what the registrant had chosen when the message of that place came in."""
    return next((each for each in reversed(registered.choices) if each.seq < seq), None)


def _numbers(*numbers: str | None) -> frozenset[str]:
    """Return the case numbers there are, as they compare."""
    return frozenset(each for number in numbers if number and (each := normalize(number)))


def _chosen(choice: Choice, subtype: str, numbers: frozenset[str], at: int) -> bool:
    return (
        (choice.expires_at is None or choice.expires_at > at)
        and (not choice.event_subtypes or subtype in choice.event_subtypes)
        and (not choice.case_numbers or not numbers or not numbers.isdisjoint(choice.case_numbers))
    )


def _joined(some: Registrants, others: Registrants) -> dict[str, tuple[str, ...]]:
    """Return the registrants of both in order, each with the registrations of both."""
    return {each: tuple(sorted({*some.get(each, ()), *others.get(each, ())})) for each in sorted({*some, *others})}


def _until(event: Event, context: Context) -> int:
    """Return how long the event may still be changed or cancelled."""
    rules = context.rules
    return max(
        event.received_at + rules.duration("duplicate.window", event.scope),
        event.past_from + rules.duration("date.past", event.scope),
    )


_NOBODY: Final = {"news": "no_registration", "change": "no_registration", "cancellation": "nothing_told"}


def _verdict(event: Event, count: int, told: int, context: Context) -> Verdict:
    """Return the journal's line: how many are told, and how many had been."""
    outcome: Outcome = "matched" if count else "unmatched"
    before = "" if event.telling == "news" else f", of whom {told} had been told"
    return Verdict(
        stage=NAME,
        message_id=event.message_id,
        outcome=outcome,
        reason="matched" if count else _NOBODY[event.telling],
        detail=f"{count} {'registrant is' if count == 1 else 'registrants are'} to be told{before}",
        at=event.received_at,
        ori=event.ori,
        offender=event.offender,
        part=event.part,
        rules=context.rules.version,
    )


# who is registered


def _enrolled(enrolment: Enrolment, register: Register, context: Context) -> Decision[State]:
    """The registration is in force for later events, or ended."""
    known = {each.registration_id: each for each in register.registrations}
    before = known.pop(enrolment.registration_id, None)
    if not enrolment.ended:
        known[enrolment.registration_id] = _registered(enrolment, before)
    after = Register(tuple(known[each] for each in sorted(known)))
    verdict = Verdict(
        stage=NAME,
        message_id=enrolment.registration_id,
        outcome="noted",
        reason="registration_removed" if enrolment.ended else "registered",
        detail=f"{len(known)} {'registration is' if len(known) == 1 else 'registrations are'} in force for this offender",
        at=enrolment.received_at,
        offender=enrolment.offender,
        rules=context.rules.version,
        registrant_id=enrolment.registrant_id,
    )
    return _kept(enrolment.offender, register, after, verdict)


def _registered(enrolment: Enrolment, before: Registered | None) -> Registered:
    """Return the registration as it stands now; unless it is another person's now, what it chose before counts for what came before."""
    choice = Choice(
        enrolment.seq,
        tuple(sorted(_numbers(*enrolment.case_numbers))),
        tuple(sorted(map(normalize, enrolment.event_subtypes))),
        enrolment.expires_at,
    )
    if before is None or before.registrant_id != enrolment.registrant_id:
        return Registered(enrolment.registration_id, enrolment.registrant_id, (choice,))
    if replace(choice, seq=before.choices[-1].seq) == before.choices[-1]:
        return before
    return replace(before, choices=(*before.choices, choice)[-VERSIONS:])


def _woken(wake: Wake, state: State | None) -> Decision[State]:
    """What has come to its end is forgotten: who was told of an old event, registrations that expired."""
    if isinstance(state, Register):
        left = tuple(each for each in state.registrations if each.expires_at is None or each.expires_at > wake.due_at)
        return _kept(wake.key, state, Register(left))
    return Decision(states={wake.key: None}) if state is not None else Decision()


def _kept(key: str, before: Register, after: Register, *verdicts: Verdict) -> Decision[State]:
    """Return the decision that keeps the register."""
    states: Mapping[str, State | None] = {} if after == before else {key: after if after.registrations else None}
    return Decision((), states, verdicts)


STAGE: Final[Stage[State]] = Stage(
    name=NAME,
    inputs=(CONFIRMED,),
    outputs=(NOTIFICATIONS,),
    changelog=MATCH_STATE,
    state=Register | Told,
    keys=keys,
    decide=decide,
    deadline=deadline,
)
