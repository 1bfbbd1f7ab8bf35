"""Rules are data: every subtype of the code lists has its own text, and a rule file adds another without code."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from processors.domain.policy import Policy
from processors.pipeline import PIPELINE
from processors.rules.check import check
from processors.rules.load import load_rules, read_rules
from processors.rules.rule_set import EventCode, Rules
from processors.runtime.decide.driver import PipelineDriver
from tests.examples import quarter
from tests.stories.answered import AnsweredDriver
from tests.stories.builders import WALKER, registration, submission, tagged
from tests.stories.conftest import KEY

DAY = timedelta(days=1)
CHANNELS = [
    {"channel": "sms", "address": "+18045551234", "verified": True},
    {"channel": "voice", "address": "+18045551234", "verified": True},
    {"channel": "email", "address": "r@example.org", "verified": True},
]
COMPACT = {"sending_state": "VA", "receiving_state": "NC", "case_number": "1203344-2"}
CODES = sorted(load_rules().rule_set("VA", 1_793_638_800_000).codes.values(), key=lambda code: (code.event_type, code.subtype))
TOLD = [code for code in CODES if set(code.notification_types) != {"Internal"}]

# The agency of a 54th kind: a victims' ombudsman who orders mediation. An event type, a subtype, a status and a kind of place of its own.
OMBUDSMAN = """
[[event_type]]
name = "Ombudsman"

[[status]]
name = "In Mediation"
synonyms = ["Mediating"]
after = ["Sentenced", "Supervised"]
next = ["Supervised", "Deceased"]

[[location]]
name = "Mediation Center"
after = ["Community"]
next = ["Community"]

[[event]]
types = ["Ombudsman"]
subtype = "Mediation Begins"
notification_types = ["Status Update"]
status = "In Mediation"
location = "Mediation Center"
emergency = true

[[event]]
types = ["Ombudsman"]
subtype = "Mediation Ends"
notification_types = ["Status Update"]
status = "Supervised"
location = "Community"
follows = ["Mediation Begins"]

[[text]]
subtype = "Mediation Begins"
language = "en"
noun = "the mediation of {{ names }}"
sms = "Mediation with {{ names }} began on {{ when }}."
subject = "Mediation: {{ names }}"
body = "Mediation with {{ names }} began on {{ when }}."
voice = "Mediation with {{ names }} began on {{ when }}."

[[text]]
subtype = "Mediation Begins"
language = "es"
noun = "la mediación con {{ names }}"
sms = "La mediación con {{ names }} comenzó el {{ when }}."
subject = "Mediación: {{ names }}"
body = "La mediación con {{ names }} comenzó el {{ when }}."
voice = "La mediación con {{ names }} comenzó el {{ when }}."
"""
ENDS = (
    OMBUDSMAN[OMBUDSMAN.index("[[text]]") :]
    .replace("Mediation Begins", "Mediation Ends")
    .replace("began", "ended")
    .replace("comenzó", "terminó")
)


def named(code: EventCode) -> str:
    return f"{code.event_type} {code.subtype}"


def message(code: EventCode, **changes: Any) -> dict[str, Any]:
    """A message of that code, unchecked, that carries what any text may ask for."""
    notification = next(each for each in code.notification_types if each != "Internal")
    usual = {
        "event_type": code.event_type,
        "event_subtype": code.subtype,
        "notification_type": notification,
        "notification_subtypes": [tagged("Do Not Validate")],
        "action_at": "2026-11-04T11:00:00-05:00",
        "case": {"number": "CR26-7", "court": "Riverside Circuit Court"},
        "compact": COMPACT if code.event_type == "Interstate Compact" else None,
    }
    return submission(**{**usual, **changes})


@pytest.mark.parametrize("code", quarter(TOLD), ids=named)
def test_every_subtype_reaches_three_channels_in_two_languages_in_words_of_its_own(driver: PipelineDriver, code: EventCode) -> None:
    driver.register(registration("en", contacts=CHANNELS), registration("es", contacts=CHANNELS, language="es"))
    driver.submit(message(code))
    driver.advance(2 * DAY)
    left = {(each.language, each.channel): each for each in driver.outbound()}
    assert len(left) == len(driver.outbound()) == 6, driver.explain()
    assert all("Walker" in each.body for each in left.values())
    assert {each.emergency for each in left.values()} == {code.emergency}
    assert all(each.subject for (_, channel), each in left.items() if channel == "email")
    assert left["en", "email"].body != left["es", "email"].body


def test_no_two_subtypes_of_one_event_type_are_told_in_the_same_words(rules: Rules) -> None:
    bodies: dict[tuple[str, str], str] = {}
    for code in TOLD:
        driver = AnsweredDriver(PIPELINE, rules, KEY)
        driver.register(registration("en", contacts=CHANNELS[:1]))
        driver.submit(message(code))
        driver.advance(2 * DAY)
        (left,) = driver.outbound()
        same = bodies.setdefault((code.event_type, left.body), code.subtype)
        assert same == code.subtype, left.body


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "VA-ombudsman.toml").write_text('jurisdictions = ["VA"]\n' + OMBUDSMAN + ENDS)
    return tmp_path


def test_a_54th_file_adds_an_event_type_end_to_end(own: Path) -> None:
    assert check(read_rules(own)) == ()
    driver = AnsweredDriver(PIPELINE, load_rules(own), KEY)
    driver.register(registration("en", contacts=CHANNELS[:1]), registration("es", contacts=CHANNELS[:1], language="es"))
    now = datetime.fromtimestamp(driver.now / 1000, UTC)
    begins = {"event_type": "Ombudsman", "event_subtype": "Mediation Begins", "action_at": now.isoformat()}
    tags = [tagged("Validate", "Date"), tagged("Expect Subsequent Event")]
    driver.submit(submission(event_type="Court", event_subtype="Sentencing", action_at=(now - DAY).isoformat(), offenders=[WALKER]))
    driver.advance(DAY)
    before = len(driver.outbound())
    driver.submit(submission(message_id="B", **begins, notification_subtypes=tags))
    driver.advance(timedelta(seconds=6))
    began = driver.outbound()[before:]
    assert [each.emergency for each in began] == [True, True], driver.explain()
    assert "Mediation with Thomas Walker began on Nov 2, 2026" in began[0].body
    assert "comenzo" in began[1].body

    # Its status is checked: mediation cannot begin twice, but for those who are sentenced or supervised.
    later = (now + timedelta(days=1, hours=1)).isoformat()
    driver.submit(submission(message_id="again", **{**begins, "action_at": later}, status="Mediating"))
    driver.advance(DAY)
    assert [(each.message_id, each.reason) for each in driver.reviews()] == [("again", "status_transition")], driver.explain()

    # And it is a predecessor like any other.
    driver.submit(
        submission(
            message_id="E",
            event_type="Ombudsman",
            event_subtype="Mediation Ends",
            action_at=(now + timedelta(days=1, hours=2)).isoformat(),
            notification_subtypes=[tagged("Validate", "Date", "Previous Event")],
        )
    )
    driver.advance(DAY)
    assert {each.message_ids for each in driver.outbound()[before + 2 :]} == {("E",)}, driver.explain()


def test_a_54th_file_binds_its_own_jurisdiction_alone(own: Path) -> None:
    driver = AnsweredDriver(PIPELINE, load_rules(own), KEY)
    elsewhere = {"ori": "NC0010000", "name": "Ombudsman", "state": "NC"}
    driver.submit(submission(message_id="M", event_type="Ombudsman", event_subtype="Mediation Begins", agency=elsewhere))
    assert [(each.outcome, each.reason) for each in driver.verdicts("M")] == [("rejected", "unknown_code")]


def test_a_subtype_that_a_file_adds_without_words_is_flagged_and_never_told_in_general_words(tmp_path: Path) -> None:
    (tmp_path / "VA-new.toml").write_text(
        'jurisdictions = ["VA"]\n[[event]]\ntypes = ["Jail"]\nsubtype = "Work Detail"\nnotification_types = ["Information"]\n'
    )
    assert [finding for finding in check(read_rules(tmp_path)) if "Work Detail" in str(finding)]
    driver = AnsweredDriver(PIPELINE, load_rules(tmp_path), KEY)
    driver.register(registration())
    driver.submit(submission(message_id="M", event_subtype="Work Detail", notification_type="Information"))
    driver.advance(DAY)
    assert [(each.message_id, each.reason) for each in driver.reviews()] == [("M", "no_text")], driver.explain()
    driver.review("release", driver.reviews()[0].review_id)
    driver.advance(DAY)
    assert driver.outbound() == []


def test_a_rule_holds_from_its_day_on(tmp_path: Path) -> None:
    (tmp_path / "VA.toml").write_text(
        '[[event]]\ntypes = ["Jail"]\nsubtype = "Furlough"\nemergency = true\nfrom = 2026-11-04\nuntil = 2026-11-04\n'
    )
    driver = AnsweredDriver(PIPELINE, load_rules(tmp_path), KEY)
    driver.register(registration())
    for _ in range(4):
        now = datetime.fromtimestamp(driver.now / 1000, UTC).isoformat()
        driver.submit(submission(event_subtype="Furlough", action_at=now))
        driver.advance(DAY)
    assert [each.emergency for each in driver.outbound()] == [False, False, True, False], driver.explain()


def test_the_setting_of_a_jurisdiction_does_not_reach_another(rules: Rules) -> None:
    set_for_va = rules.with_policies([Policy(key="date.past", value="30d", jurisdiction="VA")])
    driver = AnsweredDriver(PIPELINE, set_for_va, KEY)
    driver.register(registration())
    old = {"action_at": "2026-10-20T11:00:00-04:00", "event_subtype": "Death", "notification_type": "Information"}
    driver.submit(submission(message_id="VA", **old))
    driver.submit(submission(message_id="NC", agency={"ori": "NC0010000", "name": "Jail", "state": "NC"}, **old))
    driver.advance(DAY)
    assert [each.message_ids for each in driver.outbound()] == [("VA",)], driver.explain()
