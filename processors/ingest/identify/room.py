"""
How much is known of one person, and how many people are listed at one number or name, or at one registration.

No real person comes near it; an agency that sends one number for everybody, or everybody's numbers for one person, does. What
does not fit is not learnt, and nobody is lost by it: the message goes to the offender it was found to be about, by what is
known of them. Of those who share a number or name the last 100 learnt are compared; the others are still found by their
own numbers. An offender into whom 100 were merged is merged by no evidence any more: a reviewer is asked.

A registration by a name is for the first 100 people of it. Whether it is for another, a reviewer is asked, and that of 100 at most;
a number that is one person's alone always counts.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import structs

from processors.domain.journal import Verdict
from processors.ingest.identify.description import Description
from processors.ingest.identify.journal import note
from processors.ingest.identify.state import CurrentRegistration, IndexEntry, Offender, States, find
from processors.stage import Context, Record

MARKS: Final = 64  # numbers of one offender
NAMES: Final = 32
LISTED: Final = 100  # offenders at one number or name
MERGED: Final = 100  # offenders that were merged into one
MEANT: Final = 100  # offenders whom one registration is for by a name or weak number
ASKED: Final = 100  # offenders of whom a reviewer was asked whether one registration is for them
MET: Final = 250  # offenders of whom a reviewer was asked whether they are one person with this one


def with_offender(entry: IndexEntry, key: str) -> IndexEntry:
    """Return the entry with one offender more; beyond `LISTED`, without the one listed first."""
    return IndexEntry((*entry.offenders, key)[-LISTED:], entry.watched)


def within(known: tuple[str, ...], new: Iterable[str], room: int) -> tuple[str, ...]:
    """Return what is known with as much of what is new as there is room for."""
    return (*known, *tuple(new)[: max(0, room - len(known))])


def may_take_in(one: Offender, other: Offender) -> bool:
    """Whether evidence may still merge the two."""
    return len(one.formerly) + len(other.formerly) < MERGED


def has_room(registration: CurrentRegistration) -> bool:
    """Whether a registration may be for one more offender who is described by less than a strong number."""
    return len(registration.offenders) < MEANT


def crowded_verdicts(  # noqa: PLR0913, PLR0917  a message's persons and offenders, before and after it
    before: States,
    known: States,
    persons: Sequence[Description],
    offenders: Sequence[tuple[str, ...]],
    record: Record,
    context: Context,
) -> Iterator[Verdict]:
    """Yield what the journal says if a message brought more than is learnt of an offender."""
    for described, (key, *_) in zip(persons, offenders, strict=True):
        offender = find(known, key, Offender)
        if offender is None or (len(offender.marks) < MARKS and len(offender.names) < NAMES):
            continue
        left = sum(each not in offender.marks for each in described.marks) + sum(each not in offender.names for each in described.names)
        if left:
            detail = f"{key} has {len(offender.marks)} numbers and {len(offender.names)} names; {left} more are not learnt."
            yield structs.replace(note(record.value, context, "crowded_out", detail), offender=key)
    if known is before:
        return
    for described in persons:
        for place in described.places:
            was, now = find(before, place, IndexEntry), find(known, place, IndexEntry)
            if was is not None and now is not None and len(was.offenders) >= LISTED and was.offenders[0] not in now.offenders:
                detail = f"More than {LISTED} offenders share a number or name: the one listed first is found by other numbers alone."
                yield structs.replace(note(record.value, context, "crowded_out", detail), offender=was.offenders[0])
