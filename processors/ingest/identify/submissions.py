"""Submissions: finds the offenders of each one, counts it against the surge limit, and remembers it."""

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
from processors.ingest.identify.earlier_messages import PAGE, find_message, page_key, remember_message
from processors.ingest.identify.events import event
from processors.ingest.identify.identity import (
    Identification,
    IdentityQuestion,
    OffenderMerge,
    current_key,
    description_keys,
    find_by_first_identifier,
    find_offenders,
    identify,
    matching_offenders,
)
from processors.ingest.identify.journal import event_verdict
from processors.ingest.identify.limits import crowded_verdicts
from processors.ingest.identify.old_intake import people_of
from processors.ingest.identify.people import ask_about_near_registrations, merge_verdict, open_conflict
from processors.ingest.identify.publish import add_written_names
from processors.ingest.identify.reviews import at_current_keys, group_keys, hold_events, replacing_keys, supersede_review
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
from processors.rules.rule_set import Surge
from processors.stage import Context, Decision, Output, Record, combine
from processors.tally import part_ended
from processors.topics import EVENTS

CACHED: Final = 8_192  # messages; cached since keys are requested several times for each message of a batch
MAX_CACHED_BYTES: Final = 16_384  # larger bodies are decoded again instead of cached

_submission = msgspec.json.Decoder(Submission).decode


class PreparedSubmission(Struct, frozen=True, gc=False):
    """
    A decoded submission with the keys of the states it needs: for its agency, rate, the message itself, its page and its reference.

    `keys` are all that are known to be needed before any state was read.
    """

    submission: Submission
    persons: tuple[Description, ...]
    agency: str
    rate: str
    message: str
    page: str
    refers_to: str | None
    keys: tuple[str, ...]


def prepare(record: Record) -> PreparedSubmission:
    """Return the submission of an intake record, decoded only once while its batch is decided."""
    intake, page = record.value, record.offset // PAGE
    return (_prepare_cached if len(intake.body) <= MAX_CACHED_BYTES else _prepare)(intake, page)


def _prepare(intake: Intake, page: int) -> PreparedSubmission:
    submission = _submission(intake.body)
    ori = submission.agency.ori
    persons = tuple(map(describe, intake.people or people_of(intake)))
    refers_to = message_key(ori, submission.refers_to) if submission.refers_to and submission.operation != "Add" else None
    agency, rate, message_page = agency_key(ori), rate_key(ori, submission.event_subtype), page_key(page)
    keys = [agency, rate, message_page]
    if refers_to:
        keys.append(refers_to)
    for person in persons:
        keys += person.identifier_keys + person.index_keys
    return PreparedSubmission(
        submission, persons, agency, rate, message_key(ori, submission.message_id), message_page, refers_to, tuple(keys)
    )


_prepare_cached = lru_cache(CACHED)(_prepare)


def submission_keys(record: Record, states: States) -> Iterable[str]:
    """Return the keys of the states that a submission needs, given those found so far."""
    prepared = prepare(record)
    if not states:
        return prepared.keys
    more: list[str] = []
    if (rate := states.get(prepared.rate)) is not None and type(rate) is MessageRate:
        more += block_keys(prepared.rate, rate)
        if rate.group is not None:
            more += group_keys(rate.group, states)
    if prepared.refers_to is not None:
        before = find(states, prepared.refers_to, EarlierMessage)
        if before is not None:
            more += replacing_keys(before.review_id, states)
            more += [key for offenders in before.parts for key in offender_keys(offenders, states)]
    for person in prepared.persons:
        if not find_by_first_identifier(person, states):
            more += description_keys(person, states)
    return (*prepared.keys, *more) if more else prepared.keys


def offender_keys(offenders: Iterable[str], states: States) -> Iterator[str]:
    """Yield the keys of offenders, and of those they were merged into."""
    for key in offenders:
        yield key
        yield current_key(key, states)


class IdentifiedParts(Struct, frozen=True, gc=False):
    """The offenders of every part of a message; `evidence` is a sentence for each part, `grown` the offenders that were changed."""

    offenders: tuple[tuple[str, ...], ...]
    evidence: tuple[str, ...]
    change: Decision[State] = UNCHANGED
    merges: tuple[OffenderMerge, ...] = ()
    questions: tuple[tuple[int, IdentityQuestion], ...] = ()
    grown: tuple[str, ...] = ()


def decide_submission(record: Record, states: States, context: Context) -> Decision[State]:
    """Send one event per offender under its key, or hold all of them for a reviewer."""
    intake: Intake = record.value
    prepared, rules = prepare(record), context.rules
    submission = prepared.submission
    where = jurisdiction(submission.agency, rules)
    scope = Scope(where, submission.notification_type, submission.event_subtype)
    limit = rules.surge(scope)
    group, counted = count_message(states, prepared.rate, limit, intake.received_at, record.offset) if limit else (None, UNCHANGED)
    earlier = None if prepared.refers_to is None else find_message(states, prepared.refers_to, intake.received_at)
    parts = with_written_names(states, prepared, identify_parts(states, prepared, earlier, record))
    known = after(states, parts.change)
    active = note_activity(states, prepared.agency, intake, (submission.agency.ori, where), context)
    leaves = sum(map(len, parts.offenders)) + sum(is_withheld(parts, *each) for each in parts.questions)
    found = tuple(
        [
            event(record, submission, where, offender, (part, len(parts.offenders), leaves), formerly(known, offender))
            for part, offenders in enumerate(parts.offenders)
            for offender in offenders
        ]
    )
    shown = UNCHANGED
    if parts.change is not UNCHANGED or parts.questions:
        merged = tuple(merge_verdict(each, intake, context) for each in parts.merges)
        shown = Decision(verdicts=merged)
        shown = shown.then(open_identity_questions(known, found, parts, context))
        for key in parts.grown:
            shown = shown.then(ask_about_near_registrations(after(known, shown), key, record, context))
    if crowded := tuple(crowded_verdicts(states, known, prepared.persons, parts.offenders, record, context)):
        shown = shown.then(Decision(verdicts=crowded))
    routed, review_id = route_events(states, prepared, earlier, found, (group, limit, parts.evidence), context)
    message = EarlierMessage(intake.received_at + rules.duration("duplicate.window", scope), parts.offenders, review_id)
    return combine((counted, parts.change, remember_message(states, prepared.page, prepared.message, message), active, shown, routed))


def formerly(states: States, key: str) -> tuple[str, ...]:
    """Return the offenders that were merged into this one."""
    offender = find(states, key, Offender)
    return offender.formerly if offender is not None else ()


def identify_parts(states: States, prepared: PreparedSubmission, earlier: EarlierMessage | None, record: Record) -> IdentifiedParts:
    """
    Identify the offenders of every part of the message, and learn from it.

    If a message names none of the offenders of the earlier message that it refers to, it is still about those offenders. Nothing is
    learned then: an Update that corrects the offender must not link two people.
    """
    if earlier is not None:
        before = tuple(tuple(dict.fromkeys(current_key(key, states) for key in offenders)) for offenders in earlier.parts)
        named = {key for person in prepared.persons for key in named_offenders(states, person)}
        if not any(key in named for offenders in before for key in offenders):
            offenders = tuple(before[min(part, len(before) - 1)] for part in range(len(prepared.persons)))
            return IdentifiedParts(offenders, tuple("as in the message that it refers to" for _ in offenders))
    received_at = record.value.received_at
    if len(prepared.persons) == 1:
        one = identify(states, prepared.persons[0], record.offset, received_at)
        grown = one.offenders if one.change is not UNCHANGED else ()
        return IdentifiedParts(
            (one.offenders,), (one.evidence,), one.change, one.merges, tuple([(0, each) for each in one.questions]), grown
        )
    found: list[Identification] = []
    for person in prepared.persons:
        one = identify(states, person, record.offset, received_at)
        states = after(states, one.change)
        found.append(one)
    return IdentifiedParts(
        tuple(tuple(dict.fromkeys(current_key(key, states) for key in each.offenders)) for each in found),
        tuple(each.evidence for each in found),
        combine(each.change for each in found),
        tuple(merging for each in found for merging in each.merges),
        tuple((part, question) for part, each in enumerate(found) for question in each.questions),
        tuple(dict.fromkeys(current_key(key, states) for each in found if each.change is not UNCHANGED for key in each.offenders)),
    )


def with_written_names(states: States, prepared: PreparedSubmission, parts: IdentifiedParts) -> IdentifiedParts:
    """Return the parts with the names as written by the agency added to every offender who changed or has none."""
    known, change = after(states, parts.change), parts.change
    for person, offenders in zip(prepared.submission.offenders, parts.offenders, strict=True):
        key = offenders[0]
        before = find(known, key, Offender)
        if len(offenders) == 1 and before is not None and (key in parts.grown or not before.written):
            written = add_written_names(before.written, person)
            if written != before.written:
                named: Decision[State] = Decision(states={key: structs.replace(before, written=written)})
                known, change = after(known, named), change.then(named)
    return parts if change is parts.change else structs.replace(parts, change=change)


def named_offenders(states: States, described: Description) -> Iterable[str]:
    """Return the known offenders whom the description is about."""
    return matching_offenders(described, find_offenders(states, described))[0]


def open_identity_questions(states: States, found: tuple[Event, ...], parts: IdentifiedParts, context: Context) -> Decision[State]:
    """Open the reviews that ask whether offenders are one person."""
    opened = UNCHANGED
    for part, question in parts.questions:
        first = next(each for each in found if each.part == part)
        withheld = is_withheld(parts, part, question)
        opened = opened.then(open_conflict(after(states, opened), first, question, context, withheld=withheld))
    return opened


def is_withheld(parts: IdentifiedParts, part: int, question: IdentityQuestion) -> bool:
    """Whether the part is not sent on under all the keys that the question is about, so that the response waits for its answer."""
    return not set(question.offenders) <= set(parts.offenders[part])


def route_events(  # noqa: PLR0913, PLR0917  a message and all that may hold it
    states: States,
    prepared: PreparedSubmission,
    earlier: EarlierMessage | None,
    found: tuple[Event, ...],
    why: tuple[str | None, Surge | None, tuple[str, ...]],
    context: Context,
) -> tuple[Decision[State], str | None]:
    """Send the events on, or hold them for a reviewer; also return the id of the review that holds them, if any."""
    group, limit, evidence = why
    detail = f"More than {limit.limit} messages of this kind came from this agency within {limit.window // 1000} s." if limit else ""
    waiting = None if earlier is None else held_original(states, earlier, found)
    superseded = UNCHANGED
    if waiting is not None:
        superseded = supersede_review(waiting, found, context)
        if prepared.submission.operation == "Cancel":
            reason = f"Message {prepared.submission.refers_to} was held and told to nobody."
            verdicts = tuple(event_verdict(each, context, "suppressed", "nothing_told", reason) for each in found)
            return superseded.then(Decision(tuple(end for each in found for end in part_ended(each)), verdicts=verdicts)), None
        # Nobody was told of what it changes: it is a new event, and is held in place of the earlier one.
        found = tuple(structs.replace(each, operation="Add", refers_to=None) for each in found)
        group, detail = group or waiting.review.group, waiting.review.detail
    if group is not None:
        review, held = hold_events(states, found, group, detail)
        verdicts = tuple(event_verdict(each, context, "flagged", "surge", detail, review.review_id) for each in found)
        return combine((superseded, held, Decision(verdicts=verdicts))), review.review_id
    outputs = tuple([Output(EVENTS, each.offender, each) for each in found])
    verdicts = tuple(
        [event_verdict(each, context, "passed", "identified", identified_sentence(each, evidence[each.part])) for each in found]
    )
    passed: Decision[State] = Decision(outputs, verdicts=verdicts)
    return passed if waiting is None else superseded.then(passed), None


def identified_sentence(event: Event, evidence: str) -> str:
    return f"Offender {event.part + 1} of {event.parts} is {event.offender}: {evidence}."


def held_original(states: States, earlier: EarlierMessage, events: tuple[Event, ...]) -> OpenReview | None:
    """Return the earlier message if it is held and this one may replace it, since it is about no other offenders."""
    waiting = find(states, review_key(earlier.review_id), OpenReview) if earlier.review_id else None
    if waiting is None:
        return None
    waiting = at_current_keys(states, waiting)
    return waiting if {each.offender for each in events} <= {each.offender for each in waiting.events} else None
