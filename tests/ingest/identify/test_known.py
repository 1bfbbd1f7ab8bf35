"""What `vn.people` says of an offender: names as written, numbers, years of birth, who turned out to be whom."""

from typing import Any

import msgspec
import pytest
from msgspec import structs

from processors.domain.offender import KnownPerson
from processors.domain.person import Identifier, Name
from processors.runtime.wire.changelog import State
from tests.ingest.identify.front_door import FrontDoor
from tests.ingest.records import offender
from tests.one_stage import CODEC


@pytest.fixture
def door() -> FrontDoor:
    return FrontDoor()


def person(number: str, given: str = "José", sur: str = "Peña-Ruiz", **more: Any) -> dict[str, Any]:
    return {**offender(number), "name": {"given": given, "sur": sur}, "birth_date": "1980-03-04", **more}


def test_a_new_offender_is_known_as_the_agency_wrote(door: FrontDoor) -> None:
    decided = door.submit(offenders=[person("SID:VA1")])
    assert decided.of(KnownPerson) == [
        KnownPerson(
            offender=decided.offender,
            names=(Name("José", None, "Peña-Ruiz"),),
            identifiers=(Identifier("SID", "VA1"),),
            birth_years=("1980",),
        )
    ]


def test_what_says_nothing_new_writes_nothing(door: FrontDoor) -> None:
    door.submit(offenders=[person("SID:VA1")])
    assert door.submit(offenders=[person("SID:VA1")]).of(KnownPerson) == []


def test_another_name_is_added_with_its_alias_before_it(door: FrontDoor) -> None:
    door.submit(offenders=[person("SID:VA1")])
    decided = door.submit(offenders=[person("SID:VA1", "Joe", "Penn", aliases=[{"full": "Joey"}])])
    (known,) = decided.of(KnownPerson)
    assert known.names == (Name("José", None, "Peña-Ruiz"), Name(full="Joey"), Name("Joe", None, "Penn"))


def test_a_merged_offender_leads_to_the_other_who_has_both_names(door: FrontDoor) -> None:
    older = door.submit(offenders=[person("SID:VA1")]).offender
    younger = door.submit(offenders=[{**offender("FBI:551234AB1"), "name": {"given": "Joe", "sur": "Penn"}}]).offender
    known = {each.offender: each for each in door.submit(offenders=[offender("SID:VA1", "FBI:551234AB1")]).of(KnownPerson)}
    assert known[younger] == KnownPerson(offender=younger, into=older)
    assert known[older].names == (Name("José", None, "Peña-Ruiz"), Name("Joe", None, "Penn"))
    assert known[older].identifiers == (Identifier("SID", "VA1"), Identifier("FBI", "551234AB1"))


def test_a_split_says_what_is_left_of_the_one_and_what_the_other_is(door: FrontDoor) -> None:
    key = door.submit(offenders=[offender("SID:VA1", "FBI:551234AB1")]).offender
    known = door.act("split", offenders=[key], identifiers=["FBI:551234AB1"]).of(KnownPerson)  # type: ignore[arg-type]
    assert [each.identifiers for each in known] == [(Identifier("SID", "VA1"),), (Identifier("FBI", "551234AB1"),)]


def test_a_registration_teaches_nothing(door: FrontDoor) -> None:
    assert door.register(offender=person("SID:VA1")).of(KnownPerson) == []


def test_somebody_known_before_there_was_anything_to_publish_is_published_when_asked(door: FrontDoor) -> None:
    key = door.submit(offenders=[person("SID:VA1")]).offender
    earlier = msgspec.json.encode(structs.replace(door.state(key), written=()))  # as an earlier version kept them
    door.documents[key] = CODEC.encode(State(earlier))
    decided = door.act("publish", offenders=[key])  # type: ignore[arg-type]
    assert [each.reason for each in decided.verdicts] == ["published_again"]
    (known,) = decided.of(KnownPerson)
    assert known.names == (Name("Jose", None, "Pena Ruiz"),)
    assert (known.identifiers, known.birth_years) == ((Identifier("SID", "VA1"),), ("1980",))
    (known,) = door.submit(offenders=[person("SID:VA1")]).of(KnownPerson)  # met again, the agency's spelling is known
    assert known.names == (Name("José", None, "Peña-Ruiz"),)


def test_publishing_names_who_was_merged_and_nobody_who_is_not_known(door: FrontDoor) -> None:
    older = door.submit(offenders=[person("SID:VA1")]).offender
    younger = door.submit(offenders=[{**offender("FBI:551234AB1"), "name": {"given": "Joe", "sur": "Penn"}}]).offender
    door.submit(offenders=[offender("SID:VA1", "FBI:551234AB1")])
    known = door.act("publish", offenders=[younger, older, "onobody"]).of(KnownPerson)  # type: ignore[arg-type]
    assert [(each.offender, each.into) for each in known] == [(younger, older), (older, None)]
