"""Submissions: finds the offenders of each, counts it against the surge limit, and remembers it."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import msgspec
from msgspec import Struct, structs

from processors.domain.event import Event, Scope
from processors.domain.intake import Intake
from processors.domain.submission import Submission
from processors.ingest.identify.agency import jurisdiction
from processors.ingest.identify.description import Description, describe
from processors.ingest.identify.earlier import people_of
from processors.ingest.identify.events import event
from processors.ingest.identify.identity import (
    Doubt,
    Identification,
    Merging,
    at_home,
    current_key,
    description_keys,
    find_offenders,
    identify,
    tie,
)
from processors.ingest.identify.journal import event_verdict
from processors.ingest.identify.known import add_written
from processors.ingest.identify.people import ask_about_near_registrations, note_merging, open_conflict
from processors.ingest.identify.remembered import PAGE, page_key, recall, remember
from processors.ingest.identify.reviews import at_current_keys, group_keys, hold, replacing_keys, supersede
from processors.ingest.identify.room import crowded_verdicts
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
from processors.tally import part_ended
from processors.topics import EVENTS

CACHED: Final = 8_192  # messages of a batch, whose keys are asked for several times each
SMALL: Final = 16_384  # bytes; larger ones are decoded again rather than kept

_submission = msgspec.json.Decoder(Submission).decode


class Request(Struct, frozen=True, gc=False):
    """
    A submission with the keys of the states it needs: persons, agency, rate, the message itself, its page and its reference.

    `keys` are those needed before anything else is known.
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
    intake, page = record.value, record.offset // PAGE
    return (_cached if len(intake.body) <= SMALL else _request)(intake, page)


def _request(intake: Intake, page: int) -> Request:
    submission = _submission(intake.body)
    ori = submission.agency.ori
    persons = tuple(map(describe, intake.people or people_of(intake)))
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
    if (rate := states.get(asked.rate)) is not None and type(rate) is MessageRate:
        more += block_keys(asked.rate, rate)
        if rate.group is not None:
            more += group_keys(rate.group, states)
    if asked.refers_to is not None:
        before = find(states, asked.refers_to, EarlierMessage)
        if before is not None:
            more += replacing_keys(before.review_id, states)
            more += [key for offenders in before.parts for key in offender_keys(offenders, states)]
    for person in asked.persons:
        if not at_home(person, states):
            more += description_keys(person, states)
    return (*asked.keys, *more) if more else asked.keys


def offender_keys(offenders: Iterable[str], states: States) -> Iterator[str]:
    """Yield the keys of offenders, and of those they were merged into."""
    for key in offenders:
        yield key
        yield current_key(key, states)


class Parts(Struct, frozen=True, gc=False):
    """The offenders of every part of a message, with the results of identification; `evidence` is a sentence for each part."""

    offenders: tuple[tuple[str, ...], ...]
    evidence: tuple[str, ...]
    change: Decision[State] = UNCHANGED
    mergings: tuple[Merging, ...] = ()
    doubts: tuple[tuple[int, Doubt], ...] = ()
    grown: tuple[str, ...] = ()


def decide_submission(record: Record, states: States, context: Context) -> Decision[State]:
    """Send one event per offender under its key, or hold all of them for a reviewer; note that the agency has sent."""
    intake: Intake = record.value
    asked, rules = request(record), context.rules
    submission = asked.submission
    where = jurisdiction(submission.agency, rules)
    scope = Scope(where, submission.notification_type, submission.event_subtype)
    limit = rules.surge(scope)
    group, counted = count_message(states, asked.rate, limit, intake.received_at, record.offset) if limit else (None, UNCHANGED)
    earlier = None if asked.refers_to is None else recall(states, asked.refers_to, intake.received_at)
    parts = with_written_names(states, asked, identify_parts(states, asked, earlier, record))
    known = after(states, parts.change)
    active = note_activity(states, asked.agency, intake, (submission.agency.ori, where), context)
    leaves = sum(map(len, parts.offenders))
    found = tuple(
        [
            event(record, submission, where, offender, (part, len(parts.offenders), leaves), formerly(known, offender))
            for part, offenders in enumerate(parts.offenders)
            for offender in offenders
        ]
    )
    shown = UNCHANGED
    if parts.change is not UNCHANGED or parts.doubts:
        merged = tuple(note_merging(each, intake, context) for each in parts.mergings)
        shown = Decision(verdicts=merged)
        shown = shown.then(note_doubts(known, found, parts.doubts, context))
        for key in parts.grown:
            shown = shown.then(ask_about_near_registrations(after(known, shown), key, record, context))
    if crowded := tuple(crowded_verdicts(states, known, asked.persons, parts.offenders, record, context)):
        shown = shown.then(Decision(verdicts=crowded))
    routed, review_id = route(states, asked, earlier, found, (group, limit, parts.evidence), context)
    message = EarlierMessage(intake.received_at + rules.duration("duplicate.window", scope), parts.offenders, review_id)
    return combine((counted, parts.change, remember(states, asked.page, asked.message, message), active, shown, routed))


def formerly(states: States, key: str) -> tuple[str, ...]:
    """Return the offenders that were merged into this one."""
    offender = find(states, key, Offender)
    return offender.formerly if offender is not None else ()


def identify_parts(states: States, asked: Request, earlier: EarlierMessage | None, record: Record) -> Parts:
    """
    Identify the offenders of every part of the message, and learn from it.

    A message that names none of the offenders of the earlier message that it refers to is still about those offenders. Nothing is
    learnt then: an Update that corrects the offender does not link two people.
    """
    if earlier is not None:
        before = tuple(tuple(dict.fromkeys(current_key(key, states) for key in offenders)) for offenders in earlier.parts)
        named = {key for person in asked.persons for key in named_offenders(states, person)}
        if not any(key in named for offenders in before for key in offenders):
            offenders = tuple(before[min(part, len(before) - 1)] for part in range(len(asked.persons)))
            return Parts(offenders, tuple("as in the message that it refers to" for _ in offenders))
    received_at = record.value.received_at
    if len(asked.persons) == 1:
        one = identify(states, asked.persons[0], record.offset, received_at)
        grown = one.offenders if one.change is not UNCHANGED else ()
        return Parts((one.offenders,), (one.evidence,), one.change, one.mergings, tuple([(0, each) for each in one.doubts]), grown)
    found: list[Identification] = []
    for person in asked.persons:
        one = identify(states, person, record.offset, received_at)
        states = after(states, one.change)
        found.append(one)
    return Parts(
        tuple(tuple(dict.fromkeys(current_key(key, states) for key in each.offenders)) for each in found),
        tuple(each.evidence for each in found),
        combine(each.change for each in found),
        tuple(merging for each in found for merging in each.mergings),
        tuple((part, doubt) for part, each in enumerate(found) for doubt in each.doubts),
        tuple(dict.fromkeys(current_key(key, states) for each in found if each.change is not UNCHANGED for key in each.offenders)),
    )


def with_written_names(states: States, asked: Request, parts: Parts) -> Parts:
    """Return the parts with the names as the agency wrote them, of every offender about whom something was learnt or who has none."""
    known, change = after(states, parts.change), parts.change
    for person, offenders in zip(asked.submission.offenders, parts.offenders, strict=True):
        key = offenders[0]
        before = find(known, key, Offender)
        if len(offenders) == 1 and before is not None and (key in parts.grown or not before.written):
            written = add_written(before.written, person)
            if written != before.written:
                named: Decision[State] = Decision(states={key: structs.replace(before, written=written)})
                known, change = after(known, named), change.then(named)
    return parts if change is parts.change else structs.replace(parts, change=change)


def named_offenders(states: States, described: Description) -> Iterable[str]:
    """Return the known offenders that are described."""
    return tie(described, find_offenders(states, described))[0]


def note_doubts(states: States, found: tuple[Event, ...], doubts: tuple[tuple[int, Doubt], ...], context: Context) -> Decision[State]:
    """Open a review if the evidence on whether offenders are one person is divided."""
    noted = UNCHANGED
    for part, doubt in doubts:
        first = next(each for each in found if each.part == part)
        noted = noted.then(open_conflict(after(states, noted), first, doubt, context))
    return noted


def route(  # noqa: PLR0913, PLR0917  a message and all that may hold it
    states: States,
    asked: Request,
    earlier: EarlierMessage | None,
    found: tuple[Event, ...],
    why: tuple[str | None, Surge | None, tuple[str, ...]],
    context: Context,
) -> tuple[Decision[State], str | None]:
    """Send the events on, or hold them for a reviewer; return the review they wait in, if they do."""
    group, limit, evidence = why
    detail = f"More than {limit.limit} messages of this kind came from this agency within {limit.window // 1000} s." if limit else ""
    waiting = None if earlier is None else held_original(states, earlier, found)
    superseded = UNCHANGED
    if waiting is not None:
        superseded = supersede(waiting, found, context)
        if asked.submission.operation == "Cancel":
            reason = f"Message {asked.submission.refers_to} was held and told to nobody."
            verdicts = tuple(event_verdict(each, context, "suppressed", "nothing_told", reason) for each in found)
            return superseded.then(Decision(tuple(end for each in found for end in part_ended(each)), verdicts=verdicts)), None
        # Nobody was told of what it changes: it is a new event, and waits in the place of the one before.
        found = tuple(structs.replace(each, operation="Add", refers_to=None) for each in found)
        group, detail = group or waiting.review.group, waiting.review.detail
    if group is not None:
        review, held = hold(states, found, group, detail)
        verdicts = tuple(event_verdict(each, context, "flagged", "surge", detail, review.review_id) for each in found)
        return combine((superseded, held, Decision(verdicts=verdicts))), review.review_id
    outputs = tuple([Output(EVENTS, each.offender, each) for each in found])
    verdicts = tuple([event_verdict(each, context, "passed", "identified", whose(each, evidence[each.part])) for each in found])
    passed: Decision[State] = Decision(outputs, verdicts=verdicts)
    return passed if waiting is None else superseded.then(passed), None


def whose(event: Event, evidence: str) -> str:
    return f"Offender {event.part + 1} of {event.parts} is {event.offender}: {evidence}."


def held_original(states: States, earlier: EarlierMessage, events: tuple[Event, ...]) -> OpenReview | None:
    """Return the earlier message if it is held and this one replaces it completely: it is about no other offenders."""
    waiting = find(states, review_key(earlier.review_id), OpenReview) if earlier.review_id else None
    if waiting is None:
        return None
    waiting = at_current_keys(states, waiting)
    return waiting if {each.offender for each in events} <= {each.offender for each in waiting.events} else None
