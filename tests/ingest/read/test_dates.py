import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.ingest.read.dates import parse_birth_date, parse_day, parse_when

NEW_YORK = ZoneInfo("America/New_York")


def millis(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-02T17:40:00Z", "2026-11-02T17:40:00+00:00"),
        ("2026-11-02T17:40Z", "2026-11-02T17:40:00+00:00"),
        ("20261102T174000Z", "2026-11-02T17:40:00+00:00"),
        ("2026-11-02t17:40:00z", "2026-11-02T17:40:00+00:00"),
        ("2026-11-02 17:40:00Z", "2026-11-02T17:40:00+00:00"),
        ("2026-11-02T17:40:00.250-05:00", "2026-11-02T22:40:00.250+00:00"),
        ("2026-11-02T17:40:00+0530", "2026-11-02T12:10:00+00:00"),
        ("2026-11-02T17:40:00-10", "2026-11-03T03:40:00+00:00"),
        ("2026-11-02T17:40:00", "2026-11-02T22:40:00+00:00"),  # the agency's own time
        ("2026-07-02T17:40:00", "2026-07-02T21:40:00+00:00"),  # in summer
    ],
)
def test_a_date_time_is_one_instant(text: str, instant: str) -> None:
    found = parse_when(text, NEW_YORK)
    assert (found.action_at, found.past_from, found.date_only) == (millis(instant), millis(instant), False)


@pytest.mark.parametrize(
    ("day", "zone", "first", "last"),
    [
        ("2026-11-02", "America/New_York", "2026-11-02T05:00:00+00:00", "2026-11-03T05:00:00+00:00"),
        ("20261102", "America/New_York", "2026-11-02T05:00:00+00:00", "2026-11-03T05:00:00+00:00"),
        ("20261102Z", "America/New_York", "2026-11-02T05:00:00+00:00", "2026-11-03T05:00:00+00:00"),
        ("2026-11-02Z", "America/New_York", "2026-11-02T05:00:00+00:00", "2026-11-03T05:00:00+00:00"),  # that day at the agency
        ("2026-11-02-05:00", "Pacific/Honolulu", "2026-11-02T10:00:00+00:00", "2026-11-03T10:00:00+00:00"),
        ("2026-11-02", "America/Puerto_Rico", "2026-11-02T04:00:00+00:00", "2026-11-03T04:00:00+00:00"),
        ("2026-11-01", "America/New_York", "2026-11-01T04:00:00+00:00", "2026-11-02T05:00:00+00:00"),  # of 25 hours
        ("2026-03-08", "America/New_York", "2026-03-08T05:00:00+00:00", "2026-03-09T04:00:00+00:00"),  # of 23 hours
        ("2028-02-29", "America/New_York", "2028-02-29T05:00:00+00:00", "2028-03-01T05:00:00+00:00"),
    ],
)
def test_a_date_lasts_until_the_end_of_that_day_at_the_agency(day: str, zone: str, first: str, last: str) -> None:
    found = parse_when(day, ZoneInfo(zone))
    assert (found.action_at, found.past_from, found.date_only) == (millis(first), millis(last), True)


def test_an_hour_that_exists_twice_is_the_first_and_past_after_the_second() -> None:
    found = parse_when("2026-11-01T01:30:00", NEW_YORK)
    assert (found.action_at, found.past_from) == (millis("2026-11-01T05:30:00+00:00"), millis("2026-11-01T06:30:00+00:00"))


def test_an_hour_that_does_not_exist_counts_as_if_the_clocks_had_not_moved() -> None:
    found = parse_when("2026-03-08T02:30:00", NEW_YORK)
    assert (found.action_at, found.past_from) == (millis("2026-03-08T03:30:00-04:00"),) * 2


FORM, YEAR, FAR = "not an ISO 8601 calendar date", "no year that an event can be in", "no time zone is so far from UTC"
ANY = ""  # the words of Python, which differ between its versions


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", FORM),
        ("0000-01-01", ANY),
        ("0000", FORM),
        ("9999-12-31", YEAR),
        ("9999-12-31T23:59:59-05:00", YEAR),
        ("1899-12-31", YEAR),
        ("2026-02-29", ANY),
        ("2026-13-01", ANY),
        ("2026-11-31", ANY),
        ("2026-1-2", FORM),
        ("11/02/2026", FORM),
        ("2026-W45-1", FORM),
        ("2026-306", FORM),
        ("2026-11-02T24:00:00", FORM),
        ("2026-11-02T25:00:00", FORM),
        ("2026-11-02T17:60:00", ANY),
        ("2026-11-02T17:40:60", ANY),
        ("2026-11-02T17", FORM),
        ("2026-11-02T17:4000", FORM),
        ("2026-11-02T17:40:00+15:00", FAR),
        ("2026-11-02T17:40:00-14:01", FAR),
        ("2026-11-02T17:40:00+05:99", FORM),
        ("2026-11-02T17:40:00 EST", FORM),
        ("2026-11-02  17:40:00+05:00", FORM),  # one blank stands for the T, one may precede the offset, no other
        ("2026-11-02 17:40 :00+05:00", FORM),
        ("2026-11-02T", FORM),
        ("tomorrow", FORM),
        ("٢٠٢٦-١١-٠٢", FORM),
        ("1793646251000", FORM),
    ],
)
def test_what_is_no_day_or_time_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(why)}"):
        parse_when(text, NEW_YORK)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1900-01-01T00:00:00Z", "1900-01-01T00:00:00+00:00"),
        ("9998-12-31T23:59:59Z", "9998-12-31T23:59:59+00:00"),
        ("2026-11-02T17:40:00+14:00", "2026-11-02T03:40:00+00:00"),  # Kiritimati
        ("2026-11-02T17:40:00-14:00", "2026-11-03T07:40:00+00:00"),
    ],
)
def test_the_first_and_last_year_and_the_widest_offset_are_read(text: str, instant: str) -> None:
    assert parse_when(text, NEW_YORK).action_at == millis(instant)


@given(st.text(alphabet="0123456789-:+.TtZz ,", max_size=32))
def test_whatever_is_written_has_a_time_or_is_refused(text: str) -> None:
    try:
        found = parse_when(text, NEW_YORK)
    except ValueError:
        return
    assert found.action_at <= found.past_from


@given(st.datetimes(min_value=datetime(1900, 1, 2), max_value=datetime(9998, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_instant_is_kept_to_the_millisecond(moment: datetime) -> None:
    found = parse_when(moment.isoformat(), NEW_YORK).action_at
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    assert found == (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


@pytest.mark.parametrize(
    "text", ["1981-05-17", "19810517", "1981-05-17Z", "19810517Z", "1981-05-17T00:00:00", "19810517T000000", "1981-05-17 00:00"]
)
def test_a_day_has_one_spelling(text: str) -> None:
    assert parse_day(text) == "1981-05-17"


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        ("1979-00-00", "1979"),
        ("1979", "1979"),
        ("1979-02", "1979-02"),
        ("1979-02-00", "1979-02"),
        ("19790000", "1979"),
        ("19790200", "1979-02"),
        ("1979-99-99", "1979"),
        ("1979-XX-XX", "1979"),
        ("1979-02-uu", "1979-02"),
        ("1979-00-00T00:00:00", "1979"),
        ("1979Z", "1979"),
        ("0000-00-00", None),
        ("0000-02-11", None),
        ("XXXX-02-11", None),
        ("--02-11", None),
        ("0001-01-01T00:00:00", None),
        ("1900-01-01", None),
        ("9999-12-31", None),
        ("1979-02-11", "1979-02-11"),
        ("19790211", "1979-02-11"),
    ],
)
def test_a_birth_date_counts_as_far_as_it_is_known(sent: str, known: str | None) -> None:
    assert parse_birth_date(sent) == known


@pytest.mark.parametrize("sent", ["1979-13-00", "1979-02-30", "1979-13", "soon", "17.5.1981", "02/11/1979", "790211", "1079", "2979-00-00"])
def test_what_is_no_birth_date_is_refused(sent: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its words are Python's or never shown
        parse_birth_date(sent)
