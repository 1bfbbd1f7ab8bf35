"""Who is the same person (contract §3.2): evidence weighed, merged, asked about; cases B06 to B09 of their kind."""

from typing import Any

import pytest

from processors.domain.merge import Merge
from processors.topics import REGISTRATIONS, REVIEW_ACTIONS
from tests.ingest.identify.read_and_identify import Decided, ReadAndIdentify
from tests.ingest.records import REGISTRATION, offender, rejection, with_changes

BORN = "1988-01-09"
OTHER_BORN = "1965-07-30"
NORTH = {"ori": "NC0010000", "state": "NC"}


@pytest.fixture
def ingest() -> ReadAndIdentify:
    return ReadAndIdentify()


def carl(*identifiers: str) -> dict[str, Any]:
    return offender(*identifiers, name="Carl Muster", born=BORN)


def dana(*identifiers: str) -> dict[str, Any]:
    return offender(*identifiers, name="Dana Other", born=OTHER_BORN)


def submit(ingest: ReadAndIdentify, *people: dict[str, Any], **changes: Any) -> Decided:
    return ingest.submit(offenders=list(people), **changes)


def decide(ingest: ReadAndIdentify, action: str, *offenders: str, identifiers: tuple[str, ...] = ()) -> Decided:
    document = {"action": action, "offenders": offenders, "identifiers": identifiers, "reason": "seen both files", "reviewer": "ann"}
    return ingest.send({name: value for name, value in document.items() if value}, REVIEW_ACTIONS)


def detail(decided: Decided, reason: str) -> str:
    (found,) = [each.detail for each in decided.verdicts if each.reason == reason]
    return found


# --- fillers ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("filler", ["NOT AVAILABLE", "NO SID", "UNKN", "999999999", "XXXXXXXXX", ".", "12345678"])
def test_a_filler_ties_nobody_to_anybody(ingest: ReadAndIdentify, filler: str) -> None:
    """Case B09, first input."""
    ingest.register(offender=carl(f"SID:{filler}"))
    assert submit(ingest, dana(f"SID:{filler}")).enrolled == []
    assert submit(ingest, carl(f"SID:{filler}")).enrolled != []


def test_numbers_that_contradict_outweigh_a_filler(ingest: ReadAndIdentify) -> None:
    """Case B09, second input."""
    first = submit(ingest, carl("SID:VA1", "FBI:UNAVAILABLE"))
    ingest.register(offender=offender("SID:VA2"))
    second = submit(ingest, dana("SID:VA2", "FBI:UNAVAILABLE"))
    assert first.offender != second.offender
    assert second.enrolled == [("IVINS-1", second.offender, False)]
    assert second.reviews == []


# --- strong identifiers ----------------------------------------------------------------------------------------------------


def test_a_strong_identifier_that_another_contradicts_ties_nobody_and_a_person_is_asked(ingest: ReadAndIdentify) -> None:
    one = submit(ingest, carl("SID:VA1", "FBI:551234AB1")).offender
    ingest.register("OF-CARL", offender=carl("SID:VA1"))
    ingest.register("OF-DANA", offender=offender("SID:VA2"))
    decided = submit(ingest, dana("SID:VA2", "FBI:551234AB1"), message_id="M")
    assert decided.offender != one
    assert decided.enrolled == [("OF-DANA", decided.offender, False)], "Carl's registrant hears nothing of Dana"
    (review,) = decided.reviews
    assert (review.reason, review.message_id) == ("identity_conflict", "M")
    for part in ("FBI 551234AB1 agrees", "SID VA2 against SID VA1", f"birth date {OTHER_BORN} against {BORN}", one):
        assert part in review.detail
    assert submit(ingest, dana("SID:VA2", "FBI:551234AB1")).reviews == [], "a person is asked once"
    assert submit(ingest, offender("FBI:551234AB1")).offender == one, "the number stays with whom it was known of first"


def test_name_and_birth_date_together_contradict_a_strong_identifier(ingest: ReadAndIdentify) -> None:
    one = submit(ingest, carl("SID:VA1")).offender
    decided = submit(ingest, dana("SID:VA1"))
    assert decided.offender != one
    assert [each.reason for each in decided.reviews] == ["identity_conflict"]
    assert submit(ingest, dana()).offender == decided.offender
    again = submit(ingest, dana("SID:VA1"))
    assert (again.offender, again.reviews) == (decided.offender, [])


@pytest.mark.parametrize(
    "person",
    [offender("SID:VA1", name="Carla Married", born=BORN), offender("SID:VA1", name="Carl Muster", born="1988-09-01"), offender("SID:VA1")],
)
def test_a_strong_identifier_outweighs_one_of_the_two(ingest: ReadAndIdentify, person: dict[str, Any]) -> None:
    assert submit(ingest, carl("SID:VA1")).offender == submit(ingest, person).offender


def test_a_person_has_a_number_of_each_of_several_states(ingest: ReadAndIdentify) -> None:
    one = submit(ingest, carl("SID:VA1")).offender
    assert submit(ingest, carl("SID:NC2"), agency=NORTH).offender == one
    assert submit(ingest, offender("SID:NC2")).offender == one


def test_a_number_without_its_state_is_the_agencys(ingest: ReadAndIdentify) -> None:
    here = submit(ingest, offender("SID:770")).offender
    assert submit(ingest, offender("SID:VA770")).offender == here
    assert submit(ingest, offender("SID:770"), agency=NORTH).offender != here
    assert submit(ingest, offender("DOC:5")).offender != submit(ingest, offender("DOC:5"), agency=NORTH).offender


# --- weak identifiers ------------------------------------------------------------------------------------------------------


def test_a_weak_identifier_needs_a_name_or_a_birth_date_beside_it(ingest: ReadAndIdentify) -> None:
    one = submit(ingest, offender("BOOKING:88", name="Carl Muster")).offender
    assert submit(ingest, offender("BOOKING:88", name="MUSTER, CARL")).offender == one
    assert submit(ingest, offender("BOOKING:88", name="Dana Other")).offender != one
    assert submit(ingest, offender("BOOKING:88")).offender != one
    assert submit(ingest, offender("BOOKING:88", name="Carl Muster"), agency=NORTH).offender != one


def test_the_same_words_are_the_same_person(ingest: ReadAndIdentify) -> None:
    assert submit(ingest, offender("BOOKING:88")).offender == submit(ingest, offender("BOOKING:88")).offender


def test_a_weak_identifier_and_the_birth_date_do(ingest: ReadAndIdentify) -> None:
    one = submit(ingest, carl("BOOKING:88")).offender
    assert submit(ingest, offender("BOOKING:88", born=BORN)).offender == one
    assert submit(ingest, offender("BOOKING:88", born=OTHER_BORN)).offender != one


def test_what_contradicting_people_share_weakly_reaches_neithers_registrant(ingest: ReadAndIdentify) -> None:
    ingest.register("OF-ONE", offender=carl("SID:VA1", "BOOKING:88"))
    ingest.register("OF-TWO", offender=carl("SID:VA2", "BOOKING:88"))
    one, two = submit(ingest, carl("SID:VA1", "BOOKING:88")), submit(ingest, carl("SID:VA2", "BOOKING:88"))
    assert (one.enrolled, two.enrolled) == ([("OF-ONE", one.offender, False)], [("OF-TWO", two.offender, False)])


def test_a_registrations_weak_identifier_meets_every_issuers_if_a_name_agrees(ingest: ReadAndIdentify) -> None:
    ingest.register(offender=offender("BOOKING:88", name="Carl Muster"))
    assert submit(ingest, dana("BOOKING:88"), agency=NORTH).enrolled == []
    assert submit(ingest, offender("BOOKING:88", name="Carl Muster", born=BORN), agency=NORTH).enrolled != []
    assert submit(ingest, carl("BOOKING:99")).enrolled == []


def test_a_registration_by_a_weak_identifier_alone_is_refused() -> None:
    for person in (offender("BOOKING:88"), offender("COUNTY:12")):
        assert rejection(with_changes(REGISTRATION, offender=person), REGISTRATIONS) == "no_identity"


def test_a_registration_by_a_number_whose_state_is_not_said_is_for_one_person_only(ingest: ReadAndIdentify) -> None:
    ingest.register(offender=offender("DOC:0733210"))
    one = submit(ingest, carl("DOC:0733210"))
    assert one.enrolled == [("IVINS-1", one.offender, False)]
    two = submit(ingest, dana("DOC:0733210"), agency=NORTH)
    assert two.enrolled == []
    assert "does not say who issued it" in detail(two, "possible_match")


def test_a_registrations_sid_without_state_is_found_in_whichever_state(ingest: ReadAndIdentify) -> None:
    ingest.register(offender=offender("SID:770"))
    assert submit(ingest, offender("SID:NC770")).enrolled != []


# --- birth dates that are not whole ----------------------------------------------------------------------------------------


def test_half_a_birth_date_is_used_as_far_as_it_goes(ingest: ReadAndIdentify) -> None:
    one = submit(ingest, carl("SID:VA1")).offender
    assert submit(ingest, offender("SID:VA1", name="Dana Other", born="1965-00-00")).offender != one
    assert submit(ingest, offender("SID:VA1", name="Dina Other", born="1988")).offender == one


# --- merging ---------------------------------------------------------------------------------------------------------------


def test_two_keys_that_one_message_shows_to_be_one_person_merge_into_the_older(ingest: ReadAndIdentify) -> None:
    older, younger = submit(ingest, carl("SID:VA1")).offender, submit(ingest, offender("FBI:551234AB1")).offender
    ingest.register("BY-SID", offender=offender("SID:VA1"))
    ingest.register("BY-FBI", registrant_id="R-2", offender=offender("FBI:551234AB1"))
    decided = submit(ingest, offender("SID:VA1", "FBI:551234AB1"))
    (event,) = decided.events
    assert (event.offender, event.formerly) == (older, (younger,))
    merges = [(output.key, output.value.offender, output.value.into) for output in decided.outputs if isinstance(output.value, Merge)]
    assert merges == [(younger, younger, older), (older, younger, older)]
    assert decided.enrolled == [], "match takes its registrations over with its events"
    assert "SID VA1 agrees" in detail(decided, "identified")
    assert submit(ingest, offender("FBI:551234AB1")).offender == older
    assert ingest.remove("BY-FBI").enrolled == [("BY-FBI", older, True)]
    assert ingest.remove("BY-SID").enrolled == [("BY-SID", older, True)]


def test_a_chain_of_merges_ends_in_the_oldest(ingest: ReadAndIdentify) -> None:
    keys = [submit(ingest, offender(number)).offender for number in ("SID:VA1", "FBI:551234AB1", "ICOTS:77")]
    submit(ingest, offender("FBI:551234AB1", "ICOTS:77"))
    (event,) = submit(ingest, offender("ICOTS:77", "SID:VA1")).events
    assert event.offender == keys[0]
    assert set(event.formerly) == set(keys[1:])
    assert {submit(ingest, offender(number)).offender for number in ("SID:VA1", "FBI:551234AB1", "ICOTS:77")} == {keys[0]}


def test_a_registration_that_the_merged_offender_contradicts_ends_after_the_merging(ingest: ReadAndIdentify) -> None:
    older = submit(ingest, offender("SID:VA1")).offender
    younger = submit(ingest, offender("FBI:551234AB1")).offender
    assert ingest.register(offender=offender("SID:VA2", "FBI:551234AB1")).enrolled == [("IVINS-1", younger, False)]
    decided = submit(ingest, offender("SID:VA1", "FBI:551234AB1"))
    (review,) = decided.reviews
    assert [(type(each.value).__name__, each.key) for each in decided.outputs] == [
        ("Merge", younger),
        ("Merge", older),
        ("Enrolment", older),
        ("Review", review.review_id),
        ("NearMatch", "R-1"),
        ("Event", older),
        ("KnownPerson", older),
        ("KnownPerson", younger),
    ]
    assert decided.enrolled == [("IVINS-1", older, True)]
    assert (review.reason, "SID VA2 against SID VA1" in review.detail) == ("possible_match", True)


def test_an_action_on_a_review_of_a_merged_key_goes_to_the_one_it_is_now(ingest: ReadAndIdentify) -> None:
    older, younger = (submit(ingest, offender(number)).offender for number in ("SID:VA1", "FBI:551234AB1"))
    submit(ingest, offender("SID:VA1", "FBI:551234AB1"))
    (output,) = ingest.act("release", review_id=f"validate-{younger}-0123456789ab").outputs
    assert output.key == older


def test_names_that_differ_in_the_middle_are_not_merged_by_one_without(ingest: ReadAndIdentify) -> None:
    one = submit(ingest, offender("SID:VA1", name="John Q Sample", born=BORN)).offender
    two = submit(ingest, offender("FBI:551234AB1", name="John R Sample", born=BORN)).offender
    decided = submit(ingest, offender(name="John Sample", born=BORN))
    assert (decided.offenders, decided.of(Merge)) == ([one, two], [])
    assert [each.reason for each in decided.reviews] == ["identity_conflict"]


# --- registrations that nearly fit -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("registered", "known", "why"),
    [
        (("Thomas Walker", "1979-11-02"), ("Thomas Walker", "1979-02-11"), "day and month"),
        (("Bill Walker", "1979-02-11"), ("William Walker", "1979-02-11"), "short form"),
        (("Jones, Ann", "1979-02-11"), ("Smith-Jones, Ann", "1979-02-11"), "half of the other"),
        (("Smith-Jones, Ann", "1979-02-11"), ("Smith, Ann", "1979-02-11"), "half of the other"),
    ],
)
@pytest.mark.parametrize("known_first", [True, False])
def test_a_registration_that_nearly_fits_never_matches_and_a_person_is_asked(
    ingest: ReadAndIdentify, registered: tuple[str, str], known: tuple[str, str], why: str, *, known_first: bool
) -> None:
    person, wanted = offender("SID:VA1", name=known[0], born=known[1]), offender(name=registered[0], born=registered[1])
    first = [lambda: submit(ingest, person), lambda: ingest.register(offender=wanted)]
    _, decided = [each() for each in (first if known_first else reversed(first))]
    assert decided.enrolled == []
    (review,) = decided.reviews
    assert (review.reason, review.message_id) == ("possible_match", "IVINS-1")
    assert why in review.detail
    assert submit(ingest, person).reviews == []
    key = submit(ingest, person).offender
    assert ingest.act("release", review_id=review.review_id).enrolled == [("IVINS-1", key, False)]
    assert submit(ingest, offender("SID:VA1", "FBI:551234AB1")).enrolled == [], "what a person confirmed stays"


def test_a_registration_that_a_person_declined_stays_without(ingest: ReadAndIdentify) -> None:
    submit(ingest, offender("SID:VA1", name="William Walker", born=BORN))
    (review,) = ingest.register(offender=offender(name="Bill Walker", born=BORN)).reviews
    assert ingest.act("discard", review_id=review.review_id).enrolled == []
    assert submit(ingest, offender("SID:VA1", "FBI:551234AB1")).reviews == []


def test_two_things_amiss_are_another_person(ingest: ReadAndIdentify) -> None:
    submit(ingest, offender("SID:VA1", name="William Walker", born="1979-02-11"))
    assert ingest.register(offender=offender(name="Bill Walker", born="1979-11-02")).reviews == []


# --- by hand ---------------------------------------------------------------------------------------------------------------


def test_a_person_merges_what_nothing_ties(ingest: ReadAndIdentify) -> None:
    older, younger = submit(ingest, carl("SID:VA1")).offender, submit(ingest, dana("SID:VA2")).offender
    decided = decide(ingest, "merge", younger, older)
    assert [(each.offender, each.into) for each in decided.of(Merge)] == [(younger, older)] * 2
    assert "ann says so: seen both files" in detail(decided, "merged")
    assert submit(ingest, dana("SID:VA2")).offender == older
    assert decide(ingest, "merge", younger, older).reasons == [("noted", "merged")], "they are one already"


def test_a_person_splits_what_was_taken_for_one(ingest: ReadAndIdentify) -> None:
    one = submit(ingest, offender("SID:VA1", "FBI:551234AB1")).offender
    ingest.register("BY-FBI", offender=offender("FBI:551234AB1"))
    decided = decide(ingest, "split", one, identifiers=("FBI:551234AB1",))
    (other,) = [key for _, key, ended in decided.enrolled if not ended]
    assert sorted(decided.enrolled) == sorted([("BY-FBI", one, True), ("BY-FBI", other, False)])
    assert "FBI 551234AB1 of" in detail(decided, "parted")
    assert submit(ingest, offender("FBI:551234AB1")).offender == other
    assert submit(ingest, offender("SID:VA1")).offender == one
    assert submit(ingest, offender("SID:VA1", "FBI:551234AB1")).of(Merge) == [], "parted for good"


@pytest.mark.parametrize(("action", "offenders", "identifiers"), [("merge", ("o1", "o2"), ()), ("split", ("o1",), ("SID:VA1",))])
def test_a_decision_on_nobody_known_is_noted(
    ingest: ReadAndIdentify, action: str, offenders: tuple[str, ...], identifiers: tuple[str, ...]
) -> None:
    decided = decide(ingest, action, *offenders, identifiers=identifiers)
    assert (decided.outputs, decided.reasons) == ((), [("noted", "unknown_offender")])


def test_a_split_leaves_something(ingest: ReadAndIdentify) -> None:
    one = submit(ingest, offender("SID:VA1")).offender
    assert decide(ingest, "split", one, identifiers=("SID:VA1",)).reasons == [("noted", "unknown_offender")]


@pytest.mark.parametrize(
    "document",
    [
        {"action": "merge", "offenders": ["o1"]},
        {"action": "merge", "offenders": ["o1", "o1"]},
        {"action": "split", "offenders": ["o1"]},
        {"action": "merge", "offenders": ["o1", "o2"], "identifiers": ["SID:VA1"]},
    ],
)
def test_a_decision_names_whom_it_is_about(document: dict[str, Any]) -> None:
    assert rejection({**document, "reason": "r", "reviewer": "ann"}, REVIEW_ACTIONS) == "bad_review_action"
