"""Templates: what a text may use is filled in, what it may not is found before anybody is to be told."""

from types import SimpleNamespace

import pytest

from processors.deliver.words import Facts
from processors.rules.template import LISTS, NAMES, PARTS, BadTemplate, template

JOHN, JANE = SimpleNamespace(name="John", number="SID 1"), SimpleNamespace(name="Jane", number="")
ONE = SimpleNamespace(
    names="John", place="Jail", court="", emergency=True, unsaid=2, ahead=False, offenders=(JOHN,), text="told", noun="it"
)
TWO_AHEAD = SimpleNamespace(names="John and Jane", place="", court="Court", emergency=False, ahead=True, offenders=(JOHN, JANE))


@pytest.mark.parametrize(
    ("source", "one", "two_ahead"),
    [
        ("plain { text }", "plain { text }", "plain { text }"),
        ("{{ names }}.", "John.", "John and Jane."),
        ('{{ n("was", "were") }}', "was", "were"),
        ('{{ n("was", "were", "is to be", "are to be") }}', "was", "are to be"),
        ('{{ n("fell", "fell", "falls") }}', "fell", "falls"),
        ('{{ also(" at ", place) }}', " at Jail", ""),
        ('{{ also(" (", court, ")") }}', "", " (Court)"),
        ('{{ court or "the court" }}', "the court", "Court"),
        ('{{ place and "there" }}', "there", ""),
        ('{{ "at " ~ court if court else "somewhere" }}', "somewhere", "at Court"),
        ("{% if emergency %}now{% elif court %}{{ court }}{% else %}later{% endif %}", "now", "Court"),
        ("{% if not emergency %}calm{% endif %}", "", "calm"),
        ('{% for one in offenders %}{{ one.name }}{{ "; " if not loop.last else "." }}{% endfor %}', "John.", "John; Jane."),
        ('{% for one in offenders %}{{ also("No. ", one.number) }}{% endfor %}', "No. SID 1", "No. SID 1"),
        ('{{ "inside" if place == "Jail" else "outside" }}', "inside", "outside"),
        ("line\n", "line\n", "line\n"),
    ],
)
def test_a_template_says(source: str, one: str, two_ahead: str) -> None:
    assert template(source)(ONE) == one
    assert template(source)(TWO_AHEAD) == two_ahead


def test_a_number_is_said_in_digits() -> None:
    assert template("{{ unsaid }} more")(ONE) == "2 more"


def test_what_is_filled_in_is_never_read_as_a_template() -> None:
    assert template("{{ names }}")(SimpleNamespace(names="{{ place }}")) == "{{ place }}"


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("{{ names", "unexpected end of template"),
        ("{{ victims }}", "there is no 'victims'"),
        ("{% if victims %}x{% endif %}", "there is no 'victims'"),
        ("{% for one in victims %}x{% endfor %}", "there is no list 'victims'"),
        ("{% for one in names %}x{% endfor %}", "there is no list 'names'"),
        ("{% for one in offenders %}{{ one.birth_date }}{% endfor %}", "there is no 'one.birth_date'"),
        ("{% for one in offenders %}{{ other.name }}{% endfor %}", "there is no 'other.name'"),
        ("{% for one in offenders %}{% for two in offices %}x{% endfor %}{% endfor %}", "no use for For"),
        ("{% for one in offenders if one.number %}x{% endfor %}", "no use for For"),
        ("{% for one in offenders %}x{% else %}y{% endfor %}", "no use for For"),
        ("{{ names.__class__ }}", "no use for Getattr"),
        ("{{ names|upper }}", "no use for Filter"),
        ("{{ 7 * 7 }}", "no use for Mul"),
        ("{{ place if place }}", "no use for CondExpr"),
        ("{{ place if place < court else court }}", "use for == alone"),
        ("{% set x = 1 %}", "no use for Assign"),
        ("{% include 'x' %}", "no use for Include"),
        ('{{ range("1", "2") }}', "nothing to call 'range'"),
        ('{{ n("was") }}', "'n' takes 2 to 4 words, not 1"),
        ('{{ also(words="x", value=place) }}', "no use for Call"),
        ("{{ text }}", "only for the entries that go around others"),
    ],
)
def test_a_template_that_cannot_be_filled_in_is_none(source: str, fault: str) -> None:
    with pytest.raises(BadTemplate, match=fault):
        template(source)


def test_a_frame_has_the_parts_it_goes_around() -> None:
    assert template("{{ noun }}: {{ text }}", frame=True)(ONE) == "it: told"


def test_the_facts_have_all_that_a_text_may_name() -> None:
    assert set(Facts.__struct_fields__) >= NAMES | PARTS | LISTS.keys() | {"ahead"}
