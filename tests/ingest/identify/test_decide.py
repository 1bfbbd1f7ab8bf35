"""Stories of identity, through read and identify."""

from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from processors.domain.event import Event
from processors.domain.merge import Merge
from processors.domain.notification import Receipt
from processors.domain.registration import Enrolment
from processors.domain.review import ReviewAction
from processors.domain.submission import Submission
from processors.ingest.identify.decide import IDENTIFY
from processors.ingest.identify.earlier_messages import PAGE
from processors.ingest.identify.state import registration_key
from processors.stage import Record
from processors.topics import EVENTS, INTAKE, REGISTRANTS, REGISTRATIONS, SUBMISSIONS, Topic
from tests.examples import examples
from tests.ingest.identify.read_and_identify import ReadAndIdentify
from tests.ingest.records import MINUTE, NOW, RECAPTURE, REGISTRATION, accepted_record, offender, read, with_changes

DAY = 24 * 60 * MINUTE
BORN = "1981-05-17"


@pytest.fixture
def ingest() -> ReadAndIdentify:
    return ReadAndIdentify()


# --- one event an offender -----------------------------------------------------------------------------------------------


def test_an_event_has_everything_that_decides(ingest: ReadAndIdentify) -> None:
    sent = with_changes(
        RECAPTURE,
        operation="Update",
        refers_to="JAIL-0",
        case={"number": "CR26-1", "court": "Henrico"},
        status="Incarcerated",
        location={"kind": "local  JAIL", "name": "Henrico"},
        from_location={"kind": "Community", "name": "Richmond"},
        compact={"sending_state": "VA", "receiving_state": "NC", "case_number": "1-2", "report_by": "2026-11-09"},
        notification_subtypes=[
            {"subtype": "Validate", "validations": ["Date", "Previous Event"]},
            {"subtype": "Do Not Validate", "validations": ["Other Information"]},
            {"subtype": "Validate", "validations": ["Date"]},
            {"subtype": "Expect Subsequent Event", "validations": ["Date"]},
        ],
        action_at="2026-11-02",
        offenders=[offender("SID:VA1"), offender("SID:VA2")],
    )
    passed = ingest.send(sent)
    first, second = passed.events
    body = accepted_record(sent).body
    assert second == Event(
        offender=second.offender,
        seq=0,
        received_at=NOW,
        message_id="JAIL-1",
        ori="VA0430000",
        jurisdiction="VA",
        part=1,
        parts=2,
        operation="Update",
        refers_to="JAIL-0",
        event_type="Jail",
        event_subtype="Recapture",
        notification_type="Status Update",
        validate=True,
        do_not_validate=True,
        expect=True,
        asked=("Date", "Previous Event"),
        waived=("Other Information",),
        action_at=1_793_595_600_000,
        past_from=1_793_682_000_000,
        date_only=True,
        case_number="CR26-1",
        court="Henrico",
        status="Incarcerated",
        location_kind="local  JAIL",
        location_name="Henrico",
        from_kind="Community",
        from_name="Richmond",
        sending_state="VA",
        receiving_state="NC",
        compact_case="1-2",
        report_by="2026-11-09",
        leaves=2,
        submission=body,
    )
    assert (first.part, first.telling) == (0, "news")
    assert first.offender != second.offender
    assert [output.key for output in passed.outputs if output.topic is EVENTS] == [first.offender, second.offender]
    assert passed.reasons == [("passed", "identified")] * 2
    assert msgspec.json.decode(first.submission, type=Submission).message_id == "JAIL-1"


@pytest.mark.parametrize(
    ("agency", "jurisdiction"),
    [
        ({"ori": "VA0430000", "state": "nc"}, "NC"),
        ({"ori": "NC0430000"}, "NC"),
        ({"ori": "PR0010000"}, "PR"),
        ({"ori": "USICE0001"}, "US"),
        ({"ori": "ZZ0010000"}, "US"),
    ],
)
def test_the_jurisdiction_is_the_agencys_state_or_its_oris(ingest: ReadAndIdentify, agency: dict[str, str], jurisdiction: str) -> None:
    (event,) = ingest.submit(agency=agency).events
    assert event.jurisdiction == jurisdiction


def test_a_key_is_made_of_what_was_read() -> None:
    first, other = ReadAndIdentify(), ReadAndIdentify()
    other.submit(offenders=[offender("SID:VA9")])
    assert first.submit().offender == other.submit().offender
    assert first.submit().offender.startswith("o")
    assert len(first.submit().offender) == 17


# --- identifiers and names -----------------------------------------------------------------------------------------------


def test_a_shared_strong_identifier_is_the_same_offender(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(offenders=[offender("SID:VA1", "FBI:7")]).offender
    assert ingest.submit(offenders=[offender("fbi: 7 ", "DOC:5")]).offender == known
    assert ingest.submit(offenders=[offender("DOC:5")]).offender == known
    assert ingest.submit(offenders=[offender("DOC:05")]).offender != known


def test_the_same_number_of_another_scheme_is_another(ingest: ReadAndIdentify) -> None:
    assert ingest.submit(offenders=[offender("SID:1")]).offender != ingest.submit(offenders=[offender("FBI:1")]).offender


def test_a_name_with_the_birth_date_is_the_same_offender(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(offenders=[offender("SID:VA1", name="John Q Sample", born=BORN)]).offender
    assert ingest.submit(offenders=[offender(name="SAMPLE, JOHN", born=BORN)]).offender == known
    assert ingest.submit(offenders=[offender("FBI:3", name="John Quincy Sample", born=BORN)]).offender == known
    assert ingest.submit(offenders=[offender("FBI:3")]).offender == known
    assert ingest.submit(offenders=[offender(name="John Sample", born="1981-05-18")]).offender != known
    assert ingest.submit(offenders=[offender("ICOTS:3", name="John R Sample", born="1980-01-01")]).offender != known


def test_an_alias_with_the_birth_date_is_the_same_offender(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(offenders=[offender("SID:VA1", name="John Sample", born=BORN, aliases=("Jack Example",))]).offender
    assert ingest.submit(offenders=[offender(name="Jack Example", born=BORN)]).offender == known
    assert ingest.submit(offenders=[offender(name="Somebody Else", born=BORN, aliases=("Jack Example",))]).offender == known
    assert ingest.submit(offenders=[offender(name="Somebody Else", born=BORN)]).offender == known


def test_an_identifier_that_contradicts_is_another_person(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(offenders=[offender("SID:VA1", name="John Sample", born=BORN)]).offender
    other = ingest.submit(offenders=[offender("SID:VA2", name="John Sample", born=BORN)]).offender
    assert other != known
    assert ingest.submit(offenders=[offender("SID:VA2", name="John Sample", born=BORN)]).offender == other
    assert ingest.submit(offenders=[offender("SID:VA1", name="John Sample", born=BORN)]).offender == known


def test_another_stay_in_jail_contradicts_nothing(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(offenders=[offender("BOOKING:7", name="John Sample", born=BORN)]).offender
    assert ingest.submit(offenders=[offender("BOOKING:8", name="John Sample", born=BORN)]).offender == known


def test_a_name_alone_is_learned_to_have_an_identifier(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(offenders=[offender(name="John Sample", born=BORN)]).offender
    assert ingest.submit(offenders=[offender("SID:VA1", name="John Sample", born=BORN)]).offender == known
    assert ingest.submit(offenders=[offender("SID:VA1")]).offender == known
    assert ingest.submit(offenders=[offender("SID:VA2", name="John Sample", born=BORN)]).offender != known


def test_no_number_is_nobodys(ingest: ReadAndIdentify) -> None:
    first = ingest.submit(offenders=[offender("SID:UNKNOWN", "FBI:1")]).offender
    assert ingest.submit(offenders=[offender("SID:UNKNOWN", "FBI:2")]).offender != first


def test_who_is_known_by_their_first_number_is_found_with_one_question(ingest: ReadAndIdentify) -> None:
    who = [offender("SID:VA1", name="John Sample", born=BORN)]
    ingest.submit(offenders=who)
    record = Record(INTAKE.name, 0, 1, None, NOW, accepted_record(with_changes(RECAPTURE, offenders=who)))
    first = set(IDENTIFY.keys(record, {}))
    found = {key: ingest.state(key) for key in first if key in ingest.documents}
    assert set(IDENTIFY.keys(record, found)) == first


def test_two_descriptions_of_one_person_in_one_message_are_one_offender(ingest: ReadAndIdentify) -> None:
    first, second = ingest.submit(offenders=[offender("SID:VA1", "FBI:2"), offender("FBI:2")]).events
    assert (first.offender, first.part) == (second.offender, 0)
    assert second.part == 1


# --- people tied together ------------------------------------------------------------------------------------------------


def test_two_people_whom_one_message_ties_hear_it_both_and_a_person_is_asked(ingest: ReadAndIdentify) -> None:
    older, newer = (ingest.submit(offenders=[offender(number)]).offender for number in ("SID:VA1", "SID:VA2"))
    passed = ingest.submit(message_id="M", offenders=[offender("SID:VA2", "SID:VA1", "DOC:5")])
    assert passed.offenders == [older, newer]
    assert [(each.part, each.leaves) for each in passed.events] == [(0, 2), (0, 2)]
    (review,) = passed.reviews
    assert (review.reason, review.state, review.stage, review.offender, review.message_id) == (
        "identity_conflict",
        "open",
        "identify",
        older,
        "M",
    )
    assert review.review_id.startswith(f"identify-{older}-")
    assert f"is about {older}; is that one person with {newer}? SID VA1 against SID VA2." in review.detail
    assert ("noted", "identity_conflict") in passed.reasons
    assert ingest.submit(offenders=[offender("DOC:5")]).offender not in {older, newer}, "it may be either's: nobody learned it"


def test_a_person_is_asked_once_about_the_same_two(ingest: ReadAndIdentify) -> None:
    ingest.submit(offenders=[offender("SID:VA1")])
    ingest.submit(offenders=[offender("SID:VA2")])
    assert len(ingest.submit(offenders=[offender("SID:VA2", "SID:VA1")]).reviews) == 1
    again = ingest.submit(offenders=[offender("SID:VA2", "SID:VA1")])
    assert (len(again.events), again.reviews) == (2, [])


def test_a_name_that_two_people_bear_goes_out_under_both(ingest: ReadAndIdentify) -> None:
    one = ingest.submit(offenders=[offender("SID:VA1", name="John Sample", born=BORN)]).offender
    two = ingest.submit(offenders=[offender("SID:VA2", name="John Sample", born=BORN)]).offender
    passed = ingest.submit(offenders=[offender(name="John Sample", born=BORN)])
    assert passed.offenders == [one, two]
    assert [each.reason for each in passed.reviews] == ["identity_conflict"]


def test_a_person_settles_that_they_are_one(ingest: ReadAndIdentify) -> None:
    older, newer = (ingest.submit(offenders=[offender(number)]).offender for number in ("SID:VA1", "SID:VA2"))
    (review,) = ingest.submit(offenders=[offender("SID:VA2", "SID:VA1")]).reviews
    passed = ingest.act("release", review_id=review.review_id)
    (settled,) = passed.reviews
    assert (settled.review_id, settled.state, settled.reviewer, settled.comment) == (review.review_id, "released", "ann", "looked into")
    assert [(output.key, output.value.offender, output.value.into) for output in passed.outputs if isinstance(output.value, Merge)] == [
        (newer, newer, older),
        (older, newer, older),
    ]
    assert passed.reasons == [("noted", "released"), ("noted", "merged")]
    assert ingest.act("release", review_id=review.review_id).reasons == [("noted", "unknown_review")]
    (event,) = ingest.submit(offenders=[offender("SID:VA2")]).events
    assert (event.offender, event.formerly) == (older, (newer,))


def test_a_person_settles_that_they_are_two_for_good(ingest: ReadAndIdentify) -> None:
    for number in ("SID:VA1", "SID:VA3"):
        ingest.submit(offenders=[offender(number)])
    (review,) = ingest.submit(offenders=[offender("SID:VA1", "SID:VA3")]).reviews
    passed = ingest.act("discard", review_id=review.review_id)
    assert ([each.state for each in passed.reviews], passed.of(Merge)) == (["discarded"], [])
    again = ingest.submit(offenders=[offender("SID:VA1", "SID:VA3")])
    assert (len(again.events), again.reviews, again.of(Merge)) == (2, [], [])


# --- what a message refers to --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["Cancel", "Update"])
def test_a_message_about_another_is_about_its_offenders(ingest: ReadAndIdentify, operation: str) -> None:
    known = ingest.submit(message_id="A", offenders=[offender("SID:VA1")]).offender
    passed = ingest.submit(operation=operation, refers_to="A", offenders=[offender("SID:VA2")])
    assert passed.offender == known
    assert ingest.submit(offenders=[offender("SID:VA2")]).offender != known  # nothing was learned from it


def test_a_message_that_names_one_of_them_is_about_whom_it_names(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(message_id="A", offenders=[offender("SID:VA1")]).offender
    passed = ingest.submit(operation="Update", refers_to="A", offenders=[offender("SID:VA1"), offender("SID:VA2")])
    assert passed.offenders[0] == known
    assert passed.offenders[1] != known


def test_each_part_is_about_the_part_referred_to(ingest: ReadAndIdentify) -> None:
    before = ingest.submit(message_id="A", offenders=[offender("SID:VA1"), offender("SID:VA2")]).offenders
    assert ingest.submit(operation="Cancel", refers_to="A", offenders=[offender("FBI:1"), offender("FBI:2")]).offenders == before


def test_another_agencys_message_of_the_same_id_is_not_meant(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(message_id="A").offender
    other = {"ori": "NC0010000", "state": "NC"}
    assert ingest.submit(operation="Cancel", refers_to="A", agency=other, offenders=[offender("SID:NC1")]).offender != known


def test_what_is_added_refers_to_nothing(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(message_id="A").offender
    assert ingest.submit(refers_to="A", offenders=[offender("SID:VA2")]).offender != known


def test_a_message_is_forgotten_after_the_window() -> None:
    ingest = ReadAndIdentify(duplicate_window="1h")
    known = ingest.submit(message_id="A", offenders=[offender("SID:VA1")]).offender
    ingest.advance(59 * MINUTE)
    assert ingest.submit(operation="Cancel", refers_to="A", offenders=[offender("SID:VA2")]).offender == known
    ingest.advance(MINUTE)
    assert ingest.submit(operation="Cancel", refers_to="A", offenders=[offender("SID:VA2")]).offender != known
    ingest.advance(60 * MINUTE)
    assert not any(key.startswith(("m", "f")) for key in (*ingest.timers, *ingest.documents))


def test_a_message_sent_again_is_remembered_again() -> None:
    ingest = ReadAndIdentify(duplicate_window="1h")
    known = ingest.submit(message_id="A", offenders=[offender("SID:VA1")]).offender
    ingest.advance(40 * MINUTE)
    ingest.submit(message_id="A", offenders=[offender("SID:VA1")])
    ingest.advance(40 * MINUTE)
    assert ingest.submit(operation="Cancel", refers_to="A", offenders=[offender("SID:VA2")]).offender == known


def test_messages_that_lie_together_share_a_timer_and_each_is_forgotten_in_its_time() -> None:
    ingest = ReadAndIdentify(duplicate_window="1h")
    for number in range(2 * PAGE):
        ingest.submit(message_id=f"A{number}", offenders=[offender("SID:VA1")])
        ingest.advance(MINUTE)
        assert sum(key.startswith("m") for key in ingest.documents) >= min(number + 1, 59)
    assert sum(key.startswith("f") for key in ingest.timers) == sum(key.startswith("f") for key in ingest.documents) == 2
    ingest.advance(120 * MINUTE)
    assert not any(key.startswith(("m", "f")) for key in (*ingest.timers, *ingest.documents))


# --- receipts and other stages' reviews ----------------------------------------------------------------------------------


def test_a_receipt_goes_to_its_registrant(ingest: ReadAndIdentify) -> None:
    passed = ingest.send_receipt(reference=f"R.1.{'a' * 20}")
    (output,) = passed.outputs
    assert isinstance(output.value, Receipt)
    assert (output.topic, output.key, output.value.status) == (REGISTRANTS, "R.1", "delivered")
    (verdict,) = passed.verdicts
    assert (verdict.reason, verdict.reference, verdict.registrant_id) == ("receipt", f"R.1.{'a' * 20}", "R.1")


@pytest.mark.parametrize("stage", ["dedupe", "validate"])
def test_an_action_on_another_stages_review_goes_to_its_offender(ingest: ReadAndIdentify, stage: str) -> None:
    ingest.submit()
    passed = ingest.act("release", review_id=f"{stage}-o0123456789abcdef-0123456789ab")
    (output,) = passed.outputs
    assert (output.topic, output.key) == (EVENTS, "o0123456789abcdef")
    assert isinstance(output.value, ReviewAction)
    assert (output.value.seq, output.value.received_at, output.value.reviewer) == (1, NOW, "ann")
    assert passed.reasons == [("noted", "review_action")]


@pytest.mark.parametrize("review_id", ["identify-o0123456789abcdef-0123456789ab", "elsewhere-o1-0123456789ab", "nothing"])
def test_an_action_on_no_open_review_is_noted(ingest: ReadAndIdentify, review_id: str) -> None:
    passed = ingest.act("release", review_id=review_id)
    assert (passed.outputs, passed.reasons) == ((), [("noted", "unknown_review")])


# --- whatever comes ------------------------------------------------------------------------------------------------------

people = st.builds(
    offender,
    st.sampled_from(["SID:VA1", "SID:VA2", "FBI:1", "DOC:1"]),
    name=st.sampled_from([None, "John Sample", "John Q Sample", "Jack Example"]),
    born=st.sampled_from([None, BORN, "1990-01-01"]),
)
steps = st.one_of(
    st.tuples(st.just("submit"), st.lists(people, min_size=1, max_size=2)),
    st.tuples(st.just("register"), people),
    st.tuples(st.just("remove"), st.just(None)),
)


STORY_OF_A_MERGE: list[tuple[str, Any]] = [
    ("submit", [offender("SID:VA1")]),
    ("register", offender("SID:VA1", name="John Sample", born=BORN)),
    ("submit", [offender("FBI:1", name="John Sample", born=BORN), offender("SID:VA1", name="John Sample", born=BORN)]),
    ("remove", None),
]  # the registration begins at the younger key; match moves it to the older one, where it ends


@given(st.lists(steps, max_size=12))
@example(STORY_OF_A_MERGE)
@settings(max_examples=examples(60))
def test_whatever_comes_every_record_is_answered_and_registrations_follow_their_offenders(story: list[tuple[str, Any]]) -> None:
    ingest = ReadAndIdentify()
    enrolled: set[str] = set()
    merged: set[str] = set()
    for kind, value in story:
        if kind == "submit":
            passed = ingest.submit(offenders=value)
            assert {each.part for each in passed.events} == set(range(len(value)))
        else:
            passed = ingest.register(offender=value) if kind == "register" else ingest.remove()
        assert passed.verdicts
        for output in passed.outputs:
            match output.value:
                case Event(offender=key):
                    assert key not in merged
                case Enrolment(offender=key, ended=ended):
                    assert key not in merged
                    assert not ended or key in enrolled
                    enrolled = enrolled - {key} if ended else enrolled | {key}
                case Merge(offender=key, into=into):
                    merged |= {key}
                    enrolled = {into if each == key else each for each in enrolled}  # as match does
        registration = ingest.state(registration_key("IVINS-1"))
        assert enrolled == set(registration.offenders if registration is not None else ())


def test_the_stage_says_what_it_reads_and_writes() -> None:
    assert (IDENTIFY.name, IDENTIFY.inputs) == ("identify", (INTAKE,))
    assert IDENTIFY.changelog is not None
    assert IDENTIFY.changelog.partitions == 1


@pytest.mark.parametrize(("stage", "topic"), [("dedupe", EVENTS), ("validate", EVENTS), ("deliver", REGISTRANTS)])
def test_an_action_on_a_stages_review_goes_where_the_review_is(ingest: ReadAndIdentify, stage: str, topic: Topic) -> None:
    (output,) = ingest.act("release", review_id=f"{stage}-who-it-is-about-0123456789ab").outputs
    assert (output.topic, output.key, output.value.action) == (topic, "who-it-is-about", "release")


@pytest.mark.parametrize("kind", ["submission", "registration"])
def test_a_record_of_an_earlier_version_which_does_not_say_how_people_compare_is_decided_alike(kind: str) -> None:
    def sent(ingest: ReadAndIdentify, *, earlier: bool) -> tuple[Any, ...]:
        ingest.register()
        topic, document = (
            (SUBMISSIONS, RECAPTURE) if kind == "submission" else (REGISTRATIONS, with_changes(REGISTRATION, registration_id="N-2"))
        )
        (output,) = read(document, topic, key="N-2" if topic is REGISTRATIONS else None, offset=ingest.offset, at=ingest.now).outputs
        intake = structs.replace(output.value, people=()) if earlier else output.value
        decision = ingest.put(INTAKE, intake)
        return decision.outputs, decision.verdicts, dict(decision.states)

    assert sent(ReadAndIdentify(), earlier=True) == sent(ReadAndIdentify(), earlier=False)
