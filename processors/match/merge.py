"""Merges the states of two offenders who are one person, and of two events that are the same."""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from processors.domain.merge import Merge, SameEvent
from processors.match.notify import changed_told_events, told_events
from processors.match.pages import (
    Registrants,
    deleted_documents,
    page_keys,
    registration_documents,
    registrations_of,
    told_documents,
    told_registrants,
)
from processors.match.recipients import union
from processors.match.state import MAX_CHOICES, ActiveRegistration, State, ToldRegistrants, fan_out_key, told_events_key, told_key_of
from processors.stage import Context, Decision


def state_keys(offender: str, found: Mapping[str, State]) -> Iterator[str]:
    """Yield the keys of every state of an offender."""
    yield offender
    yield from page_keys(offender, found)
    yield fan_out_key(offender)  # always empty: a fan-out ends before a merge is decided
    yield told_events_key(offender)
    for key in told_events(found, offender):
        yield key
        yield from page_keys(key, found)


def merge_states(merge: Merge, mine: Mapping[str, State], theirs: Mapping[str, State], _: Context) -> Decision[State]:
    """Return the decision that merges registrations and told events of `merge.offender` into those of `merge.into`."""
    known = {each.registration_id: each for each in registrations_of(theirs, merge.offender)}
    for each in registrations_of(mine, merge.into):
        known[each.registration_id] = joined_registration(each, known[each.registration_id]) if each.registration_id in known else each
    states = registration_documents(merge.into, known.values(), mine)
    listed = dict(told_events(mine, merge.into))
    for key in told_events(theirs, merge.offender):
        told, moved = theirs.get(key), merge.into + key.removeprefix(merge.offender)
        if isinstance(told, ToldRegistrants):
            states |= joined_documents(moved, mine, told_registrants(key, theirs), told.until)
            listed[moved] = told_until(states, moved)
    return Decision(states={**states, **changed_told_events(merge.into, told_events(mine, merge.into), listed)})


def joined_registration(one: ActiveRegistration, other: ActiveRegistration) -> ActiveRegistration:
    """Return a registration that was for both offenders, with the choices of both in order."""
    if one.registrant_id != other.registrant_id:
        return max(one, other, key=lambda each: each.choices[-1].seq)
    choices = sorted({*one.choices, *other.choices}, key=lambda each: each.seq)
    return replace(one, choices=tuple(choices)[-MAX_CHOICES:])


def joined_documents(key: str, found: Mapping[str, State], others: Registrants, until: int) -> dict[str, State | None]:
    """Return the documents of those told of an event under this key, with the `others` added."""
    document = found.get(key)
    if isinstance(document, ToldRegistrants):
        until = max(until, document.until)
    return told_documents(key, union(told_registrants(key, found), others), until, found)


def told_until(states: Mapping[str, State | None], key: str) -> int:
    """Return until when those told of an event are remembered."""
    document = states[key]
    return document.until if isinstance(document, ToldRegistrants) else 0


def rename_event(same: SameEvent, states: Mapping[str, State]) -> Decision[State]:
    """Return the decision that moves an event from the key with one of its message ids to the key with the other."""
    old, new = (told_key_of(same.offender, same.ori, root) for root in (same.also, same.root))
    told = states.get(old)
    if not isinstance(told, ToldRegistrants):
        return Decision()
    together = joined_documents(new, states, told_registrants(old, states), told.until)
    listed = told_events(states, same.offender)
    after = {key: until for key, until in listed.items() if key != old} | {new: told_until(together, new)}
    return Decision(states={**deleted_documents(old, states), **together, **changed_told_events(same.offender, listed, after)})
