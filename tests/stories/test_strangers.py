"""Two people whose strong numbers contradict, and everything weak that they may share: neither's registrant hears of the other."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.pipeline import PIPELINE
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver
from tests.examples import examples
from tests.stories.builders import registration, submission
from tests.stories.conftest import KEY

RULES = load_rules()
SIDS = ("VA7700123", "VA7700124")
WEAK = [
    {"scheme": "BOOKING", "value": "88120"},
    {"scheme": "COUNTER", "value": "412"},
    {"scheme": "FBI", "value": "UNKNOWN"},
    {"scheme": "DOC", "value": "999999999"},
    {"scheme": "SSN", "value": "XXX-XX-1234"},
]
NAMES = [{"given": "Thomas", "sur": "Walker"}, {"full": "WALKER, THOMAS Q JR"}, {"given": "FNU", "sur": "LNU"}]


def described(which: int, weak: list[int], name: int | None, born: str | None, *, with_sid: bool = True) -> dict[str, Any]:
    numbers = [{"scheme": "SID", "value": SIDS[which]}] if with_sid else []
    person: dict[str, Any] = {"identifiers": [*numbers, *(WEAK[each] for each in weak)]}
    if name is not None:
        person["name"] = NAMES[name]
    return person | ({"birth_date": born} if born else {})


PERSONS = st.builds(
    described,
    st.integers(0, 1),
    st.lists(st.integers(0, len(WEAK) - 1), unique=True, max_size=4),
    st.none() | st.integers(0, len(NAMES) - 1),
    st.sampled_from([None, "1979-02-11", "1979", "1900-01-01"]),
)


@given(registered=st.tuples(PERSONS, PERSONS), sent=st.lists(PERSONS, min_size=1, max_size=6), first=st.integers(0, 6))
@settings(max_examples=examples(40), deadline=None)
def test_whatever_two_people_share_weakly_neither_registrant_hears_of_the_other(
    registered: tuple[dict[str, Any], ...], sent: list[dict[str, Any]], first: int
) -> None:
    driver = PipelineDriver(PIPELINE, RULES, KEY)
    subject = {f"R-{index}": sid_of(person) for index, person in enumerate(registered)}
    about: dict[str, str] = {}

    def register() -> None:
        driver.register(*(registration(f"R-{index}", offender=person) for index, person in enumerate(registered)))

    for index, person in enumerate(sent):
        if index == first:
            register()
        about[f"M-{index}"] = sid_of(person)
        action = f"2026-11-02T{8 + index:02}:00:00-05:00"
        driver.submit(
            submission(
                message_id=f"M-{index}",
                action_at=action,
                offenders=[person],
                notification_subtypes=[{"subtype": "Do Not Validate", "validations": []}],
            )
        )
    if first >= len(sent):
        register()
    driver.advance(timedelta(days=2))
    told = {(each.registrant_id, message) for each in driver.outbound() if each.kind == "notification" for message in each.message_ids}
    assert told == {
        (registrant, message)
        for registrant, sid in subject.items()
        for index, (message, whom) in enumerate(about.items())
        if sid == whom and index >= first
    }


def sid_of(person: dict[str, Any]) -> str:
    return str(person["identifiers"][0]["value"])
