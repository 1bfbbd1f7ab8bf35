"""Every contradiction that `vn rules check` finds, each in a file that has it."""

import pytest

from processors.rules.check import check
from processors.rules.check_texts import TEXT_VARIABLES
from processors.rules.load import read_rules
from tests.rules.conftest import Written

EVENT = '[[event]]\ntypes = ["Jail"]\nsubtype = "Escape"\n'
CIRCLE = "nothing can ever meet its `{}`, which leads in a circle: let one of these events come first."
OVERLAP = "VA.toml: event Jail/Escape: two entries in effect on the same day name {}: end the earlier one with `until`."
LACKS = "VA.toml: event Court/Sentencing Hearing: its text in '{}' lacks {}: add a [[text]]; until then it is flagged, never told."
RECAPTURE = 'follows = ["Recapture"]\n'
HEARING = '[[event]]\ntypes = ["Court"]\nsubtype = "Court Hearing"\n'
UNCARRIED = (
    "VA.toml: event Jail/Escape: `action_date` names 'EscapeDate', which no message carries: correct it or add it as a [[date_element]]."
)
LOSE = """
[[compact_activity]]
name = "lose"
awaits = ["find"]
enters = { transfer = "lost" }
moves = [{ supervision = ["gone"], to = { transfer = "found" } }]
"""
NEW = '[[event]]\ntypes = ["Court"]\nsubtype = "Sentencing Hearing"\nnotification_types = ["Hearing Notice"]\n'


def test_the_built_in_rules_are_sound() -> None:
    assert check(read_rules()) == ()


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        (
            '[[event]]\ntypes = ["Jale"]\nsubtype = "Escape"\nnotification_types = ["Status Update"]\n',
            ["VA.toml: event Jale/Escape: `types` names 'Jale', which is no event type: correct it or add it."],
        ),
        (
            EVENT + 'notification_types = ["Status"]\n',
            ["VA.toml: event Jail/Escape: `notification_types` names 'Status', which is no notification type: correct it or add it."],
        ),
        (
            '[[event]]\ntypes = ["Jail"]\nsubtype = "Escpe"\nemergency = true\n',
            ["VA.toml: event Jail/Escpe: it has no `notification_types`: name them, or correct the subtype if it is misspelt."],
        ),
        (
            EVENT + 'status = "Gone"\nlocation = "Nowhere"\n',
            [
                "VA.toml: event Jail/Escape: `location` names 'Nowhere', which is no kind of location: correct it or add it.",
                "VA.toml: event Jail/Escape: `status` names 'Gone', which is no status: correct it or add it.",
            ],
        ),
        (
            EVENT + 'follows = ["Intrake"]\n',
            [
                "VA.toml: event Jail/Escape: `follows` names 'Intrake', which is no event subtype: correct it or add it.",
                f"VA.toml: event Jail/Escape: {CIRCLE.format('follows')}",
            ],
        ),
        (
            EVENT + 'same = ["action_at", "weather"]\n',
            ["VA.toml: event Jail/Escape: `same` names 'weather', which is no field of an event: correct it or add it."],
        ),
        (
            EVENT + 'from_statuses = ["Inside"]\nfrom_locations = ["Cell"]\n',
            [
                "VA.toml: event Jail/Escape: `from_locations` names 'Cell', which is no kind of location: correct it or add it.",
                "VA.toml: event Jail/Escape: `from_statuses` names 'Inside', which is no status: correct it or add it.",
                "VA.toml: event Jail/Escape: none of its `from_locations` leads to 'At Large': add it to the `next` of one of them.",
                "VA.toml: event Jail/Escape: none of its `from_statuses` may become 'Escapee': add it to the `next` of one of them.",
            ],
        ),
        (
            EVENT + 'from_statuses = ["Released"]\n',
            ["VA.toml: event Jail/Escape: none of its `from_statuses` may become 'Escapee': add it to the `next` of one of them."],
        ),
        (
            HEARING + 'order = [{ events = ["Verdict"], statuses = ["Guilty"], why = "guilt comes first" }]\n',
            [
                "VA.toml: event Court/Court Hearing: `order.events` names 'Verdict', which is no event subtype: correct it or add it.",
                "VA.toml: event Court/Court Hearing: `order.statuses` names 'Guilty', which is no status: correct it or add it.",
            ],
        ),
        (
            HEARING + 'order = [{ why = "because" }]\n',
            [
                "VA.toml: event Court/Court Hearing: an `order` names neither events nor statuses: name what the hearing comes after.",
                f"VA.toml: event Court/Court Hearing: {CIRCLE.format('order')}",
            ],
        ),
        (
            EVENT + 'order = [{ events = ["Intake"], why = "first in, then out" }]\n',
            ["VA.toml: event Jail/Escape: `order` is asked of a Hearing Notice only, which it never is: leave it out, or use `follows`."],
        ),
        (
            '[[event]]\ntypes = ["Corrections", "Jail", "State Hospital", "Federal Justice"]\nsubtype = "Escape"\n' + RECAPTURE,
            [
                f"{file}.toml: event {kind}: {CIRCLE.format('follows')}"
                for file, kind in (
                    ("VA", "Corrections/Escape"),
                    ("VA", "Federal Justice/Escape"),
                    ("VA", "Jail/Escape"),
                    ("VA", "State Hospital/Escape"),
                    ("events", "Corrections/Recapture"),
                    ("events", "Jail/Recapture"),
                    ("events", "State Hospital/Recapture"),
                )
            ],
        ),
        (
            EVENT + 'action_date = ["EscapeDate"]\n',
            [UNCARRIED],
        ),
        (
            EVENT + 'activity = "jailbreak"\n',
            ["VA.toml: event Jail/Escape: `activity` names 'jailbreak', which is no compact activity: correct it or add it."],
        ),
        (
            '[[compact_state]]\nregion = "transfer"\nname = "lost"\n',
            ["VA.toml: compact_state transfer/lost: no activity leads to it: name it in the `enters` or `to` of one."],
        ),
        (
            LOSE + EVENT + 'activity = "lose"\n',
            [
                f"VA.toml: compact_activity lose: `{field}` names '{code}', which is no compact {what}: correct it or add it."
                for field, code, what in (
                    ("awaits", "find", "activity"),
                    ("enters", "transfer: lost", "state"),
                    ("moves.supervision", "supervision: gone", "state"),
                    ("moves.to", "transfer: found", "state"),
                )
            ],
        ),
        (
            EVENT + "action_date = []\n",
            ["VA.toml: event Jail/Escape: `action_date` names no element: name the one that holds the date."],
        ),
        (
            '[[status]]\nname = "House Arrest"\nnext = ["Released"]\n',
            ["VA.toml: status house arrest: no other leads to it: name it in another's `next`, or say what it comes `after`."],
        ),
        (
            '[[location]]\nname = "Camp"\nnext = ["Community"]\n',
            ["VA.toml: location camp: no other leads to it: name it in another's `next`, or say what it comes `after`."],
        ),
        (
            '[[status]]\nname = "House Arrest"\nafter = ["Incarserated"]\nnext = ["Free"]\n',
            [
                "VA.toml: status house arrest: `after` names 'Incarserated', which is no status: correct it or add it.",
                "VA.toml: status house arrest: `next` names 'Free', which is no status: correct it or add it.",
                "VA.toml: status house arrest: no other leads to it: name it in another's `next`, or say what it comes `after`.",
            ],
        ),
        (
            '[[status]]\nname = "Released"\nsynonyms = ["in  custody"]\n',
            ["VA.toml: status released: 'in  custody' already stands for 'Incarcerated': leave it to one of them."],
        ),
        (
            '[[location]]\nname = "Hospital"\nsynonyms = ["Jail"]\n',
            ["VA.toml: location hospital: 'Jail' already stands for 'Local Jail': leave it to one of them."],
        ),
        (
            NEW,
            [LACKS.format(language, "noun, sms, subject, body, voice") for language in ("en", "es")],
        ),
        (
            NEW
            + "".join(
                f'[[text]]\nsubtype = "Sentencing Hearing"\nlanguage = "{language}"\nnoun = "a"\nsms = "b"\nsubject = "c"\nbody = "d"\n'
                for language in ("en", "es")
            ),
            [LACKS.format(language, "voice") for language in ("en", "es")],
        ),
        (
            '[[text]]\nsubtype = "Escape"\nlanguage = "en"\nsms = "{{ names "\n',
            ["VA.toml: text Escape/en: `sms` cannot be read as a template: unexpected end of template, expected 'end of print statement'."],
        ),
        (
            '[[text]]\nsubtype = "Escape"\nlanguage = "en"\nsms = "{{ names }} at {{ nope }}"\n',
            [
                (
                    "VA.toml: text Escape/en: `sms` cannot be read as a template: there is nothing called 'nope', only "
                    f"{', '.join(sorted(TEXT_VARIABLES))}."
                ),
            ],
        ),
        (
            '[[text]]\nsubtype = "Excape"\nlanguage = "en"\nsms = "x"\n',
            ["VA.toml: text Excape/en: the lists have no subtype 'Excape': correct it or add the [[event]]."],
        ),
        (
            '[[text]]\ntype = "Court"\nsubtype = "Escape"\nlanguage = "en"\nsms = "x"\n',
            ["VA.toml: text Court/Escape/en: the lists have no 'Escape' of 'Court': correct it or add the [[event]]."],
        ),
        (
            EVENT + "emergency = true\n" + EVENT + "emergency = false\n",
            [OVERLAP.format("emergency")],
        ),
        (
            EVENT + "emergency = true\nuntil = 2027-01-01\n" + EVENT + "emergency = false\nfrom = 2027-01-01\n",
            [OVERLAP.format("emergency")],
        ),
        (
            EVENT + "emergency = true\n" + EVENT + "withdrawn = true\nfrom = 2027-01-01\n",
            [OVERLAP.format("the same")],
        ),
    ],
)
def test_a_contradiction_is_found_and_told(rule_files: Written, text: str, findings: list[str]) -> None:
    assert [str(each) for each in check(read_rules(rule_files(VA=text)))] == findings


@pytest.mark.parametrize(
    "text",
    [
        EVENT + "emergency = true\nuntil = 2026-12-31\n" + EVENT + "emergency = false\nfrom = 2027-01-01\n",
        EVENT + "emergency = true\n" + EVENT + 'meaning = "gone"\n',
        '[[date_element]]\nname = "EscapeDate"\n' + EVENT + 'action_date = ["EscapeDate"]\n',
        '[[event]]\ntypes = ["Court"]\nsubtype = "Note"\nnotification_types = ["Internal"]\n',
        EVENT + 'follows = ["Intake"]\n',
    ],
)
def test_what_is_no_contradiction(rule_files: Written, text: str) -> None:
    assert check(read_rules(rule_files(VA=text))) == ()


def test_two_files_of_one_layer_may_not_say_the_same(rule_files: Written) -> None:
    files = rule_files(one=EVENT + "emergency = true\n", two=EVENT + "emergency = false\n")
    assert [each.file for each in check(read_rules(files))] == ["two.toml"]


def test_a_contradiction_on_some_days_only_is_found(rule_files: Written) -> None:
    text = '[[status]]\nname = "Supervised"\nwithdrawn = true\nfrom = 2030-01-01\n'
    findings = check(read_rules(rule_files(VA=text)))
    assert any("which is no status" in each.problem for each in findings)


def test_a_finding_about_everybody_is_told_once(rule_files: Written) -> None:
    assert len(check(read_rules(rule_files(default=EVENT + 'action_date = ["EscapeDate"]\n')))) == 1
