"""The pages made from code and tables are current, and what they name is there."""

import ast
import re

import pytest

from processors.domain.reasons import RARE, REASONS
from tests.docs.pages import (
    DECODING,
    DOCS,
    PAGES,
    codes_expected,
    codes_in_tests,
    given_by,
    missing_code,
    missing_test,
    parts,
    settings_asked_for,
)
from tests.docs.pictures import EVERYWHERE, units

RULES = [each for part in parts() for each in part.rules]


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_current(page: str) -> None:
    assert (DOCS / page).read_text() == PAGES[page](), "python -m tests.docs.pages"


def test_the_rare_verdicts_are_given_by_their_stages() -> None:
    """Their counters start at 0: one that nobody gives would stay there."""
    given = given_by()
    assert [(stage, reason) for stage, rare in RARE.items() for _, reason in rare if not {stage, DECODING} & set(given[reason])] == []


def test_a_reason_that_the_runtime_only_counts_is_not_given_by_it() -> None:
    assert given_by()["opted_out"] == given_by()["not_reached_emergency"] == ["deliver"]
    assert DECODING in given_by()["too_large"]


def test_the_code_that_the_table_of_rules_names_is_there() -> None:
    assert [found for each in RULES for named in each.where if (found := missing_code(named))] == []
    assert missing_code("validate.window:nothing")
    assert missing_code("events.toml [[nothing]]")


def test_the_tests_that_the_table_of_rules_names_are_there() -> None:
    assert [found for each in RULES for named in each.tests if (found := missing_test(named))] == []
    assert missing_test("docs/test_pages.py::test_nothing")


def test_every_rule_has_a_place_and_a_test() -> None:
    assert [each.id for each in RULES if not each.where or not each.tests] == []


def test_no_rule_is_told_twice() -> None:
    for part in parts():
        assert len({each.id for each in part.rules}) == len(part.rules), part.title


def test_every_section_of_the_specification_is_in_the_table() -> None:
    told = {each.id.split(",")[0] for each in RULES}
    elements = {f"§2.{number}" for number in range(1, 6)}
    types = {"§4.1.1.1", "§4.1.1.2", "§4.1.2.1", "§4.1.3.1", "§4.1.4.1", "§4.1.4.2", "§4.1.4.3", "§4.1.5.1", "§4.1.5.2"}
    tags = {"§4.2.1", "§4.2.2", "§4.3.1", "§4.3.2", "§4.3.3"}
    assert elements | {"§3", "§4"} | types | tags <= told


def test_every_setting_that_a_stage_asks_for_is_in_the_table() -> None:
    told = {each.id.strip("`") for each in RULES}
    assert settings_asked_for() - told == set()
    assert "date.past" in settings_asked_for()


def test_every_reason_is_given_somewhere() -> None:
    assert set(REASONS) - set(given_by()) == set()


def test_every_reason_is_shown_by_some_test() -> None:
    assert set(REASONS) - codes_in_tests() == set()


def test_a_word_that_no_test_expects_shows_no_reason() -> None:
    module = """
CASES = ("doctype",)
OTHERS = ("malformed",)
NAMES = {"changed": 1}

@pytest.mark.parametrize("reason", CASES)
def test_it(reason):
    submit("past")
    found = [each for each in verdicts() if each.reason == "feed_silence"]
    assert found[0].outcome == "accepted"
    assert found[0].reason == "surge"
"""
    assert set(codes_expected(ast.parse(module))) == {"doctype", "feed_silence", "surge"}


def test_the_picture_of_the_pipeline_leaves_no_topic_out() -> None:
    drawn = (DOCS / "images" / "pipeline.svg").read_text()
    topics = {topic.name for _, unit in units() for topic in (*unit.inputs, *unit.outputs, *([unit.changelog] if unit.changelog else []))}
    assert len(topics) > 15
    assert {name for name in topics.difference(EVERYWHERE) if f">vn.{name}<" not in drawn} == set()


def test_every_part_of_a_picture_can_be_seen() -> None:
    drawn = "".join((DOCS / "images" / name).read_text() for name in ("pipeline.svg", "performance.svg"))
    sizes = re.findall(r'<rect [^>]*width="([^"]+)" height="([^"]+)"', drawn)
    assert len(sizes) > 30
    assert [each for each in sizes if float(each[0]) <= 0 or float(each[1]) <= 0] == []
