"""Quiet hours are wall-clock time where the registrant lives."""

from zoneinfo import ZoneInfo

import pytest

from processors.deliver.quiet import quiet_end
from processors.domain.time import iso, millis
from processors.rules.rule_set import QuietHours

NIGHT = QuietHours(21 * 60, 7 * 60)


@pytest.mark.parametrize(
    ("zone", "at", "until"),
    [
        ("America/New_York", "2026-11-02T17:00:00Z", "2026-11-02T17:00:00Z"),  # noon
        ("America/New_York", "2026-11-03T02:30:00Z", "2026-11-03T12:00:00Z"),  # 21:30, until the next day's 07:00
        ("America/New_York", "2026-11-03T02:00:00Z", "2026-11-03T12:00:00Z"),  # 21:00 itself
        ("America/New_York", "2026-11-03T01:59:59Z", "2026-11-03T01:59:59Z"),  # a second before
        ("America/New_York", "2026-11-03T11:59:59Z", "2026-11-03T12:00:00Z"),  # 06:59:59
        ("America/New_York", "2026-11-03T12:00:00Z", "2026-11-03T12:00:00Z"),  # 07:00 itself
        ("America/New_York", "2026-11-01T03:00:00Z", "2026-11-01T12:00:00Z"),  # clocks go back: 23:00 EDT to 07:00 EST, nine hours
        ("America/New_York", "2026-03-08T03:00:00Z", "2026-03-08T11:00:00Z"),  # clocks go forward: eight hours less one
        ("America/Puerto_Rico", "2026-11-01T03:00:00Z", "2026-11-01T11:00:00Z"),  # no change of clocks: 23:00 to 07:00 AST
        ("Pacific/Honolulu", "2026-11-03T07:30:00Z", "2026-11-03T17:00:00Z"),  # 21:30 HST
        ("Pacific/Honolulu", "2026-11-03T02:30:00Z", "2026-11-03T02:30:00Z"),  # 16:30 HST, when it is night in Virginia
    ],
)
def test_quiet_hours_end_at_seven_where_the_registrant_lives(zone: str, at: str, until: str) -> None:
    assert iso(quiet_end(millis(at), NIGHT, ZoneInfo(zone))) == until


def test_no_quiet_hours_never_wait() -> None:
    assert quiet_end(0, None, ZoneInfo("America/New_York")) == 0


def test_hours_within_one_day_end_on_it() -> None:
    noon = QuietHours(12 * 60, 14 * 60)
    assert iso(quiet_end(millis("2026-11-02T17:30:00Z"), noon, ZoneInfo("America/New_York"))) == "2026-11-02T19:00:00Z"


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-11-01T05:10:00Z", "2026-11-01T05:30:00Z"),  # 01:10, the first time: until the first 01:30
        ("2026-11-01T06:10:00Z", "2026-11-01T06:30:00Z"),  # 01:10, the second time: until the second
        ("2026-03-08T06:40:00Z", "2026-03-08T06:40:00Z"),  # 01:40 in spring
    ],
)
def test_an_end_that_comes_twice_is_never_in_the_past(at: str, until: str) -> None:
    assert iso(quiet_end(millis(at), QuietHours(60, 90), ZoneInfo("America/New_York"))) == until


def test_an_end_that_the_clocks_skip_is_when_they_have_gone_forward() -> None:
    hours = QuietHours(60, 150)  # 01:00 to 02:30, which the night of 2026-03-08 does not have
    assert iso(quiet_end(millis("2026-03-08T06:30:00Z"), hours, ZoneInfo("America/New_York"))) == "2026-03-08T07:30:00Z"
