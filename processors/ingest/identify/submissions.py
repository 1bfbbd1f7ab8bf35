"""Submissions at the front door: whom each is about, whether it is one of too many, and what is remembered of it."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec
from msgspec import structs

from processors.domain.event import Event, Scope
from processors.domain.intake import Intake
from processors.domain.submission import Submission
from processors.ingest.identify.agency import jurisdiction
from processors.ingest.identify.events import event, events
from processors.ingest.identify.identity import Description, at_home, describe, description_keys, find_offenders, identify
from processors.ingest.identify.journal import event_verdict
from processors.ingest.identify.remembered import PAGE, page_key, recall, remember
from processors.ingest.identify.reviews import group_keys, hold, open_review, publish, replacing_keys, supersede
from processors.ingest.identify.silence import note_activity
from processors.ingest.identify.state import (
    UNCHANGED,
    EarlierMessage,
    MessageRate,
    Offender,
    OpenReview,
    State,
    States,
    after,
    agency_key,
    find,
    message_key,
    rate_key,
    review_key,
)
from processors.ingest.identify.surge import block_keys, count_message
from processors.rules.book import Surge
from processors.stage import Context, Decision, Output, Record, combine
from processors.topics import EVENTS

CACHED: Final = 8_192  # messages of a batch, whose keys are asked for several times each
SMALL: Final = 16_384  # bytes; larger ones are decoded again rather than kept

_submission = msgspec.json.Decoder(Submission).decode


class Request(NamedTuple):
    """
    A submission with the states it needs: whom it names, its agency and rate, itself, its page and what it refers to.

    `keys` are all that it needs before anything is known.
    """

    submission: Submission
    persons: tuple[Description, ...]
    agency: str
    rate: str
    message: str
    page: str
    refers_to: str | None
    keys: tuple[str, ...]


def request(record: Record) -> Request:
    """Return the submission of an intake, decoded once while its batch is decided."""
    body, page = record.value.body, record.offset // PAGE
    return _cached(body, page) if len(body) <= SMALL else _request(body, page)


def _request(body: bytes, page: int) -> Request:
    submission = _submission(body)
    ori = submission.agency.ori
    persons = tuple(map(describe, submission.offenders))
    refers_to = message_key(ori, submission.refers_to) if submission.refers_to and submission.operation != "Add" else None
    agency, rate, place = agency_key(ori), rate_key(ori, submission.event_subtype), page_key(page)
    keys = [agency, rate, place]
    if refers_to:
        keys.append(refers_to)
    for person in persons:
        keys += person.homes + person.places
    return Request(submission, persons, agency, rate, message_key(ori, submission.message_id), place, refers_to, tuple(keys))


_cached = lru_cache(CACHED)(_request)


def submission_keys(record: Record, states: States) -> Iterable[str]:
    """Return the states that a submission needs."""
    asked = request(record)
    if not states:
        return asked.keys
    more: list[str] = []
    if (rate := find(states, asked.rate, MessageRate)) is not None:
        more += block_keys(asked.rate, rate)
        if rate.group is not None:
            more += group_keys(rate.group, states)
    if asked.refers_to is not None:
        before = find(states, asked.refers_to, EarlierMessage)
        more += replacing_keys(before.review_id if before is not None else None, states)
    for person in asked.persons:
        if not at_home(person, states):
            more += description_keys(person, states)
    return (*asked.keys, *more) if more else asked.keys


def decide_submission(record: Record, states: States, context: Context) -> Decision[State]:
    """Every offender of the submission has an event under its key, or they all wait for a person; the agency was heard."""
    intake: Intake = record.value
    asked, rules = request(record), context.rules
    submission = asked.submission
    where = jurisdiction(submission.agency, rules)
    scope = Scope(where, submission.notification_type, submission.event_subtype)
    limit = rules.surge(scope)
    group, counted = count_message(states, asked.rate, limit, intake.received_at, record.offset) if limit else (None, UNCHANGED)
    earlier = recall(states, asked.refers_to, intake.received_at)
    parts, learnt = identify_parts(states, asked, earlier, record.offset)
    active = note_activity(states, asked.agency, intake, (submission.agency.ori, where), context)
    conflicts = note_conflicts(after(states, learnt), record, submission, where, parts, context)
    found = events(record, submission, where, parts)
    routed, review_id = route(states, asked, earlier, found, group, limit, context)
    message = EarlierMessage(intake.received_at + rules.duration("duplicate.window", scope), parts, review_id)
    return combine((counted, learnt, remember(states, asked.page, asked.message, message), active, conflicts, routed))


def identify_parts(
    states: States, asked: Request, earlier: EarlierMessage | None, seq: int
) -> tuple[tuple[tuple[str, ...], ...], Decision[State]]:
    """
    Return the offenders of every part of the message, and what is learnt of them.

    A message that names nobody of the earlier one it refers to is about that one's offenders all the same. Nothing is
    learnt then: an Update that corrects whom it was about ties nobody together.
    """
    if earlier is not None:
        named = {key for person in asked.persons for key in find_offenders(states, person)}
        if not any(key in named for offenders in earlier.parts for key in offenders):
            return tuple(earlier.parts[min(part, len(earlier.parts) - 1)] for part in range(len(asked.persons))), UNCHANGED
    if len(asked.persons) == 1:
        offenders, learnt = identify(states, asked.persons[0], seq)
        return (offenders,), learnt
    parts: list[tuple[str, ...]] = []
    decisions: list[Decision[State]] = []
    for person in asked.persons:
        offenders, learnt = identify(states, person, seq)
        states = after(states, learnt)
        parts.append(offenders)
        decisions.append(learnt)
    return tuple(parts), combine(decisions)


def note_conflicts(  # noqa: PLR0913, PLR0917  what an event is made of
    states: States, record: Record, submission: Submission, where: str, parts: tuple[tuple[str, ...], ...], context: Context
) -> Decision[State]:
    """Ask a person about the offenders that a part of the message ties together."""
    conflicts = UNCHANGED
    for part, offenders in enumerate(parts):
        if len(offenders) > 1:
            first = event(record, submission, where, offenders[0], (part, len(parts)))
            conflicts = conflicts.then(note_conflict(after(states, conflicts), first, offenders, context))
    return conflicts


def note_conflict(states: States, first: Event, offenders: tuple[str, ...], context: Context) -> Decision[State]:
    """Remember that these offenders were tied together, with a review the first time."""
    oldest = find(states, offenders[0], Offender)
    if oldest is None or set(offenders[1:]) <= set(oldest.met):
        return UNCHANGED
    met = structs.replace(oldest, met=tuple(dict.fromkeys((*oldest.met, *offenders[1:]))))
    detail = f"One message ties together {len(offenders)} offenders known apart: {', '.join(offenders)}; it goes out under each."
    review = open_review(first, "identity_conflict", detail)
    verdict = event_verdict(first, context, "noted", "identity_conflict", detail, review.review_id)
    return publish(review).then(Decision(states={offenders[0]: met}, verdicts=(verdict,)))


def route(  # noqa: PLR0913, PLR0917  a message and all that may hold it
    states: States,
    asked: Request,
    earlier: EarlierMessage | None,
    found: tuple[Event, ...],
    group: str | None,
    limit: Surge | None,
    context: Context,
) -> tuple[Decision[State], str | None]:
    """Send the events on, or hold them for a person; return the review they wait in, if they do."""
    detail = f"More than {limit.limit} messages of this kind came from this agency within {limit.window // 1000} s." if limit else ""
    waiting = held_original(states, earlier, found)
    superseded = UNCHANGED
    if waiting is not None:
        superseded = supersede(waiting, found, context)
        if asked.submission.operation == "Cancel":
            reason = f"Message {asked.submission.refers_to} was held and told to nobody."
            verdicts = tuple(event_verdict(each, context, "suppressed", "nothing_told", reason) for each in found)
            return superseded.then(Decision(verdicts=verdicts)), None
        # Nobody was told of what it changes: it is a new event, and waits in the place of the one before.
        found = tuple(structs.replace(each, operation="Add", refers_to=None) for each in found)
        group, detail = group or waiting.review.group, waiting.review.detail
    if group is not None:
        review, held = hold(states, found, group, detail)
        verdicts = tuple(event_verdict(each, context, "flagged", "surge", detail, review.review_id) for each in found)
        return combine((superseded, held, Decision(verdicts=verdicts))), review.review_id
    outputs = tuple([Output(EVENTS, each.offender, each) for each in found])
    verdicts = tuple([event_verdict(each, context, "passed", "identified", whose(each)) for each in found])
    return superseded.then(Decision(outputs, verdicts=verdicts)), None


def whose(event: Event) -> str:
    return f"Offender {event.part + 1} of {event.parts} is {event.offender}."


def held_original(states: States, earlier: EarlierMessage | None, events: tuple[Event, ...]) -> OpenReview | None:
    """Return the earlier message where it is held and this one replaces it wholly: it is about no other offenders."""
    waiting = find(states, review_key(earlier.review_id), OpenReview) if earlier is not None and earlier.review_id else None
    if waiting is None:
        return None
    return waiting if {each.offender for each in events} <= {each.offender for each in waiting.events} else None
