"""What `vn.people` publishes of an offender: names as written, numbers, years of birth, merges."""

from typing import Any

import msgspec
import pytest
from msgspec import structs

from processors.domain.offender import KnownPerson
from processors.domain.person import Identifier, Name
from processors.runtime.wire.changelog import State
from tests.ingest.identify.read_and_identify import ReadAndIdentify
from tests.ingest.records import offender
from tests.one_stage import CODEC


@pytest.fixture
def ingest() -> ReadAndIdentify:
    return ReadAndIdentify()


def person(number: str, given: str = "José", sur: str = "Peña-Ruiz", **more: Any) -> dict[str, Any]:
    return {**offender(number), "name": {"given": given, "sur": sur}, "birth_date": "1980-03-04", **more}


def test_a_new_offender_is_known_as_the_agency_wrote(ingest: ReadAndIdentify) -> None:
    decided = ingest.submit(offenders=[person("SID:VA1")])
    assert decided.of(KnownPerson) == [
        KnownPerson(
            offender=decided.offender,
            names=(Name("José", None, "Peña-Ruiz"),),
            identifiers=(Identifier("SID", "VA1"),),
            birth_years=("1980",),
        )
    ]


def test_what_says_nothing_new_writes_nothing(ingest: ReadAndIdentify) -> None:
    ingest.submit(offenders=[person("SID:VA1")])
    assert ingest.submit(offenders=[person("SID:VA1")]).of(KnownPerson) == []


def test_another_name_is_added_with_its_alias_before_it(ingest: ReadAndIdentify) -> None:
    ingest.submit(offenders=[person("SID:VA1")])
    decided = ingest.submit(offenders=[person("SID:VA1", "Joe", "Penn", aliases=[{"full": "Joey"}])])
    (known,) = decided.of(KnownPerson)
    assert known.names == (Name("José", None, "Peña-Ruiz"), Name(full="Joey"), Name("Joe", None, "Penn"))


def test_a_merged_offender_leads_to_the_other_who_has_both_names(ingest: ReadAndIdentify) -> None:
    older = ingest.submit(offenders=[person("SID:VA1")]).offender
    younger = ingest.submit(offenders=[{**offender("FBI:551234AB1"), "name": {"given": "Joe", "sur": "Penn"}}]).offender
    known = {each.offender: each for each in ingest.submit(offenders=[offender("SID:VA1", "FBI:551234AB1")]).of(KnownPerson)}
    assert known[younger] == KnownPerson(offender=younger, into=older)
    assert known[older].names == (Name("José", None, "Peña-Ruiz"), Name("Joe", None, "Penn"))
    assert known[older].identifiers == (Identifier("SID", "VA1"), Identifier("FBI", "551234AB1"))


def test_a_split_says_what_is_left_of_the_one_and_what_the_other_is(ingest: ReadAndIdentify) -> None:
    key = ingest.submit(offenders=[offender("SID:VA1", "FBI:551234AB1")]).offender
    known = ingest.act("split", offenders=[key], identifiers=["FBI:551234AB1"]).of(KnownPerson)  # type: ignore[arg-type]
    assert [each.identifiers for each in known] == [(Identifier("SID", "VA1"),), (Identifier("FBI", "551234AB1"),)]


def test_a_registration_teaches_nothing(ingest: ReadAndIdentify) -> None:
    assert ingest.register(offender=person("SID:VA1")).of(KnownPerson) == []


def test_somebody_known_before_there_was_anything_to_publish_is_published_when_asked(ingest: ReadAndIdentify) -> None:
    key = ingest.submit(offenders=[person("SID:VA1")]).offender
    earlier = msgspec.json.encode(structs.replace(ingest.state(key), written=()))  # as an earlier version kept them
    ingest.documents[key] = CODEC.encode(State(earlier))
    decided = ingest.act("publish", offenders=[key])  # type: ignore[arg-type]
    assert [each.reason for each in decided.verdicts] == ["published_again"]
    (known,) = decided.of(KnownPerson)
    assert known.names == (Name("Jose", None, "Pena Ruiz"),)
    assert (known.identifiers, known.birth_years) == ((Identifier("SID", "VA1"),), ("1980",))
    (known,) = ingest.submit(offenders=[person("SID:VA1")]).of(KnownPerson)  # met again, the agency's spelling is known
    assert known.names == (Name("José", None, "Peña-Ruiz"),)


def test_publishing_names_who_was_merged_and_nobody_who_is_not_known(ingest: ReadAndIdentify) -> None:
    older = ingest.submit(offenders=[person("SID:VA1")]).offender
    younger = ingest.submit(offenders=[{**offender("FBI:551234AB1"), "name": {"given": "Joe", "sur": "Penn"}}]).offender
    ingest.submit(offenders=[offender("SID:VA1", "FBI:551234AB1")])
    known = ingest.act("publish", offenders=[younger, older, "onobody"]).of(KnownPerson)  # type: ignore[arg-type]
    assert [(each.offender, each.into) for each in known] == [(younger, older), (older, None)]
