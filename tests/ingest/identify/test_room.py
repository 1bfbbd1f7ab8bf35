"""More numbers of one person, and more people at one number or name, than there is room for."""

import pytest

from processors.domain.merge import Merge
from processors.ingest.identify import identity, room
from processors.ingest.identify.state import IndexEntry, Offender
from tests.ingest.identify.front_door import FrontDoor

FEW = 4
NAME = {"name": {"given": "Dean", "sur": "Colton"}, "birth_date": "1984-05-17"}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (room, identity):
        monkeypatch.setattr(module, "MARKS", 2 * FEW)
        monkeypatch.setattr(module, "NAMES", FEW)
    monkeypatch.setattr(room, "LISTED", FEW)
    monkeypatch.setattr(room, "MERGED", 3)


def sid(number: int, state: str = "VA") -> dict[str, str]:
    return {"scheme": "SID", "value": f"{state}55{number:05}"}


def booking(number: int) -> dict[str, str]:
    """A number of which one person may have many."""
    return {"scheme": "BOOKING", "value": f"{7_000_000 + number}"}


@pytest.mark.usefixtures("small")
def test_a_person_with_many_numbers_stays_one_person_and_grows_no_further() -> None:
    door = FrontDoor()
    known = sid(1)
    first = door.submit(offenders=[{"identifiers": [known]}]).offender
    for number in range(3 * FEW):
        decided = door.submit(offenders=[{"identifiers": [known, booking(number)]}])
        assert decided.offender == first
    offender = door.state(first)
    assert isinstance(offender, Offender)
    assert len(offender.marks) == 2 * FEW
    assert ("noted", "crowded_out") in decided.reasons


@pytest.mark.usefixtures("small")
def test_of_many_people_of_one_name_the_last_are_listed_and_each_is_found_by_a_number_of_their_own() -> None:
    door = FrontDoor()
    people = [door.submit(offenders=[{**NAME, "identifiers": [sid(number)]}]).offender for number in range(3 * FEW)]
    assert len(set(people)) == 3 * FEW
    entries = [door.state(key) for key in door.keys("n")]
    assert max(len(each.offenders) for each in entries if isinstance(each, IndexEntry)) == FEW
    again = [door.submit(offenders=[{"identifiers": [sid(number)]}]).offender for number in range(3 * FEW)]
    assert again == people


@pytest.mark.usefixtures("small")
def test_an_offender_into_whom_many_were_merged_is_merged_by_a_person_alone() -> None:
    door = FrontDoor()
    first = sid(1)
    into = door.submit(offenders=[{"identifiers": [first]}]).offender
    merged = 0
    for state in ("NC", "TX", "CA", "NY", "FL"):
        door.submit(offenders=[{"identifiers": [sid(2, state)]}])
        decided = door.submit(offenders=[{"identifiers": [first, sid(2, state)]}])
        merged += len(decided.of(Merge)) // 2
    assert merged == 3
    assert into in decided.offenders
    assert [each.reason for each in decided.reviews] == ["identity_conflict"]


def test_a_person_with_hundreds_of_numbers() -> None:
    """What is kept and read for each message has a bound."""
    door = FrontDoor()
    known = sid(1)
    for number in range(300):
        door.submit(offenders=[{"identifiers": [known, booking(number)]}])
    assert max(map(len, door.documents.values())) < 20_000
    (offender,) = [each for key in door.keys("o") if isinstance(each := door.state(key), Offender)]
    assert len(offender.marks) == room.MARKS
