"""Business days, holidays and their corrections, the ends of days, and the pages made from the clocks and the workflow."""

import re
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from processors.rules.calendar import Calendar, day_of, end_of, noon_of, public_holidays
from processors.rules.check import check
from processors.rules.files import BadRules
from processors.rules.load import load_rules, read_rules
from processors.rules.pages import clocks_markdown, workflow_markdown
from processors.rules.rule_set import Rules
from processors.validate.compact import MAX_CASES, MAX_STEPS
from tests.examples import examples

DOCS = Path(__file__).parents[2] / "docs"
NATION, VIRGINIA, CAROLINA = Calendar(), Calendar("VA"), Calendar("NC")


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


@pytest.mark.parametrize(
    ("calendar", "day", "open_"),
    [
        (NATION, date(2026, 11, 20), True),
        (NATION, date(2026, 11, 21), False),  # a Saturday
        (NATION, date(2026, 11, 22), False),  # a Sunday
        (NATION, date(2026, 11, 26), False),  # Thanksgiving
        (NATION, date(2026, 11, 27), True),
        (VIRGINIA, date(2026, 11, 27), False),  # the day after Thanksgiving, Virginia's own
        (VIRGINIA, date(2026, 11, 3), False),  # Election Day, Virginia's own
        (CAROLINA, date(2026, 11, 3), True),
        (CAROLINA, date(2026, 10, 12), False),  # Columbus Day is the nation's, though not North Carolina's
        (NATION, date(2026, 7, 3), False),  # Independence Day falls on a Saturday
        (NATION, date(2027, 7, 5), False),  # and on a Sunday
        (NATION, date(2027, 12, 31), False),  # New Year's Day 2028 falls on a Saturday
        (Calendar("PR"), date(2026, 1, 6), False),  # Epiphany
        (Calendar("HI"), date(2026, 3, 26), False),  # Prince Kuhio
    ],
)
def test_business_days(calendar: Calendar, day: date, *, open_: bool) -> None:
    assert calendar.is_business_day(day) is open_


@pytest.mark.parametrize(
    ("day", "count", "last"),
    [
        (date(2026, 11, 20), 0, date(2026, 11, 20)),
        (date(2026, 11, 20), 1, date(2026, 11, 23)),
        (date(2026, 11, 21), 1, date(2026, 11, 23)),  # from a Saturday as from the Friday before
        (date(2026, 12, 24), 3, date(2026, 12, 30)),  # not 25, the weekend; 28 29 30
        (date(2026, 12, 31), 1, date(2027, 1, 4)),  # not New Year's Day, nor the weekend
    ],
)
def test_business_days_after_a_day(day: date, count: int, last: date) -> None:
    assert NATION.after(day, count, "business days") == last
    assert NATION.after(day, count, "calendar days") == day + timedelta(days=count)


@settings(max_examples=examples(100))
@given(st.dates(date(2020, 1, 1), date(2032, 1, 1)), st.integers(1, 30))
def test_so_many_business_days_lie_in_between(day: date, count: int) -> None:
    last = VIRGINIA.after(day, count, "business days")
    between = [day + timedelta(days=each) for each in range(1, (last - day).days + 1)]
    assert VIRGINIA.is_business_day(last)
    assert sum(VIRGINIA.is_business_day(each) for each in between) == count


def test_a_rule_file_corrects_the_calendar(tmp_path: Path) -> None:
    (tmp_path / "VA.toml").write_text(
        """
[[holiday]]
name = "Offices closed for the storm"
day = 2026-11-23

[[holiday]]
name = "Day After Thanksgiving"
worked = true

[[holiday]]
name = "Christmas worked once"
day = 2026-12-25
worked = true
"""
    )
    added = load_rules(tmp_path)
    calendar = added.rule_set("VA", 0).calendar
    assert calendar == Calendar(
        "VA", frozenset({date(2026, 11, 23)}), frozenset({date(2026, 12, 25)}), frozenset({"Day After Thanksgiving"})
    )
    assert not calendar.is_business_day(date(2026, 11, 23))
    assert calendar.is_business_day(date(2026, 11, 27))
    assert calendar.is_business_day(date(2027, 11, 26)), "every year"
    assert calendar.is_business_day(date(2026, 12, 25))
    assert not calendar.is_business_day(date(2028, 12, 25))
    assert added.rule_set("NC", 0).calendar == Calendar("NC"), "nobody else's"
    assert calendar.after(date(2026, 11, 20), 3, "business days") == date(2026, 11, 27)


@pytest.mark.parametrize(
    ("state", "name", "day"),
    [
        ("VA", "Independence Day", date(2026, 7, 3)),  # the Friday on which it is observed
        ("VA", "INDEPENDENCE DAY (OBSERVED)", date(2026, 7, 3)),
        ("VA", "day after thanksgiving", date(2026, 11, 27)),
        ("AK", "Alaska Day", date(2026, 10, 19)),
        ("NC", "Columbus Day", date(2026, 10, 12)),
        ("NC", "Veterans Day", date(2028, 11, 10)),
    ],
)
def test_a_yearly_holiday_that_is_worked_is_so_on_the_day_on_which_it_is_observed(state: str, name: str, day: date) -> None:
    assert not Calendar(state).is_business_day(day)
    assert Calendar(state, worked_names=frozenset({name})).is_business_day(day)


def test_of_two_holidays_on_one_day_both_must_be_worked() -> None:
    names = sorted(public_holidays("VA", 2026)[date(2026, 10, 12)])
    opened = [Calendar("VA", worked_names=frozenset(each)).is_business_day(date(2026, 10, 12)) for each in (names[:1], names[1:], names)]
    assert (len(names), opened) == (2, [False, False, True])


def test_a_correction_of_nothing_is_refused(tmp_path: Path) -> None:
    """Found as a variant: a holiday without its day closed no office, and a name that no holiday has opened none."""
    (tmp_path / "VA.toml").write_text('[[holiday]]\nname = "Founders Day"\n')
    with pytest.raises(BadRules, match=r"\[\[holiday\]\] 1 \(Founders Day\): write its `day`, or worked = true"):
        load_rules(tmp_path)
    (tmp_path / "VA.toml").write_text('[[holiday]]\nname = "Day After Tanksgiving"\nworked = true\n')
    (finding,) = check(read_rules(tmp_path))
    assert "holiday Day After Tanksgiving: the calendar has no such holiday" in str(finding)
    (tmp_path / "VA.toml").write_text('[[holiday]]\nname = "inauguration day"\nworked = true\n')
    assert check(read_rules(tmp_path)) == ()


@pytest.mark.parametrize(
    ("zone", "utc_hours"), [("America/New_York", 29), ("America/Puerto_Rico", 28), ("Pacific/Honolulu", 34), ("America/Anchorage", 33)]
)
def test_a_day_ends_at_midnight_where_one_is(zone: str, utc_hours: int) -> None:
    midnight = 1_795_132_800_000  # 2026-11-20T00:00Z
    assert end_of(date(2026, 11, 20), ZoneInfo(zone)) == midnight + utc_hours * 3_600_000


def test_days_on_which_the_clocks_change_have_their_own_length() -> None:
    zone = ZoneInfo("America/New_York")
    length = {
        day: (end_of(day, zone) - end_of(day - timedelta(days=1), zone)) // 3_600_000 for day in (date(2026, 3, 8), date(2026, 11, 1))
    }
    assert list(length.values()) == [23, 25]


@given(st.dates(date(1970, 1, 2), date(2100, 1, 1)), st.sampled_from(["America/New_York", "Pacific/Honolulu", "America/Puerto_Rico"]))
def test_an_instant_falls_on_its_day(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    assert day_of(end_of(day, zone) - 1, zone) == day
    assert day_of(end_of(day, zone), zone) == day + timedelta(days=1)
    assert day_of(noon_of(day, zone), zone) == day


def test_instants_beyond_the_calendar_fall_on_its_last_days() -> None:
    zone = ZoneInfo("America/New_York")
    assert day_of(-(10**17), zone) == date.min
    assert day_of(10**17, zone) == date.max


def test_the_page_of_clocks_is_current(rules: Rules) -> None:
    page = clocks_markdown(rules.history("").rule_sets[-1])
    assert (DOCS / "clocks.md").read_text() == page, "regenerate docs/clocks.md with processors.rules.pages.clocks_markdown()"
    sections = {re.sub(r"[^a-z0-9 -]", "", each.lower()).replace(" ", "-") for each in re.findall(r"^### (.*)$", page, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]*)\)", page)) == sections, "every clock has its line in the table and its section"


def test_the_page_of_clocks_says_of_every_rule_of_the_compact_with_a_time_what_becomes_of_it(rules: Rules) -> None:
    page = clocks_markdown(rules.history("").rule_sets[-1])
    numbers = "2.110 3.102 3.103 3.103-2 3.106 3.103-3 3.101-3 3.104 3.104-1 3.105 3.107 4.105 4.106 4.109 4.110 4.111 4.111-1 3.110 4.112"
    for number in f"{numbers} 5.101 5.101-2 5.102 5.103 5.105 5.108 3.108 3.108-1".split():
        assert re.search(rf"^\| (?:[^|]* \| )?(?:[\d., -]*, )?{re.escape(number)}(?:,[\d., -]*)? \|", page, re.MULTILINE), number


def test_the_page_of_the_workflow_is_current(rules: Rules) -> None:
    page = workflow_markdown(rules.history("").rule_sets[-1], MAX_CASES, MAX_STEPS)
    assert (DOCS / "compact-workflow.md").read_text() == page, (
        "regenerate docs/compact-workflow.md with processors.rules.pages.workflow_markdown()"
    )
    assert page.count("```mermaid") == 3
    assert "accepted --> in_force" in page


def test_noon_is_noon_where_it_is() -> None:
    assert noon_of(date(2026, 11, 20), ZoneInfo("America/New_York")) == 1_795_194_000_000  # 17:00Z
    assert noon_of(date(2026, 7, 20), ZoneInfo("Pacific/Honolulu")) == 1_784_584_800_000  # 22:00Z


def test_if_the_state_is_none_of_the_union_only_the_nations_holidays_count() -> None:
    for state in ("", "ZZ"):
        assert public_holidays(state, 2026) == public_holidays("", 2026)
        assert Calendar(state).is_business_day(date(2026, 11, 3))
        assert not Calendar(state).is_business_day(date(2026, 11, 26))


def test_the_names_of_holidays_are_english_whatever_the_machine_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found as a variant: on a Thai machine no rule file's holiday had its name."""
    monkeypatch.setenv("LANGUAGE", "th")
    assert public_holidays.__wrapped__("VA", 2027)[date(2027, 11, 26)] == {"Day After Thanksgiving"}


def test_two_holidays_on_one_day_have_each_their_name() -> None:
    assert public_holidays("VA", 2025)[date(2025, 1, 20)] == {"Inauguration Day", "Martin Luther King Jr. Day"}
