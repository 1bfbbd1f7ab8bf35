"""One suite for every stage: deterministic, total, only declared outputs and reasons, no personal data in the journal."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from processors.domain.submission import Submission
from processors.pipeline import PIPELINE
from processors.rehearsal.feed import read_feed
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver
from processors.topics import RECEIPTS, REGISTRATIONS, REVIEW_ACTIONS, SUBMISSIONS
from tests.contracts.checked import Watch
from tests.examples import examples
from tests.stories.builders import BAKER, WALKER, hearing, registration, submission, tagged

RULES = load_rules()
KEY = bytes(range(64))
ROOT = Path(__file__).parents[2]
STAGES = [stage for stages in PIPELINE.values() for stage in stages]
# A whole story takes long to shrink, and reads well enough as it is.
STORIES = settings(
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PRIVATE = {"+18045559876", "5559876", "walker.family@example.org", "2580"}

CONTACTS = [
    {"channel": "sms", "address": "+18045559876", "verified": True},
    {"channel": "email", "address": "walker.family@example.org", "verified": True},
]


def watched() -> tuple[PipelineDriver, Watch]:
    watch = Watch(set(PRIVATE))
    return PipelineDriver(watch.over(PIPELINE), RULES, KEY), watch


def play(driver: PipelineDriver, steps: list[tuple[str, Any]]) -> None:
    """Every step is taken; what a step refers to by number is whatever there is by then."""
    for kind, what in steps:
        if kind == "advance":
            driver.advance(what)
        elif kind == "review" and (reviews := driver.reviews()):
            review = reviews[what[1] % len(reviews)]
            driver.review(what[0], review.review_id, group=None)
        elif kind == "receipt":
            sent = driver.outbound()
            driver.receipt(sent[what[1] % len(sent)].reference if sent else "nobody.0123", what[0])
        elif kind == "unregister":
            driver.unregister(what)
        elif kind in {"submit", "register"}:
            getattr(driver, kind)(what)


# Everything an agency might do, from a world so small that messages meet

IDS = [f"M-{number}" for number in range(6)]
EVENTS = sorted((key, code.notification_types) for key, code in RULES.rule_set("VA", 1_793_000_000_000).codes.items())
MOMENTS = [f"2026-11-{day:02}T{hour:02}:30:00-05:00" for day in (1, 2, 3, 20) for hour in (2, 11, 23)] + [
    "2026-11-02",
    "2026-12-20",
    "2028-01-01",
]


@st.composite
def submissions(draw: st.DrawFn) -> dict[str, Any]:
    (event_type, subtype), notification_types = draw(st.sampled_from(EVENTS))
    operation = draw(st.sampled_from(["Add", "Add", "Add", "Update", "Cancel"]))
    place = st.none() | st.fixed_dictionaries(
        {"kind": st.sampled_from(["State Prison", "Local Jail", "Community", "State Hospital", "Moon"]), "name": st.just("There")}
    )
    tags = st.sampled_from(["Validate", "Do Not Validate", "Expect Subsequent Event"])
    checks = st.lists(
        st.sampled_from(["Date", "Previous Event", "Current Location", "Current Status", "Logical Movement"]), max_size=2, unique=True
    )
    return submission(
        message_id=draw(st.sampled_from(IDS)),
        operation=operation,
        refers_to=draw(st.sampled_from(IDS)) if operation != "Add" else None,
        event_type=event_type,
        event_subtype=subtype,
        notification_type=draw(st.sampled_from(sorted(notification_types))),
        notification_subtypes=[tagged(tag, *draw(checks)) for tag in draw(st.lists(tags, min_size=1, max_size=2, unique=True))],
        action_at=draw(st.sampled_from(MOMENTS)),
        offenders=draw(st.sampled_from([[WALKER], [BAKER], [WALKER, BAKER], [{**WALKER, "identifiers": BAKER["identifiers"]}]])),
        status=draw(st.none() | st.sampled_from(["Incarcerated", "Escapee", "Parole", "Nonsense"])),
        location=draw(place),
        from_location=draw(place),
        case=draw(st.none() | st.just({"number": "CR26-7", "court": "Circuit Court"})),
        compact=draw(
            st.none() | st.just({"sending_state": "VA", "receiving_state": "NC", "case_number": "1-2", "report_by": "2026-11-09"})
        ),
    )


registrations = st.builds(
    lambda person, offender, language, subtypes: registration(
        person, registration_id=f"V-{person}", offender=offender, language=language, event_subtypes=subtypes, contacts=CONTACTS
    ),
    st.sampled_from(["R-1", "R-2"]),
    st.sampled_from([WALKER, BAKER, {"name": WALKER["name"], "birth_date": WALKER["birth_date"]}]),
    st.sampled_from(["en", "es", "fr"]),
    st.sampled_from([[], ["Escape"]]),
)

steps = st.one_of(
    st.tuples(st.just("submit"), submissions()),
    st.tuples(st.just("submit"), submissions()),
    st.tuples(st.just("register"), registrations),
    st.tuples(st.just("unregister"), st.sampled_from(["V-R-1", "V-R-2", "V-R-3"])),
    st.tuples(st.just("advance"), st.sampled_from([timedelta(seconds=6), timedelta(minutes=16), timedelta(hours=9), timedelta(days=40)])),
    st.tuples(st.just("review"), st.tuples(st.sampled_from(["release", "discard"]), st.integers(0, 5))),
    st.tuples(st.just("receipt"), st.tuples(st.sampled_from(["delivered", "confirmed", "busy", "unheard of"]), st.integers(0, 9))),
)


@settings(STORIES, max_examples=examples(40))
@given(registrations, st.lists(steps, min_size=3, max_size=14))
def test_every_stage_keeps_its_promises_whatever_is_sent(first: dict[str, Any], taken: list[tuple[str, Any]]) -> None:
    driver, _ = watched()
    play(driver, [("register", first), *taken, ("advance", timedelta(days=1))])


@settings(STORIES, max_examples=examples(15))
@given(st.lists(steps, min_size=3, max_size=10))
def test_the_same_steps_give_the_same_bytes(taken: list[tuple[str, Any]]) -> None:
    drivers = [PipelineDriver(PIPELINE, RULES, KEY) for _ in range(2)]
    for driver in drivers:
        play(driver, taken)
    assert drivers[0].log() == drivers[1].log()


# What no agency would send

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text(max_size=8)
    | st.just("2026-13-45")
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "identifiers", "scheme", "value", "ori", "subtype", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
).filter(lambda drawn: not any(secret in json.dumps(drawn) for secret in PRIVATE))


@st.composite
def spoilt(draw: st.DrawFn, good: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """A document of which some fields were put out of shape."""
    document = dict(draw(good))
    for name in draw(st.lists(st.sampled_from(sorted(document)), min_size=1, max_size=3)):
        document[name] = draw(junk)
    return document


@settings(STORIES, max_examples=examples(60))
@given(st.lists(st.one_of(spoilt(submissions()), st.binary(max_size=40), junk), min_size=1, max_size=3))
def test_no_submission_is_too_bad_to_be_judged(bad: list[Any]) -> None:
    driver, _ = watched()
    for each in bad:
        driver.send(SUBMISSIONS, each if isinstance(each, bytes) else json.dumps(each))
    driver.submit(submission(message_id="GOOD"))
    assert {verdict.stage for verdict in driver.verdicts("GOOD")} >= {"read", "identify", "dedupe", "validate", "match"}, driver.explain()


@settings(STORIES, max_examples=examples(60))
@given(spoilt(registrations), junk, junk)
def test_no_registration_receipt_or_action_is_too_bad_to_be_judged(form: dict[str, Any], receipt: Any, action: Any) -> None:
    driver, _ = watched()
    driver.send(REGISTRATIONS, json.dumps(form), "V-1")
    driver.send(RECEIPTS, json.dumps(receipt))
    driver.send(REVIEW_ACTIONS, json.dumps(action))
    driver.send(REGISTRATIONS, None, None)


# The specification's and the sample feed's messages


@pytest.mark.slow
def test_the_sample_feed_breaks_no_promise() -> None:
    watch = Watch()
    driver = PipelineDriver(watch.over(PIPELINE), RULES, KEY, start=datetime.fromisoformat("2026-09-01T00:00:00Z"))
    for step in read_feed(ROOT / "examples" / "feed.jsonl"):
        driver.advance_to(step.at)
        for each in step.records:
            driver.send(each.topic, each.value, each.key)
    driver.advance(timedelta(days=30))
    assert set(watch.decided) == {stage.name for stage in STAGES}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_stage_is_named_for_its_state(stage: Any) -> None:
    assert stage.changelog is None or stage.changelog.name == f"{stage.name}.state"


def test_every_stages_inputs_are_somebodys_outputs() -> None:
    written = {topic for stage in STAGES for topic in stage.outputs}
    for stage in STAGES:
        assert all(topic in written or topic.stamped for topic in stage.inputs), stage.name


def test_a_submission_in_avro_is_judged_as_in_json() -> None:
    document = hearing(message_id="M")
    drivers = [watched()[0] for _ in range(2)]
    drivers[0].submit(document)
    drivers[1].submit(msgspec.convert(document, Submission))
    outcomes = [[(each.stage, each.outcome, each.reason, each.detail) for each in driver.verdicts("M")] for driver in drivers]
    assert outcomes[0] == outcomes[1]
