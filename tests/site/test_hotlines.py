"""Hotlines come from the rule files, in the page's language."""

from pathlib import Path

import pytest

from processors.rules.files import BadRules
from processors.rules.load import load_rules
from processors.site.hotlines import hotlines
from processors.site.languages import read_languages
from tests.site.given import SiteUnderTest
from tests.views.given import AT

WORDS = read_languages(None)
OF_VIRGINIA = """
[[hotline]]
name = "Virginia Family Violence and Sexual Assault Hotline"
phone = "1-800-838-8238"
"""


@pytest.mark.parametrize("path", ["", "find"])
@pytest.mark.parametrize(
    ("language", "line"), [("en", "1-800-799-7233, or text START to 88788"), ("es", "1-800-799-7233, o envíe START al 88788")]
)
def test_the_pages_name_the_lines_with_help(site: SiteUnderTest, language: str, line: str, path: str) -> None:
    if path:
        for _ in range(200):  # until the client has asked too often
            answer = site.post(f"/{language}/find", last_name="Walker", initial="t")
    else:
        answer = site.client.get(f"/{language}/")
    assert line in answer.text
    assert "911" in answer.text


def test_a_language_without_a_name_of_its_own_says_the_english_one() -> None:
    found = hotlines(load_rules(None), WORDS["en"], "fr", AT)
    assert found[0].startswith("National Domestic Violence Hotline: ")


def test_a_jurisdictions_own_line_comes_after_those_of_everybody(tmp_path: Path) -> None:
    (tmp_path / "VA.toml").write_text(OF_VIRGINIA, encoding="utf-8")
    everybodys, found = (hotlines(load_rules(folder), WORDS["en"], "en", AT) for folder in (None, tmp_path))
    assert found == (*everybodys, "Virginia Family Violence and Sexual Assault Hotline: 1-800-838-8238 (Virginia)")


def test_half_a_text_number_is_refused(tmp_path: Path) -> None:
    (tmp_path / "VA.toml").write_text(f'{OF_VIRGINIA}text_word = "HELP"\n', encoding="utf-8")
    with pytest.raises(BadRules, match=r"Hotline\): write both text_word and text_number"):
        load_rules(tmp_path)
