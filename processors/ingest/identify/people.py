"""
Merging and splitting offenders, and reviews that ask whether offenders are one person or whom a registration is for.

A reviewer decides what the evidence leaves open with `vn review release|discard`; `vn offender merge|split` decides without evidence.
Decisions are remembered: offenders who were kept apart are merged again only by a person.
"""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import structs

from processors.domain.event import Event
from processors.domain.intake import Intake
from processors.domain.journal import Verdict
from processors.domain.registration import NearMatch
from processors.domain.review import OffenderAction, Review, review_id
from processors.ingest.identify import pages
from processors.ingest.identify.agency import NATIONAL
from processors.ingest.identify.description import Description
from processors.ingest.identify.enrolments import set_offenders
from processors.ingest.identify.evidence import is_same
from processors.ingest.identify.identity import (
    IdentityQuestion,
    OffenderMerge,
    current_key,
    description_update_keys,
    listed_registration_keys,
    merge,
    update_registrations,
)
from processors.ingest.identify.journal import STAGE, event_verdict, intake_verdict
from processors.ingest.identify.limits import MAX_ASKED, MAX_QUESTIONS, with_offender
from processors.ingest.identify.nearness import nearly_describes
from processors.ingest.identify.publish import publish_again
from processors.ingest.identify.reviews import open_review, publish_review
from processors.ingest.identify.state import (
    UNCHANGED,
    CurrentRegistration,
    IndexEntry,
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
from processors.rules.identity import readable_mark
from processors.stage import Context, Decision, Output, Record
from processors.topics import REGISTRANTS

_action = msgspec.json.Decoder(OffenderAction).decode


# merging


def merge_verdict(merging: OffenderMerge, intake: Intake, context: Context) -> Verdict:
    """Return the verdict that two offenders are one person."""
    detail = f"{merging.merged} is one person with {merging.into}: {merging.why}."
    return structs.replace(intake_verdict(intake, context, "merged", detail), offender=merging.into, formerly=merging.merged)


def merge_offenders(states: States, keys: Iterable[str], why: str, record: Record, context: Context) -> Decision[State]:
    """Merge the offenders into the one known longest, even if something contradicts."""
    found = {current: each for key in keys if (each := find(states, current := current_key(key, states), Offender))}
    if len(found) < 2:  # noqa: PLR2004  already merged
        return UNCHANGED
    into, *others = sorted(found, key=lambda key: (found[key].since, key))
    change = UNCHANGED
    for key in others:
        merging = OffenderMerge(into, key, why)
        change = change.then(merge(after(states, change), merging, record.offset, record.value.received_at))
        change = change.then(Decision(verdicts=(merge_verdict(merging, record.value, context),)))
    return change


def keep_apart(states: States, keys: tuple[str, ...]) -> Decision[State]:
    """Remember that these offenders are different people."""
    current = tuple(dict.fromkeys(current_key(key, states) for key in keys))
    changes: dict[str, State | None] = {}
    for key in current:
        offender = find(states, key, Offender)
        if offender is not None:
            others = tuple(each for each in current if each != key)
            changes[key] = structs.replace(offender, apart=tuple(dict.fromkeys((*offender.apart, *others))))
    return Decision(states=changes)


def merge_keys(keys: Iterable[str], states: States) -> Iterator[str]:
    """Yield the keys needed to merge, keep apart or split these offenders."""
    current = {}
    for key in keys:
        yield key
        yield (now := current_key(key, states))
        if (offender := find(states, now, Offender)) is not None:
            current[now] = offender
    yield from description_update_keys(Description.of((), ()), current, states)


# reviews


def open_conflict(states: States, first: Event, question: IdentityQuestion, context: Context, *, withheld: bool) -> Decision[State]:
    """
    Open a review that asks whether offenders are one person, and remember that a reviewer was asked.

    If the message is `withheld` from registrants of one of them, the review holds it: they are told of it once it is released.
    """
    offender = find(states, question.offenders[0], Offender)
    if offender is None:
        return UNCHANGED
    others = question.offenders[1:]
    met = structs.replace(offender, met=tuple(dict.fromkeys((*offender.met, *others)))[-MAX_QUESTIONS:])
    detail = f"Message {first.message_id} is about {question.offenders[0]}; is that one person with {' and '.join(others)}? {question.why}."
    review = open_review(first, f"identity_conflict|{'|'.join(others)}", detail)
    review = structs.replace(review, reason="identity_conflict")
    verdict = event_verdict(first, context, "noted", "identity_conflict", detail, review.review_id)
    held = (structs.replace(first, withheld=True, submission=b""),) if withheld else ()
    opened = publish_review(review, held, first.submission if withheld else b"", question.offenders)
    return opened.then(Decision(states={question.offenders[0]: met}, verdicts=(verdict,)))


def ask_about_near_registrations(states: States, key: str, record: Record, context: Context) -> Decision[State]:
    """Ask about every registration that nearly describes the offender."""
    offender = find(states, key, Offender)
    if offender is None:
        return UNCHANGED
    index_keys = Description.of(offender.marks, offender.names).index_keys
    watched = (entry_key for entry_key in index_keys if (entry := find(states, entry_key, IndexEntry)) and entry.watched)
    listed = dict.fromkeys(item for entry_key in watched for item in pages.items(states, registrations_key(entry_key)))
    asked = UNCHANGED
    for registration_id in listed:
        asked = asked.then(ask_about_registration(after(states, asked), registration_id, key, record, context))
    return asked


def ask_about_registration(states: States, registration_id: str, key: str, record: Record, context: Context) -> Decision[State]:
    """
    Open a review that asks whether the registration is for an offender whom it nearly describes, or who exceeds its limit.

    Until released, it is not. If the limit on questions is reached too, the journal says whom the registration is not for.
    """
    registration, offender = find(states, registration_key(registration_id), CurrentRegistration), find(states, key, Offender)
    if registration is None or offender is None or key in registration.nearly or key in registration.offenders:
        return UNCHANGED
    is_full = is_same(registration, offender)
    why = f"as it does {len(registration.offenders)} others, whom it is for" if is_full else nearly_describes(registration, offender)
    if why is None:
        return UNCHANGED
    intake: Intake = record.value
    describes = f"Registration {registration_id} {'describes' if is_full else 'nearly describes'} {key}: {why}."
    is_asked = len(registration.nearly) < MAX_ASKED
    verdict = Verdict(
        stage=STAGE,
        message_id=registration_id,
        outcome="noted",
        reason="possible_match" if is_asked and not is_full else "crowded_out",
        detail=f"{describes} Released, it is for them." if is_asked else f"{describes} A reviewer was asked about {MAX_ASKED} others.",
        at=intake.received_at,
        offender=key,
        rules=context.rules.version,
        registrant_id=registration.registrant_id,
    )
    if not is_asked:
        return Decision(verdicts=(verdict,))
    review = Review(
        review_id=review_id(STAGE, key, "possible_match", registration_id, str(record.offset)),
        message_id=registration_id,
        ori="",
        stage=STAGE,
        offender=key,
        state="open",
        reason="possible_match",
        detail=verdict.detail,
        since=intake.received_at,
        jurisdiction=NATIONAL,
        event_type="",
        event_subtype="",
    )
    asked = structs.replace(registration, nearly=(*registration.nearly, key))
    verdict = structs.replace(verdict, review_id=review.review_id)
    told = near_match(registration_id, registration, key, record, is_open=True)
    opened = publish_review(review, offenders=(key,), registration_id=registration_id).then(told)
    return opened.then(Decision(states={registration_key(registration_id): asked}, verdicts=(verdict,)))


def near_match(registration_id: str, registration: CurrentRegistration, key: str, record: Record, *, is_open: bool) -> Decision[State]:
    """Tell deliver whether a reviewer is being asked about the registration, for the registration's status."""
    asked = NearMatch(
        registrant_id=registration.registrant_id,
        registration_id=registration_id,
        offender=key,
        seq=record.offset,
        received_at=record.value.received_at,
        open=is_open,
    )
    return Decision((Output(REGISTRANTS, registration.registrant_id, asked),))


def answer_near_match(states: States, registration_id: str, key: str, record: Record) -> Decision[State]:
    """Tell deliver that the reviewer has decided whether the registration is for the offender."""
    registration = find(states, registration_key(registration_id), CurrentRegistration)
    return UNCHANGED if registration is None else near_match(registration_id, registration, key, record, is_open=False)


def confirm_registration(states: States, registration_id: str, key: str, record: Record) -> Decision[State]:
    """Put the registration in force for the offender, as a reviewer decided."""
    registration, current = find(states, registration_key(registration_id), CurrentRegistration), current_key(key, states)
    if registration is None or find(states, current, Offender) is None:
        return UNCHANGED
    confirmed = structs.replace(registration, confirmed=tuple(dict.fromkeys((*registration.confirmed, current))))
    return set_offenders(registration_id, confirmed, {**confirmed.offenders, current: record.offset}, record.offset)


# `vn offender merge|split`, `vn people publish`


def offender_action_keys(record: Record, states: States) -> Iterator[str]:
    """Yield the keys needed to merge, split or publish offenders by hand."""
    action = _action(record.value.body)
    if action.action == "publish":
        yield from action.offenders
        return
    yield from merge_keys(action.offenders, states)
    for mark in action.identifiers:
        home = offender_key(mark)
        yield from (home, index_key(home))
        yield from listed_registration_keys(index_key(home), states)
    yield split_key(record)


def decide_offender_action(record: Record, states: States, context: Context) -> Decision[State]:
    """Merge two offenders, split off some of an offender's identifiers, or publish them again, as a person decided."""
    intake: Intake = record.value
    action = _action(intake.body)
    if action.action == "publish":
        published = publish_again(states, action.offenders)
        detail = f"What is known of {len(published)} offenders is published again: {action.reviewer} says so: {action.reason}."
        return Decision(published, verdicts=(intake_verdict(intake, context, "published_again", detail),))
    unknown = [key for key in action.offenders if find(states, current_key(key, states), Offender) is None]
    if unknown:
        return Decision(verdicts=(intake_verdict(intake, context, "unknown_offender", f"No offender {' or '.join(unknown)} is known."),))
    why = f"{action.reviewer} says so: {action.reason}"
    if action.action == "merge":
        merged = merge_offenders(states, action.offenders, why, record, context)
        if merged is not UNCHANGED:
            return merged
        return Decision(verdicts=(intake_verdict(intake, context, "merged", f"{' and '.join(action.offenders)} are one person already."),))
    key = current_key(action.offenders[0], states)
    offender = find(states, key, Offender)
    taken = tuple(each for each in action.identifiers if offender is not None and each in offender.marks)
    if offender is None or not taken or len(taken) == len(offender.marks):
        detail = f"{key} has {', '.join(offender.marks) if offender else 'nothing'}: name some of these and leave it at least one."
        return Decision(verdicts=(intake_verdict(intake, context, "unknown_offender", detail),))
    detail = f"{', '.join(map(readable_mark, taken))} of {key} is {split_key(record)}'s from now on, who has no history yet: {why}."
    verdict = structs.replace(intake_verdict(intake, context, "parted", detail), offender=key)
    return split(states, key, offender, taken, record).then(Decision(verdicts=(verdict,)))


def split_key(record: Record) -> str:
    """Return the key of an offender split off by this record: a new key, since the new offender has no history."""
    return offender_key(f"split#{record.offset}")


def split(states: States, key: str, offender: Offender, taken: tuple[str, ...], record: Record) -> Decision[State]:
    """Split off a new offender with the identifiers `taken` and an empty history; match registrations again."""
    new, seq = split_key(record), record.offset
    left = structs.replace(offender, marks=tuple(each for each in offender.marks if each not in taken), apart=(*offender.apart, new))
    made = Offender(since=seq, marks=taken, apart=(key,))
    changes: dict[str, State | None] = {key: left, new: made}
    staying = frozenset(Description.of(left.marks, left.names).index_keys)
    for entry_key in Description.of(offender.marks, offender.names).index_keys:
        entry = find(states, entry_key, IndexEntry)
        if entry is not None and entry_key not in staying and key in entry.offenders:
            changes[entry_key] = IndexEntry(tuple(each for each in entry.offenders if each != key), entry.watched)
    for entry_key in Description.of(taken, ()).index_keys:
        entry = find(after(states, Decision(states=changes)), entry_key, IndexEntry) or IndexEntry()
        changes[entry_key] = with_offender(entry, new)
    change: Decision[State] = Decision(states=changes)
    for each, now in ((key, left), (new, made)):
        before = Description.of(offender.marks, offender.names)
        change = change.then(update_registrations(after(states, change), each, now, before, seq))
    return change
