"""Two offenders who are one person, and two events that are one: what is kept of both is joined."""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from processors.domain.merge import Merge, SameEvent
from processors.match.pages import Registrants, no_documents, page_keys, registration_documents, registrations_of, told_documents, told_of
from processors.match.recipients import union
from processors.match.state import VERSIONS, ActiveRegistration, State, ToldRegistrants, key_of_told, list_key, telling_key
from processors.match.telling import as_list, told_events
from processors.stage import Context, Decision


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
