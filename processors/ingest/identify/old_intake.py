"""Intake records written by an earlier version, without the people in comparable form."""

from functools import cache

import msgspec

from processors.domain.intake import Intake
from processors.domain.person import ComparedPerson
from processors.domain.registration import Registration
from processors.domain.states import STATES
from processors.domain.submission import Submission
from processors.ingest.comparison import compare_person
from processors.ingest.identify.agency import NATIONAL
from processors.rules.identity import IdentityRules, Issuer
from processors.rules.load import load_rules


def people_of(intake: Intake) -> tuple[ComparedPerson, ...]:
    """Return the people that such a record is about in comparable form, by the built-in rules."""
    if intake.kind == "registration":
        registration = msgspec.json.decode(intake.body, type=Registration)
        return (compare_person(registration.offender, built_in_rules())[0],)
    submission = msgspec.json.decode(intake.body, type=Submission)
    agency = submission.agency
    state = agency.state or (agency.ori[:2] if agency.ori[:2] in STATES else "")
    return tuple(compare_person(each, built_in_rules(), Issuer(agency.ori, state))[0] for each in submission.offenders)


@cache
def built_in_rules() -> IdentityRules:
    return load_rules().rule_set(NATIONAL, 0).identity
