"""
Finds the offender key for every description of a person (contract §3.2).

A message's description is compared with every offender who has something in common with it (evidence.py). If several offenders are
the same person and nothing contradicts, they are merged into the one known longest. If something contradicts, the message is sent
under each key and a reviewer is asked. New identifiers and names are added to the offender. Nothing is learned from registrations,
since registrants may err; they are listed under every identifier and name they give.

An offender's key is derived from their first strong identifier, so that they are found by it without an index
(`Description.identifier_keys`).
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct, structs

from processors.domain.merge import Merge
from processors.ingest.identify import pages
from processors.ingest.identify.description import Description
from processors.ingest.identify.enrolments import update_registration
from processors.ingest.identify.evidence import (
    Agreement,
    Weight,
    birth_date_agreement,
    explain_evidence,
    name_agreement,
    strong_contradiction,
    weigh,
)
from processors.ingest.identify.limits import MAX_MARKS, MAX_NAMES, add_within_limit, may_merge_by_evidence, with_offender
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

SAME_PERSON = (Weight.STRONG, Weight.WEAK)


class OffenderMerge(NamedTuple):
    """An offender to be merged into another, and why."""

    into: str
    merged: str
    why: str


class IdentityQuestion(NamedTuple):
    """A question for a reviewer: are these offenders (the message's own first) one person? `why` names the contradiction."""

    offenders: tuple[str, ...]
    why: str


class Identification(Struct, frozen=True, gc=False):
    """
    The offenders that a description is about; several, the one known longest first, if something contradicts merging them.

    `evidence` is a sentence that says why; `merges` and `questions` also follow from the description.
    """

    offenders: tuple[str, ...]
    evidence: str
    change: Decision[State] = UNCHANGED
    merges: tuple[OffenderMerge, ...] = ()
    questions: tuple[IdentityQuestion, ...] = ()


def covers(offender: Offender, described: Description) -> bool:
    """Whether the description adds nothing to the offender."""
    return (described.marks == offender.marks or set(described.marks) <= set(offender.marks)) and (
        described.names == offender.names or set(described.names) <= set(offender.names)
    )


def find_by_first_identifier(described: Description, states: States) -> str | None:
    """
    Return the offender whose key comes from the description's first strong identifier, if nothing in the description is new.

    No search is needed then: a strong identifier belongs to one offender only.
    """
    if not described.identifier_keys:
        return None
    key = described.identifier_keys[0]
    found = states.get(key)
    if type(found) is MergedOffender:
        key = found.into
        found = states.get(key)
    return key if type(found) is Offender and covers(found, described) else None


def description_keys(described: Description, states: States) -> Iterator[str]:
    """
    Yield the keys needed for a full search, besides `identifier_keys` and `index_keys`.

    There are more if something new is learned that registrations may match.
    """
    yield from described.new_keys
    candidates = offenders_at((*described.identifier_keys, *described.index_keys, *described.new_keys), states)
    yield from candidates
    tied = {key: found for key in candidates if (found := find(states, key, Offender)) and weight_of(key, described, found) in SAME_PERSON}
    if len(tied) == 1 and all(covers(each, described) for each in tied.values()):
        return
    yield from description_update_keys(described, tied, states)


def description_update_keys(described: Description, offenders: dict[str, Offender], states: States) -> Iterator[str]:
    """Yield the keys needed to add a description to offenders and to merge them."""
    index_keys = dict.fromkeys(described.index_keys)
    for key, each in offenders.items():
        yield key
        yield from each.formerly
        described_by = Description.of(each.marks, each.names)
        yield from described_by.identifier_keys
        index_keys |= dict.fromkeys(described_by.index_keys)
    yield from index_keys
    for entry_key in index_keys:
        entry = find(states, entry_key, IndexEntry)
        if entry is not None:
            yield from entry.offenders
            if entry.watched:
                yield from listed_registration_keys(entry_key, states)


def listed_registration_keys(entry_key: str, states: States) -> Iterator[str]:
    """Yield the keys of the list of registrations at an index entry, and of the registrations."""
    for key in pages.all_page_keys(registrations_key(entry_key), states):
        yield key
        page = find(states, key, ListPage)
        yield from map(registration_key, page.items if page is not None else ())


def offenders_at(index_keys: Iterable[str], states: States) -> tuple[str, ...]:
    """Return the offenders found under these offender keys or index keys; for a merged one, the one it was merged into."""
    found: dict[str, None] = {}
    for entry_key in index_keys:
        state = states.get(entry_key)
        if state is None:
            continue
        if isinstance(state, IndexEntry):
            found |= dict.fromkeys(current_key(each, states) for each in state.offenders)
        elif isinstance(state, (Offender, MergedOffender)):
            found[current_key(entry_key, states)] = None
    return tuple(found)


def current_key(key: str, states: States) -> str:
    """Return the key of an offender, or of the one it was merged into."""
    merged = find(states, key, MergedOffender)
    return merged.into if merged is not None else key


def find_offenders(states: States, described: Description) -> dict[str, tuple[Offender, Weight]]:
    """Return the offenders who have something in common with the description, the one known longest first, with their weights."""
    keys = offenders_at((*described.identifier_keys, *described.index_keys, *described.new_keys), states)
    found = {key: each for key in keys if (each := find(states, key, Offender)) is not None}
    order = sorted(found, key=lambda key: (found[key].since, key))
    return {key: (found[key], weight_of(key, described, found[key])) for key in order}


def weight_of(key: str, described: Description, offender: Offender) -> Weight:
    """Return the weight of the evidence for an offender; an identical earlier description is always the same person."""
    if key == described.own_key and strong_contradiction(described, offender) is None:
        return Weight.WEAK
    return weigh(described, offender)


def identify(states: States, described: Description, seq: int, received_at: int) -> Identification:
    """Return whom the description is about, a known or a new offender, and the resulting decision."""
    if home := find_by_first_identifier(described, states):
        return Identification((home,), described.first)
    found = find_offenders(states, described)
    conflicts = [key for key, (_, weight) in found.items() if weight is Weight.CONFLICT]
    tied, merges = matching_offenders(described, found)
    if not tied:
        key = new_key(states, described, seq)
        questions = conflict_questions(key, conflicts, described, found)
        return Identification((key,), "no known offender matches", learn(states, key, described, seq), questions=questions)
    change = UNCHANGED
    for merging in merges:
        change = change.then(merge(after(states, change), merging, seq, received_at))
    if len(tied) == 1:
        change = change.then(learn(after(states, change), tied[0], described, seq))
    questions = (*conflict_questions(tied[0], conflicts, described, found), *match_questions(tied, found))
    return Identification(tied, explain_evidence(described, found[tied[0]][0]), change, merges, questions)


def matching_offenders(
    described: Description, found: dict[str, tuple[Offender, Weight]]
) -> tuple[tuple[str, ...], tuple[OffenderMerge, ...]]:
    """
    Return the offenders that the description is about, and the merges into the first of them.

    A match by a strong identifier outweighs one by a name or a weak identifier; the latter counts only if it does not
    contradict the former.
    """
    strong = [key for key, (_, weight) in found.items() if weight is Weight.STRONG]
    weak = [key for key, (_, weight) in found.items() if weight is Weight.WEAK]
    if not strong and not weak:
        return (), ()
    first, *others = strong + weak
    united, keys, apart = found[first][0], [first], []
    for key in others:
        other = found[key][0]
        if may_merge(united, other, by_strong=key in strong) and are_not_kept_apart(keys, united, key, other):
            united = unite(united, other, key)
            keys.append(key)
        elif key in strong or not strong:
            apart.append(key)
    oldest = min(keys, key=list(found).index)
    merges = (OffenderMerge(oldest, key, explain_evidence(described, found[key][0])) for key in keys if key != oldest)
    return (oldest, *apart), tuple(merges)


def are_not_kept_apart(keys: list[str], united: Offender, key: str, other: Offender) -> bool:
    """Whether no reviewer has decided that the offender is a different person from those already united."""
    return key not in united.apart and set(other.apart).isdisjoint(keys)


def may_merge(one: Offender, other: Offender, *, by_strong: bool) -> bool:
    """Whether nothing known contradicts merging two offenders."""
    if strong_contradiction(one, other) is not None or not may_merge_by_evidence(one, other):
        return False
    contradictions = [name_agreement(one, other), birth_date_agreement(one, other)].count(Agreement.CONTRADICTS)
    return contradictions < (2 if by_strong else 1)


def conflict_questions(
    key: str, conflicts: Iterable[str], described: Description, found: dict[str, tuple[Offender, Weight]]
) -> tuple[IdentityQuestion, ...]:
    """Return a question for each offender in conflict with the one of this key, unless a reviewer was asked before."""
    known = found.get(key)
    asked = {*known[0].met, *known[0].apart} if known is not None else set()
    return tuple(IdentityQuestion((key, each), explain_evidence(described, found[each][0])) for each in conflicts if each not in asked)


def match_questions(tied: tuple[str, ...], found: dict[str, tuple[Offender, Weight]]) -> tuple[IdentityQuestion, ...]:
    """Return the question about offenders that one description matches, unless a reviewer was asked before."""
    first = found[tied[0]][0]
    if set(tied[1:]) <= {*first.met, *first.apart}:
        return ()
    return (IdentityQuestion(tied, "; ".join(explain_evidence(first, found[each][0]) for each in tied[1:])),)


def new_key(states: States, described: Description, seq: int) -> str:
    """Return the first unused key for the person described."""
    held = {
        mark
        for mark, home in zip(filter(is_strong, described.marks), described.identifier_keys, strict=True)
        if not may_be_learned(states, mark)
    }
    contested = {offender_key(each) for each in held}
    free = (key for key in described.new_keys if key not in contested and states.get(key) is None)
    return next(free, offender_key(f"{described.own_key}#{seq}"))


def unite(one: Offender, other: Offender, other_key: str) -> Offender:
    """Return two offenders as one person."""
    return Offender(
        since=min(one.since, other.since),
        marks=unique_union(one.marks, other.marks)[:MAX_MARKS],
        names=unique_union(one.names, other.names)[:MAX_NAMES],
        met=unique_union(one.met, other.met),
        formerly=unique_union(one.formerly, (other_key, *other.formerly)),
        apart=unique_union(one.apart, other.apart),
        written=tuple(dict.fromkeys((*one.written, *other.written))),
    )


def unique_union(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def merge(states: States, merging: OffenderMerge, seq: int, received_at: int) -> Decision[State]:
    """
    Merge the younger offender into the older, with its index entries and registrations.

    The merge is sent to both keys first: events sent to the older one after that wait until the stages have moved their state.
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
    for entry_key in Description.of(merged.marks, merged.names).index_keys:
        entry = find(states, entry_key, IndexEntry)
        if entry is not None and merging.merged in entry.offenders:
            others = tuple(dict.fromkeys(merging.into if each == merging.merged else each for each in entry.offenders))
            kept = tuple(each for each in others if each != merging.into or entry_key != index_key(merging.into))
            changes[entry_key] = IndexEntry(kept, entry.watched)
    change: Decision[State] = Decision(outputs, changes)
    whole = Description.of(united.marks, united.names)
    return change.then(update_registrations(after(states, change), merging.into, united, whole, seq, was=merging.merged))


def learn(states: States, key: str, described: Description, seq: int) -> Decision[State]:
    """Add the description to the offender, except what belongs to somebody else; update the registrations listed at what is new."""
    before = find(states, key, Offender)
    if before is not None and covers(before, described):
        return UNCHANGED
    offender = before or Offender(since=seq)
    new_marks = tuple(each for each in described.marks if each not in offender.marks and may_be_learned(states, each))
    new_names = tuple(each for each in described.names if each not in offender.names)
    if before is not None and not new_marks and not new_names:
        return UNCHANGED
    grown = structs.replace(
        offender, marks=add_within_limit(offender.marks, new_marks, MAX_MARKS), names=add_within_limit(offender.names, new_names, MAX_NAMES)
    )
    if grown == before:
        return UNCHANGED
    changes: dict[str, State | None] = {key: grown}
    known = frozenset(Description.of(offender.marks, offender.names).index_keys) if before is not None else frozenset()
    # Some index keys combine a number with a name or birth date: a new one of either makes new keys with the others.
    for entry_key in Description.of(grown.marks, grown.names).index_keys:
        if entry_key in known or entry_key == index_key(key):
            continue
        entry = find(states, entry_key, IndexEntry) or IndexEntry()
        if key not in entry.offenders:
            changes[entry_key] = with_offender(entry, key)
    added: Decision[State] = Decision(states=changes)
    whole = Description.of(grown.marks, grown.names)
    return added.then(update_registrations(after(states, added), key, grown, whole, seq))


def may_be_learned(states: States, mark: str) -> bool:
    """Whether a mark may be learned: a strong mark belongs to one offender only."""
    if not is_strong(mark):
        return True
    home = offender_key(mark)
    holders = (find(states, key, Offender) for key in offenders_at((home, index_key(home)), states))
    return not any(each is not None and mark in each.marks for each in holders)


def update_registrations(  # noqa: PLR0913, PLR0917  an offender as it is now, and what it was
    states: States, key: str, offender: Offender, learned: Description, seq: int, was: str | None = None
) -> Decision[State]:
    """Update every registration listed at what was learned: send it to the offender, or end it there."""
    watched = (entry_key for entry_key in learned.index_keys if (entry := find(states, entry_key, IndexEntry)) and entry.watched)
    listed = (item for entry_key in watched for item in pages.items(states, registrations_key(entry_key)))
    updates = []
    for registration_id in dict.fromkeys(listed):
        registration = find(states, registration_key(registration_id), CurrentRegistration)
        if registration is not None:
            updates.append(update_registration(registration_id, registration, key, offender, seq, was))
    return combine(updates)
