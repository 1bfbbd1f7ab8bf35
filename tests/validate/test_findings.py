"""The finding of each check, word for word: it names both contradicting values (contract §3.1.5)."""

import pytest
from msgspec.structs import replace

from processors.domain.event import Event
from processors.validate.checks import checks_for, failures, passed_sentence
from processors.validate.finding import Finding
from tests.validate.facts import facts
from tests.validate.scene import DAY, HOUR, MINUTE, Scene, escape, event, hearing, intake, jail_release, jailed, ms

NOON = "2026-11-20 12:00"
PRETRIAL = event("Court", "Bond Reduction", "Status Update", "2026-11-01 09:00", status="Pretrial")
ELIGIBLE = event("Corrections", "Parole Eligibility", "Information", "2026-11-02 09:00")


def said(one: Event, *before: Event, now: int | None = None) -> list[Finding]:
    return failures(facts(one, before, now), checks_for(one))


def filed(subtype: str, **more: object) -> Event:
    return event("Court", subtype, "Information", "2026-11-20 09:00", **({"expect": True} | more))


def compact(subtype: str, kind: str = "Information", at: str = NOON, **more: object) -> Event:
    return event("Interstate Compact", subtype, kind, at, **({"sending_state": "VA", "receiving_state": "NC"} | more))


@pytest.mark.parametrize(
    ("one", "before", "finding"),
    [
        (
            escape(NOON, status="On The Moon"),
            (intake(),),
            Finding(
                "flagged",
                "unknown_status",
                'the message names the status "On The Moon", which the rules do not know; the status before is "Incarcerated"',
            ),
        ),
        (
            escape(NOON, status="On The Moon"),
            (),
            Finding(
                "flagged",
                "unknown_status",
                'the message names the status "On The Moon", which the rules do not know; the status before is not known',
            ),
        ),
        (
            escape(NOON, location_kind="Moon Base"),
            (intake(),),
            Finding(
                "flagged",
                "unknown_location",
                'the message names the kind of location "Moon Base", which the rules do not know; the location before is "State Prison"',
            ),
        ),
        (
            escape(NOON, location_kind="Moon Base"),
            (),
            Finding(
                "flagged",
                "unknown_location",
                'the message names the kind of location "Moon Base", which the rules do not know; the location before is not known',
            ),
        ),
        (
            escape(NOON),
            (escape("2026-11-20 11:00"),),
            Finding(
                "flagged",
                "status_transition",
                'the status "Escapee" by Escape of 2026-11-20 12:00 EST cannot follow "Escapee", the status then',
            ),
        ),
        (
            event("Corrections", "Transfer", "Movement", NOON, location_kind="State Hospital", from_kind="Local Jail"),
            (intake(),),
            Finding(
                "flagged",
                "location_transition",
                'the message moves the offender from "Local Jail" to "State Hospital", '
                'but on 2026-11-20 12:00 EST the location was "State Prison"',
            ),
        ),
        (
            event("Corrections", "Transfer", "Movement", "2026-11-20", location_kind="State Hospital"),
            (event("Immigration Enforcement", "Removal", "Movement", "2026-11-19 09:00"),),
            Finding(
                "flagged",
                "location_transition",
                'the location "State Hospital" by Transfer of 2026-11-20 cannot follow "Outside the United States", '
                "where the offender was then",
            ),
        ),
        (
            filed("Appeal Decision", asked=("Previous Event",)),
            (),
            Finding(
                "waiting",
                "out_of_order_hold",
                "Appeal Decision needs an earlier Appeal Filed that expects a subsequent event; known that expect one: none",
                ms("2026-11-20 09:15"),
            ),
        ),
        (
            filed("Hearing Decision", asked=("Previous Event",)),
            (filed("Appeal Filed"), escape("2026-11-20 08:00", expect=True), filed("Appeal Filed", case_number="A")),
            Finding(
                "waiting",
                "out_of_order_hold",
                "Hearing Decision needs an earlier Court Hearing or Parole Board Hearing or Victim Impact Hearing that expects a "
                "subsequent event; known that expect one: Appeal Filed, Escape",
                ms("2026-11-20 09:15"),
            ),
        ),
        (
            event("Parole Board", "Parole Board Hearing", "Hearing Notice", NOON),
            (PRETRIAL,),
            Finding(
                "flagged",
                "hearing_order",
                "Parole Board Hearing of 2026-11-20 12:00 EST needs Corrections/Intake or Federal Justice/Sentencing or Parole Eligibility "
                'or Prerelease Notification or Release to Supervision or the status "Incarcerated" or the status "Escapee" or the status '
                '"On Furlough" or the status "Community Placement" or the status "Supervised" or the status "Absconded" before it '
                '(a parole hearing comes after the offender has been sent to prison); the status is "Pretrial", '
                "the last event known is Bond Reduction",
            ),
        ),
        (
            jail_release(NOON),
            (jailed(),),
            Finding(
                "waiting",
                "transfer_hold",
                'the Release of 2026-11-20 12:00 EST leads to "State Prison", a place of custody; '
                "its intake is awaited until 2026-11-20 20:00 EST, none has come yet",
                ms("2026-11-20 20:00"),
            ),
        ),
        (
            escape("2026-11-19 11:59", received=NOON),
            (),
            Finding(
                "suppressed",
                "past",
                "the action time 2026-11-19 11:59 EST was over for more than date.past (24h) when the message came, 2026-11-20 12:00 EST",
            ),
        ),
        (
            hearing("2027-09-20 09:00", received=NOON),
            (),
            Finding(
                "flagged",
                "too_far_ahead",
                "the action time 2027-09-20 09:00 EDT is further ahead than date.future (60d) on 2026-11-20 12:00 EST",
                ms("2027-07-22 09:00"),
            ),
        ),
        (
            hearing("2027-01-20 00:00", received="2026-11-20 12:00"),
            (),
            Finding(
                "flagged",
                "too_far_ahead",
                "the action time 2027-01-20 00:00 EST is further ahead than date.future (60d) on 2026-11-20 12:00 EST",
                ms("2026-11-21 00:00"),
            ),
        ),
        (
            event("Jail", "Knighthood", "Information", NOON),
            (),
            Finding("flagged", "no_text", "the rules have no English text for Knighthood of Jail"),
        ),
        (
            compact("Request ICOTS Transfer", sending_state="XX", receiving_state="GU"),
            (),
            Finding(
                "flagged",
                "not_a_member",
                'Request ICOTS Transfer names the sending state "XX" and the receiving state "GU", no member of the interstate compact',
            ),
        ),
    ],
)
def test_every_finding_says_what_contradicts_what(one: Event, before: tuple[Event, ...], finding: Finding) -> None:
    assert said(one, *before) == [finding]


def test_a_wait_that_is_over_is_flagged_with_what_it_waited_for_and_how_long() -> None:
    one = filed("Appeal Decision", asked=("Previous Event",))
    assert said(one, now=ms("2026-11-20 09:15")) == [
        Finding(
            "flagged",
            "previous_event_missing",
            "Appeal Decision needs an earlier Appeal Filed that expects a subsequent event; known that expect one: none; waited 15m",
        )
    ]


def test_a_release_told_by_its_intake_names_it() -> None:
    scene = Scene()
    scene.receive(jailed())
    scene.receive(intake("2026-11-20 09:00"))
    verdict = scene.receive(jail_release("2026-11-20 08:00", received="2026-11-20 09:05"))
    assert (
        verdict.detail
        == 'the Release of 2026-11-20 08:00 EST leads to "State Prison", whose Intake of 2026-11-20 09:00 EST was sent instead'
    )


@pytest.mark.parametrize(
    ("one", "before", "sentence"),
    [
        (escape(NOON), (intake(),), "passed: text, known status, known location, date, workflow, logical movement, current status"),
        (
            escape(NOON),
            (),
            "passed: text, known status, known location, date, workflow, logical movement, current status; no earlier status is known",
        ),
        (
            event("Corrections", "Transfer", "Movement", NOON, location_kind="Local Jail"),
            (PRETRIAL,),
            "passed: text, known status, known location, date, workflow, current location, logical movement; no earlier location is known",
        ),
        (
            hearing(NOON),
            (),
            "passed: text, known status, known location, date, workflow, logical movement, order of events; no earlier event is known",
        ),
    ],
)
def test_what_passed_says_which_checks_ran_and_what_they_had_nothing_to_compare_with(
    one: Event, before: tuple[Event, ...], sentence: str
) -> None:
    assert passed_sentence(facts(one, before), checks_for(one)) == sentence


# --- where a check begins and ends


def test_what_precedes_a_hearing_may_have_come_at_the_same_time() -> None:
    parole = event("Parole Board", "Parole Board Hearing", "Hearing Notice", "2026-11-02 09:00")
    assert said(parole, PRETRIAL, ELIGIBLE) == []


def test_a_hearing_whose_order_asks_for_a_status_is_not_flagged_if_none_is_known() -> None:
    parole = event("Parole Board", "Parole Board Hearing", "Hearing Notice", NOON)
    assert said(parole, event("Court", "Change of Venue", "Information", "2026-11-01 09:00")) == []


@pytest.mark.parametrize(
    ("came", "told"),
    [
        (ms("2026-11-20 00:00"), True),  # transfer.hold before the release
        (ms("2026-11-20 00:00") - 1, False),
        (ms("2026-11-20 16:00"), True),  # and after it
        (ms("2026-11-20 16:00") + 1, False),
    ],
)
def test_an_intake_tells_the_release_from_transfer_hold_before_it_to_transfer_hold_after(came: int, *, told: bool) -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 07:00", action_at=came, past_from=came))
    verdict = scene.receive(jail_release("2026-11-20 08:00", received="2026-11-20 07:30"))
    assert verdict.reason == ("told_by_intake" if told else "transfer_hold")


def test_a_date_is_past_from_the_millisecond_after_date_past() -> None:
    at = ms(NOON)
    assert said(escape(NOON, received_at=at + DAY)) == []
    assert [each.reason for each in said(escape(NOON, received_at=at + DAY + 1))] == ["past"]
    assert said(hearing(NOON, received_at=at)) == []
    assert [each.reason for each in said(hearing(NOON, received_at=at + 1))] == ["past"]


def test_a_date_is_too_far_ahead_from_the_millisecond_after_date_future() -> None:
    at = ms(NOON)
    assert said(hearing(NOON, received_at=at - 60 * DAY)) == []
    assert [each.reason for each in said(hearing(NOON, received_at=at - 60 * DAY - 1))] == ["too_far_ahead"]


def test_a_wait_is_over_at_its_very_end() -> None:
    one = filed("Appeal Decision", asked=("Previous Event",))
    at = one.received_at
    assert [each.outcome for each in said(one, now=at + 15 * MINUTE - 1)] == ["waiting"]
    assert [each.outcome for each in said(one, now=at + 15 * MINUTE)] == ["flagged"]
    release = jail_release(NOON)
    assert [each.outcome for each in said(release, jailed(), now=release.received_at + 8 * HOUR - 1)] == ["waiting"]
    assert said(release, jailed(), now=release.received_at + 8 * HOUR) == []


def test_a_change_is_not_its_own_previous_event() -> None:
    first, other = replace(filed("Appeal Filed"), message_id="m1"), replace(escape("2026-11-20 08:00", expect=True), message_id="m2")
    assert [each.event_subtype for each in facts(replace(first, operation="Update", root="m1"), (first, other)).expected] == ["Escape"]


def test_the_place_is_that_of_the_latest_that_names_one_whoever_named_the_status_since() -> None:
    bond = event("Court", "Bond Reduction", "Status Update", "2026-11-20 10:00", status="Pretrial")
    found = facts(escape(NOON), (intake("2026-11-20 09:00"), bond))
    assert (found.status_then, found.kind_then) == ("Pretrial", "State Prison")
