"""A change is told as a change, with the old value (contract §3.1.1)."""

from datetime import UTC, datetime

import pytest

from tests.dedupe.scene import DAY, HEARING, MINUTE, OFFENDER, Scene

HOLD = 15 * MINUTE
A, B, C = HEARING, HEARING + DAY, HEARING + 2 * DAY


def iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_an_update_that_matters_is_told_as_a_change_with_both_values() -> None:
    scene = Scene()
    scene.add("m1")
    assert scene.update("u1", of="m1", action_at=B, court="Henrico Circuit Court") == ["u1 passed changed"]
    assert scene.told[-1] == ("change", "u1", "m1")
    assert scene.changes == [("action_at", iso(A), iso(B)), ("court", "Richmond Circuit Court", "Henrico Circuit Court")]
    assert scene.passed[-1].action_at == B


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ({"location_name": None}, {"location_name": "Room 4"}, ("location_name", "", "Room 4")),
        ({"case_number": "1"}, {"case_number": None}, ("case_number", "1", "")),
        ({"status": "Charged"}, {"status": "On Bond"}, ("status", "Charged", "On Bond")),
        ({}, {"event_subtype": "Arraignment"}, ("event_subtype", "Court Hearing", "Arraignment")),
        ({}, {"notification_type": "Internal"}, ("notification_type", "Hearing Notice", "Internal")),
    ],
    ids=["where there was nothing", "where there is nothing now", "status", "subtype", "notification type"],
)
def test_a_change_carries_the_agencys_words(before: dict[str, object], after: dict[str, object], change: tuple[str, str, str]) -> None:
    scene = Scene()
    scene.add("m1", **before)
    scene.update("u1", of="m1", **after)
    assert scene.changes == [change]


def test_dates_without_time_change_as_dates_of_the_agencys_zone() -> None:
    scene = Scene()
    midnight = 1_796_619_600_000  # 2026-12-07T00:00-05:00
    scene.add("m1", action_at=midnight, date_only=True)
    scene.update("u1", of="m1", action_at=midnight + DAY, date_only=True)
    assert scene.changes == [("action_at", "2026-12-07", "2026-12-08")]
    scene.update("u2", of="m1", action_at=midnight + DAY)
    assert scene.changes == [("action_at", "2026-12-08", "2026-12-08T05:00:00Z")]


def test_dates_in_honolulu_are_honolulus() -> None:
    scene = Scene()
    midnight = 1_796_637_600_000  # 2026-12-07T00:00-10:00
    scene.add("m1", jurisdiction="HI", ori="HI0010000", action_at=midnight, date_only=True)
    scene.update("u1", of="m1", jurisdiction="HI", ori="HI0010000", action_at=midnight + DAY, date_only=True)
    assert scene.changes == [("action_at", "2026-12-07", "2026-12-08")]


@pytest.mark.parametrize(
    "same",
    [{}, {"court": " richmond circuit COURT "}, {"from_kind": "Local Jail"}, {"submission": b"{remarks}"}],
    ids=["equal", "spelling", "where they were before", "remarks"],
)
def test_an_update_that_changes_nothing_that_matters_is_inconsequential(same: dict[str, object]) -> None:
    scene = Scene()
    scene.add("m1")
    assert scene.update("u1", of="m1", **same) == ["u1 suppressed inconsequential"]
    assert scene.told == [("news", "m1", "m1")]


def test_a_synonym_of_the_status_is_inconsequential() -> None:
    scene = Scene()
    scene.add("m1", status="Incarcerated")
    assert scene.update("u1", of="m1", status="In custody") == ["u1 suppressed inconsequential"]


def test_an_inconsequential_update_names_the_event_too() -> None:
    scene = Scene()
    scene.add("m1")
    scene.update("u1", of="m1")
    assert scene.update("u2", of="u1", action_at=B) == ["u2 passed changed"]
    assert scene.told[-1] == ("change", "u2", "m1")


@pytest.mark.parametrize("names", [("m1", "m1"), ("m1", "u1"), ("m1", "m0")], ids=["always the first", "the one before", "a copy"])
def test_each_change_of_a_chain_shows_the_value_before_and_the_same_root(names: tuple[str, str]) -> None:
    scene = Scene()
    scene.add("m1")
    scene.add("m0")
    scene.update("u1", of=names[0], action_at=B)
    assert scene.changes == [("action_at", iso(A), iso(B))]
    scene.update("u2", of=names[1], action_at=C)
    assert scene.changes == [("action_at", iso(B), iso(C))]
    assert [root for _, _, root in scene.told] == ["m1", "m1", "m1"]


def test_an_update_back_to_the_first_value_is_a_change() -> None:
    scene = Scene()
    scene.add("m1")
    scene.update("u1", of="m1", action_at=B)
    assert scene.update("u2", of="m1", action_at=A) == ["u2 passed changed"]
    assert scene.changes == [("action_at", iso(B), iso(A))]
    assert scene.update("u3", of="m1", action_at=A) == ["u3 suppressed inconsequential"]


def test_the_first_message_sent_again_after_a_change_is_a_copy_that_came_late() -> None:
    scene = Scene()
    scene.add("m1")
    scene.update("u1", of="m1", action_at=B)
    assert scene.add("m1") == ["m1 suppressed duplicate"]
    assert scene.add("m2") == ["m2 suppressed duplicate"]
    assert scene.update("u2", of="m2", action_at=C) == ["u2 passed changed"]
    assert scene.changes == [("action_at", iso(B), iso(C))]


def test_what_it_was_changed_to_sent_as_an_event_is_a_duplicate() -> None:
    scene = Scene()
    scene.add("m1")
    scene.update("u1", of="m1", action_at=B)
    assert scene.add("m2", action_at=B) == ["m2 suppressed duplicate"]


def test_an_older_wording_is_recognized_for_its_own_window_only() -> None:
    scene = Scene(duplicate__window="1h")
    scene.add("m1")
    scene.later(30 * MINUTE)
    scene.update("u1", of="m1", action_at=B)
    scene.later(30 * MINUTE)
    assert scene.add("m2") == ["m2 passed first_sighting"]
    assert scene.add("m3", action_at=B) == ["m3 suppressed duplicate"]
    assert scene.told == [("news", "m1", "m1"), ("change", "u1", "m1"), ("news", "m2", "m2")]


def test_a_copy_of_an_update_does_not_bring_its_values_back() -> None:
    scene = Scene()
    scene.add("m1")
    scene.update("u1", of="m1", action_at=B)
    scene.update("u2", of="m1", action_at=C)
    assert scene.update("u1", of="m1", action_at=B) == ["u1 suppressed duplicate"]
    assert scene.told[-1] == ("change", "u2", "m1")


def test_an_update_after_the_window_is_still_a_change_while_the_date_is_ahead() -> None:
    scene = Scene(duplicate__window="1h")
    scene.add("m1")
    scene.later(2 * DAY)
    assert scene.update("u1", of="m1", action_at=B) == ["u1 passed changed"]


def test_a_cancel_of_an_updated_event_cancels_the_chain_with_the_newest_values() -> None:
    for name in ("m1", "u1"):
        scene = Scene()
        scene.add("m1")
        scene.update("u1", of="m1", action_at=B, submission=b"{the newest}")
        assert scene.cancel("c1", of=name, action_at=A) == ["c1 waiting cancel_hold"]
        scene.later(HOLD)
        told = scene.passed[-1]
        assert (told.telling, told.root, told.action_at, told.submission) == ("cancellation", "m1", B, b"{the newest}")
        assert scene.cancel("c2", of="u1") == ["c2 suppressed duplicate"]


def test_an_older_wording_takes_a_cancel_back_and_is_a_change_back() -> None:
    scene = Scene()
    scene.add("m1")
    scene.update("u1", of="m1", action_at=B)
    scene.cancel("c1", of="m1")
    assert scene.add("m2", action_at=A) == ["c1 suppressed superseded", "m2 passed changed"]
    assert scene.later(DAY) == []
    assert scene.told == [("news", "m1", "m1"), ("change", "u1", "m1"), ("change", "m2", "m1")]


def test_an_update_that_changes_nothing_takes_a_held_cancel_back() -> None:
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="m1")
    assert scene.update("u1", of="m1") == ["c1 suppressed resubmitted", "u1 suppressed resubmitted"]
    assert scene.later(DAY) == []


def test_an_update_that_matters_takes_a_held_cancel_back_and_is_told_as_a_change() -> None:
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="m1")
    assert scene.update("u1", of="m1", action_at=B) == ["c1 suppressed superseded", "u1 passed changed"]
    assert scene.changes == [("action_at", iso(A), iso(B))]
    assert scene.later(DAY) == []


def test_an_update_after_the_cancellation_was_told_brings_the_event_back_as_news() -> None:
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="m1")
    scene.later(HOLD)
    assert scene.update("u1", of="m1", action_at=B) == ["u1 passed first_sighting"]
    assert scene.told[-1] == ("news", "u1", "u1")
    assert scene.passed[-1].changes == ()
    assert scene.cancel("c1", of="m1") == ["c1 suppressed duplicate"]
    assert scene.cancel("c2", of="m1") == ["c2 waiting cancel_hold"]
    scene.later(HOLD)
    assert scene.told[-1] == ("cancellation", "c2", "u1")


def test_a_copy_of_an_update_whose_event_was_cancelled_brings_nothing_back() -> None:
    scene = Scene()
    scene.add("m1")
    scene.update("u1", of="m1", action_at=B)
    scene.cancel("c1", of="m1")
    assert scene.update("u1", of="m1", action_at=B) == ["u1 suppressed duplicate"]
    scene.later(HOLD)
    assert scene.update("u1", of="m1", action_at=B) == ["u1 suppressed duplicate"]
    assert scene.told[-1] == ("cancellation", "c1", "m1")


def test_the_journal_names_dates_and_statuses_but_no_places() -> None:
    scene = Scene()
    scene.add("m1", status="Charged", location_name="12 Elm Street")
    scene.update("u1", of="m1", action_at=B, status="On Bond", location_name="14 Oak Street")
    detail = scene.verdicts[-1].detail
    assert f"action_at from {iso(A)} to {iso(B)}" in detail
    assert "status from Charged to On Bond" in detail
    assert "location_name" in detail
    assert "Street" not in detail


def test_a_long_chain_keeps_its_document_small_and_its_first_name() -> None:
    scene = Scene()
    scene.add("m1")
    for each in range(500):
        scene.update(f"u{each}", of="m1", action_at=B + each * MINUTE)
    assert len(scene.documents[OFFENDER]) < 10_000
    assert scene.cancel("c1", of="m1") == ["c1 waiting cancel_hold"]


def test_a_message_without_reference_is_about_the_one_whose_id_it_bears() -> None:
    scene = Scene()
    scene.add("m1")
    assert scene.update("m1", of=None, action_at=B) == ["m1 passed changed"]
    assert scene.cancel("m1", of=None) == ["m1 waiting cancel_hold"]
