"""Submissions at the front door: whom each is about, whether it is one of too many, and what is remembered of it."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec
from msgspec import structs

from processors.domain.event import Event, Scope
from processors.domain.intake import Intake
from processors.domain.journal import Verdict
from processors.domain.submission import Submission
from processors.ingest.identify import silence
from processors.ingest.identify.agency import jurisdiction
from processors.ingest.identify.events import event, events
from processors.ingest.identify.identity import Identity, at_home, identity, known, learn, made, person_keys
from processors.ingest.identify.memory import PAGE, page_key, recalled, remember
from processors.ingest.identify.reviews import group_keys, hold, open_review, supersede, waiting_keys
from processors.ingest.identify.state import Desk, Offender, Open, Pace, Remembered, State, agency_key, message_key, pace_key, review_key
from processors.ingest.identify.surge import group_of, pace_keys
from processors.ingest.identify.verdicts import said
from processors.stage import Context, Output, Record
from processors.topics import EVENTS

AT_HAND: Final = 8_192  # messages of a batch, asked about several times each
SMALL: Final = 16_384  # bytes; larger ones are read again rather than kept

_submission = msgspec.json.Decoder(Submission).decode


class Asked(NamedTuple):
    """
    A submission with the states it asks for: whom it names, its agency and its pace, itself, its page and what it refers to.

    `keys` are all that it asks for before anything is known.
    """

    submission: Submission
    persons: tuple[Identity, ...]
    agency: str
    pace: str
    memory: str
    page: str
    refers_to: str | None
    keys: tuple[str, ...]


def asked(record: Record) -> Asked:
    """Return the submission of an intake, read once while its batch is decided."""
    body, page = record.value.body, record.offset // PAGE
    return _kept(body, page) if len(body) <= SMALL else _asked(body, page)


def _asked(body: bytes, place: int) -> Asked:
    found = _submission(body)
    ori = found.agency.ori
    persons = tuple(map(identity, found.offenders))
    agency, pace = agency_key(ori), pace_key(ori, found.event_subtype)
    refers_to = message_key(ori, found.refers_to) if found.refers_to and found.operation != "Add" else None
    page = page_key(place)
    keys = [agency, pace, page]
    if refers_to:
        keys.append(refers_to)
    for person in persons:
        keys += person.homes + person.places
    return Asked(found, persons, agency, pace, message_key(ori, found.message_id), page, refers_to, tuple(keys))


_kept = lru_cache(AT_HAND)(_asked)


def submission_keys(record: Record, states: Mapping[str, State]) -> Iterable[str]:
    """Return the states that a submission needs."""
    found = asked(record)
    if not states:
        return found.keys
    more: list[str] = []
    if (pace := states.get(found.pace)) is not None:
        more += pace_keys(found.pace, pace)
        if isinstance(pace, Pace) and pace.group is not None:
            more += group_keys(pace.group, states)
    if found.refers_to is not None:
        before = states.get(found.refers_to)
        more += waiting_keys(before.review_id if isinstance(before, Remembered) else None, states)
    for person in found.persons:
        if not at_home(person, states.get):
            more += person_keys(person, states)
    return (*found.keys, *more) if more else found.keys


def decide_submission(record: Record, desk: Desk, context: Context) -> Iterator[Verdict]:
    """Every offender of the submission has an event under its key, or they all wait for a person; the agency was heard."""
    intake: Intake = record.value
    found, rules = asked(record), context.rules
    submission = found.submission
    where = jurisdiction(submission.agency, rules)
    scope = Scope(where, submission.notification_type, submission.event_subtype)
    limit = rules.surge(scope)
    group = group_of(desk, found.pace, limit, intake.received_at, record.offset) if limit else None
    parts = referred(desk, found, intake.received_at) or tuple([identified(desk, person, record.offset) for person in found.persons])
    memory = Remembered(intake.received_at + rules.duration("duplicate.window", scope), parts)
    remember(desk, found.page, found.memory, memory)
    silence.listen(desk, found.agency, intake, submission.agency.ori, where, context)
    for part, offenders in enumerate(parts):
        if len(offenders) > 1:
            yield from conflict(desk, event(record, submission, where, offenders[0], (part, len(parts))), offenders, context)
    told = events(record, submission, where, parts)
    detail = f"More than {limit.limit} messages of this kind came from this agency within {limit.window // 1000} s." if limit else ""
    waiting = held(desk, recalled(desk, found.refers_to, intake.received_at), told)
    if waiting is not None:
        yield from supersede(desk, waiting, told, context)
        if submission.operation == "Cancel":
            for each in told:
                yield said(each, context, "suppressed", "nothing_told", f"Message {submission.refers_to} was held and told to nobody.")
            return
        # Nobody was told of what it changes: it is a new event, and waits in the place of the one before.
        told = tuple(structs.replace(each, operation="Add", refers_to=None) for each in told)
        group, detail = group or waiting.review.group, waiting.review.detail
    if group is not None:
        review = hold(desk, told, group, detail)
        desk.put(found.memory, structs.replace(memory, review_id=review.review_id))
        for each in told:
            yield structs.replace(said(each, context, "flagged", "surge", detail), review_id=review.review_id)
        return
    for each in told:
        desk.outputs.append(Output(EVENTS, each.offender, each))
        yield said(each, context, "passed", "identified", f"Offender {each.part + 1} of {each.parts} is {each.offender}.")


def held(desk: Desk, before: Remembered | None, told: tuple[Event, ...]) -> Open | None:
    """Return what waits for a person and is wholly replaced by this message: the message before, held, of its offenders."""
    waiting = desk.get(review_key(before.review_id), Open) if before is not None and before.review_id else None
    if waiting is None:
        return None
    return waiting if {each.offender for each in told} <= {each.offender for each in waiting.events} else None


def referred(desk: Desk, found: Asked, at: int) -> tuple[tuple[str, ...], ...] | None:
    """
    Return the offenders of the message referred to, where this one names nobody of them: it is still about them.

    Nothing is learnt then: an Update that corrects whom it was about ties nobody together.
    """
    before = recalled(desk, found.refers_to, at)
    if before is None:
        return None
    named = {key for person in found.persons for key in known(desk, person)}
    if any(key in named for offenders in before.parts for key in offenders):
        return None
    return tuple(before.parts[min(part, len(before.parts) - 1)] for part in range(len(found.persons)))


def identified(desk: Desk, person: Identity, seq: int) -> tuple[str, ...]:
    """Return the person's offender key, found or made; several, the oldest first, where people known apart are tied together."""
    if home := at_home(person, desk.look):
        return (home,)
    offenders = known(desk, person) or (made(person),)
    learn(desk, offenders[0], person, seq)
    return offenders


def conflict(desk: Desk, first: Event, offenders: tuple[str, ...], context: Context) -> Iterator[Verdict]:
    """The people tied together are remembered as such, with a review the first time."""
    oldest = desk.get(offenders[0], Offender)
    if oldest is None or set(offenders[1:]) <= set(oldest.met):
        return
    desk.put(offenders[0], structs.replace(oldest, met=tuple(dict.fromkeys((*oldest.met, *offenders[1:])))))
    detail = f"One message ties together {len(offenders)} offenders known apart: {', '.join(offenders)}; it goes out under each."
    review = open_review(desk, first, "identity_conflict", detail)
    yield structs.replace(said(first, context, "noted", "identity_conflict", detail), review_id=review.review_id)
