"""The simulated world: reproducible, in the published proportions, and the pipeline's output is what the oracle says."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import phonenumbers
import pytest

from processors.domain.time import millis
from processors.rehearsal.answer_key import differences
from processors.rehearsal.feed import read_feed
from processors.rehearsal.player import rehearse
from processors.rules.load import load_rules
from processors.rules.rule_set import Rules
from processors.runtime.decide.driver import PipelineDriver
from processors.simulation.case_log import DISORDER
from processors.simulation.compact_case import STEPS_FROM, notification_type
from processors.simulation.geography import ZONES
from processors.simulation.markup import xml
from processors.simulation.message import Notified, Redelivered, Rejected, Withheld
from processors.simulation.people import Offender
from processors.simulation.rates import SHARES
from processors.simulation.rejected import FAULTS
from processors.simulation.stories import STORIES
from processors.simulation.times import DAY, local
from processors.simulation.world import World, simulate
from processors.topics import DEAD_LETTERS

START = millis("2026-03-01T00:00:00-05:00")
DOCUMENT = Path(__file__).parents[2] / "docs" / "simulation.md"


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


@pytest.fixture(scope="module")
def month() -> World:
    return simulate(START, 30, 7, 0.006)


def lived_through(world: World, rules: Rules, folder: Path) -> PipelineDriver:
    feed = folder / "feed.jsonl"
    feed.write_text("".join(json.dumps(line) + "\n" for line in world.feed()))
    return rehearse(read_feed(feed), rules, bytes(64)).driver


def wrong(world: World, driver: PipelineDriver) -> list[str]:
    return differences(world.key(), driver.outbound(), driver.verdicts(), driver.records(DEAD_LETTERS))


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 6))])
def test_the_pipeline_does_what_the_oracle_says(seed: int, rules: Rules, tmp_path: Path) -> None:
    world = simulate(START, 10, seed, 0.003)
    assert wrong(world, lived_through(world, rules, tmp_path)) == []


def test_numbers_come_in_disorder_and_meet_late(month: World) -> None:
    messages = [each.message for each in month.feed_items if each.message is not None]
    for name in DISORDER:
        share = sum(name in each.disorder for each in messages) / len(messages)
        assert share == pytest.approx(SHARES[name], abs=0.04), name
    late = {each.offenders[0].number for each in messages if each.knowledge != "all"}
    assert late
    assert {each.knowledge for each in month.registrations if each.offender.number in late} == {"SID", "DOC"}


def test_before_the_numbers_meet_a_registration_hears_of_one_agency_and_then_of_both() -> None:
    found = Offender(1, "VA", met=3)
    assert [found.is_same_to("SID", "DOC", at) for at in (2, 3)] == [False, True]
    assert found.is_same_to("SID", "SID", 2)
    assert found.is_same_to("all", "DOC", 2)
    assert Offender(1, "VA").is_same_to("SID", "DOC", 2)


def test_a_message_that_is_lost_is_missed(rules: Rules, tmp_path: Path) -> None:
    world = simulate(START, 4, 3, 0.003)
    told = {each["message_ids"][0] for found in world.key()["told"].values() for each in found if each["kind"] == "notification"}
    lost = next(each for each in world.feed_items if each.message is not None and each.message.message_id in told)
    without = World(world.start, world.end, world.registrations, tuple(each for each in world.feed_items if each is not lost))
    assert any("missing" in line for line in wrong(world, lived_through(without, rules, tmp_path)))


def test_a_seed_is_a_world_and_another_is_another() -> None:
    one, same, other = (simulate(START, 5, seed, 0.002) for seed in (7, 7, 8))
    assert list(one.feed()) == list(same.feed())
    assert one.key() == same.key()
    assert list(one.feed()) != list(other.feed())


def test_volumes_are_the_published_ones(month: World) -> None:
    """150,000 transfer requests, 1,000,000 activities a year, times scale and days."""
    cases = {
        each.message.message_id.split("-")[1] for each in month.feed_items if each.message and each.message.message_id.startswith("ICOTS")
    }
    entered = Counter(each.message.subtype for each in month.feed_items if each.message and each.message.message_id.split("-")[2:] == ["1"])
    assert 500 <= len(month.feed_items) <= 1_000
    assert len(cases) <= 102_000 * 0.006
    assert 40 <= entered["Request ICOTS Transfer"] + entered["Reporting Instructions Request"] <= 150_000 * 0.006 * 30 / 365 + 1


def test_the_month_meets_every_fate(month: World) -> None:
    silent = {(each.outcome.stage, each.outcome.reason) for each in month.feed_items if isinstance(each.outcome, Withheld)}
    assert silent >= {
        ("dedupe", "duplicate"),
        ("dedupe", "resubmitted"),
        ("dedupe", "inconsequential"),
        ("dedupe", "superseded"),
        ("dedupe", "unknown_reference"),
        ("validate", "past"),
        ("validate", "internal"),
        ("validate", "too_far_ahead"),
        ("validate", "status_transition"),
        ("validate", "location_transition"),
        ("validate", "hearing_order"),
        ("validate", "workflow"),
        ("validate", "previous_event_missing"),
        ("validate", "told_by_intake"),
        ("validate", "unknown_status"),
        ("validate", "unknown_location"),
    }
    assert {each.outcome.kind for each in month.feed_items if isinstance(each.outcome, Notified)} == {"news", "change", "cancellation"}
    assert any(isinstance(each.outcome, Redelivered) for each in month.feed_items)
    assert {each.outcome.reason for each in month.feed_items if isinstance(each.outcome, Rejected)} == {reason for reason, _ in FAULTS}
    assert {each.message.form for each in month.feed_items if each.message} == {"json", "xml"}


def test_a_way_to_be_refused_is_one_also_for_a_message_that_is_not_to_be_validated(month: World) -> None:
    usual = next(each.message.document(each.at) for each in month.feed_items if each.message and each.message.form == "xml")
    unchecked = {**usual, "notification_subtypes": [{"subtype": "Do Not Validate", "validations": []}]}
    for reason, way in FAULTS:
        assert way(unchecked) not in {xml(unchecked), json.dumps(unchecked)} or reason == "too_large", reason


def test_registrants_read_two_languages_on_every_channel_and_come_and_go(month: World) -> None:
    registrations = month.registrations
    assert {each.registrant.language for each in registrations} == {"en", "es"}
    assert {channel for each in registrations for channel, _, _ in each.versions[0].contacts} == {"sms", "email", "voice"}
    assert any(version.ended for each in registrations for version in each.versions)
    assert any(each.versions[0].expires_at for each in registrations)
    assert any(each.versions[0].at > month.start for each in registrations)
    of = Counter(each.registrant.registrant_id for each in registrations)
    by = Counter(each.offender.number for each in registrations)
    assert max(of.values()) > 1
    assert max(by.values()) > 1


def test_telephone_numbers_can_be_dialled(month: World) -> None:
    numbers = {address for each in month.registrations for channel, address, _ in each.versions[0].contacts if channel != "email"}
    assert len(numbers) > 100
    assert [each for each in numbers if not phonenumbers.is_valid_number(phonenumbers.parse(each))] == []


def test_moments_are_in_order_and_apart(month: World) -> None:
    moments = [each.at for each in month.feed_items]
    assert moments == sorted(moments)
    assert len(set(moments)) == len(moments)
    ids = [each.message.message_id for each in month.feed_items if each.message and not isinstance(each.outcome, Redelivered)]
    assert len(set(ids)) == len(ids)


def test_the_zones_are_those_of_the_rules(rules: Rules) -> None:
    assert {state: str(rules.rule_set(state, START).zone) for state in rules.jurisdictions if rules.member(state)} == ZONES


def words_of_the_world() -> Iterator[tuple[str, str, str]]:
    for steps in STEPS_FROM.values():
        for _, (subtype, _) in steps:
            kind = "Supervision" if subtype in {"Supervision Violation", "Return From Absconding"} else "Interstate Compact"
            yield kind, subtype, notification_type(subtype)
    for story in STORIES:
        for event in story:
            yield event.event_type, event.subtype, event.notification_type


def test_the_world_speaks_in_the_codes_of_the_lists(rules: Rules) -> None:
    rule_set = rules.rule_set("VA", START)
    for event_type, subtype, kind in words_of_the_world():
        code = rule_set.code(event_type, subtype)
        assert code is not None, (event_type, subtype)
        assert kind in code.notification_types, (event_type, subtype, kind)


def test_every_activity_of_the_compact_is_walked(rules: Rules) -> None:
    known = {
        code.activity for code in rules.rule_set("VA", START).codes.values() if code.event_type == "Interstate Compact" and code.activity
    }
    walked = {
        code.activity
        for event_type, subtype, _ in words_of_the_world()
        if (code := rules.rule_set("VA", START).code(event_type, subtype)) is not None
    }
    assert known <= walked


def test_the_document_states_every_share() -> None:
    text = DOCUMENT.read_text()
    assert [name for name, share in SHARES.items() if f"| {name}: {share:.2f}" not in text and f"| {name}: {share}" not in text] == []


def test_a_wednesday_in_march_is_a_day_of_the_world(month: World) -> None:
    days = {local(each.at, "America/New_York").date() for each in month.feed_items}
    assert len(days) >= (month.end - month.start) // DAY - 2
