"""Current status and current location, with their history (contract §3.1.7; specification §4.1.4.2, §4.1.5.2)."""

from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.domain.event import Event
from processors.validate.state import MAX_HISTORY, HistoryEntry
from processors.validate.timeline import insert_entry, status_and_place
from tests.validate.scene import DAY, MINUTE, Scene, escape, event, hearing, intake, jailed, ms, outcome_of, recapture


def transfer(at: str, to: str, **more: object) -> Event:
    return event("Corrections", "Transfer", "Movement", at, location_kind=to, **more)


def test_the_specifications_escape_from_incarcerated_is_told() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    assert outcome_of(scene.receive(escape("2026-11-20 10:00"))) == ("passed", "confirmed")
    assert status_and_place(scene.known.history, None).status == "Escapee"


def test_an_escape_while_escapee_is_held_and_says_both_statuses() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    scene.receive(escape("2026-11-20 10:00"))
    verdict = scene.receive(escape("2026-11-20 11:00"))
    assert outcome_of(verdict) == ("flagged", "status_transition")
    assert 'the status "Escapee" by Escape of 2026-11-20 11:00 EST cannot follow "Escapee", the status then' in verdict.detail
    assert scene.told == ["Intake", "Escape"]


@pytest.mark.parametrize("synonym", ["In Custody", "in  CUSTODY", "Inmate"])
def test_synonyms_are_the_status_they_mean(synonym: str) -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00", status=synonym))
    assert scene.known.history[-1].status == "Incarcerated"
    assert outcome_of(scene.receive(escape("2026-11-20 10:00"))) == ("passed", "confirmed")


def test_what_is_not_known_yet_contradicts_nothing_and_the_journal_says_so() -> None:
    scene = Scene()
    verdict = scene.receive(recapture())
    assert outcome_of(verdict) == ("passed", "confirmed")
    assert "no earlier status is known" in verdict.detail
    verdict = scene.receive(transfer("2026-11-20 13:00", "Local Jail"))
    assert outcome_of(verdict) == ("passed", "confirmed")
    assert "no earlier location is known" in verdict.detail
    assert "no earlier" not in scene.receive(transfer("2026-11-20 14:00", "State Prison")).detail


def test_the_specifications_transfer_from_state_prison_to_local_jail_is_told() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    verdict = scene.receive(transfer("2026-11-20 10:00", "County Jail", location_name="Henrico"))
    assert outcome_of(verdict) == ("passed", "confirmed")
    current = status_and_place(scene.known.history, None)
    assert (current.kind, current.place, current.status) == ("Local Jail", "Henrico", "Incarcerated")


def test_a_movement_from_a_place_where_the_offender_is_not_is_flagged_with_both_places() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    verdict = scene.receive(transfer("2026-11-20 10:00", "State Hospital", from_kind="Local Jail"))
    assert outcome_of(verdict) == ("flagged", "location_transition")
    assert 'from "Local Jail" to "State Hospital", but on 2026-11-20 10:00 EST the location was "State Prison"' in verdict.detail
    assert status_and_place(scene.known.history, None).kind == "State Prison"


def test_a_movement_that_the_table_does_not_allow_is_flagged_with_both_places() -> None:
    scene = Scene()
    scene.receive(event("Immigration Enforcement", "Removal", "Movement", "2026-11-20 09:00"))
    assert status_and_place(scene.known.history, None).kind == "Outside the United States"
    verdict = scene.receive(transfer("2026-11-20 10:00", "State Hospital"))
    assert outcome_of(verdict) == ("flagged", "location_transition")
    assert '"State Hospital"' in verdict.detail
    assert '"Outside the United States"' in verdict.detail


def test_moving_to_where_one_already_is_is_legal() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    assert outcome_of(scene.receive(transfer("2026-11-20 10:00", "Prison", from_kind="Local Jail"))) == ("passed", "confirmed")


def test_a_place_the_agency_names_by_a_synonym_is_where_the_offender_is() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    assert outcome_of(scene.receive(transfer("2026-11-20 10:00", "Local Jail", from_kind="Penitentiary"))) == ("passed", "confirmed")


@pytest.mark.parametrize(
    ("field", "reason"), [({"status": "On The Moon"}, "unknown_status"), ({"location_kind": "Moon Base"}, "unknown_location")]
)
def test_a_status_or_location_the_rules_do_not_know_is_flagged(field: dict[str, str], reason: str) -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    verdict = scene.receive(escape("2026-11-20 10:00", **field))
    assert outcome_of(verdict) == ("flagged", reason)
    assert next(iter(field.values())) in verdict.detail
    assert "Incarcerated" in verdict.detail or "State Prison" in verdict.detail
    assert len(scene.known.history) == 1


def test_what_the_message_names_counts_before_what_its_code_implies() -> None:
    scene = Scene()
    scene.receive(escape("2026-11-20 10:00", status="Absconded", location_kind="Community"))
    current = status_and_place(scene.known.history, None)
    assert (current.status, current.kind) == ("Absconded", "Community")


def test_if_neither_names_a_status_nothing_changes_and_nothing_is_checked() -> None:
    scene = Scene()
    scene.receive(escape("2026-11-20 10:00"))
    verdict = scene.receive(event("Supervision", "Add/Update Conditions", "Status Update", "2026-11-20 11:00"))
    assert outcome_of(verdict) == ("passed", "confirmed")
    assert status_and_place(scene.known.history, None).status == "Escapee"


def test_an_earlier_action_heard_of_later_is_checked_against_what_held_then_and_overwrites_nothing() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    scene.receive(recapture("2026-11-20 12:00", do_not_validate=True, validate=False))
    verdict = scene.receive(escape("2026-11-20 10:00", received="2026-11-20 13:00"))
    assert outcome_of(verdict) == ("passed", "confirmed")
    assert status_and_place(scene.known.history, None).status == "Incarcerated"
    late = scene.receive(escape("2026-11-20 10:30", received="2026-11-20 13:30"))
    assert outcome_of(late) == ("flagged", "status_transition")


def test_the_place_of_a_hearing_is_not_where_the_offender_is() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    scene.receive(hearing("2026-11-21 09:00", received="2026-11-20 09:00", location_kind="Court"))
    assert outcome_of(scene.receive(transfer("2026-11-22 10:00", "Local Jail", from_kind="State Prison"))) == ("passed", "confirmed")


def test_cases_are_kept_apart_if_both_messages_name_one() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00", case_number="A"))
    scene.receive(escape("2026-11-20 10:00", case_number="A"))
    assert outcome_of(scene.receive(escape("2026-11-20 11:00", case_number="B"))) == ("passed", "confirmed")
    assert outcome_of(scene.receive(escape("2026-11-20 12:00", case_number="A"))) == ("flagged", "status_transition")
    assert outcome_of(scene.receive(escape("2026-11-20 12:30"))) == ("flagged", "status_transition")


def test_of_equal_action_times_the_later_arrival_counts() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 10:00"))
    scene.receive(escape("2026-11-20 10:00"))
    assert status_and_place(scene.known.history, None).status == "Escapee"


def test_every_offender_starts_from_the_jail_of_the_specification() -> None:
    scene = Scene()
    for one in (
        event("Jail", "Intake", "Movement", "2026-11-01 09:00", status="Waiting for Sentencing"),
        event("Corrections", "Intake", "Movement", "2026-11-02 09:00", from_kind="Local Jail"),
        escape("2026-11-03 09:00"),
        recapture("2026-11-04 09:00"),
    ):
        assert outcome_of(scene.receive(one)) == ("passed", "confirmed")
    assert scene.told == ["Intake", "Intake", "Escape", "Recapture"]


def unchecked(one: Event) -> Event:
    return msgspec.structs.replace(one, validate=False, do_not_validate=True)


def test_any_order_of_arrival_ends_in_the_same_history() -> None:
    life = [
        jailed("2026-11-20 08:00"),
        escape("2026-11-20 09:00"),
        recapture("2026-11-20 10:00"),
        intake("2026-11-20 11:00", case_number="A"),
        escape("2026-11-20 12:00", case_number="B"),
    ]
    ends = set()
    for order in permutations(life):
        scene = Scene()
        for one in order:
            scene.receive(unchecked(msgspec.structs.replace(one, received_at=ms("2026-11-20 13:00"), message_id=f"at{one.action_at}")))
        ends.add(tuple((each.at, each.status, each.kind, each.case_number) for each in scene.known.history))
    assert len(ends) == 1


entries = st.lists(
    st.tuples(
        st.sampled_from(["Incarcerated", "Escapee", "Released", None]),
        st.sampled_from(["State Prison", "Community", None]),
        st.sampled_from(["A", "B", None]),
    ),
    min_size=1,
    max_size=MAX_HISTORY + 8,
)


@given(entries, st.randoms(use_true_random=False))
def test_the_history_does_not_depend_on_the_order_of_arrival(told: list[tuple[str | None, str | None, str | None]], random: object) -> None:
    rows = [
        HistoryEntry(at * MINUTE, at, f"c{at}", "Jail", "X", 0, True, case, status, kind, None)
        for at, (status, kind, case) in enumerate(told)
    ]
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    history: tuple[HistoryEntry, ...] = ()
    for row in shuffled:
        history = insert_entry(history, row)
    assert history == tuple(rows[-MAX_HISTORY:])
    for case in ("A", "B", None):
        relevant = [row for row in rows[-MAX_HISTORY:] if case is None or row.case_number in {case, None}]
        statuses = [row.status for row in relevant if row.status]
        assert status_and_place(history, case).status == (statuses[-1] if statuses else None)


@given(st.lists(st.sampled_from(["Intake", "Escape", "Recapture", "Release"]), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_current_status_is_that_of_the_latest_action_whatever_came_last(subtypes: list[str], random: object) -> None:
    life = [
        unchecked(
            event(
                "Corrections",
                subtype,
                "Status Update",
                "2026-11-20 10:00",
                action_at=ms("2026-11-20 10:00") - at * MINUTE,
                message_id=f"m{at}",
            )
        )
        for at, subtype in enumerate(subtypes)
    ]
    shuffled = list(life)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    scene = Scene()
    for one in shuffled:
        scene.receive(one)
    implied = {"Intake": "Incarcerated", "Escape": "Escapee", "Recapture": "Incarcerated", "Release": "Released"}
    assert status_and_place(scene.known.history, None).status == implied[subtypes[0]]
    assert len(scene.confirmed) == len(life)


def test_the_history_stays_bounded_and_keeps_the_newest_actions() -> None:
    scene = Scene()
    for at in range(MAX_HISTORY + 10):
        scene.receive(unchecked(escape("2026-11-20 10:00", action_at=ms("2026-11-20 10:00") + at * DAY)))
    assert len(scene.known.history) == MAX_HISTORY
    assert scene.known.history[-1].at == ms("2026-11-20 10:00") + (MAX_HISTORY + 9) * DAY


def test_a_date_without_time_comes_after_what_is_known_of_its_day() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    scene.receive(escape("2026-11-20 10:00"))
    assert outcome_of(scene.receive(recapture("2026-11-20", received="2026-11-20 15:00"))) == ("passed", "confirmed")
    assert status_and_place(scene.known.history, None).status == "Incarcerated"


def test_a_time_heard_of_after_a_date_comes_after_it() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20", received="2026-11-20 09:00"))
    scene.receive(escape("2026-11-20", received="2026-11-20 11:00"))
    assert outcome_of(scene.receive(recapture("2026-11-20 10:30", received="2026-11-20 12:00"))) == ("passed", "confirmed")
    assert status_and_place(scene.known.history, None).status == "Incarcerated"


def test_an_earlier_time_heard_of_after_a_date_overwrites_nothing() -> None:
    scene = Scene()
    scene.receive(recapture("2026-11-20 18:00"))
    scene.receive(escape("2026-11-20", received="2026-11-20 19:00"))
    scene.receive(intake("2026-11-20 09:00", received="2026-11-20 20:00"))
    assert [each.event_subtype for each in scene.known.history] == ["Intake", "Recapture", "Escape"]


def test_a_date_does_not_reach_into_the_next_day() -> None:
    scene = Scene()
    scene.receive(escape("2026-11-21 00:00"))
    scene.receive(intake("2026-11-20", received="2026-11-21 01:00"))
    assert status_and_place(scene.known.history, None).status == "Escapee"
