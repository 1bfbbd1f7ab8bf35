"""Registrations in identify: which offenders they are for, now or later."""

import pytest

from processors.domain.event import Event
from processors.domain.registration import Enrolment
from processors.topics import EVENTS, REGISTRANTS
from tests.ingest.identify.read_and_identify import ReadAndIdentify
from tests.ingest.records import offender

BORN = "1981-05-17"
JOHN_BY_NAME = offender(name="John Sample", born=BORN)


@pytest.fixture
def ingest() -> ReadAndIdentify:
    return ReadAndIdentify()


def test_a_registration_for_a_known_offender_goes_there_and_to_the_registrant(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(offenders=[offender("SID:VA1")]).offender
    passed = ingest.register(
        offender=offender("SID:VA1"), case_numbers=["CR1"], event_subtypes=["Release"], expires_at="2027-01-01T00:00:00Z"
    )
    (enrolment,), (reachable,) = passed.of(Enrolment), passed.reachable
    assert enrolment == Enrolment(
        offender=known,
        seq=1,
        received_at=ingest.now,
        registration_id="IVINS-1",
        registrant_id="R-1",
        case_numbers=("CR1",),
        event_subtypes=("Release",),
        expires_at=1_798_761_600_000,
    )
    assert (reachable.registrant_id, reachable.registration_id, reachable.seq, reachable.source) == ("R-1", "IVINS-1", 1, "IVINS")
    assert reachable.sealed
    assert {(output.topic, output.key) for output in passed.outputs} == {(EVENTS, known), (REGISTRANTS, "R-1")}
    (verdict,) = passed.verdicts
    assert (verdict.outcome, verdict.reason, verdict.registrant_id) == ("noted", "registered", "R-1")


def test_a_registration_before_its_offender_goes_out_with_the_first_message(ingest: ReadAndIdentify) -> None:
    assert ingest.register(offender=offender("SID:VA1")).enrolled == []
    passed = ingest.submit(offenders=[offender("SID:VA1")])
    enrolment, event = (output.value for output in passed.outputs if output.topic is EVENTS)
    assert isinstance(enrolment, Enrolment)
    assert (enrolment.offender, enrolment.seq) == (passed.offender, 0)
    assert event == passed.events[0]
    assert ingest.submit(offenders=[offender("SID:VA1")]).enrolled == []


def test_a_registration_finds_its_offender_through_what_is_learned_later(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(offenders=[offender("SID:VA1")]).offender
    assert ingest.register(offender=offender("DOC:5")).enrolled == []
    assert ingest.submit(offenders=[offender("SID:VA1", "DOC:5")]).enrolled == [("IVINS-1", known, False)]


def test_a_registration_teaches_nothing(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(offenders=[offender("SID:VA1")]).offender
    ingest.register(offender=offender("SID:VA1", "FBI:9"))
    assert ingest.submit(offenders=[offender("FBI:9")]).offender != known


def test_a_registration_by_two_offenders_numbers_goes_to_both(ingest: ReadAndIdentify) -> None:
    keys = {ingest.submit(offenders=[offender(number)]).offender for number in ("SID:VA1", "FBI:9")}
    assert {key for _, key, _ in ingest.register(offender=offender("SID:VA1", "FBI:9")).enrolled} == keys


def test_a_registration_by_name_and_birth_date_means_everyone_so_named_now_and_later(ingest: ReadAndIdentify) -> None:
    now = ingest.submit(offenders=[offender("SID:VA1", name="John Q Sample", born=BORN)]).offender
    assert ingest.register(offender=JOHN_BY_NAME).enrolled == [("IVINS-1", now, False)]
    later = ingest.submit(offenders=[offender("SID:VA2", name="Jack Example", born=BORN, aliases=("SAMPLE, John",))])
    assert later.enrolled == [("IVINS-1", later.offender, False)]
    assert ingest.submit(offenders=[offender("SID:VA3", name="John Sample", born="1981-05-18")]).enrolled == []
    assert ingest.submit(offenders=[offender("SID:VA4", name="Jane Sample", born=BORN)]).enrolled == []


def test_an_alias_given_with_a_name_that_two_bear_is_learned_of_neither(ingest: ReadAndIdentify) -> None:
    first = ingest.submit(offenders=[offender("SID:VA1", name="John Sample", born=BORN)]).offender
    second = ingest.submit(offenders=[offender("SID:VA2", name="John Sample", born=BORN, aliases=("Jack Example",))]).offender
    assert ingest.register(offender=offender(name="Jack Example", born=BORN)).enrolled == [("IVINS-1", second, False)]
    passed = ingest.submit(offenders=[offender(name="John Sample", born=BORN, aliases=("Jack Example",))])
    assert (passed.offenders, passed.enrolled) == ([first, second], [])


def test_a_number_of_the_registration_that_contradicts_is_another_person(ingest: ReadAndIdentify) -> None:
    ingest.submit(offenders=[offender("SID:VA1", name="John Sample", born=BORN)])
    assert ingest.register(offender=offender("SID:VA2", name="John Sample", born=BORN)).enrolled == []


def test_a_number_learned_later_that_contradicts_ends_what_the_name_began(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(offenders=[JOHN_BY_NAME]).offender
    assert ingest.register(offender=offender("SID:VA2", name="John Sample", born=BORN)).enrolled == [("IVINS-1", known, False)]
    assert ingest.submit(offenders=[offender("SID:VA1", name="John Sample", born=BORN)]).enrolled == [("IVINS-1", known, True)]


def test_a_number_learned_without_the_name_contradicts_too(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(offenders=[offender("FBI:1", name="John Sample", born=BORN)]).offender
    assert ingest.register(offender=offender("SID:VA2", name="John Sample", born=BORN)).enrolled == [("IVINS-1", known, False)]
    assert ingest.submit(offenders=[offender("FBI:1", "SID:VA1")]).enrolled == [("IVINS-1", known, True)]


def test_a_removal_is_heard_wherever_the_registration_was(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(offenders=[offender("SID:VA1")]).offender
    ingest.register(offender=offender("SID:VA1"))
    passed = ingest.remove()
    assert passed.enrolled == [("IVINS-1", known, True)]
    assert passed.of(Enrolment)[0].seq == 2
    assert [(each.registrant_id, each.ended, each.sealed) for each in passed.reachable] == [("R-1", True, b"")]
    assert passed.reasons == [("noted", "registration_removed")]
    assert ingest.submit(offenders=[offender("SID:VA1", "FBI:7")]).enrolled == []
    assert not any(key.startswith("r") for key in ingest.documents)


def test_a_removal_of_what_is_not_there_is_noted(ingest: ReadAndIdentify) -> None:
    passed = ingest.remove()
    assert (passed.outputs, passed.reasons) == ((), [("noted", "registration_removed")])


def test_a_removed_registration_waits_nowhere(ingest: ReadAndIdentify) -> None:
    ingest.register(offender=offender("SID:VA1"))
    ingest.remove()
    assert ingest.submit(offenders=[offender("SID:VA1")]).enrolled == []


def test_a_registration_sent_again_counts_from_then_on(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(offenders=[offender("SID:VA1")]).offender
    ingest.register(offender=offender("SID:VA1"))
    again = ingest.register(offender=offender("SID:VA1"), event_subtypes=["Release"])
    assert [(each.offender, each.seq, each.event_subtypes) for each in again.of(Enrolment)] == [(known, 2, ("Release",))]
    assert again.reachable[0].seq == 2


def test_a_registration_changed_to_another_offender_leaves_the_first(ingest: ReadAndIdentify) -> None:
    one, two = (ingest.submit(offenders=[offender(number)]).offender for number in ("SID:VA1", "SID:VA2"))
    ingest.register(offender=offender("SID:VA1"))
    passed = ingest.register(offender=offender("SID:VA2"))
    assert passed.enrolled == [("IVINS-1", one, True), ("IVINS-1", two, False)]
    assert [each.seq for each in passed.of(Enrolment)] == [3, 3]
    assert ingest.submit(offenders=[offender("SID:VA1", "FBI:7")]).enrolled == []


def test_a_registration_that_passes_to_another_registrant_ends_for_the_first(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(offenders=[offender("SID:VA1")]).offender
    ingest.register(offender=offender("SID:VA1"))
    passed = ingest.register(registrant_id="R-2", offender=offender("SID:VA1"))
    assert [(each.registrant_id, each.offender, each.ended, each.seq) for each in passed.of(Enrolment)] == [
        ("R-1", known, True, 2),
        ("R-2", known, False, 2),
    ]
    assert [(each.registrant_id, each.ended) for each in passed.reachable] == [("R-1", True), ("R-2", False)]


def test_hundreds_may_register_for_one_offender(ingest: ReadAndIdentify) -> None:
    for number in range(250):
        ingest.register(f"VINE-{number}", registrant_id=f"R-{number}", offender=offender("SID:VA1"))
    ingest.remove("VINE-7")
    ingest.remove("VINE-249")
    ingest.register("VINE-250", offender=offender("SID:VA1"))
    found = ingest.submit(offenders=[offender("SID:VA1")]).enrolled
    assert [each[0] for each in found] == [f"VINE-{number}" for number in range(251) if number not in {7, 249}]
    assert max(map(len, ingest.documents.values())) < 2_000


def test_no_record_to_match_says_where_somebody_is_reached(ingest: ReadAndIdentify) -> None:
    outputs = [*ingest.submit().outputs, *ingest.register().outputs]
    to_match = [output.value for output in outputs if output.topic is EVENTS]
    assert {type(each) for each in to_match} == {Event, Enrolment}
    assert [each for each in to_match if "5551007" in repr(each)] == []
