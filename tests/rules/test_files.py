"""What is invalid in a rule file, and the sentence that says so."""

from pathlib import Path

import pytest

from processors.rules.files import BadRules
from processors.rules.load import load_rules
from tests.rules.conftest import Written


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[event]\n", "VA.toml is not TOML: fix it there: "),
        ("[[evnt]]\nsubtype = 'X'\n", "VA.toml: there is no section [[evnt]]: use one of compact_activity, compact_state, date_element, "),
        ("[event]\nsubtype = 'X'\n", "VA.toml: [event] is not a list of entries: begin each entry with [[event]]."),
        ("jurisdictions = 'VA'\n", 'VA.toml: `jurisdictions` must be "all" or a list of two-letter codes: write it like ["VA", "NC"].'),
        ("jurisdictions = []\n", "VA.toml: `jurisdictions` must be "),
        ("jurisdictions = ['Virginia']\n", "VA.toml: `jurisdictions` must be "),
        ("[[event]]\ntypes = ['Jail']\n", "VA.toml, [[event]] 1: `subtype` is missing: add it."),
        (
            "[[status]]\nname = 'A'\n[[status]]\nname = 'B'\nnexts = ['A']\n",
            "VA.toml, [[status]] 2 (B): there is no `nexts` here: use after, from, meaning, name, next, synonyms, until, withdrawn.",
        ),
        (
            "[[event]]\ntypes = ['Jail']\nsubtype = 'Escape'\nemergency = 'yes'\n",
            "VA.toml, [[event]] 1 (Escape): `emergency` cannot be 'yes': should be a valid boolean.",
        ),
        (
            "[[event]]\ntypes = 'Jail'\nsubtype = 'Escape'\n",
            "VA.toml, [[event]] 1 (Escape): `types` cannot be 'Jail': should be a valid tuple.",
        ),
        (
            "[[zone]]\nzone = 'Virginia/Richmond'\n",
            "VA.toml, [[zone]] 1 (Virginia/Richmond): `zone`: 'Virginia/Richmond' is no time zone: write one such as America/New_York.",
        ),
        (
            "[[status]]\nname = 'A'\nfrom = 2027-01-01\nuntil = 2026-01-01\n",
            "VA.toml, [[status]] 1 (A): it ends on 2026-01-01, before it begins on 2027-01-01: correct `from` or `until`.",
        ),
        ("[[status]]\nname = 'A'\nfrom = 'soon'\n", "VA.toml, [[status]] 1 (A): `from` cannot be 'soon': should be a valid date."),
        (
            "[[zone]]\nzone = 'America/New_York'\nwithdrawn = true\n",
            "VA.toml: no time zone is in effect on some day: add a [[zone]] without `ori` for every day.",
        ),
    ],
)
def test_a_bad_file_is_told_in_one_sentence(rule_files: Written, text: str, sentence: str) -> None:
    with pytest.raises(BadRules) as told:
        load_rules(rule_files(VA=text))
    assert str(told.value).startswith(sentence)
    assert str(told.value).endswith(".")
    assert "\n" not in str(told.value)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "VA.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadRules, match=r"^VA\.toml is not UTF-8 text: save it as UTF-8\.$"):
        load_rules(tmp_path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "VA.toml").mkdir()
    with pytest.raises(BadRules, match=r"^VA\.toml cannot be read \(Is a directory\): make it readable\.$"):
        load_rules(tmp_path)


def test_a_directory_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(BadRules, match=r"is no directory: make it, or correct VN_RULES_DIR\.$"):
        load_rules(tmp_path / "rules")


def test_an_empty_directory_changes_nothing(tmp_path: Path) -> None:
    assert load_rules(tmp_path).version == load_rules().version
