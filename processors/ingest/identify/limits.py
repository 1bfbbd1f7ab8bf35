"""
Limits on what is known of one offender, and on how many offenders share a number, name or registration.

Only faulty data reaches these limits: an agency that sends one number for everybody, or everybody's numbers for one person. What does
not fit is not learned, and no event is lost: the message still goes to the offender that it was found to be about.

- Of the offenders who share a number or name, the last 100 learned are compared; the others are still found by other numbers.
- Once 100 offenders were merged into one, evidence merges no more of them; a reviewer is asked.
- A registration by name is for the first 100 people with that name. A reviewer is asked about others, at most 100. A strong number
  always counts.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import structs

from processors.domain.journal import Verdict
from processors.ingest.identify.description import Description
from processors.ingest.identify.journal import intake_verdict
from processors.ingest.identify.state import CurrentRegistration, IndexEntry, Offender, States, find
from processors.stage import Context, Record

MAX_MARKS: Final = 64  # identifiers of one offender
MAX_NAMES: Final = 32
MAX_LISTED: Final = 100  # offenders at one number or name
MAX_MERGED: Final = 100  # offenders that were merged into one
MAX_MATCHED: Final = 100  # offenders whom one registration is for by a name or weak number
MAX_ASKED: Final = 100  # offenders about whom a reviewer was asked, for one registration
MAX_QUESTIONS: Final = 250  # offenders about whom a reviewer was asked whether they are the same person, for one offender


def with_offender(entry: IndexEntry, key: str) -> IndexEntry:
    """Return the entry with one more offender; beyond MAX_LISTED, without the one listed first."""
    return IndexEntry((*entry.offenders, key)[-MAX_LISTED:], entry.watched)


def add_within_limit(known: tuple[str, ...], new: Iterable[str], room: int) -> tuple[str, ...]:
    """Return `known` with as many of `new` as fit within `room`."""
    return (*known, *tuple(new)[: max(0, room - len(known))])


def may_merge_by_evidence(one: Offender, other: Offender) -> bool:
    """Whether evidence may still merge the two offenders."""
    return len(one.formerly) + len(other.formerly) < MAX_MERGED


def has_room(registration: CurrentRegistration) -> bool:
    """Whether a registration may be for one more offender who is described by less than a strong number."""
    return len(registration.offenders) < MAX_MATCHED


def crowded_verdicts(  # noqa: PLR0913, PLR0917  a message's persons and offenders, before and after it
    before: States,
    known: States,
    persons: Sequence[Description],
    offenders: Sequence[tuple[str, ...]],
    record: Record,
    context: Context,
) -> Iterator[Verdict]:
    """Yield the verdicts on what a message brought beyond the limits."""
    for described, (key, *_) in zip(persons, offenders, strict=True):
        offender = find(known, key, Offender)
        if offender is None or (len(offender.marks) < MAX_MARKS and len(offender.names) < MAX_NAMES):
            continue
        left = sum(each not in offender.marks for each in described.marks) + sum(each not in offender.names for each in described.names)
        if left:
            detail = f"{key} has {len(offender.marks)} numbers and {len(offender.names)} names; {left} more are not learned."
            yield structs.replace(intake_verdict(record.value, context, "crowded_out", detail), offender=key)
    if known is before:
        return
    for described in persons:
        for entry_key in described.index_keys:
            was, now = find(before, entry_key, IndexEntry), find(known, entry_key, IndexEntry)
            if was is not None and now is not None and len(was.offenders) >= MAX_LISTED and was.offenders[0] not in now.offenders:
                detail = f"More than {MAX_LISTED} offenders share a number or name: the one listed first is found by other numbers alone."
                yield structs.replace(intake_verdict(record.value, context, "crowded_out", detail), offender=was.offenders[0])
