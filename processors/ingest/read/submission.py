"""
Checks a submission: every rejection of contract §3 that does not depend on the format, in a fixed order.

Fields are checked first, then codes (specification §2), then offenders, then dates. The order decides which reason is given if
several apply.
"""

from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final

import msgspec
from msgspec import Struct

from processors.domain.person import ComparedPerson, Person
from processors.domain.states import state_code
from processors.domain.submission import Agency, Compact, Submission
from processors.ingest.comparison import can_be_identified, compare_person
from processors.ingest.identify.agency import jurisdiction
from processors.ingest.read.dates import ActionTime, is_no_date, parse_birth_date, parse_day
from processors.ingest.read.document import fields_of
from processors.ingest.read.ids import MAX_ID, check_id
from processors.ingest.read.instants import parse_moment, parse_plausible_time, unreadable_date
from processors.ingest.read.rejection import Rejection, quote
from processors.rules.identity import IdentityRules, Issuer
from processors.rules.rule_set import EventCode, Rules, RuleSet

SHAPE: Final = fields_of(Submission)
TIMES: Final = ("action_at", "sent_at")  # ISO 8601, or Unix milliseconds
OPERATIONS: Final = frozenset({"Add", "Update", "Cancel"})
MAX_TEXT: Final = 1_024
MAX_OFFENDERS: Final = 50
MAX_IDENTIFIERS: Final = 64
MISSING: Final = {
    "action_at": "unreadable_date",
    "event_type": "event_type_count",
    "notification_subtypes": "no_notification_subtype",
    "offenders": "no_offender",
}


class CheckedSubmission(Struct, frozen=True, gc=False):
    """A submission in canonical form, with the time of its event, its offenders in comparable form, and a note on what was ignored."""

    submission: Submission
    at: ActionTime
    people: tuple[ComparedPerson, ...]
    note: str


def check(submission: Submission, received_at: int, rules: Rules) -> CheckedSubmission:
    """Return the checked submission; raises Rejection for the first thing wrong."""
    submission = normalize(submission)
    check_lengths(submission)
    where = jurisdiction(submission.agency, rules)
    rule_set = rules.rule_set(where, received_at)
    check_codes(submission, rule_set, rules)
    people, note = check_offenders(submission, rule_set.identity, Issuer(submission.agency.ori, where))
    return CheckedSubmission(submission, action_time(submission, rule_set), people, note)


def action_dates(document: Mapping[str, Any], received_at: int, rules: Rules) -> tuple[str, ...]:
    """Return the XML elements that may hold the action date, first choice first; those of contract §3 if the code is unknown."""
    agency = document.get("agency", {})
    where = jurisdiction(Agency(agency.get("ori", ""), state=agency.get("state")), rules)
    code = rules.rule_set(where, received_at).code(document.get("event_type", ""), document.get("event_subtype", ""))
    return code.action_date if code else EventCode("", "", ()).action_date


def normalize(submission: Submission) -> Submission:
    """
    Return the submission with agency and state codes in capitals and days as YYYY-MM-DD; the same object if nothing changes.

    A time of sending or a day to report that only says that there is none is left out: the event does not depend on it.
    """
    agency, compact = submission.agency, submission.compact
    offenders = tuple([normalize_person(each, f"offenders[{index}]") for index, each in enumerate(submission.offenders)])
    ori, state = agency.ori.upper(), agency.state and (state_code(agency.state) or agency.state.upper())
    if (ori, state) != (agency.ori, agency.state):
        agency = msgspec.structs.replace(agency, ori=ori, state=state)
    if compact is not None:
        compact = Compact(
            sending_state=compact.sending_state and (state_code(compact.sending_state) or compact.sending_state.upper()),
            receiving_state=compact.receiving_state and (state_code(compact.receiving_state) or compact.receiving_state.upper()),
            case_number=compact.case_number,
            report_by=compact.report_by and day_to_report(compact.report_by),
        )
    sent_at = None if submission.sent_at is not None and is_no_date(submission.sent_at) else submission.sent_at
    if (agency, compact, sent_at, offenders) == (submission.agency, submission.compact, submission.sent_at, submission.offenders):
        return submission
    return msgspec.structs.replace(submission, agency=agency, compact=compact, sent_at=sent_at, offenders=offenders)


def normalize_person(person: Person, field: str) -> Person:
    """Return the person with the birth date as YYYY-MM-DD, or as far as it is known: YYYY-MM, YYYY, or none."""
    if person.birth_date is None:
        return person
    try:
        birth_date = parse_birth_date(person.birth_date)
    except ValueError:
        raise unreadable_date(f"{field}.birth_date") from None
    return person if birth_date == person.birth_date else msgspec.structs.replace(person, birth_date=birth_date)


def check_lengths(submission: Submission) -> None:
    """Reject ids that no agency issues, overlong texts, and more offenders than one event has."""
    check_id("message_id", submission.message_id)
    check_id("agency.ori", submission.agency.ori)
    if submission.refers_to is not None:
        check_id("refers_to", submission.refers_to)
    for field, text in short_texts(submission):
        if text is not None and len(text) > MAX_TEXT:
            raise Rejection("too_long", f"The field {field} has {len(text)} characters; at most {MAX_TEXT} are accepted.")
    if len(submission.offenders) > MAX_OFFENDERS:
        raise Rejection("too_complex", f"The message names {len(submission.offenders)} offenders; at most {MAX_OFFENDERS} are accepted.")


def short_texts(submission: Submission) -> list[tuple[str, str | None]]:
    """Return the short texts of a submission with their fields' names."""
    found = [("event_id", submission.event_id), ("status", submission.status), ("agency.name", submission.agency.name)]
    for field, place in (("location", submission.location), ("from_location", submission.from_location)):
        if place is not None:
            found += [(f"{field}.kind", place.kind), (f"{field}.name", place.name)]
    if submission.case is not None:
        found += [("case.number", submission.case.number), ("case.court", submission.case.court)]
    if submission.compact is not None:
        found.append(("compact.case_number", submission.compact.case_number))
    return found


def check_codes(submission: Submission, rule_set: RuleSet, rules: Rules) -> None:
    """Reject codes that are in no applicable list, and subtypes that event type or notification type do not allow."""
    if submission.operation not in OPERATIONS:
        raise unknown_code("operation", submission.operation)
    if submission.event_type not in rule_set.event_types:
        raise unknown_code("event type", submission.event_type)
    if submission.notification_type not in rule_set.notification_types:
        raise unknown_code("notification type", submission.notification_type)
    check_subtype(submission, rule_set)
    check_tags(submission, rule_set)
    if submission.compact is not None:
        for state in (submission.compact.sending_state, submission.compact.receiving_state):
            if state is not None and not rules.member(state):
                raise unknown_code("compact member", state)


def check_subtype(submission: Submission, rule_set: RuleSet) -> None:
    """Reject an event subtype that no list has, or not for these types (specification §2.2)."""
    kind, subtype, notification = submission.event_type, submission.event_subtype, submission.notification_type
    code = rule_set.code(kind, subtype)
    if code is None and all(subtype != other for _, other in rule_set.codes):
        raise unknown_code("event subtype", subtype)
    if code is None:
        raise Rejection("subtype_not_allowed", f"The event type {quote(kind)} has no event subtype {quote(subtype)}.")
    if notification not in code.notification_types:
        raise Rejection("subtype_not_allowed", f"The event subtype {quote(subtype)} of {quote(kind)} is never a {quote(notification)}.")


def check_tags(submission: Submission, rule_set: RuleSet) -> None:
    """Reject a message without notification subtype, and tags that no list has (specification §2.4, §2.5)."""
    if not submission.notification_subtypes:
        raise Rejection("no_notification_subtype", "The message has no notification subtype.")
    for each in submission.notification_subtypes:
        if each.subtype not in rule_set.notification_subtypes:
            raise unknown_code("notification subtype", each.subtype)
        for validation in each.validations:
            if validation not in rule_set.validations:
                raise unknown_code("notification validation", validation)


def unknown_code(what: str, code: str) -> Rejection:
    return Rejection("unknown_code", f"The {what} {quote(code)} is not in any code list that applies.")


def check_offenders(submission: Submission, rules: IdentityRules, issuer: Issuer) -> tuple[tuple[ComparedPerson, ...], str]:
    """Return the offenders in comparable form, and a note on what was ignored."""
    if not submission.offenders:
        raise Rejection("no_offender", "The message names no offender.")
    people, notes = zip(
        *[check_person(offender, f"Offender {number}", rules, issuer) for number, offender in enumerate(submission.offenders, 1)],
        strict=True,
    )
    return people, "".join(notes)


def check_person(person: Person, who: str, rules: IdentityRules, issuer: Issuer) -> tuple[ComparedPerson, str]:
    """Return the person in comparable form; rejects one who cannot be distinguished from others (contract §3)."""
    if len(person.identifiers) > MAX_IDENTIFIERS or len(person.aliases) > MAX_IDENTIFIERS:
        raise Rejection("too_complex", f"{who} has more than {MAX_IDENTIFIERS} identifiers or aliases.")
    for each in person.identifiers:
        if len(each.value) > MAX_ID or len(each.scheme) > MAX_ID:
            raise Rejection("bad_id", f"{who} has an identifier longer than {MAX_ID} characters.")
    for name in (person.name, *person.aliases):
        for part in () if name is None else (name.given, name.middle, name.sur, name.full):
            if part is not None and len(part) > MAX_ID:
                raise Rejection("too_long", f"{who} has a name with a part longer than {MAX_ID} characters.")
    compared, note = compare_person(person, rules, issuer)
    if not can_be_identified(compared):
        raise Rejection("offender_not_identified", f"{who} has neither an identifier nor a name with a birth date.{note}")
    return compared, note


def action_time(submission: Submission, rule_set: RuleSet) -> ActionTime:
    """Return when the event happens: in the agency's own time zone if the date has no offset."""
    if submission.sent_at is not None:
        parse_moment("sent_at", submission.sent_at, UTC)
    return parse_plausible_time("action_at", submission.action_at, rule_set.zone_of(submission.agency.ori))


def day_to_report(text: str) -> str | None:
    """Return the day to report as YYYY-MM-DD; None if the text says that there is none."""
    try:
        return None if is_no_date(text) else parse_day(text)
    except ValueError:
        raise unreadable_date("compact.report_by") from None
