"""Tables: readable at the width of the terminal, and no ID is ever broken."""

import sys
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.cli.output import PADDING, ColumnNeed, column_need, column_widths, print_rows

LONG_ID = "ICOTS-" + "7" * 79
DETAIL = f"the location kind is Moon Base [sic], which no rule knows: compare {LONG_ID}, in which the same person was at a State Prison"
COLUMNS = ("review_id", "message_id", "state", "reason", "since", "group", "detail")


def review(message_id: str, detail: str = DETAIL) -> dict[str, str]:
    return {
        "review_id": "validate-o9bd14be4ba305f16-0123456789ab",
        "message_id": message_id,
        "state": "open",
        "reason": "unknown_location",
        "since": "2026-11-02T14:00:00.000Z",
        "detail": detail,
    }


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def printed(monkeypatch: pytest.MonkeyPatch, width: int | None, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> list[str]:
    """Return the lines of a table on a terminal of this width; in a pipe if it has none."""
    out = StringIO() if width is None else Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("COLUMNS", str(width or 80))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    print_rows(rows, columns, title="Reviews", as_json=False, empty="none")
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 120, 200, None])
def test_no_id_is_broken(monkeypatch: pytest.MonkeyPatch, width: int | None) -> None:
    lines = printed(monkeypatch, width, review("WAKE-26-99"), review(LONG_ID))
    assert sum(line.count(LONG_ID) for line in lines) == 3, "its own, and twice in a sentence"
    assert sum("validate-o9bd14be4ba305f16-0123456789ab" in line for line in lines) == 2
    assert any("[sic]" in line for line in lines), "brackets are no markup"


@pytest.mark.parametrize("width", [80, 120])
def test_what_does_not_fit_is_a_list_that_does(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    lines = printed(monkeypatch, width, review("WAKE-26-99", "a sentence of words " * 9))
    assert not any("│" in line for line in lines)
    assert max(map(len, lines)) <= width
    assert "message_id  WAKE-26-99" in lines
    assert sum("sentence" in line for line in lines) <= 4, "a sentence has the whole width"


@pytest.mark.parametrize("width", [80, 120])
def test_what_fits_is_a_table_whose_sentences_wrap_between_words(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    lines = printed(monkeypatch, width, review("WAKE-26-99", "a sentence of words " * 9), columns=("message_id", "reason", "detail"))
    assert sum("│" in line for line in lines) > 1
    assert max(map(len, lines)) <= width
    assert "sentence of words" in " ".join(line.strip("│ ").rpartition("│")[2].strip() for line in lines)


def test_in_a_pipe_a_row_is_a_row_of_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, None, review(LONG_ID))
    (line,) = [line for line in lines if f"│ {LONG_ID} │ open" in line]
    assert "unknown_location" in line


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 200)), min_size=1, max_size=8), st.integers(10, 250))
def test_widths_use_the_room_and_no_more(sizes: list[tuple[int, int]], width: int) -> None:
    needs = [ColumnNeed(least, least + more) for least, more in sizes]
    widths = column_widths(needs, width)
    room = width - PADDING * len(needs) - 1
    if widths is None:
        assert sum(each.least for each in needs) > room
        return
    assert all(each.least <= wide <= each.most for each, wide in zip(needs, widths, strict=True))
    assert sum(widths) == min(room, sum(each.most for each in needs))


def test_a_column_is_as_wide_as_its_longest_word() -> None:
    assert column_need(("detail", "of ICOTS-1234567890-1234567890-1234567890"), whole=False) == (38, 41)
    assert column_need(("message_id", "NOD 931 of the court"), whole=True) == (20, 20)
