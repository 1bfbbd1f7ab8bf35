"""More numbers of one person, and more people with one number or name, than the limits."""

import msgspec
import pytest

from processors.domain.intake import Intake
from processors.domain.merge import Merge
from processors.domain.person import ComparedPerson
from processors.domain.registration import NearMatch
from processors.ingest.identify import identity, limits, people, registrations
from processors.ingest.identify.decide import IDENTIFY
from processors.ingest.identify.state import CurrentRegistration, IndexEntry, Offender, registration_key
from processors.topics import INTAKE, REGISTRATIONS, SUBMISSIONS
from tests.ingest.identify.read_and_identify import Decided, ReadAndIdentify
from tests.ingest.records import NOW, RECAPTURE, REGISTRATION, accepted_record, with_changes
from tests.many_records import MANY, ManyRecords

FEW = 4
NAME = {"name": {"given": "Dean", "sur": "Colton"}, "birth_date": "1984-05-17"}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (limits, identity):
        monkeypatch.setattr(module, "MAX_MARKS", 2 * FEW)
        monkeypatch.setattr(module, "MAX_NAMES", FEW)
    monkeypatch.setattr(limits, "MAX_LISTED", FEW)
    monkeypatch.setattr(limits, "MAX_MERGED", 3)
    for module, name in ((limits, "MAX_MATCHED"), (registrations, "MAX_MATCHED"), (people, "MAX_ASKED"), (people, "MAX_QUESTIONS")):
        monkeypatch.setattr(module, name, FEW)


def sid(number: int, state: str = "VA") -> dict[str, str]:
    return {"scheme": "SID", "value": f"{state}55{number:05}"}


def booking(number: int) -> dict[str, str]:
    """A number of which one person may have many."""
    return {"scheme": "BOOKING", "value": f"{7_000_000 + number}"}


@pytest.mark.usefixtures("small")
def test_a_person_with_many_numbers_stays_one_person_and_grows_no_further() -> None:
    ingest = ReadAndIdentify()
    known = sid(1)
    first = ingest.submit(offenders=[{"identifiers": [known]}]).offender
    for number in range(3 * FEW):
        decided = ingest.submit(offenders=[{"identifiers": [known, booking(number)]}])
        assert decided.offender == first
    offender = ingest.state(first)
    assert isinstance(offender, Offender)
    assert len(offender.marks) == 2 * FEW
    assert ("noted", "crowded_out") in decided.reasons


@pytest.mark.usefixtures("small")
def test_of_many_people_of_one_name_the_last_are_listed_and_each_is_found_by_a_number_of_their_own() -> None:
    ingest = ReadAndIdentify()
    people = [ingest.submit(offenders=[{**NAME, "identifiers": [sid(number)]}]).offender for number in range(3 * FEW)]
    assert len(set(people)) == 3 * FEW
    entries = [ingest.state(key) for key in ingest.keys("n")]
    assert max(len(each.offenders) for each in entries if isinstance(each, IndexEntry)) == FEW
    again = [ingest.submit(offenders=[{"identifiers": [sid(number)]}]).offender for number in range(3 * FEW)]
    assert again == people


@pytest.mark.usefixtures("small")
def test_an_offender_into_whom_many_were_merged_is_merged_by_a_person_alone() -> None:
    ingest = ReadAndIdentify()
    first = sid(1)
    into = ingest.submit(offenders=[{"identifiers": [first]}]).offender
    merged = 0
    for state in ("NC", "TX", "CA", "NY", "FL"):
        ingest.submit(offenders=[{"identifiers": [sid(2, state)]}])
        decided = ingest.submit(offenders=[{"identifiers": [first, sid(2, state)]}])
        merged += len(decided.of(Merge)) // 2
    assert merged == 3
    assert into in decided.offenders
    assert [each.reason for each in decided.reviews] == ["identity_conflict"]


def test_a_person_with_hundreds_of_numbers() -> None:
    """What is kept and read for each message has a bound."""
    ingest = ReadAndIdentify()
    known = sid(1)
    for number in range(300):
        ingest.submit(offenders=[{"identifiers": [known, booking(number)]}])
    assert max(map(len, ingest.documents.values())) < 20_000
    (offender,) = [each for key in ingest.keys("o") if isinstance(each := ingest.state(key), Offender)]
    assert len(offender.marks) == limits.MAX_MARKS


def fbi(number: int) -> dict[str, str]:
    return {"scheme": "FBI", "value": f"{number:06}AB1"}


def namesake(ingest: ReadAndIdentify, number: int) -> Decided:
    """Submit another person of one name and birth date, known by an FBI number."""
    return ingest.submit(offenders=[{**NAME, "identifiers": [fbi(number)]}])


def in_force(ingest: ReadAndIdentify, registration_id: str = "IVINS-1") -> CurrentRegistration:
    found = ingest.state(registration_key(registration_id))
    assert isinstance(found, CurrentRegistration)
    return found


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("known_before", [0, FEW // 2, FEW])
def test_a_registration_by_a_name_that_many_have_is_for_the_first_of_them_and_a_reviewer_is_asked_about_the_next(known_before: int) -> None:
    ingest = ReadAndIdentify()
    first = [namesake(ingest, number).offender for number in range(known_before)]
    ingest.register(offender=NAME)
    decided = [namesake(ingest, number) for number in range(known_before, 4 * FEW)]
    found = [*first, *(each.offender for each in decided)]
    assert list(in_force(ingest).offenders) == found[:FEW]
    assert list(in_force(ingest).nearly) == found[FEW : 2 * FEW]
    asked, rest = decided[FEW - known_before : 2 * FEW - known_before], decided[2 * FEW - known_before :]
    for each in asked:
        ((review,), (told,)) = each.reviews, each.of(NearMatch)
        assert (review.reason, review.offender, told.open) == ("possible_match", each.offender, True)
        assert f"describes {each.offender}: as it does {FEW} others, whom it is for. Released, it is for them." in review.detail
    assert rest
    for each in (*asked, *rest):
        (verdict,) = [verdict for verdict in each.verdicts if verdict.reason == "crowded_out" and verdict.registrant_id]
        assert (verdict.outcome, verdict.message_id, verdict.registrant_id, verdict.offender) == ("noted", "IVINS-1", "R-1", each.offender)
        assert each.enrolled == []
    assert not any(each.reviews for each in rest)


@pytest.mark.usefixtures("small")
def test_a_reviewer_makes_a_registration_somebodys_for_whom_there_was_no_room() -> None:
    ingest = ReadAndIdentify()
    ingest.register(offender=NAME)
    last = [namesake(ingest, number) for number in range(FEW + 1)][-1]
    released = ingest.act("release", review_id=last.reviews[0].review_id)
    assert released.enrolled == [("IVINS-1", last.offender, False)]
    again = ingest.register(offender=NAME, case_numbers=["CR26-1"])
    assert last.offender in {offender for _, offender, ended in again.enrolled if not ended}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("registered_first", [True, False])
def test_a_strong_number_counts_however_many_have_the_name(*, registered_first: bool) -> None:
    ingest = ReadAndIdentify()
    known = {**NAME, "identifiers": [sid(1)]}
    if registered_first:
        ingest.register(offender=known)
    for number in range(2 * FEW):
        namesake(ingest, number)
    if not registered_first:
        ingest.register(offender=known)
    theirs = ingest.submit(offenders=[{"identifiers": [sid(1)]}])
    assert ("IVINS-1", theirs.offender, False) in theirs.enrolled


@pytest.mark.usefixtures("small")
def test_what_is_remembered_of_questions_about_one_person_has_a_bound() -> None:
    ingest = ReadAndIdentify()
    for number in range(3 * FEW):
        namesake(ingest, number)
        ingest.submit(offenders=[NAME])
    assert max(len(each.met) for key in ingest.keys("o") if isinstance(each := ingest.state(key), Offender)) <= FEW


@pytest.mark.slow
@pytest.mark.timeout(480)
@pytest.mark.usefixtures("small")
def test_a_hundred_thousand_people_of_one_name_and_birth_date_who_are_registered_for() -> None:
    """What a registration keeps has a bound, and the journal names everybody whom it is not for."""
    many = ManyRecords(IDENTIFY, INTAKE.name, None)
    sent = accepted_record(with_changes(RECAPTURE, offenders=[{**NAME, "identifiers": [fbi(1)]}]), SUBMISSIONS)
    (described,) = sent.people

    def namesake_number(number: int) -> Intake:
        return msgspec.structs.replace(sent, message_id=f"M-{number}", people=(ComparedPerson((f"FBI:{number:06}AB1",), described.names),))

    many.feed([accepted_record(with_changes(REGISTRATION, offender=NAME), REGISTRATIONS, key="IVINS-1", at=NOW - 1)])
    crowded = asked = 0
    for first in range(0, MANY, 5_000):
        for result in many.feed(namesake_number(number) for number in range(first + 100_000, first + 105_000)):
            said = [each for each in result.verdicts if each.reason == "crowded_out" and each.registrant_id is not None]
            crowded += len(said)
            asked += sum(each.review_id is not None for each in said)
    assert (crowded, asked) == (MANY - FEW, FEW)
    assert many.largest < 20_000
    many.check_linear()
