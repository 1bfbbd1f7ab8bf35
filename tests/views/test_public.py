"""The public's look-up finds whom it may show, however the name is written, and nobody else."""

from pathlib import Path

import pytest

from processors.domain.offender import HiddenPerson, KnownPerson, OffenderStanding
from processors.domain.person import Identifier, Name
from processors.topics import PEOPLE, PEOPLE_HIDDEN, STANDINGS
from processors.views.database import View
from processors.views.public import PUBLIC_MODEL, PersonQuery, PublicScope, look_up
from tests.views.given import AT, put

CUSTODY = PublicScope(("Local Jail",), ("VA",))


@pytest.fixture
def view(tmp_path: Path) -> View:
    made = View(tmp_path / "public.sqlite", PUBLIC_MODEL)
    made.open({topic.name: "log" for topic in PUBLIC_MODEL.apply})
    return made


def person(offender: str, name: Name, number: str = "VA7700123", **standing: object) -> tuple[KnownPerson, OffenderStanding]:
    known = KnownPerson(offender=offender, names=(name,), identifiers=(Identifier("SID", number),), birth_years=("1979",))
    return known, OffenderStanding(offender=offender, **{"transferred": True, **standing})  # type: ignore[arg-type]


def known(view: View, *people: tuple[KnownPerson, OffenderStanding]) -> None:
    for each, standing in people:
        put(view, PEOPLE, each.offender, each)
        put(view, STANDINGS, each.offender, standing)


def found(view: View, question: PersonQuery, most: int = 11) -> list[str]:
    with view.reading() as database:
        return sorted(each.offender for each, _ in look_up(database, question, CUSTODY, most))


@pytest.mark.parametrize("written", ["Peña-Ruiz", "PENA RUIZ", "pena\u0301ruiz", "Penaruiz", "  peña‐ruiz ", "Ruiz", "pena"])
@pytest.mark.parametrize("more", [{"initial": "J"}, {"initial": "josé"}, {"year": "1979"}])
def test_a_name_is_found_however_it_is_written(view: View, written: str, more: dict[str, str]) -> None:
    known(view, person("o1", Name("José", None, "Peña-Ruiz")), person("o2", Name("Ann", None, "Other")))
    assert found(view, PersonQuery(last_name=written, **more)) == ["o1"]


@pytest.mark.parametrize("name", [Name(full="Walker, Thomas Q"), Name(full="Thomas Q Walker"), Name("Thomas", "Q", "Walker")])
def test_a_whole_name_is_found_by_its_last_name(view: View, name: Name) -> None:
    known(view, person("o1", name))
    assert found(view, PersonQuery(last_name="walker", initial="t")) == ["o1"]
    assert found(view, PersonQuery(last_name="walker", initial="q")) == []


@pytest.mark.parametrize("written", ["VA7700123", "va-770 0123"])
def test_a_number_is_found_however_it_is_written(view: View, written: str) -> None:
    known(view, person("o1", Name("Ann", None, "Walker")))
    assert found(view, PersonQuery(number=written)) == ["o1"]
    assert found(view, PersonQuery(number="VA7700124")) == []


@pytest.mark.parametrize(
    ("standing", "shown"),
    [
        ({}, True),
        ({"transferred": False}, False),
        ({"transferred": False, "kind": "Local Jail", "jurisdiction": "VA"}, True),
        ({"transferred": False, "kind": "Local Jail", "jurisdiction": "NC"}, False),
        ({"transferred": False, "kind": "Community", "jurisdiction": "VA"}, False),
        ({"confidential": True}, False),
        ({"confidential": True, "kind": "Local Jail", "jurisdiction": "VA"}, False),
    ],
)
def test_only_completed_transfers_and_public_custody_are_shown(view: View, standing: dict[str, object], shown: bool) -> None:  # noqa: FBT001
    known(view, person("o1", Name("Ann", None, "Walker"), **standing))
    assert found(view, PersonQuery(last_name="Walker", initial="a")) == (["o1"] if shown else [])


def test_who_is_hidden_is_not_found_until_shown_again(view: View) -> None:
    known(view, person("o1", Name("Ann", None, "Walker")), person("o2", Name("Al", None, "Walker"), "VA7700999"))
    put(view, PEOPLE_HIDDEN, "SID:VA7700123", HiddenPerson(identifier="SID:VA7700123", reason="r", hidden_by="ann", set_at=AT))
    assert found(view, PersonQuery(last_name="Walker", initial="a")) == ["o2"]
    assert found(view, PersonQuery(number="VA7700123")) == []
    put(view, PEOPLE_HIDDEN, "SID:VA7700123", None)
    assert found(view, PersonQuery(last_name="Walker", initial="a")) == ["o1", "o2"]


@pytest.mark.parametrize(("hidden", "shown"), [("DOC:0733210", []), ("DOC@NC:0733210", []), ("DOC@VA:0733210", ["o1"])])
def test_a_number_without_issuer_hides_whoevers_it_is(view: View, hidden: str, shown: list[str]) -> None:
    each, standing = person("o1", Name("Ann", None, "Walker"))
    put(view, PEOPLE, "o1", KnownPerson(offender="o1", names=each.names, identifiers=(Identifier("DOC", "0733210", "NC"),)))
    put(view, STANDINGS, "o1", standing)
    put(view, PEOPLE_HIDDEN, hidden, HiddenPerson(identifier=hidden, reason="r", hidden_by="ann", set_at=AT))
    assert found(view, PersonQuery(last_name="Walker", initial="a")) == shown


def test_a_merged_person_is_found_no_more_under_the_old_key(view: View) -> None:
    known(view, person("o1", Name("Ann", None, "Walker")), person("o2", Name("Ann", None, "Walker"), "VA7700999"))
    put(view, PEOPLE, "o2", KnownPerson(offender="o2", into="o1"))
    put(view, STANDINGS, "o2", None)
    assert found(view, PersonQuery(last_name="Walker", initial="a")) == ["o1"]
    assert found(view, PersonQuery(number="VA7700999")) == []


def test_no_more_are_returned_than_asked_for(view: View) -> None:
    known(view, *(person(f"o{number}", Name("Ann", None, "Smith"), f"VA{number}") for number in range(30)))
    assert len(found(view, PersonQuery(last_name="Smith", initial="a"), 11)) == 11
