"""
Match: finds everyone who registered for an event's offender and kind, and nobody else.

Reads     events.confirmed   by offender: events to be told, enrolments, merges of two offenders
          match.handover     what was kept of an offender who was merged into another (processors/handover.py)
Writes    notifications      one for each registrant: the event, and the registrations concerned; where an offender stands, if asked
          tally              how many registrants a submission's part is to be told to
          match.handover     what is kept of an offender who is merged into another
Keeps     the registrations in force, each as it stood over time, until they end or expire; and who was told of each
          event, for `duplicate.window` and, if that is later, until its date is past by `date.past`, since an event
          may be told a year ahead and cancelled after that
          an event that is being told to more than a page of registrants (pages.py): the rest of them follows page by page, by
          a timer that is due at once, before anything else about the offender is decided
Flags     nothing
Rejects   nothing
Replayed  who is told follows from the record and the states; those told before are told of a change once each

News goes to every registration in force that chose it; a change to those told of the event and those in force now; a
cancellation to exactly those told, whether or not their registration still stands: deliver knows whether it does.
A registration is in force for events received after it (contract §4), also for one that waited since: what it chose
then counts, not what it chooses now. An event without a case number is in every case.
The journal counts registrants and names none.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from processors.domain.docket import docket_keys
from processors.domain.event import Event
from processors.domain.journal import Journal, Outcome, Verdict
from processors.domain.merge import Merge, SameEvent
from processors.domain.normalize import normalize
from processors.domain.notification import Notification
from processors.domain.registration import Enrolment, PresentStanding
from processors.handover import Merger, with_handover
from processors.match.pages import (
    Registrants,
    home_of,
    is_full,
    list_of_told,
    need_more_pages,
    no_documents,
    page_key,
    page_keys,
    pages_of,
    registration_documents,
    registrations_in,
    registrations_of,
    told_documents,
    told_of,
    told_page,
)
from processors.match.state import (
    VERSIONS,
    ActiveRegistration,
    ActiveRegistrations,
    Choice,
    State,
    Telling,
    ToldEvents,
    ToldRegistrants,
    deadline,
    key_of_told,
    list_key,
    telling_key,
    told_key,
)
from processors.stage import Context, Decision, Input, Output, Record, Stage, Wake
from processors.tally import part_ended, part_matched
from processors.topics import CONFIRMED, MATCH_HANDOVER, MATCH_STATE, NOTIFICATIONS, TALLY

NAME: Final = "match"
NOBODY: Final[Mapping[str, tuple[str, ...]]] = {}


def keys(given: Input, found: Mapping[str, State]) -> Iterable[str]:
    """Name the offender's registrations and who was told of the event; if there are any, what else is known of the offender."""
    if not isinstance(given, Record):
        return (given.key, *keys_of_next_page(found.get(given.key)))
    value = given.value
    if isinstance(value, Event):
        offender, told = value.offender, told_key(value)
        if offender not in found and told not in found:
            return (offender, told)
        return (offender, told, list_key(offender), telling_key(offender), *page_keys(offender, found), *page_keys(told, found))
    if isinstance(value, SameEvent):
        both = [key_of_told(value.offender, value.ori, root) for root in (value.root, value.also)]
        pages = (page for each in both for page in page_keys(each, found))
        return (*both, list_key(value.offender), telling_key(value.offender), *pages)
    return () if value.asks else keys_of_enrolment(value, found)


def keys_of_enrolment(enrolment: Enrolment, found: Mapping[str, State]) -> Iterator[str]:
    """Name the page of the registration; all pages if that one is full, since their number must grow."""
    home = home_of(enrolment.registration_id, enrolment.offender, found)
    yield from dict.fromkeys((enrolment.offender, home))
    if is_full(home, found):
        yield from (each for each in page_keys(enrolment.offender, found) if each != home)


def decide(given: Input, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Return the decision on one event, enrolment or timer."""
    if not isinstance(given, Record):
        state = states.get(given.key)
        if isinstance(state, Telling):
            return tell_next_page(given.key, state, states)
        return forget_expired(given, state) if isinstance(given, Wake) else Decision()
    value = given.value
    if isinstance(value, Event):
        return notify(value, states, context)
    if isinstance(value, SameEvent):
        return rename_event(value, states)
    return answer(value) if value.asks else enrol(value, states, context)


# who is told


def notify(event: Event, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Write one notification for each registrant to be told, and remember who was told."""
    if not states:  # most events: nobody is registered for the offender, and nobody was told
        return Decision(part_ended(event), verdicts=(verdict(event, 0, 0, context),))
    key = told_key(event)
    found = states.get(key)
    before = told_of(key, states)
    to = recipients(event, before, registrations_of(states, event.offender))
    verdicts = (verdict(event, len(to), len(before), context),)
    tally = part_matched(event, len(to)) if to else part_ended(event)
    listed = told_events(states, event.offender)
    if event.telling == "cancellation":
        left = {each: until for each, until in listed.items() if each != key}
        told: dict[str, State | None] = {}
        gone = {} if found is None else no_documents(key, states)
        after = as_list(event.offender, listed, left)
    elif not to:
        return Decision(tally, verdicts=verdicts)
    else:
        until = remembered_until(event, context)
        if isinstance(found, ToldRegistrants):
            until = max(until, found.until)
        now = {each: at for each, at in listed.items() if at > event.received_at} | {key: until}
        told, gone = told_documents(key, union(before, to), until, states, first=to), {}
        after = as_list(event.offender, listed, now)
    pages = found.pages if event.telling == "cancellation" and isinstance(found, ToldRegistrants) else pages_of(to)
    if not pages:
        return Decision((*notifications(event, to), *tally), {**told, **gone, **after}, verdicts)
    first = told_page(key, 0, {**states, **told})
    states_after = {**told, **after, telling_key(event.offender): Telling(event, 1, pages)}
    return Decision((*notifications(event, first), *tally), states_after, verdicts)


def notifications(event: Event, to: Registrants) -> Iterator[Output]:
    """Yield one notification for each of these registrants."""
    for each in sorted(to):
        yield Output(NOTIFICATIONS, each, Notification(registrant_id=each, registration_ids=to[each], event=event))


def keys_of_next_page(telling: State | None) -> Iterator[str]:
    """Yield the states needed to go on with what is being told."""
    if isinstance(telling, Telling):
        told = told_key(telling.event)
        yield from (told, page_key(told, telling.page))


def tell_next_page(key: str, telling: Telling, states: Mapping[str, State]) -> Decision[State]:
    """Tell the registrants of the next page; after the last, what was told of a cancelled event is forgotten."""
    event, told = telling.event, told_key(telling.event)
    outputs = tuple(notifications(event, told_page(told, telling.page, states)))
    following = telling.page + 1
    if following < telling.pages:
        return Decision(outputs, {key: Telling(event, following, telling.pages)})
    return Decision(outputs, {key: None, **(no_documents(told, states) if event.telling == "cancellation" else {})})


def told_events(states: Mapping[str, State], offender: str) -> dict[str, int]:
    """Return the keys of the events of which somebody was told, each with its expiry."""
    found = states.get(list_key(offender))
    return found.until if found is not None and isinstance(found, ToldEvents) else {}


def as_list(offender: str, before: Mapping[str, int], after: dict[str, int]) -> dict[str, State | None]:
    """Return the list of told events if it has changed."""
    return {} if after == before else {list_key(offender): list_of_told(after)}


def recipients(event: Event, before: Registrants, registrations: tuple[ActiveRegistration, ...]) -> Registrants:
    """Return who is to be told of the event, given who was told before."""
    if event.telling == "cancellation":
        return before
    now = in_force(event, registrations) if registrations else NOBODY
    return now if event.telling == "news" else union(before, now)


def in_force(event: Event, registrations: Iterable[ActiveRegistration]) -> Registrants:
    """Return the registrants whose registrations cover the event, each with these registrations."""
    found: dict[str, list[str]] = {}
    numbers = comparable_numbers(event.case_number)
    if numbers and event.compact_case:
        numbers |= comparable_numbers(event.compact_case)
    subtype = normalize(event.event_subtype)
    for each in registrations:
        choice = choice_at(each, event.seq)
        if choice is not None and covers(choice, subtype, numbers, event.received_at):
            found.setdefault(each.registrant_id, []).append(each.registration_id)
    return {registrant: tuple(sorted(ids)) for registrant, ids in found.items()}


def choice_at(registration: ActiveRegistration, seq: int) -> Choice | None:
    """Return the registrant's choice at the time when the message with that offset was received."""
    return next((each for each in reversed(registration.choices) if each.seq < seq), None)


def comparable_numbers(*numbers: str | None) -> frozenset[str]:
    """Return the case numbers in the form in which they are compared."""
    return frozenset().union(*[docket_keys(number) for number in numbers if number])


def covers(choice: Choice, subtype: str, numbers: frozenset[str], at: int) -> bool:
    return (
        (choice.expires_at is None or choice.expires_at > at)
        and (not choice.event_subtypes or subtype in choice.event_subtypes)
        and (not choice.case_numbers or not numbers or not numbers.isdisjoint(choice.case_numbers))
    )


def union(some: Registrants, others: Registrants) -> dict[str, tuple[str, ...]]:
    """Return all registrants in order, each with the registrations of both."""
    return {each: tuple(sorted({*some.get(each, ()), *others.get(each, ())})) for each in sorted({*some, *others})}


def remembered_until(event: Event, context: Context) -> int:
    """Return how long the event may still be changed or cancelled."""
    rules = context.rules
    return max(
        event.received_at + rules.duration("duplicate.window", event.scope),
        event.past_from + rules.duration("date.past", event.scope),
    )


NOBODY_TOLD: Final = {"news": "no_registration", "change": "no_registration", "cancellation": "nothing_told"}


def verdict(event: Event, count: int, told: int, context: Context) -> Verdict:
    """Return the verdict: how many are told, and how many had been."""
    outcome: Outcome = "matched" if count else "unmatched"
    before = "" if event.telling == "news" else f", of whom {told} had been told"
    detail = f"{count} {'registrant is' if count == 1 else 'registrants are'} to be told{before}"
    reason = "matched" if count else NOBODY_TOLD[event.telling]
    return Journal(NAME, event.received_at, context.rules.version).verdict(event, outcome, reason, detail)


# who is registered


def enrol(enrolment: Enrolment, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Put a registration in force for later events, or end it."""
    home = home_of(enrolment.registration_id, enrolment.offender, states)
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
        detail=in_force_now(len(known)) if home == enrolment.offender else "many registrations are in force for this offender",
        at=enrolment.received_at,
        offender=enrolment.offender,
        rules=context.rules.version,
        registrant_id=enrolment.registrant_id,
    )
    if need_more_pages(after):
        others = (each for each in registrations_of(states, enrolment.offender) if each.registration_id not in known)
        return Decision((), registration_documents(enrolment.offender, (*others, *after), states), (verdict,))
    return Decision((), changed_registrations(home, before, after), (verdict,))


def answer(enrolment: Enrolment) -> Decision[State]:
    """Pass on to deliver where the offender of a registration stands."""
    found = PresentStanding(
        registrant_id=enrolment.registrant_id,
        registration_id=enrolment.registration_id,
        received_at=enrolment.received_at,
        standing=enrolment.standing,
    )
    return Decision((Output(NOTIFICATIONS, enrolment.registrant_id, found),))


def in_force_now(count: int) -> str:
    """Return the sentence of the journal on how many registrations there are."""
    return f"{count} {'registration is' if count == 1 else 'registrations are'} in force for this offender"


def registration_after(enrolment: Enrolment, before: ActiveRegistration | None) -> ActiveRegistration:
    """Return the present registration; unless it is for another person now, its earlier choices apply to earlier events."""
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
    return replace(before, choices=(*before.choices, choice)[-VERSIONS:])


def forget_expired(wake: Wake, state: State | None) -> Decision[State]:
    """Forget what has expired: who was told of an old event, and registrations."""
    if isinstance(state, ActiveRegistrations):
        left = tuple(each for each in state.registrations if each.expires_at is None or each.expires_at > wake.due_at)
        return Decision(states=changed_registrations(wake.key, state.registrations, left))
    return Decision(states={wake.key: None}) if state is not None else Decision()


def changed_registrations(
    key: str, before: tuple[ActiveRegistration, ...], after: tuple[ActiveRegistration, ...]
) -> Mapping[str, State | None]:
    """Return the registrations if they have changed."""
    return {} if after == before else {key: ActiveRegistrations(after) if after else None}


# two offenders who are one


def documents(offender: str, found: Mapping[str, State]) -> Iterator[str]:
    """Yield the keys of every state of an offender."""
    yield offender
    yield from page_keys(offender, found)
    yield telling_key(offender)  # there is nothing under it: what is being told is told before a merge is decided
    yield list_key(offender)
    for key in told_events(found, offender):
        yield key
        yield from page_keys(key, found)


def fold(merge: Merge, mine: Mapping[str, State], theirs: Mapping[str, State], _: Context) -> Decision[State]:
    """Return the decision that merges registrations and told events of `merge.offender` into those of `merge.into`."""
    known = {each.registration_id: each for each in registrations_of(theirs, merge.offender)}
    for each in registrations_of(mine, merge.into):
        known[each.registration_id] = joined_registration(each, known[each.registration_id]) if each.registration_id in known else each
    states = registration_documents(merge.into, known.values(), mine)
    listed = dict(told_events(mine, merge.into))
    for key in told_events(theirs, merge.offender):
        told, moved = theirs.get(key), merge.into + key.removeprefix(merge.offender)
        if isinstance(told, ToldRegistrants):
            states |= joined_documents(moved, mine, told_of(key, theirs), told.until)
            listed[moved] = until_of(states, moved)
    return Decision(states={**states, **as_list(merge.into, told_events(mine, merge.into), listed)})


def joined_registration(one: ActiveRegistration, other: ActiveRegistration) -> ActiveRegistration:
    """Return a registration that was for both offenders: its choices in order, in force since the earlier."""
    if one.registrant_id != other.registrant_id:
        return max(one, other, key=lambda each: each.choices[-1].seq)
    choices = sorted({*one.choices, *other.choices}, key=lambda each: each.seq)
    return replace(one, choices=tuple(choices)[-VERSIONS:])


def joined_documents(key: str, found: Mapping[str, State], others: Registrants, until: int) -> dict[str, State | None]:
    """Return who was told of an event together with the others who were."""
    document = found.get(key)
    if isinstance(document, ToldRegistrants):
        until = max(until, document.until)
    return told_documents(key, union(told_of(key, found), others), until, found)


def until_of(states: Mapping[str, State | None], key: str) -> int:
    """Return until when it is kept who was told of an event."""
    document = states[key]
    return document.until if isinstance(document, ToldRegistrants) else 0


def rename_event(same: SameEvent, states: Mapping[str, State]) -> Decision[State]:
    """Return the decision that renames an event known by one of its message ids to the other."""
    old, new = (key_of_told(same.offender, same.ori, root) for root in (same.also, same.root))
    told = states.get(old)
    if not isinstance(told, ToldRegistrants):
        return Decision()
    together = joined_documents(new, states, told_of(old, states), told.until)
    listed = told_events(states, same.offender)
    after = {key: until for key, until in listed.items() if key != old} | {new: until_of(together, new)}
    return Decision(states={**no_documents(old, states), **together, **as_list(same.offender, listed, after)})


STAGE: Final = with_handover(
    Stage(
        name=NAME,
        inputs=(CONFIRMED,),
        outputs=(NOTIFICATIONS, TALLY),
        changelog=MATCH_STATE,
        state=State,
        keys=keys,
        decide=decide,
        deadline=deadline,
    ),
    Merger(MATCH_HANDOVER, None, documents, fold, timed=True),
)
