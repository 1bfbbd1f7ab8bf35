"""What makes two messages the same event, field by field (contract §3.1.1)."""

from dataclasses import replace as replace_rule
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from processors.dedupe.fingerprint import (
    DEFAULT_FIELDS,
    changes,
    compared_fields,
    compared_value,
    earlier_fingerprint,
    fingerprint,
    identifying_fields,
    written_value,
)
from processors.domain.event import Change, Event
from tests.dedupe.scene import DAY, HEARING, HOUR, NOON, Scene
from tests.one_stage import rules

RULE_SET = rules().rule_set("VA", NOON)
EVENT = Scene().event("m1", status="In Custody", location_kind="County Jail", location_name="Henrico")


def present(event: Event) -> str:
    return fingerprint(event, compared_fields(event, RULE_SET))


def earlier(event: Event) -> str | None:
    return earlier_fingerprint(event, compared_fields(event, RULE_SET))


def test_a_fingerprint_stays_the_same_from_release_to_release() -> None:
    """Else what was told before a release would be told once more after it: it is kept for `duplicate.window`."""
    assert present(EVENT) == "058414dbb214f615"
    assert present(replace(EVENT, date_only=True, court=None)) == "58e269104b376dd5"
    assert present(replace(EVENT, case_number="CR26-1433; CR26-1432")) == "c4dda1c6117b39a0"


def test_an_earlier_version_differed_in_the_case_number_alone() -> None:
    assert earlier(EVENT) != present(EVENT)
    assert earlier(replace(EVENT, case_number="CR 26 001")) == earlier(EVENT)
    assert earlier(replace(EVENT, case_number="CR-260-01")) == earlier(EVENT)
    assert earlier(replace(EVENT, court="Norfolk")) != earlier(EVENT)
    assert earlier(replace(EVENT, status="Incarcerated")) == earlier(EVENT)


def test_there_is_no_earlier_fingerprint_if_no_case_number_is_compared() -> None:
    assert earlier(replace(EVENT, case_number=None)) is None
    code = RULE_SET.codes[EVENT.event_type, EVENT.event_subtype]
    of_the_court = replace_rule(RULE_SET, codes={(EVENT.event_type, EVENT.event_subtype): replace_rule(code, same=("court",))})
    assert earlier_fingerprint(EVENT, compared_fields(EVENT, of_the_court)) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("action_at", str(HEARING)),
        ("case_number", "cr 26 1"),
        ("court", "richmondcircuitcourt"),
        ("status", "incarcerated"),
        ("location_kind", "localjail"),
        ("location_name", "henrico"),
        ("from_name", ""),
    ],
)
def test_fields_compare_by_what_they_mean(name: str, value: str) -> None:
    assert compared_value(EVENT, name, RULE_SET) == value


def test_a_day_is_not_its_first_instant() -> None:
    assert compared_value(replace(EVENT, date_only=True), "action_at", RULE_SET) == f"{HEARING} day"


def test_a_status_or_place_that_the_rules_do_not_know_compares_by_its_words() -> None:
    strange = replace(EVENT, status="On the Moon!", location_kind="Moon Base")
    assert [compared_value(strange, name, RULE_SET) for name in ("status", "location_kind")] == ["onthemoon", "moonbase"]


def test_what_tells_events_apart_is_the_usual_if_the_rules_do_not_know_the_code() -> None:
    assert identifying_fields(replace(EVENT, event_subtype="Séance"), RULE_SET) == DEFAULT_FIELDS
    assert DEFAULT_FIELDS == ("action_at", "case_number", "court", "status", "location_kind", "location_name")
    departure = replace(EVENT, event_type="Interstate Compact", event_subtype="Departure")
    assert {"sending_state", "receiving_state"} <= set(identifying_fields(departure, RULE_SET))


def test_a_change_is_told_in_the_agencys_words() -> None:
    assert written_value(EVENT, "status", RULE_SET) == "In Custody"
    assert written_value(EVENT, "from_name", RULE_SET) == ""
    assert written_value(EVENT, "action_at", RULE_SET) == "2026-12-07T15:20:00Z"
    assert written_value(replace(EVENT, date_only=True), "action_at", RULE_SET) == "2026-12-07"


def test_changes_are_those_that_either_kind_of_event_tells_apart_kind_first() -> None:
    new = replace(EVENT, event_type="Interstate Compact", event_subtype="Departure", court="Henrico", status="inmate", sending_state="VA")
    there = (
        Change("event_type", "Court", "Interstate Compact"),
        Change("event_subtype", "Court Hearing", "Departure"),
        Change("court", "Richmond Circuit Court", "Henrico"),
        Change("sending_state", "", "VA"),
    )
    assert changes(EVENT, new, RULE_SET) == there
    assert set(changes(new, EVENT, RULE_SET)) == {Change(each.field, each.new, each.old) for each in there}
    assert changes(EVENT, EVENT, RULE_SET) == ()


def test_a_day_is_told_as_it_is_where_the_agency_is_also_east_of_greenwich() -> None:
    rule_set = replace_rule(RULE_SET, zone=ZoneInfo("Pacific/Guam"), zones_by_ori={})
    midnight = HEARING - HEARING % DAY + 14 * HOUR  # 2026-12-08T00:00+10:00
    assert written_value(replace(EVENT, date_only=True, action_at=midnight), "action_at", rule_set) == "2026-12-08"
