"""A reading gives the same value from the watch's own page as its query in Prometheus."""

import pytest

from processors.watch import metrics
from processors.watch.boards import OVERALL_PANELS, STAGE_PANELS
from processors.watch.metrics import MetricsPage, Sample
from processors.watch.reading import Reading, shown_value


def page(*samples: Sample) -> MetricsPage:
    made = MetricsPage()
    made.replace(frozenset(), list(samples))
    return made


def test_a_query_names_labels_and_zero() -> None:
    assert Reading("max", "vn_group_oldest_seconds", by="unit").query == "max by (unit) (vn_group_oldest_seconds)"
    assert Reading("sum", "vn_expectations", where=(("state", "overdue"),), or_zero=True).query == (
        'sum(vn_expectations{state="overdue"}) or 0 * max(vn_tables_read_timestamp_seconds)'  # unknown without a watch, as below
    )
    assert Reading("sum", "vn_expectations", where=(("state", "overdue"),), without=(("rule", "feed.silence"),)).query == (
        'sum(vn_expectations{state="overdue",rule!="feed.silence"})'
    )


def test_samples_are_combined_by_label() -> None:
    found = page(
        (metrics.GROUP_LAG, ("match", "events.confirmed"), 2.0),
        (metrics.GROUP_LAG, ("match", "match.handover"), 3.0),
        (metrics.GROUP_LAG, ("read", "submissions"), 1.0),
    )
    reading = Reading("sum", "vn_group_lag_records", by="unit")
    assert reading.values(found.registry) == {("match",): 5.0, ("read",): 1.0}
    assert reading.values(found.registry, "unit", "topic")["match", "match.handover"] == 3.0
    assert Reading("max", "vn_group_lag_records", by="unit").values(found.registry)["match",] == 3.0


def test_what_is_counted_from_topics_is_0_once_they_were_read_and_unknown_before() -> None:
    reading = Reading("sum", "vn_expectations", where=(("state", "overdue"),), or_zero=True)
    still_open = (metrics.EXPECTATIONS, ("open", "4.104(c)", "NC"), 7.0)
    assert reading.value(page(still_open).registry) is None
    assert reading.value(page(still_open, (metrics.TABLES_READ, (), 1.0)).registry) == 0.0
    assert reading.value(page((metrics.EXPECTATIONS, ("overdue", "4.104(c)", "NC"), 2.0)).registry) == 2.0


def test_a_silent_agency_is_no_overdue_clock() -> None:
    (clocks,) = (panel.reading for panel in OVERALL_PANELS if panel.title == "Overdue clocks")
    assert clocks is not None
    silent = (metrics.EXPECTATIONS, ("overdue", "feed.silence", ""), 1.0)
    assert clocks.value(page(silent, (metrics.TABLES_READ, (), 1.0)).registry) == 0.0
    assert clocks.value(page(silent, (metrics.EXPECTATIONS, ("overdue", "4.104(c)", "NC"), 2.0)).registry) == 2.0


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (None, "s", "-"),
        (float("nan"), "short", "-"),
        (0.0, "bool_yes_no", "no"),
        (0.25, "percentunit", "25 %"),
        (0.0, "s", "0 s"),
        (0.25, "s", "250 ms"),
        (90.0, "s", "1.5 min"),
        (12_345.0, "short", "12,345"),
        (1_572_864.0, "bytes", "1.5 MiB"),
        (3.5, "reqps", "3.5/s"),
    ],
)
def test_a_value_is_shown_in_its_unit(value: float | None, unit: str, said: str) -> None:
    assert shown_value(value, unit) == said


def test_what_is_shown_without_prometheus_is_part_of_the_boards() -> None:
    assert [panel.title for panel in STAGE_PANELS] == ["Unread records", "Oldest unread record, by stage"]
    assert {"Kafka answers", "Redis answers", "Reviews open", "Overdue clocks", "Dead letters open"} <= {
        panel.title for panel in OVERALL_PANELS
    }
