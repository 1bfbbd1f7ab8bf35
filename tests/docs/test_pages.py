"""The pages made from code and tables are current, and what they name is there."""

import pytest

from processors.domain.reasons import REASONS
from tests.docs.pages import DOCS, PAGES, codes_in_tests, given_by, missing_code, missing_test, parts, settings_asked_for

RULES = [each for part in parts() for each in part.rules]


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_current(page: str) -> None:
    assert (DOCS / page).read_text() == PAGES[page](), "python -m tests.docs.pages"


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
