"""What registrants know while a change is not told: the next change and the cancellation are relative to that."""

import msgspec
import pytest

from processors.domain.docket import same_case
from processors.domain.event import Change, Event, combine_changes
from processors.validate import effect, registrant_knowledge
from processors.validate.facts import rules_in_force
from processors.validate.state import OffenderState
from tests.one_stage import rules
from tests.validate.scene import cancel, day_end, hearing, ms, update

CHAIN = "VA0010000\nm1"
NEW_YORK = rules().rule_set("VA", 0).zone
ONE = msgspec.structs.replace(hearing("2026-12-07 10:00", court="Richmond"), message_id="m1", seq=1)
AT = Change("action_at", "2026-12-07T15:00:00Z", "2026-12-08T15:00:00Z")
COURT = Change("court", "Richmond", "Henrico")


def changed(*changes: Change) -> Event:
    return update(ONE, changes=changes)


def test_the_next_change_is_told_from_what_is_held() -> None:
    later = changed(Change("action_at", "2026-12-08T15:00:00Z", "2026-12-09T15:00:00Z"))
    told = registrant_knowledge.change_since_told({CHAIN: (AT, COURT)}, later)
    assert told.changes == combine_changes((AT, COURT), later.changes)
    assert {(each.field, each.old, each.new) for each in told.changes} == {
        ("action_at", "2026-12-07T15:00:00Z", "2026-12-09T15:00:00Z"),
        ("court", "Richmond", "Henrico"),
    }
    assert registrant_knowledge.change_since_told({"other": (AT,)}, later) is later


def test_a_change_that_is_not_told_is_owed_as_long_as_its_event_is_remembered() -> None:
    owed = {"old": (COURT,), "kept": (COURT,)}
    assert registrant_knowledge.with_untold(owed, changed(AT), {"kept": 1, CHAIN: 1}) == {"kept": (COURT,), CHAIN: (AT,)}
    assert registrant_knowledge.with_untold(owed, ONE, {"kept": 1}) is owed


def test_what_is_told_is_owed_no_longer() -> None:
    assert registrant_knowledge.without_untold({CHAIN: (AT,), "other": (COURT,)}, ONE) == {"other": (COURT,)}
    other = {"other": (COURT,)}
    assert registrant_knowledge.without_untold(other, ONE) is other


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ((COURT,), {"court": "Richmond"}),
        ((Change("court", "", "Henrico"),), {"court": None}),
        ((AT,), {"action_at": ms("2026-12-07 10:00"), "past_from": ms("2026-12-07 10:00"), "date_only": False}),
        (
            (Change("action_at", "2026-12-07", "2026-12-08"), COURT),
            {"action_at": ms("2026-12-07 00:00"), "past_from": day_end("2026-12-07"), "date_only": True, "court": "Richmond"},
        ),
    ],
)
def test_an_event_as_it_was_told_has_the_values_from_before_the_change(changes: tuple[Change, ...], fields: dict[str, object]) -> None:
    now = msgspec.structs.replace(ONE, court="Henrico", action_at=1, past_from=2, date_only="T" in changes[0].old)
    assert registrant_knowledge.with_values_told({CHAIN: changes}, now, NEW_YORK) == msgspec.structs.replace(now, **fields)
    assert registrant_knowledge.with_values_told({}, now, NEW_YORK) is now


def test_what_is_still_held_is_said_with_the_date_if_that_was_changed() -> None:
    assert registrant_knowledge.untold_note(changed(COURT)) == "; registrants still hold what they were told of message m1"
    assert (
        registrant_knowledge.untold_note(changed(COURT, AT))
        == "; registrants still hold what they were told of message m1: 2026-12-07T15:00:00Z"
    )
    assert registrant_knowledge.untold_note(ONE) == ""


def test_a_cancellation_leaves_nothing_owed() -> None:
    in_force = rules_in_force(ONE, rules(), ONE.received_at)
    known = OffenderState(untold={CHAIN: (AT,), "other": (COURT,)})
    assert effect.revert_event(known, cancel(ONE), in_force)[0].untold == {"other": (COURT,)}


def test_only_a_message_that_is_told_pays_what_is_owed_of_its_event() -> None:
    in_force = rules_in_force(ONE, rules(), ONE.received_at)
    known = OffenderState(untold={CHAIN: (AT,), "other": (COURT,)})
    assert effect.apply_event(known, ONE, in_force, told=True)[0].untold == {"other": (COURT,)}
    assert effect.apply_event(known, ONE, in_force, told=False)[0].untold == known.untold


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("CR-26-001", "cr 26 1", True),
        ("A-1", "A-1", True),
        ("A-1", "B-1", False),
        ("12-3", "1-23", False),
        (None, "A-1", True),
        ("A-1", None, True),
        ("--", "--", True),
        ("A", "B", False),
        ("pending", "A-1", True),
        ("A-1; A-2", "A-2", True),
    ],
)
def test_a_case_number_is_the_same_however_spelt(one: str | None, other: str | None, *, same: bool) -> None:
    assert same_case(one, other) is same
