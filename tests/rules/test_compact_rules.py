"""`vn rules check` on the compact's workflow and its clocks."""

import pytest

from processors.rules.check import check
from processors.rules.load import read_rules
from tests.rules.conftest import Written

CLOCK = """
[[deadline]]
name = "answer"
rule = "9.1"
expects = "An answer"
text = "An answer is due."
source = "a test"
count = 3
unit = "business days"
owed_by = "sending state"
owed_to = "receiving state"
"""


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (
            '[[compact_activity]]\nname = "polka"\n',
            "VA.toml: compact_activity polka: no event has this `activity`: name it in an [[event]], or leave it out.",
        ),
        (
            CLOCK + 'raised_by = []\nmet_by = ["return"]\n',
            "VA.toml: deadline answer: no event starts it: name an activity that an event has in `raised_by`.",
        ),
        (
            CLOCK + 'raised_by = ["return"]\n',
            "VA.toml: deadline answer: nobody can ever meet it: name an activity that an event has in `met_by`, or let it end",
        ),
        (
            CLOCK + 'raised_by = ["return"]\nmet_by = ["arrival"]\n' + CLOCK + 'raised_by = ["return"]\nmet_by = ["arrival"]\n',
            "VA.toml: deadline answer: two entries in effect on the same day name ",
        ),
    ],
)
def test_what_can_never_come_about_is_found(rule_files: Written, text: str, finding: str) -> None:
    found = [str(each) for each in check(read_rules(rule_files(VA=text)))]
    assert any(each.startswith(finding) for each in found), found


@pytest.mark.parametrize("more", ['raised_by = ["return"]\nmet_by = ["arrival"]\n', 'raised_by = ["return"]\nlapses = true\n'])
def test_a_clock_that_can_begin_and_end_is_sound(rule_files: Written, more: str) -> None:
    assert check(read_rules(rule_files(VA=CLOCK + more))) == ()
