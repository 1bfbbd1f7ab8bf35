"""The same event is told once, whatever it comes in (contract §3.1.1)."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as but

from processors.dedupe import situation
from processors.dedupe.decide import STAGE
from processors.dedupe.fingerprint import earlier_fingerprint
from processors.domain.event import Event
from processors.domain.registration import Enrolment
from processors.domain.review import ReviewAction
from processors.rules.rule_set import EventCode, Rules, RuleSet
from processors.stage import Context, Output, Record
from processors.topics import DISTINCT
from tests.dedupe.scene import DAY, HEARING, MINUTE, OFFENDER, Scene
from tests.one_stage import rules


def test_the_first_message_passes_as_it_came() -> None:
    scene = Scene()
    event = scene.event("m1")
    decision = STAGE.decide(Record("events", 0, 1, OFFENDER, scene.now, event), {}, scene.context)
    assert decision.outputs == (Output(DISTINCT, OFFENDER, event),)
    assert decision.outputs[0].value is event  # so that its bytes pass untouched
    assert scene.receive(event) == ["m1 passed first_sighting"]


def test_a_hundred_exact_copies_are_told_once_and_change_nothing() -> None:
    scene = Scene()
    scene.add("m1")
    before = dict(scene.documents)
    for _ in range(100):
        assert scene.add("m1") == ["m1 suppressed duplicate"]
        assert scene.decision.states == {}
    assert scene.told == [("news", "m1", "m1")]
    assert scene.documents == before


def test_a_hundred_copies_under_other_ids_are_told_once_in_a_small_document() -> None:
    scene = Scene()
    for each in range(1_000):
        scene.add(f"m{each}")
    assert scene.told == [("news", "m0", "m0")]
    assert len(scene.documents[OFFENDER]) < 3_000


@pytest.mark.parametrize(
    "other",
    [
        {"submission": b'{"event_id":"other","sent_at":"2026-11-22T07:00:00-05:00","remarks":"again"}'},
        {"court": "RICHMOND  Circuit-Court."},
        {"case_number": "cr 26 001"},
        {"do_not_validate": True, "asked": ("Date",)},
        {"from_kind": "Local Jail", "from_name": "Henrico"},
    ],
    ids=["id, sent_at, remarks", "case, blanks, punctuation", "case number", "tags", "where they were before"],
)
def test_the_same_event_in_other_dress_is_a_duplicate(other: dict[str, object]) -> None:
    scene = Scene()
    scene.add("m1")
    assert scene.add("m2", **other) == ["m2 suppressed duplicate"]


@pytest.mark.parametrize(
    "other",
    [
        {"action_at": HEARING + MINUTE},
        {"date_only": True},
        {"case_number": "CR-26-002"},
        {"case_number": None},
        {"court": "Henrico Circuit Court"},
        {"status": "Charged"},
        {"location_kind": "Court"},
        {"location_name": "Courtroom 4"},
        {"ori": "VA0020000"},
        {"event_subtype": "Arraignment"},
        {"event_type": "Prosecution"},
        {"notification_type": "Information"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_event_passes(other: dict[str, object]) -> None:
    scene = Scene()
    scene.add("m1")
    assert scene.add("m2", **other) == ["m2 passed first_sighting"]
    assert len(scene.told) == 2


def test_what_an_earlier_version_knew_by_its_own_fingerprint_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    with monkeypatch.context() as before_the_upgrade:
        before_the_upgrade.setattr(situation, "fingerprint", earlier_fingerprint)
        assert scene.add("m1", case_number="CR26-1432") == ["m1 passed first_sighting"]
    assert scene.add("m2", case_number="CR26-001432") == ["m2 passed first_sighting"]  # the earlier version took it for another
    assert scene.add("m3", case_number="cr 26 1432") == ["m3 suppressed duplicate"]
    assert scene.add("m4", case_number="CR26-1433") == ["m4 passed first_sighting"]
    assert scene.add("m5", case_number="CR26-1433") == ["m5 suppressed duplicate"]


def test_what_only_an_earlier_version_knew_is_recognized_of_the_same_agency(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    with monkeypatch.context() as before_the_upgrade:
        before_the_upgrade.setattr(situation, "fingerprint", earlier_fingerprint)
        scene.add("m1", case_number="CR26-1432")
    assert scene.add("m2", case_number="cr 26 1432", ori="VA0020000") == ["m2 passed first_sighting"]
    assert scene.add("m3", case_number="cr 26 1432") == ["m3 suppressed duplicate"]


def test_fields_do_not_run_into_each_other() -> None:
    scene = Scene()
    scene.add("m1", court="Richmond", case_number=None)
    assert scene.add("m2", court=None, case_number="Richmond") == ["m2 passed first_sighting"]


def test_statuses_and_kinds_of_places_are_the_same_by_meaning() -> None:
    scene = Scene()
    scene.add("m1", status="Incarcerated")
    assert scene.add("m2", status="in custody") == ["m2 suppressed duplicate"]


def test_what_tells_events_apart_is_data_of_the_subtype() -> None:
    scene = Scene()
    scene.context = Context(Fussy("court"), scene.context.seal)
    scene.add("m1")
    assert scene.add("m2", action_at=HEARING + DAY, case_number=None) == ["m2 suppressed duplicate"]
    assert scene.add("m3", court="Henrico Circuit Court") == ["m3 passed first_sighting"]


def test_states_tell_compact_events_apart() -> None:
    scene = Scene()
    compact = {"event_type": "Interstate Compact", "event_subtype": "Departure", "notification_type": "Movement"}
    scene.add("m1", sending_state="VA", receiving_state="NC", **compact)
    assert scene.add("m2", sending_state="VA", receiving_state="TN", **compact) == ["m2 passed first_sighting"]


def test_an_event_that_no_rule_file_knows_is_compared_by_every_usual_field() -> None:
    scene = Scene()
    scene.add("m1", event_subtype="Séance")
    assert scene.add("m2", event_subtype="Séance", court="Elsewhere") == ["m2 passed first_sighting"]
    assert scene.add("m3", event_subtype="Séance") == ["m3 suppressed duplicate"]


def test_a_message_id_used_again_for_something_else_is_another_event() -> None:
    scene = Scene()
    scene.add("m1")
    assert scene.add("m1", action_at=HEARING + DAY) == ["m1 passed first_sighting"]
    assert scene.add("m1") == ["m1 suppressed duplicate"]
    assert scene.add("m1", action_at=HEARING + DAY) == ["m1 suppressed duplicate"]


def test_the_parts_of_one_submission_that_are_one_offender_are_told_once() -> None:
    scene = Scene()
    scene.add("m1", part=0, parts=2)
    assert scene.add("m1", part=1, parts=2) == ["m1 suppressed duplicate"]


def test_another_offender_is_another_event() -> None:
    scene = Scene()
    scene.add("m1", part=0, parts=2)
    assert scene.add("m1", part=1, parts=2, offender="offffffffffffffff") == ["m1 passed first_sighting"]


def test_the_same_event_is_recognized_until_the_window_closes() -> None:
    scene = Scene(duplicate__window="1h")
    scene.add("m1")
    scene.later(60 * MINUTE - 1)
    assert scene.add("m2") == ["m2 suppressed duplicate"]
    scene.later(1)
    assert scene.add("m3") == ["m3 passed first_sighting"]
    assert scene.verdicts[-1].detail == "the event of message m1 was told longer ago than duplicate.window"


def test_copies_do_not_lengthen_the_window() -> None:
    scene = Scene(duplicate__window="1h")
    scene.add("m1")
    scene.later(40 * MINUTE)
    scene.add("m2")
    scene.later(20 * MINUTE)
    assert scene.add("m3") == ["m3 passed first_sighting"]


def test_an_event_told_again_after_its_window_goes_by_its_old_names_too() -> None:
    scene = Scene(duplicate__window="1h")
    scene.add("m1")
    scene.later(60 * MINUTE)
    scene.add("m2")
    scene.cancel("c1", of="m1")
    assert scene.later(15 * MINUTE) == ["c1 passed cancelled"]
    assert scene.told == [("news", "m1", "m1"), ("news", "m2", "m2"), ("cancellation", "c1", "m2")]
    assert scene.cancel("c2", of="m2") == ["c2 suppressed duplicate"]
    assert scene.cancel("c3", of="m1") == ["c3 suppressed duplicate"]
    assert set(scene.documents) == {OFFENDER}


def test_a_past_event_is_forgotten_with_its_window_and_nothing_stays() -> None:
    scene = Scene(duplicate__window="1h")
    scene.add("m1", action_at=scene.now, past_from=scene.now)
    scene.add("m2", court="Elsewhere", action_at=scene.now, past_from=scene.now)
    assert scene.later(60 * MINUTE) == []
    assert scene.documents == {}
    assert scene.timers == {}


def test_an_event_far_ahead_can_be_corrected_until_it_is_past() -> None:
    scene = Scene()
    ahead = scene.now + 300 * DAY
    told = {"event_type": "Corrections", "event_subtype": "Release", "notification_type": "Status Update", "past_from": ahead}
    scene.add("m1", action_at=ahead, **told)
    scene.later(299 * DAY)
    assert scene.cancel("c1", of="m1", action_at=ahead, **told) == ["c1 waiting cancel_hold"]
    scene.later(15 * MINUTE)
    assert scene.told[-1] == ("cancellation", "c1", "m1")
    scene.later(2 * DAY)  # the date and date.past (24h) are over
    assert scene.documents == {}


def test_the_timer_waits_for_the_first_to_be_forgotten() -> None:
    scene = Scene()
    scene.add("m1")
    due = scene.now + 90 * DAY
    assert scene.timers == {OFFENDER: due}
    scene.later(MINUTE)
    scene.add("m2", court="Elsewhere")
    assert scene.timers == {OFFENDER: due}
    assert set(scene.decision.states) == {OFFENDER, f"{OFFENDER}/2"}


def test_the_document_does_not_hold_the_submissions() -> None:
    scene = Scene()
    scene.add("m1", submission=b"x" * 4_000)
    assert len(scene.documents[OFFENDER]) < 300


def test_enrolments_pass_untouched_and_ask_only_whether_the_offender_is_being_merged() -> None:
    scene = Scene()
    enrolment = Enrolment(offender=OFFENDER, seq=1, received_at=scene.now, registration_id="r1", registrant_id="p1")
    record = Record("events", 0, 1, OFFENDER, scene.now, enrolment)
    assert list(STAGE.keys(record, {})) == [OFFENDER]
    decision = STAGE.decide(record, {}, scene.context)
    assert [each.value is enrolment for each in decision.outputs] == [True]
    assert (decision.states, decision.verdicts) == ({}, ())


def test_review_actions_of_later_stages_pass_in_their_place() -> None:
    scene = Scene()
    action = ReviewAction(action="release", reason="r", reviewer="kim", review_id=f"validate-{OFFENDER}-0123456789ab")
    record = Record("events", 0, 1, OFFENDER, scene.now, action)
    assert list(STAGE.keys(record, {})) == [OFFENDER]
    assert [each.value is action for each in STAGE.decide(record, {}, scene.context).outputs] == [True]


def test_verdicts_say_who_and_by_which_rules_but_name_nobody() -> None:
    scene = Scene()
    scene.add("m1")
    scene.add("m2")
    verdict = scene.verdicts[-1]
    assert (verdict.stage, verdict.offender, verdict.ori, verdict.part) == ("dedupe", OFFENDER, "VA0010000", 0)
    assert verdict.rules == scene.context.rules.version


class Fussy(Rules):
    """The built-in rules, but for what tells court hearings apart."""

    def __init__(self, *same: str) -> None:
        self.same = same

    def __getattribute__(self, name: str) -> object:
        if name in {"same", "rule_set", "__class__", "__dict__"}:
            return object.__getattribute__(self, name)
        return getattr(rules(), name)

    def rule_set(self, jurisdiction: str, at: int) -> RuleSet:
        page = rules().rule_set(jurisdiction, at)
        code = page.code("Court", "Court Hearing") or EventCode("", "", ())
        return replace(page, codes={**page.codes, ("Court", "Court Hearing"): replace(code, same=self.same)})


def test_an_event_whose_root_identify_named_goes_on_as_it_came() -> None:
    scene = Scene()
    event: Event = but(scene.event("m1"), root="m1")
    decision = STAGE.decide(Record("events", 0, 1, OFFENDER, scene.now, event), {}, scene.context)
    assert decision.outputs[0].value is event
