"""docs/alert-times.md holds what `make alerts` measured: no alert is later than promised."""

import re

from tests.broker.alert_times import PAGE, with_row

ROW = re.compile(r"^\| (.+) \| (quiet|load) \| `(Vn\w+)` \| (\d+) s \| (?:(\d+) s|-) \|$", re.MULTILINE)
STAY = {"VnNotificationLate"}  # for half an hour, on purpose


def test_every_alert_that_was_measured_arrived_and_cleared_in_time() -> None:
    rows = ROW.findall(PAGE.read_text())
    assert rows
    assert [row for row in rows if int(row[3]) > 90 or int(row[4] or 0) > 120] == []
    assert {alert for _, _, alert, _, cleared in rows if not cleared} <= STAY


def test_a_row_is_replaced_where_it_stands_and_a_new_one_comes_last() -> None:
    page = "# T\n\n| what | traffic | alert | arrived | cleared |\n|---|---|---|---|---|\n| a | quiet | `VnA` | 1 s | 2 s |\n\nafter\n"
    page = with_row(page, "| b | load | `VnB` |", 60.4, None)
    page = with_row(page, "| a | quiet | `VnA` |", 3.0, 4.0)
    assert ROW.findall(page) == [("a", "quiet", "VnA", "3", "4"), ("b", "load", "VnB", "60", "")]
    assert page.endswith("\n\nafter\n")
