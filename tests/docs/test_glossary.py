"""Every word of the glossary is carried by a type that exists, and no type or function has a name that only its author understands."""

import re

from tests.docs.pages import ROOT, classes, glossary_markdown, named_types

# Metaphors and lone participles that once were names. A name says what the thing is.
FORBIDDEN = frozenset(
    {
        "Absence",
        "Away",
        "Awaiting",
        "Course",
        "Desk",
        "Docket",
        "Dossier",
        "House",
        "Look",
        "Lying",
        "Nowhere",
        "Pen",
        "Piece",
        "Reach",
        "Roll",
        "Ruling",
        "SigningIn",
        "Sparing",
        "Taken",
        "Terms",
        "Tongue",
        "Turn",
        "Word",
        "Held",
        "Told",
        "Heard",
        "asked",
        "heard",
        "held",
        "lying",
        "noted",
        "said",
        "told",
        "woken",
        "struck",
        "Doubt",
        "Facet",
        "Illegible",
        "LeftOut",
        "Moment",
        "Particulars",
        "Sums",
        "Telling",
        "Unusable",
        "When",
        "admit",
        "came_in",
        "conclude",
        "keyed_in",
        "let_go",
        "overtake",
    }
)


DEFINITION = re.compile(r"^ *(?:class|(?:async )?def) (\w+)", re.MULTILINE)


def test_every_word_has_a_type() -> None:
    named = named_types()
    assert len(named) > 40
    assert {name for name in named if name not in classes()} == set()
    assert "Nothing" not in classes()


def test_a_type_that_is_gone_is_noticed() -> None:
    page = "| word | meaning | `Nothing` |\n| word | meaning | [`Event`](old.py) |"
    assert glossary_markdown(page) == f"| word | meaning | `Nothing` |\n| word | meaning | [`Event`](../{classes()['Event']}) |"


def test_no_name_is_a_metaphor() -> None:
    found = {name for path in (ROOT / "processors").rglob("*.py") for name in DEFINITION.findall(path.read_text())}
    assert found & FORBIDDEN == set()
    assert DEFINITION.findall("class Desk: ...\n    async def told(): ...") == ["Desk", "told"]
