"""
Finds the one offender key for every description of a person (contract §3.2).

A message's description is compared with every offender who has something in common with it (evidence.py). It is about
those that are the same person; if there are several and nothing contradicts, they are merged into the one known
longest. If something contradicts, the message is sent under each key and a reviewer is asked. What a message adds is
added to the offender. Nothing is learnt from registrations, since registrants may err; they are listed at every
identifier and name they give.

An offender's key is derived from their first strong identifier, so that an offender known by it is found without an index (`homes`).
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct, structs

from processors.domain.merge import Merge
from processors.ingest.identify import pages
from processors.ingest.identify.description import Description
from processors.ingest.identify.enrolments import update_registration
from processors.ingest.identify.evidence import (
    Facet,
    Weight,
    birth_facet,
    explain_evidence,
    name_facet,
    strong_contradiction,
    weigh,
)
from processors.ingest.identify.room import MARKS, NAMES, may_take_in, with_offender, within
from processors.ingest.identify.state import (
    UNCHANGED,
    CurrentRegistration,
    IndexEntry,
    ListPage,
    MergedOffender,
    Offender,
    State,
    States,
    after,
    find,
    index_key,
    offender_key,
    registration_key,
    registrations_key,
)
from processors.rules.identity import is_strong
from processors.stage import Decision, Output, combine
from processors.topics import EVENTS

TIED = (Weight.STRONG, Weight.WEAK)


class Merging(NamedTuple):
    """One offender who is merged into another, and why."""

    into: str
    merged: str
    why: str


class Doubt(NamedTuple):
    """Offenders of whom a reviewer must say whether they are one person, the message's own first, and what contradicts what."""

    offenders: tuple[str, ...]
    why: str


class Identification(Struct, frozen=True, gc=False):
    """
    Whom a description is about; several, the one known longest first, if something keeps them apart.

    `evidence` says in a sentence why; `mergings` and `doubts` are what else follows.
    """

    offenders: tuple[str, ...]
    evidence: str
    change: Decision[State] = UNCHANGED
    mergings: tuple[Merging, ...] = ()
    doubts: tuple[Doubt, ...] = ()


def covers(offender: Offender, described: Description) -> bool:
    """Whether the description adds nothing to the offender."""
    return (described.marks == offender.marks or set(described.marks) <= set(offender.marks)) and (
        described.names == offender.names or set(described.names) <= set(offender.names)
    )


def at_home(described: Description, states: States) -> str | None:
    """
    Return the offender whose key comes from the description's first strong identifier, if nothing in it is new.

    Then it is about nobody else, since a strong identifier belongs to one offender only, and no search is needed.
    """
    if not described.homes:
        return None
    key = described.homes[0]
    found = states.get(key)
    if type(found) is MergedOffender:
        key = found.into
        found = states.get(key)
    return key if type(found) is Offender and covers(found, described) else None


def description_keys(described: Description, states: States) -> Iterator[str]:
    """
    Yield the states that identifying somebody who is not `at_home` needs, besides `homes` and `places`.

    They are more if something is learnt that registrations may match.
    """
    yield from described.new_keys
    candidates = offenders_at((*described.homes, *described.places, *described.new_keys), states)
    yield from candidates
    tied = {key: found for key in candidates if (found := find(states, key, Offender)) and weight_of(key, described, found) in TIED}
    if len(tied) == 1 and all(covers(each, described) for each in tied.values()):
        return
    yield from learning_keys(described, tied, states)


def learning_keys(described: Description, offenders: dict[str, Offender], states: States) -> Iterator[str]:
    """Yield the states that adding a description to offenders, and merging them, needs."""
    places = dict.fromkeys(described.places)
    for key, each in offenders.items():
        yield key
        yield from each.formerly
        described_by = Description.of(each.marks, each.names)
        yield from described_by.homes
        places |= dict.fromkeys(described_by.places)
    yield from places
    for place in places:
        entry = find(states, place, IndexEntry)
        if entry is not None:
            yield from entry.offenders
            if entry.watched:
                yield from listed_registration_keys(place, states)


def listed_registration_keys(place: str, states: States) -> Iterator[str]:
    """Yield the list of registrations at an index entry, and the registrations."""
    for key in pages.all_page_keys(registrations_key(place), states):
        yield key
        page = find(states, key, ListPage)
        yield from map(registration_key, page.items if page is not None else ())


def offenders_at(places: Iterable[str], states: States) -> tuple[str, ...]:
    """Return the offenders found under these keys, their own or those of the index; for a merged one, the one it was merged into."""
    found: dict[str, None] = {}
    for place in places:
        state = states.get(place)
        if state is None:
            continue
        if isinstance(state, IndexEntry):
            found |= dict.fromkeys(current_key(each, states) for each in state.offenders)
        elif isinstance(state, (Offender, MergedOffender)):
            found[current_key(place, states)] = None
    return tuple(found)


def current_key(key: str, states: States) -> str:
    """Return the key of an offender, or of the one it was merged into."""
    merged = find(states, key, MergedOffender)
    return merged.into if merged is not None else key


def find_offenders(states: States, described: Description) -> dict[str, tuple[Offender, Weight]]:
    """Return the offenders who have something in common with the description, the one known longest first, with the weights."""
    keys = offenders_at((*described.homes, *described.places, *described.new_keys), states)
    found = {key: each for key in keys if (each := find(states, key, Offender)) is not None}
    order = sorted(found, key=lambda key: (found[key].since, key))
    return {key: (found[key], weight_of(key, described, found[key])) for key in order}


def weight_of(key: str, described: Description, offender: Offender) -> Weight:
    """Return the weight of the evidence for an offender; an identical earlier description is always the same person."""
    if key == described.own_key and strong_contradiction(described, offender) is None:
        return Weight.WEAK
    return weigh(described, offender)


def identify(states: States, described: Description, seq: int, received_at: int) -> Identification:
    """Return whom the description is about, found or new, and the resulting decision."""
    if home := at_home(described, states):
        return Identification((home,), described.first)
    found = find_offenders(states, described)
    conflicts = [key for key, (_, weight) in found.items() if weight is Weight.CONFLICT]
    tied, mergings = tie(described, found)
    if not tied:
        key = new_key(states, described, seq)
        doubts = doubt_conflicts(key, conflicts, described, found)
        return Identification((key,), "nobody known is described so", learn(states, key, described, seq), doubts=doubts)
    change = UNCHANGED
    for merging in mergings:
        change = change.then(merge(after(states, change), merging, seq, received_at))
    if len(tied) == 1:
        change = change.then(learn(after(states, change), tied[0], described, seq))
    doubts = (*doubt_conflicts(tied[0], conflicts, described, found), *doubt_tie(tied, found))
    return Identification(tied, explain_evidence(described, found[tied[0]][0]), change, mergings, doubts)


def tie(described: Description, found: dict[str, tuple[Offender, Weight]]) -> tuple[tuple[str, ...], tuple[Merging, ...]]:
    """
    Return the offenders that the description is about, and which of them are merged into the first.

    A match by a strong identifier outweighs one by a name or a weak identifier: of the latter only those count that
    do not contradict the former.
    """
    strong = [key for key, (_, weight) in found.items() if weight is Weight.STRONG]
    weak = [key for key, (_, weight) in found.items() if weight is Weight.WEAK]
    if not strong and not weak:
        return (), ()
    first, *others = strong + weak
    united, keys, apart = found[first][0], [first], []
    for key in others:
        other = found[key][0]
        if may_merge(united, other, by_strong=key in strong) and keys_are_not_apart(keys, united, key, other):
            united = unite(united, other, key)
            keys.append(key)
        elif key in strong or not strong:
            apart.append(key)
    oldest = min(keys, key=list(found).index)
    mergings = (Merging(oldest, key, explain_evidence(described, found[key][0])) for key in keys if key != oldest)
    return (oldest, *apart), tuple(mergings)


def keys_are_not_apart(keys: list[str], united: Offender, key: str, other: Offender) -> bool:
    """Whether no reviewer has said that the offender is a different person from those already united."""
    return key not in united.apart and set(other.apart).isdisjoint(keys)


def may_merge(one: Offender, other: Offender, *, by_strong: bool) -> bool:
    """Whether nothing known contradicts that two offenders are one."""
    if strong_contradiction(one, other) is not None or not may_take_in(one, other):
        return False
    contradictions = [name_facet(one, other), birth_facet(one, other)].count(Facet.CONTRADICTS)
    return contradictions < (2 if by_strong else 1)


def doubt_conflicts(
    key: str, conflicts: Iterable[str], described: Description, found: dict[str, tuple[Offender, Weight]]
) -> tuple[Doubt, ...]:
    """Return the conflicts of the description with the offender of this key about which no reviewer was asked."""
    known = found.get(key)
    asked = {*known[0].met, *known[0].apart} if known is not None else set()
    return tuple(Doubt((key, each), explain_evidence(described, found[each][0])) for each in conflicts if each not in asked)


def doubt_tie(tied: tuple[str, ...], found: dict[str, tuple[Offender, Weight]]) -> tuple[Doubt, ...]:
    """Return the doubt about offenders that one description links, unless a reviewer was asked about them."""
    first = found[tied[0]][0]
    if set(tied[1:]) <= {*first.met, *first.apart}:
        return ()
    return (Doubt(tied, "; ".join(explain_evidence(first, found[each][0]) for each in tied[1:])),)


def new_key(states: States, described: Description, seq: int) -> str:
    """Return the first unused key for the person described."""
    held = {mark for mark, home in zip(filter(is_strong, described.marks), described.homes, strict=True) if not is_free(states, mark)}
    contested = {offender_key(each) for each in held}
    free = (key for key in described.new_keys if key not in contested and states.get(key) is None)
    return next(free, offender_key(f"{described.own_key}#{seq}"))


def unite(one: Offender, other: Offender, other_key: str) -> Offender:
    """Return two offenders as one person."""
    return Offender(
        since=min(one.since, other.since),
        marks=join_names(one.marks, other.marks)[:MARKS],
        names=join_names(one.names, other.names)[:NAMES],
        met=join_names(one.met, other.met),
        formerly=join_names(one.formerly, (other_key, *other.formerly)),
        apart=join_names(one.apart, other.apart),
        written=tuple(dict.fromkeys((*one.written, *other.written))),
    )


def join_names(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def merge(states: States, merging: Merging, seq: int, received_at: int) -> Decision[State]:
    """
    Make the younger offender part of the older, with its index entries and registrations.

    Both keys are told first: what is sent to the older after that waits until the stages have moved what they keep.
    """
    into, merged = find(states, merging.into, Offender), find(states, merging.merged, Offender)
    if into is None or merged is None:
        return UNCHANGED
    record = Merge(offender=merging.merged, into=merging.into, seq=seq, received_at=received_at, detail=merging.why)
    outputs = tuple(Output(EVENTS, key, record) for key in (merging.merged, merging.into))
    united = unite(into, merged, merging.merged)
    changes: dict[str, State | None] = {
        merging.into: united,
        merging.merged: MergedOffender(merging.into, merged.since, merged.marks, merged.names, merging.why),
    }
    for key in merged.formerly:
        earlier = find(states, key, MergedOffender)
        if earlier is not None:
            changes[key] = structs.replace(earlier, into=merging.into)
    for place in Description.of(merged.marks, merged.names).places:
        entry = find(states, place, IndexEntry)
        if entry is not None and merging.merged in entry.offenders:
            others = tuple(dict.fromkeys(merging.into if each == merging.merged else each for each in entry.offenders))
            kept = tuple(each for each in others if each != merging.into or place != index_key(merging.into))
            changes[place] = IndexEntry(kept, entry.watched)
    change: Decision[State] = Decision(outputs, changes)
    whole = Description.of(united.marks, united.names)
    return change.then(update_registrations(after(states, change), merging.into, united, whole, seq, was=merging.merged))


def learn(states: States, key: str, described: Description, seq: int) -> Decision[State]:
    """Add to the offender all that is described and nobody else's; registrations listed there are sent on."""
    before = find(states, key, Offender)
    if before is not None and covers(before, described):
        return UNCHANGED
    offender = before or Offender(since=seq)
    new_marks = tuple(each for each in described.marks if each not in offender.marks and is_free(states, each))
    new_names = tuple(each for each in described.names if each not in offender.names)
    if before is not None and not new_marks and not new_names:
        return UNCHANGED
    grown = structs.replace(offender, marks=within(offender.marks, new_marks, MARKS), names=within(offender.names, new_names, NAMES))
    if grown == before:
        return UNCHANGED
    changes: dict[str, State | None] = {key: grown}
    known = frozenset(Description.of(offender.marks, offender.names).places) if before is not None else frozenset()
    # A number counts beside names and birth dates: a new one of either makes new places for the others.
    for place in Description.of(grown.marks, grown.names).places:
        if place in known or place == index_key(key):
            continue
        entry = find(states, place, IndexEntry) or IndexEntry()
        if key not in entry.offenders:
            changes[place] = with_offender(entry, key)
    added: Decision[State] = Decision(states=changes)
    whole = Description.of(grown.marks, grown.names)
    return added.then(update_registrations(after(states, added), key, grown, whole, seq))


def is_free(states: States, mark: str) -> bool:
    """Whether a mark may be learnt: a strong one is one offender's alone."""
    if not is_strong(mark):
        return True
    home = offender_key(mark)
    holders = (find(states, key, Offender) for key in offenders_at((home, index_key(home)), states))
    return not any(each is not None and mark in each.marks for each in holders)


def update_registrations(  # noqa: PLR0913, PLR0917  an offender as it is now, and what it was
    states: States, key: str, offender: Offender, learnt: Description, seq: int, was: str | None = None
) -> Decision[State]:
    """Send every registration that is listed at what was learnt to the offender, or end it there."""
    watched = (place for place in learnt.places if (entry := find(states, place, IndexEntry)) and entry.watched)
    listed = (item for place in watched for item in pages.items(states, registrations_key(place)))
    updates = []
    for registration_id in dict.fromkeys(listed):
        registration = find(states, registration_key(registration_id), CurrentRegistration)
        if registration is not None:
            updates.append(update_registration(registration_id, registration, key, offender, seq, was))
    return combine(updates)
