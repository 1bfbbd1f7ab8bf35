"""What IVINS promises, through the whole pipeline: its triggers and the nine events of its fact sheet, and the clocks behind them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from processors.domain.time import millis
from processors.rules.rule_set import Rules
from processors.runtime.decide.driver import PipelineDriver
from processors.topics import EXPECTATIONS
from tests.stories.builders import WALKER, registration, submission, tagged

QUIET_OVER = timedelta(hours=24)
TYPES = {
    "Departure": "Movement",
    "Arrival": "Movement",
    "Failure to Arrive": "Movement",
    "Return to Sending State": "Movement",
    "Retaking": "Movement",
    "Absconded": "Status Update",
    "Case Closure": "Status Update",
}
INTERNAL = {
    "Reporting Instructions Request",
    "Reporting Instructions Reply",
    "Violation Report",
    "Return Request",
    "Case Closure Reply",
    "Progress Report Request",
    "Progress Report",
    "Subsequent State Request",
}


def activity(subtype: str, driver: PipelineDriver, **changes: Any) -> dict[str, Any]:
    """A compact office's message about what happens now."""
    now = datetime.fromtimestamp(driver.now / 1000, UTC).isoformat()
    usual = {
        "agency": {"ori": "VAICOTS01", "name": "Virginia Interstate Compact", "state": "VA"},
        "event_type": "Interstate Compact",
        "event_subtype": subtype,
        "notification_type": "Internal" if subtype in INTERNAL else TYPES.get(subtype, "Information"),
        "notification_subtypes": [tagged("Validate", "Date")],
        "action_at": now,
        "offenders": [WALKER],
        "compact": {"sending_state": "VA", "receiving_state": "NC", "case_number": "1203344-2"},
    }
    return submission(**{**usual, **changes})


def run(driver: PipelineDriver, *subtypes: str) -> None:
    """The activities have happened, a day apart."""
    for subtype in subtypes:
        driver.submit(activity(subtype, driver))
        driver.advance(QUIET_OVER)


# IVINS trigger, what came before, the message, whether it is an emergency, and words that say it and no other.
TRIGGERS = [
    ("requested transfer", (), "Request ICOTS Transfer", True, "A transfer of Thomas Walker from VA to NC was requested"),
    ("approved", ("Request ICOTS Transfer",), "Accept Transfer", True, "accepted"),
    ("denied", ("Request ICOTS Transfer",), "Deny Transfer", False, "denied"),
    ("withdrawn", ("Request ICOTS Transfer",), "Withdraw Transfer", False, "withdrawn"),
    ("address change", ("Arrival",), "Address Change", False, "address"),
    ("violation, behavior requiring retaking", ("Arrival",), "Behavior Requiring Retaking", True, "broke conditions so seriously"),
    ("departed", ("Accept Transfer",), "Departure", True, "left Virginia"),
    ("arrived", ("Departure",), "Arrival", True, "arrived"),
    ("departed, never arrived", ("Departure",), "Failure to Arrive", True, "did not"),
    ("returned", ("Arrival",), "Return to Sending State", False, "returned"),
    ("supervision ended", ("Arrival",), "Case Closure", False, "Interstate supervision of Thomas Walker in North Carolina ended"),
    ("absconder", ("Arrival",), "Absconded", True, "left supervision without permission"),
]

# What a registrant who reads Spanish gets of the same: by text message in the letters of GSM-7, by email and voice with every accent.
SPANISH = {
    "Request ICOTS Transfer": (
        "se pidio el traslado de Thomas Walker de VA a NC. Tiene 15 dias habiles para opinar. En una emergencia",
        "se solicitó trasladar la supervisión de Thomas Walker de Virginia a Carolina del Norte. Todavía no hay una decisión.",
    ),
    "Accept Transfer": (
        "se acepto el traslado de Thomas Walker de Virginia a Carolina del Norte. En una emergencia llame al 911.",
        "se aceptó la solicitud de trasladar la supervisión de Thomas Walker de Virginia a Carolina del Norte.",
    ),
    "Deny Transfer": (
        "se denego el traslado de Thomas Walker de Virginia a Carolina del Norte.",
        "se denegó la solicitud de trasladar la supervisión de Thomas Walker de Virginia a Carolina del Norte.",
    ),
    "Withdraw Transfer": (
        "se retiro la solicitud de traslado de Thomas Walker de Virginia a Carolina del Norte.",
        "se retiró la solicitud de trasladar la supervisión de Thomas Walker de Virginia a Carolina del Norte.",
    ),
    "Address Change": ("El domicilio principal de Thomas Walker cambio el", "El domicilio principal de Thomas Walker cambió el"),
    "Behavior Requiring Retaking": (
        "Thomas Walker incumplio gravemente sus condiciones y debe volver a ",
        "incumplió las condiciones de supervisión en Carolina del Norte con tal gravedad que Virginia debe retomar su custodia.",
    ),
    "Departure": (
        "Thomas Walker salio de Virginia hacia Carolina del Norte el",
        "Thomas Walker salió de Virginia hacia Carolina del Norte el",
    ),
    "Arrival": ("Thomas Walker llego a Carolina del Norte el", "Thomas Walker llegó a Carolina del Norte el"),
    "Failure to Arrive": (
        "Thomas Walker no llego a Carolina del Norte como debia",
        "Thomas Walker salió de Virginia con permiso, pero no se presentó en Carolina del Norte como debía.",
    ),
    "Return to Sending State": (
        "Thomas Walker regreso a Virginia el",
        "Thomas Walker regresó a Virginia el",
    ),
    "Case Closure": (
        "La supervision interestatal de Thomas Walker en Carolina del Norte termino el",
        "A partir de entonces ya no hay supervisión en Carolina del Norte bajo el pacto.",
    ),
    "Absconded": (
        "Thomas Walker evadio la supervision en Carolina del Norte; informado el",
        "se informó que Thomas Walker evadió la supervisión en Carolina del Norte. No sabemos dónde se encuentra.",
    ),
}
EVERY_CHANNEL = [
    {"channel": "sms", "address": "+18045551701", "verified": True},
    {"channel": "email", "address": "r17@example.org", "verified": True},
    {"channel": "voice", "address": "+18045551702", "verified": True},
]


@pytest.mark.parametrize(("before", "subtype", "emergency", "words"), [line[1:] for line in TRIGGERS], ids=[line[0] for line in TRIGGERS])
def test_each_trigger_is_told_at_once_or_not_and_in_its_own_words(
    driver: PipelineDriver, before: tuple[str, ...], subtype: str, *, emergency: bool, words: str
) -> None:
    driver.register(registration(source="IVINS"))
    run(driver, *before)
    told_before = len(driver.outbound())
    driver.submit(activity(subtype, driver))
    driver.advance(timedelta(seconds=5) if emergency else timedelta(minutes=1))
    (told,) = driver.outbound()[told_before:]
    assert told.event is not None, driver.explain()
    assert (told.event.subtype, told.emergency, told.kind) == (subtype, emergency, "notification")
    assert words in told.body, told.body


@pytest.mark.parametrize(("before", "subtype", "emergency"), [line[1:4] for line in TRIGGERS], ids=[line[0] for line in TRIGGERS])
def test_each_trigger_is_told_in_spanish_by_every_channel(
    driver: PipelineDriver, before: tuple[str, ...], subtype: str, *, emergency: bool
) -> None:
    driver.register(registration(source="IVINS", language="es", contacts=EVERY_CHANNEL))
    run(driver, *before)
    told_before = len(driver.outbound())
    driver.submit(activity(subtype, driver))
    driver.advance(timedelta(minutes=1))
    told = {each.channel: each for each in driver.outbound()[told_before:]}
    brief, full = SPANISH[subtype]
    assert set(told) == {"sms", "email", "voice"}
    assert {each.language for each in told.values()} == {"es"}
    assert brief in told["sms"].body, told["sms"].body
    assert len(told["sms"].body) <= 160
    for channel in ("email", "voice"):
        assert full in told[channel].body, told[channel].body
    assert all(("911" in each.body) is emergency for each in told.values())


def test_a_return_is_told_as_one_and_after_the_closure_too(driver: PipelineDriver) -> None:
    driver.register(registration(source="IVINS"))
    run(driver, "Arrival", "Return Request", "Reporting Instructions Reply", "Departure", "Case Closure", "Arrival", "Case Closure Reply")
    bodies = [each.body for each in driver.outbound()]
    assert driver.reviews() == []
    assert [each.event.subtype for each in driver.outbound() if each.event] == ["Arrival", "Departure", "Case Closure", "Arrival"]
    assert "arrived in North Carolina" in bodies[0]
    assert "left North Carolina to return to Virginia" in bodies[1]
    assert "arrived back in Virginia" in bodies[3]


def test_a_transfer_to_a_subsequent_state_names_the_new_state_and_goes_on_after_the_first_ones_closure(driver: PipelineDriver) -> None:
    driver.register(registration(source="IVINS"))
    onward = {"compact": {"sending_state": "VA", "receiving_state": "SC", "case_number": "1203344-2"}}
    run(driver, "Arrival", "Subsequent State Request")
    for subtype, more in (
        ("Request ICOTS Transfer", onward),
        ("Accept Transfer", onward),
        ("Departure", onward),
        ("Case Closure", {}),
        ("Arrival", onward),
        ("Absconded", onward),
    ):
        driver.submit(activity(subtype, driver, **more))
        driver.advance(QUIET_OVER)
    bodies = [each.body for each in driver.outbound()]
    assert driver.reviews() == []
    assert "left for South Carolina" in bodies[3]
    assert "supervision of Thomas Walker in North Carolina ended" in bodies[4]
    assert "arrived in South Carolina on" in bodies[5]
    assert "Virginia" not in bodies[3] + bodies[5], "nobody came from there"
    assert "left supervision without permission in South Carolina" in bodies[6]


def test_a_premature_departure_is_corrected_by_later_messages(driver: PipelineDriver) -> None:
    driver.register(registration(source="IVINS"))
    run(
        driver, "Request ICOTS Transfer", "Accept Transfer", "Departure", "Failure to Arrive", "Withdraw Transfer", "Request ICOTS Transfer"
    )
    subtypes = [each.event.subtype for each in driver.outbound() if each.event]
    assert subtypes[3:] == ["Failure to Arrive", "Withdraw Transfer", "Request ICOTS Transfer"]
    assert driver.reviews() == []


@pytest.mark.parametrize(("days", "flagged"), [(45, False), (46, True)])
def test_temporary_travel_lasts_at_most_45_days(driver: PipelineDriver, days: int, *, flagged: bool) -> None:
    driver.register(registration(source="IVINS"))
    run(driver, "Arrival")
    last = (datetime.fromtimestamp(driver.now / 1000, UTC) + timedelta(days=days)).date().isoformat()
    compact = {"sending_state": "VA", "receiving_state": "NC", "case_number": "1203344-2", "report_by": last}
    driver.submit(activity("Temporary Travel Order", driver, notification_type="Movement", compact=compact))
    driver.advance(QUIET_OVER)
    assert [each.reason for each in driver.reviews()] == ["workflow"] * flagged
    assert len(driver.outbound()) == 2 - flagged


@pytest.mark.parametrize(("subtype", "emergency"), [("Accept Transfer", True), ("Address Change", False)])
def test_an_emergency_does_not_wait_for_the_morning(driver: PipelineDriver, subtype: str, *, emergency: bool) -> None:
    driver.register(registration(source="IVINS"))
    driver.advance(timedelta(hours=10))  # 22:00 where the registrant is
    driver.submit(activity(subtype, driver))
    driver.advance(timedelta(minutes=1))
    assert bool(driver.outbound()) is emergency
    driver.advance(timedelta(hours=9))
    assert len(driver.outbound()) == 1


def test_the_fact_sheets_transfer_from_request_to_closure(driver: PipelineDriver) -> None:
    driver.register(registration(source="IVINS"))
    course = ("Request ICOTS Transfer", "Accept Transfer", "Departure", "Arrival", "Address Change", "Behavior Requiring Retaking")
    course = (*course, "Return to Sending State", "Case Closure")
    run(driver, *course)
    assert [each.event.subtype for each in driver.outbound() if each.event] == list(course), driver.explain()
    assert driver.reviews() == []


def test_an_unsuccessful_notification_is_the_agencys_business_and_reaches_no_registrant(driver: PipelineDriver) -> None:
    driver.register(registration(source="IVINS"))
    failed = submission(
        event_type="Message Response", event_subtype="Failed to Deliver Message", notification_type="Internal", message_id="F"
    )
    driver.submit(failed)
    driver.advance(QUIET_OVER)
    assert driver.outbound() == []
    assert [each.reason for each in driver.verdicts("F")][-1] == "internal"


def test_a_registration_is_confirmed_by_asking_the_contact_to_verify_itself(driver: PipelineDriver) -> None:
    driver.register(registration(source="IVINS", contacts=[{"channel": "sms", "address": "+18045551999", "verified": False}]))
    (asked,) = driver.outbound()
    assert (asked.kind, asked.emergency, asked.event) == ("verification", False, None)


def test_the_request_tells_victims_of_their_time_to_be_heard(driver: PipelineDriver) -> None:
    contacts = [{"channel": "email", "address": "reg7@example.org", "verified": True}]
    driver.register(registration(source="IVINS", contacts=contacts))
    run(driver, "Request ICOTS Transfer")
    (told,) = driver.outbound()
    for words in ("right to be heard", "15 business days", "5th business day", "within 5 business days"):
        assert words in told.body


HEARD = {
    "en": (
        "Rule {rule}",
        "within {days} business days of your receiving",
        "by the {presumed}th business day",
        "within {answer} business days",
    ),
    "es": ("Regla {rule}", "los {days} días hábiles siguientes", "el quinto día hábil", "un plazo de {answer} días hábiles"),
}
BRIEF = {"en": "You have {days} business days to comment.", "es": "Tiene {days} días hábiles para opinar."}


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("subtype", ["Request ICOTS Transfer", "Subsequent State Request", "Return Request"])
def test_the_words_about_the_right_to_be_heard_are_those_of_the_rule_in_force(rules: Rules, subtype: str, language: str) -> None:
    rule_set = rules.rule_set("VA", millis("2026-11-02T12:00:00-05:00"))
    comment, answer = (rule_set.deadlines.by_key[name] for name in ("victims' right to be heard", "answer to victims"))
    presumed = 5  # the receipt, counted in the clock with the days to comment
    numbers = {"rule": comment.rule, "days": comment.count - presumed, "presumed": presumed, "answer": answer.count - comment.count}
    text = rule_set.text("Interstate Compact", subtype, language)
    assert text is not None
    for words in HEARD[language]:
        assert words.format(**numbers) in text.body
        assert words.format(**numbers) in text.voice
    assert BRIEF[language].format(**numbers) in text.sms


def test_internal_steps_move_the_case_and_its_clocks_and_reach_nobody(driver: PipelineDriver) -> None:
    driver.register(registration(source="IVINS"))
    run(driver, "Reporting Instructions Request", "Reporting Instructions Reply", "Departure", "Arrival")
    assert [each.event.subtype for each in driver.outbound() if each.event] == ["Departure", "Arrival"]
    states = {each.expects: each.state for each in driver.latest(EXPECTATIONS).values()}
    assert states["Reporting Instructions Reply"] == "met"
    assert states["Request ICOTS Transfer"] == "open"
    assert states["Arrival or Failure to Arrive"] == "met"


def test_a_withdrawal_after_the_departure_is_flagged_with_both_values(driver: PipelineDriver) -> None:
    driver.register(registration(source="IVINS"))
    run(driver, "Request ICOTS Transfer", "Accept Transfer", "Departure", "Withdraw Transfer")
    (review,) = driver.reviews()
    assert review.reason == "workflow"
    assert "Withdraw Transfer of 2026-11-05 cannot follow Departure of 2026-11-04" in review.detail
    assert "supervision departed" in review.detail
    assert len(driver.outbound()) == 3


def test_a_reply_that_never_comes_is_overdue_at_its_deadline(driver: PipelineDriver) -> None:
    driver.submit(activity("Request ICOTS Transfer", driver, message_id="TREQ"))
    driver.advance(timedelta(days=60))
    (reply,) = [each for each in driver.latest(EXPECTATIONS).values() if each.rule == "ICAOS Rule 3.104"]
    assert (reply.state, reply.message_id, reply.settled_at) == ("overdue", "TREQ", reply.deadline)
    every = [each for each in driver.records(EXPECTATIONS) if each.expectation_id == reply.expectation_id]
    assert [each.state for each in every] == ["open", "overdue"]
