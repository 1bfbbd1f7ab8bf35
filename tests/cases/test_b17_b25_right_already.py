"""What was already right and must stay so: days, nights, digests, receipts, false releases, counties, signs (B17 to B20, B23 to B25)."""

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from processors.deliver.quiet import quiet_end, quiet_end_in_any
from processors.domain.time import iso, millis
from processors.rules.calendar import Calendar
from processors.rules.rule_set import QuietHours, Rules
from processors.runtime.decide.driver import PipelineDriver
from tests.cases.given import registrants_told
from tests.ingest.records import RECAPTURE, accepted_record, rejection, submission, with_changes
from tests.stories.builders import BAKER, WALKER, hearing, registration
from tests.stories.builders import submission as escape

NIGHT = QuietHours(21 * 60, 7 * 60)
EASTERN, ALASKA, ADAK = ZoneInfo("America/New_York"), ZoneInfo("America/Anchorage"), ZoneInfo("America/Adak")


@pytest.mark.parametrize(
    ("state", "day", "open_"),
    [
        ("GA", date(2026, 4, 3), False),  # Georgia's State Holiday
        ("GA", date(2026, 11, 27), False),
        ("GA", date(2026, 12, 24), False),  # Washington's Birthday, observed
        ("MS", date(2026, 4, 27), False),  # Confederate Memorial Day
        ("MS", date(2026, 11, 27), True),
        ("RI", date(2026, 8, 10), False),  # Victory Day
        ("HI", date(2026, 8, 21), False),  # Statehood Day
    ],
)
def test_b17_states_have_holidays_of_their_own(state: str, day: date, *, open_: bool) -> None:
    assert Calendar(state).is_business_day(day) is open_


@pytest.mark.parametrize(
    ("zone", "at", "until"),
    [
        ("America/New_York", "2026-11-01T03:30:00Z", "2026-11-01T12:00:00Z"),  # 23:30 EDT before the clocks go back
        ("America/New_York", "2026-03-08T04:00:00Z", "2026-03-08T11:00:00Z"),  # 23:00 EST before they go forward
        ("America/Denver", "2026-07-08T03:30:00Z", "2026-07-08T13:00:00Z"),  # 21:30 in July
        ("America/Phoenix", "2026-07-08T04:30:00Z", "2026-07-08T14:00:00Z"),
        ("Pacific/Honolulu", "2026-11-01T08:00:00Z", "2026-11-01T17:00:00Z"),
    ],
)
def test_b18_quiet_hours_end_by_the_wall_clock_on_nights_when_clocks_change(zone: str, at: str, until: str) -> None:
    assert iso(quiet_end(millis(at), NIGHT, ZoneInfo(zone))) == until


def test_b18_a_number_of_several_zones_is_quiet_when_it_is_quiet_in_any() -> None:
    seven_in_anchorage, seven_in_adak = millis("2026-12-01T16:00:00Z"), millis("2026-12-01T17:00:00Z")
    evening = millis("2026-12-01T05:45:00Z")  # 20:45 in Anchorage, 19:45 in Adak
    assert quiet_end(seven_in_anchorage, NIGHT, ALASKA) == seven_in_anchorage
    assert quiet_end_in_any(seven_in_anchorage, NIGHT, (ADAK, ALASKA)) == seven_in_adak
    assert quiet_end_in_any(evening, NIGHT, (ADAK, ALASKA)) == evening
    assert quiet_end_in_any(evening + 15 * 60_000, NIGHT, (ADAK, ALASKA)) == seven_in_adak
    assert quiet_end_in_any(evening, None, (ADAK, ALASKA)) == evening


def test_b18_zones_that_leave_no_hour_count_by_the_first() -> None:
    everywhere = (EASTERN, ZoneInfo("Pacific/Guam"), ZoneInfo("Pacific/Honolulu"), ZoneInfo("Europe/London"))
    noon = millis("2026-12-01T17:00:00Z")
    assert quiet_end_in_any(noon, NIGHT, everywhere) == noon


def test_b18_such_a_registrant_is_told_when_it_is_day_in_both_zones(driver: PipelineDriver) -> None:
    contacts = [{"channel": "sms", "address": "+19077771234", "verified": True}]
    driver.register(registration("R-1", time_zone=None, contacts=contacts))
    driver.advance_to(datetime.fromisoformat("2026-11-03T16:20:00+00:00"))  # 07:20 in Anchorage, 06:20 in Adak
    driver.submit(hearing(offenders=[WALKER]))
    driver.advance(timedelta(minutes=30))
    assert driver.outbound() == []
    driver.advance(timedelta(minutes=30))
    (told,) = driver.outbound()
    assert iso(told.created_at) == "2026-11-03T17:00:00Z"


def test_b19_hearings_of_two_days_are_not_mixed(driver: PipelineDriver) -> None:
    phone = [{"channel": "sms", "address": "+18045551007", "verified": True}]
    driver.register(
        registration("R-1", contacts=phone), registration("R-1", offender=BAKER, contacts=phone), registration("R-2", offender=BAKER)
    )
    for number, (offender, day) in enumerate([(WALKER, 14), (BAKER, 15), (BAKER, 14), (WALKER, 15)]):
        driver.submit(hearing(message_id=f"H-{number}", offenders=[offender], action_at=f"2026-12-{day}T10:00:00-05:00"))
    driver.advance(timedelta(days=1))
    found = sorted((each.registrant_id, each.event.action_at if each.event else 0, sorted(each.message_ids)) for each in driver.outbound())
    fourteenth, fifteenth = millis("2026-12-14T10:00:00-05:00"), millis("2026-12-15T10:00:00-05:00")
    assert found == [
        ("R-1", fourteenth, ["H-0", "H-2"]),
        ("R-1", fifteenth, ["H-1", "H-3"]),
        ("R-2", fourteenth, ["H-2"]),
        ("R-2", fifteenth, ["H-1"]),
    ]


def departure(offender: dict[str, object], **compact: str) -> dict[str, object]:
    whole = {"sending_state": "VA", "receiving_state": "NC", "case_number": "C-1", **compact}
    event = {"event_type": "Interstate Compact", "event_subtype": "Departure", "notification_type": "Movement"}
    return escape(**event, offenders=[offender], compact=whole)


def test_b19_what_differs_between_offenders_told_together_is_said_in_words(driver: PipelineDriver) -> None:
    email = [{"channel": "email", "address": "reg1@example.org", "verified": True}]
    driver.register(registration("R-1", contacts=email), registration("R-1", offender=BAKER, contacts=email))
    driver.submit(departure(WALKER, report_by="2026-11-04"), departure(BAKER, receiving_state="SC", report_by="2026-11-06"))
    driver.advance(timedelta(days=1))
    (told,) = driver.outbound()
    assert "left Virginia for North Carolina / South Carolina on" in told.body
    assert "must report there by November 4, 2026 / November 6, 2026." in told.body


def test_b19_five_copies_within_a_second_are_told_once(driver: PipelineDriver) -> None:
    driver.register(registration("R-1"))
    for number in range(5):
        driver.submit(escape(message_id=f"M-{number}"))
    driver.advance(timedelta(days=1))
    assert [each.message_ids for each in driver.outbound()] == [("M-0",)]


@pytest.mark.parametrize(
    ("first", "late"),
    [("delivered", "accepted"), ("delivered", "permanent_failure"), ("permanent_failure", "delivered"), ("delivered", "temporary_failure")],
)
def test_b20_a_receipt_after_the_final_one_changes_nothing(driver: PipelineDriver, first: str, late: str) -> None:
    driver.register(registration("R-1"))
    driver.submit(escape())
    driver.advance(timedelta(seconds=10))
    (told,) = driver.outbound()
    driver.receipt(told.reference, first)
    before = len(driver.verdicts())
    driver.receipt(told.reference, late)
    assert "late_receipt" in [each.reason for each in driver.verdicts()[before:]], driver.explain()
    assert [each.reference for each in driver.outbound()] == [told.reference]


def test_b23_a_false_release_is_withdrawn_and_the_true_one_told(driver: PipelineDriver) -> None:
    driver.register(registration("R-1"))
    jail = {"event_type": "Jail", "notification_subtypes": [{"subtype": "Validate", "validations": []}]}
    status = {"notification_type": "Status Update", "location": {"kind": "Community"}, "status": "Released"}
    driver.submit(escape(**jail, message_id="FALSE", event_subtype="Release", **status))
    driver.advance(timedelta(minutes=1))
    driver.submit(escape(**jail, message_id="CANCEL", operation="Cancel", refers_to="FALSE", event_subtype="Release", **status))
    driver.advance(timedelta(hours=1))
    driver.submit(escape(message_id="ESCAPE", action_at="2026-11-02T12:30:00-05:00"))
    driver.advance(timedelta(hours=1))
    assert [message for each in driver.outbound() for message in each.message_ids] == ["FALSE", "CANCEL", "ESCAPE"], driver.explain()


@pytest.mark.parametrize(
    ("state", "ori", "zone"),
    [
        ("SD", "SD0460000", "America/Denver"),  # Meade County
        ("IN", "IN0460000", "America/Chicago"),  # La Porte
        ("NE", "NB0310000", "America/Chicago"),
        ("TN", "TN0330000", "America/New_York"),
        ("TN", "TN0190000", "America/Chicago"),
        ("FL", "FL0170000", "America/Chicago"),
        ("TX", "TX0710000", "America/Denver"),
        ("ID", "ID0010000", "America/Boise"),
        ("OR", "OR0230000", "America/Boise"),
        ("KS", "KS0380000", "America/Denver"),
        ("AZ", "AZ0010000", "America/Phoenix"),
        ("ND", "ND0130000", "America/Denver"),  # Dunn, and its seat Manning
        ("ND", "ND0270000", "America/Chicago"),  # McKenzie: its seat, Watford City
        ("FL", "FL0230000", "America/New_York"),  # Gulf: its seat, Port St. Joe
        ("ID", "ID0250000", "America/Los_Angeles"),
        ("KY", "KY0430000", "America/Chicago"),
        ("MI", "MI0270000", "America/Menominee"),
    ],
)
def test_b24_a_county_has_its_own_zone(rules: Rules, state: str, ori: str, zone: str) -> None:
    assert str(rules.rule_set(state, millis("2026-11-02T17:00:00Z")).zone_of(ori)) == zone


@pytest.mark.parametrize(
    ("agency", "offset"),
    [
        ({"ori": "GU0010000", "state": "GU"}, "+10:00"),
        ({"ori": "GM0010000"}, "+10:00"),  # the FBI's code of Guam
        ({"ori": "DOC000001", "state": "Guam"}, "+10:00"),
        ({"ori": "AS0010000", "state": "as"}, "-11:00"),
        ({"ori": "MP0010000"}, "+10:00"),
        ({"ori": "DPS000001", "state": "Commonwealth of the Northern Mariana Islands"}, "+10:00"),
        ({"ori": "VI0010000", "state": "USVI"}, "-04:00"),
        ({"ori": "PR0010000", "state": "Puerto Rico"}, "-04:00"),
        ({"ori": "HI0010000", "state": "Hawai'i"}, "-10:00"),
        ({"ori": "USBOP0000"}, "-05:00"),
    ],
    ids=str,
)
def test_b24_a_territory_has_its_own_zone(agency: dict[str, str], offset: str) -> None:
    """Found as a variant: Guam, American Samoa and the Northern Marianas were in New York's, so that events were hours off or past."""
    without, given = (
        accepted_record(with_changes(RECAPTURE, agency=agency, action_at=f"2026-11-02T17:40:00{each}")) for each in ("", offset)
    )
    assert without.action_at == given.action_at


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"message_id": "cut \\ud83d"}', "malformed"),
        (b'{"message_id": "\\udc00\\ud83d"}', "malformed"),
        (b'{"message_id": "\xed\xa0\xbd\xed\xb8\x80"}', "bad_encoding"),
        (b'{"message_id": "\xc0\xaf"}', "bad_encoding"),
    ],
)
def test_b25_half_a_sign_is_refused(raw: bytes, reason: str) -> None:
    assert rejection(raw) == reason


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECAPTURE).replace('"message_id"', '"message_id": "X", "message_id"'),
        json.dumps(RECAPTURE).replace('"message_id"', '"message_id": "X", "message\\u005fid"'),
        json.dumps(RECAPTURE).replace('"message_id"', '"message_id": null, "message_id"'),
        json.dumps(RECAPTURE).replace('"ori"', '"ori": "X", "ori"'),
        json.dumps(RECAPTURE).replace('"scheme"', '"scheme": "FBI", "scheme"'),
        json.dumps(RECAPTURE | {"remarks": 'say "no"'}).replace('"message_id"', '"message_id": "X", "message_id"'),
    ],
)
def test_b25_a_name_given_twice_is_found_however_it_is_written(text: str) -> None:
    assert rejection(text.encode()) == "doubled_field"


@pytest.mark.parametrize(
    "name", ["evil \u202egnp.exe", "a\r\nBcc: x", "{brackets} {0}", "🚨 Siren", "Ŵyn Ŷstrad", "x" * 250, "O&#39;Bryan"]
)
def test_b25_a_name_of_any_signs_is_told_without_harm(driver: PipelineDriver, name: str) -> None:
    person = WALKER | {"name": {"full": name}}
    driver.register(registration("R-1"))
    driver.submit(escape(offenders=[person]))
    assert registrants_told(driver) == ["R-1"]
    (told,) = driver.outbound()
    assert not {"\u202e", "\r"} & set(told.body)
    assert submission(with_changes(RECAPTURE, offenders=[person])).offenders[0].name is not None
