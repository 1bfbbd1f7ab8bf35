"""The built-in code lists: the specification's default lists and the contract's extensions, entry by entry."""

import pytest

from processors.domain.event import Scope
from processors.domain.states import STATES
from processors.rules.rule_set import Rules, RuleSet

NOON = 1_763_812_800_000  # 2025-11-22T12:00:00Z

CUSTODY = ("Corrections", "Jail", "State Hospital")

# Specification §2.2: subtype, event types, notification types.
DEFAULT = [
    ("Accept Transfer", ("Interstate Compact",), ("Information",)),
    ("Add/Update Conditions", ("Supervision",), ("Status Update",)),
    ("Appeal Decision", ("Court", "Attorney General"), ("Information",)),
    ("Appeal Filed", ("Court", "Attorney General"), ("Information",)),
    ("Arrival", ("Interstate Compact",), ("Movement",)),
    ("Bond Reduction", ("Court",), ("Status Update",)),
    ("Change of Venue", ("Court",), ("Information",)),
    ("Charging Decision", ("Prosecution",), ("Information",)),
    ("Court Hearing", ("Court", "Prosecution"), ("Hearing Notice",)),
    ("Death", ("Prosecution",), ("Internal", "Information")),
    ("Deny Transfer", ("Interstate Compact",), ("Information",)),
    ("Departure", ("Interstate Compact",), ("Movement",)),
    ("Disposition", ("Court",), ("Information",)),
    ("Document Service", ("Law Enforcement",), ("Information",)),
    ("Escape", CUSTODY, ("Status Update",)),
    ("Failed to Deliver Message", ("Message Response",), ("Internal",)),
    ("Hearing Decision", ("Court", "Parole Board"), ("Information",)),
    ("Message Successfully Delivered", ("Message Response",), ("Internal",)),
    ("Parole Board Hearing", ("Parole Board",), ("Hearing Notice",)),
    ("Parole Eligibility", ("Corrections", "Parole Board"), ("Information",)),
    ("Prerelease Notification", ("Jail", "Corrections"), ("Information",)),
    ("Presentence Investigation", ("Court", "Supervision"), ("Information",)),
    ("Recapture", CUSTODY, ("Status Update",)),
    ("Release", (*CUSTODY, "Supervision"), ("Status Update",)),
    ("Release to Supervision", ("Jail", "Corrections"), ("Status Update",)),
    ("Request ICOTS Transfer", ("Interstate Compact",), ("Information",)),
    ("Retaking", ("Interstate Compact",), ("Movement",)),
    ("Return From Absconding", ("Supervision",), ("Status Update",)),
    ("Sentencing", ("Court",), ("Status Update",)),
    ("Supervision Violation", ("Supervision",), ("Information",)),
    ("Temporary Travel Order", ("Interstate Compact",), ("Movement",)),
    ("Unsupervised Custody Release", ("Jail",), ("Status Update",)),
    ("Victim Impact Hearing", ("Court", "Parole Board"), ("Hearing Notice",)),
]

# Contract §3, "Code lists".
EXTENSIONS = [
    *((name, ("Interstate Compact",), ("Information",)) for name in ("Withdraw Transfer", "Address Change", "Behavior Requiring Retaking")),
    *((name, ("Interstate Compact",), ("Movement",)) for name in ("Failure to Arrive", "Return to Sending State")),
    *((name, ("Interstate Compact",), ("Status Update",)) for name in ("Absconded", "Case Closure")),
    *(
        (name, ("Interstate Compact",), ("Internal",))
        for name in (
            "Reporting Instructions Request",
            "Reporting Instructions Reply",
            "Transfer Request Incomplete",
            "Transfer Request Resubmission",
            "Violation Report",
            "Violation Response",
            "Warrant Issued",
            "Probable Cause Report",
            "Probable Cause Decision",
            "Progress Report Request",
            "Progress Report",
            "Case Closure Reply",
            "Subsequent State Request",
            "Return Request",
        )
    ),
    *((name, CUSTODY, ("Movement",)) for name in ("Intake", "Transfer")),
    *((name, CUSTODY, ("Status Update",)) for name in ("Furlough", "Community Placement")),
    ("Death", CUSTODY, ("Information",)),
    ("Court Hearing", ("Federal Justice",), ("Hearing Notice",)),
    *((name, ("Federal Justice",), ("Information",)) for name in ("Charging Decision", "Disposition")),
    *((name, ("Federal Justice",), ("Status Update",)) for name in ("Sentencing", "Release", "Escape", "Furlough", "Community Placement")),
    ("Death", ("Federal Justice",), ("Internal", "Information")),
    ("Release", ("Immigration Enforcement",), ("Status Update",)),
    ("Removal", ("Immigration Enforcement",), ("Movement",)),
]

EMERGENCIES = {
    "Escape",
    "Failure to Arrive",
    "Absconded",
    "Behavior Requiring Retaking",
    "Retaking",
    "Release",
    "Unsupervised Custody Release",
    "Request ICOTS Transfer",
    "Accept Transfer",
    "Departure",
    "Arrival",
}


@pytest.fixture(scope="module")
def rule_set(built_in: Rules) -> RuleSet:
    return built_in.rule_set("VA", NOON)


def test_every_code_of_specification_and_contract_is_there_and_no_other(rule_set: RuleSet) -> None:
    expected = {(kind, name): set(told) for name, kinds, told in (*DEFAULT, *EXTENSIONS) for kind in kinds}
    assert {key: set(code.notification_types) for key, code in rule_set.codes.items()} == expected


def test_the_other_lists(rule_set: RuleSet) -> None:
    assert rule_set.event_types == {kind for _, kinds, _ in (*DEFAULT, *EXTENSIONS) for kind in kinds}
    assert rule_set.notification_types == {"Hearing Notice", "Information", "Internal", "Movement", "Status Update"}
    assert rule_set.notification_subtypes == {"Do Not Validate", "Expect Subsequent Event", "Validate"}
    assert rule_set.validations == {"Date", "Other Information", "Previous Event"}


def test_emergencies_are_those_of_the_contract(rule_set: RuleSet) -> None:
    assert {code.subtype for code in rule_set.codes.values() if code.emergency} == EMERGENCIES
    assert all(code.emergency == (code.subtype in EMERGENCIES) for code in rule_set.codes.values())


@pytest.mark.parametrize(
    ("kind", "subtype", "status", "location"),
    [
        ("Jail", "Escape", "Escapee", "At Large"),
        ("Jail", "Recapture", "Incarcerated", None),
        ("State Hospital", "Recapture", "Hospitalized", None),
        ("Corrections", "Release", "Released", "Community"),
        ("Jail", "Release to Supervision", "Supervised", "Community"),
        ("Corrections", "Intake", "Incarcerated", "State Prison"),
        ("Jail", "Intake", "Incarcerated", "Local Jail"),
        ("Corrections", "Death", "Deceased", None),
        ("Interstate Compact", "Departure", None, "Community"),
        ("Interstate Compact", "Failure to Arrive", None, "At Large"),
        ("Immigration Enforcement", "Removal", "Removed", "Outside the United States"),
        ("Court", "Bond Reduction", None, None),
    ],
)
def test_what_an_event_implies_if_the_message_is_silent(
    rule_set: RuleSet, kind: str, subtype: str, status: str | None, location: str | None
) -> None:
    code = rule_set.codes[kind, subtype]
    assert (code.status, code.location) == (status, location)


@pytest.mark.parametrize(
    ("kind", "subtype", "earlier"),
    [
        ("Jail", "Recapture", "Escape"),
        ("Court", "Appeal Decision", "Appeal Filed"),
        ("Court", "Hearing Decision", "Court Hearing"),
        ("Parole Board", "Hearing Decision", "Parole Board Hearing"),
        ("Court", "Hearing Decision", "Victim Impact Hearing"),
        ("Interstate Compact", "Arrival", "Departure"),
        ("Interstate Compact", "Failure to Arrive", "Departure"),
        ("Supervision", "Return From Absconding", "Absconded"),
    ],
)
def test_what_meets_a_previous_event_tag(rule_set: RuleSet, kind: str, subtype: str, earlier: str) -> None:
    assert earlier in rule_set.codes[kind, subtype].follows


def test_the_type_s_own_check_is_left_to_movements_and_status_updates(rule_set: RuleSet) -> None:
    """Contract §3.1.6: where no predecessor is named, the tag means current location or status; few name one."""
    named = {
        code.subtype for code in rule_set.codes.values() if code.follows and not {"Information", "Internal"} & set(code.notification_types)
    }
    assert named == {"Recapture", "Arrival", "Failure to Arrive", "Return From Absconding"}


def test_a_parole_hearing_comes_after_prison(rule_set: RuleSet) -> None:
    (order,) = rule_set.codes["Parole Board", "Parole Board Hearing"].order
    assert order.after("Corrections", "Intake")
    assert not order.after("Jail", "Intake")
    assert not order.after("Court", "Court Hearing")
    assert "Incarcerated" in order.statuses
    assert not {"Charged", "Pretrial", "On Bond", "Waiting for Sentencing"} & set(order.statuses)


def test_victims_are_heard_after_a_finding_of_guilt(rule_set: RuleSet) -> None:
    (order,) = rule_set.codes["Court", "Victim Impact Hearing"].order
    assert order.after("Court", "Disposition")
    assert not order.after("Prosecution", "Charging Decision")
    assert not {"Charged", "Pretrial", "On Bond"} & set(order.statuses)


def test_a_court_hearing_needs_nothing_before_it(rule_set: RuleSet) -> None:
    hearings = [code for code in rule_set.codes.values() if code.subtype == "Court Hearing"]
    assert [code.order for code in hearings] == [()] * len(hearings) != []


def test_every_release_may_be_a_transfer_and_every_intake_tells_it(rule_set: RuleSet) -> None:
    assert {code.subtype for code in rule_set.codes.values() if code.release} == {"Release"}
    assert all(code.release == (code.subtype == "Release") for code in rule_set.codes.values())
    assert {key for key, code in rule_set.codes.items() if code.intake} == {(kind, "Intake") for kind in CUSTODY}


def test_the_action_date_of_a_prosecution_hearing_is_the_court_appearance(rule_set: RuleSet) -> None:
    first = {key: code.action_date[0] for key, code in rule_set.codes.items()}
    assert {key for key, element in first.items() if element == "CourtAppearanceDate"} == {("Prosecution", "Court Hearing")}
    assert set(first.values()) == {"ActivityDate", "CourtAppearanceDate"}
    assert all(len(code.action_date) == 2 for code in rule_set.codes.values())


def test_what_makes_the_same_event(rule_set: RuleSet) -> None:
    usual = ("action_at", "case_number", "court", "status", "location_kind", "location_name")
    assert all(code.same[:6] == usual for code in rule_set.codes.values())
    assert rule_set.codes["Interstate Compact", "Departure"].same == (*usual, "sending_state", "receiving_state")


# --- statuses and locations ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Incarcerated", "Incarcerated"),
        ("In Custody", "Incarcerated"),
        ("  in   CUSTODY ", "Incarcerated"),
        ("Waiting for Sentencing", "Waiting for Sentencing"),
        ("On Parole", "Supervised"),
        ("Escaped", "Escapee"),
        ("Pre-Trial", "Pretrial"),
    ],
)
def test_a_status_is_known_by_name_and_synonym(rule_set: RuleSet, said: str, name: str) -> None:
    status = rule_set.status(said)
    assert status is not None
    assert status.name == name


def test_an_unknown_status_or_location_is_none(rule_set: RuleSet) -> None:
    assert rule_set.status("Somewhat detained") is None
    assert rule_set.location("Moon") is None


@pytest.mark.parametrize(
    ("key", "current", "new", "legal"),
    [
        (("Corrections", "Escape"), "In Custody", "Escapee", True),  # specification §4.1.5.2
        (("Corrections", "Escape"), "Escapee", "Escapee", False),
        (("Corrections", "Escape"), "Released", "Escapee", False),
        (("Corrections", "Intake"), "Waiting for Sentencing", "Incarcerated", True),  # specification §4.1.5.2
        (("Jail", "Recapture"), "Escapee", "Incarcerated", True),
        (("Jail", "Recapture"), "Incarcerated", "Incarcerated", False),
        (("Court", "Sentencing"), "Incarcerated", "Incarcerated", True),
        (("Jail", "Release"), "Incarcerated", "Released", True),
        (("Jail", "Release"), "Released", "Released", False),
        (("Jail", "Release"), "Deceased", "Released", False),
        (("Jail", "Release"), "Escapee", "Released", False),
        (("Supervision", "Return From Absconding"), "Absconded", "Supervised", True),
        (("Supervision", "Return From Absconding"), "Supervised", "Supervised", False),
        (("Supervision", "Add/Update Conditions"), "Supervised", "On Probation", True),
        (("Interstate Compact", "Absconded"), "Supervised", "Absconded", True),
        (("Interstate Compact", "Absconded"), "Absconded", "Absconded", False),
        (("Interstate Compact", "Case Closure"), "Supervised", "Supervision Ended", True),
    ],
)
def test_status_changes(rule_set: RuleSet, key: tuple[str, str], current: str, new: str, legal: bool) -> None:  # noqa: FBT001
    before, after = rule_set.status(current), rule_set.status(new)
    assert before is not None
    assert after is not None
    assert rule_set.may_become(rule_set.codes[key], before, after) is legal


@pytest.mark.parametrize(
    ("key", "current", "new", "legal"),
    [
        (("Corrections", "Transfer"), "State Prison", "Local Jail", True),  # specification §4.1.4.2
        (("Corrections", "Transfer"), "Penitentiary", "County Jail", True),
        (("Corrections", "Transfer"), "Community", "Local Jail", False),
        (("Corrections", "Transfer"), "At Large", "Local Jail", False),
        (("Jail", "Transfer"), "Local Jail", "Local Jail", True),
        (("Jail", "Intake"), "Community", "Local Jail", True),
        (("Corrections", "Intake"), "Local Jail", "State Prison", True),
        (("Interstate Compact", "Arrival"), "Community", "Community", True),
        (("Interstate Compact", "Failure to Arrive"), "Community", "At Large", True),
        (("Interstate Compact", "Arrival"), "At Large", "Community", True),
        (("Immigration Enforcement", "Removal"), "Immigration Detention", "Outside the United States", True),
        (("Jail", "Intake"), "Outside the United States", "State Prison", False),
    ],
)
def test_moves(rule_set: RuleSet, key: tuple[str, str], current: str, new: str, legal: bool) -> None:  # noqa: FBT001
    before, after = rule_set.location(current), rule_set.location(new)
    assert before is not None
    assert after is not None
    assert rule_set.may_move(rule_set.codes[key], before, after) is legal


def test_custodial_kinds(rule_set: RuleSet) -> None:
    assert {each.name for each in rule_set.locations.values() if each.custodial} == {
        "State Prison",
        "Local Jail",
        "State Hospital",
        "Federal Prison",
        "Immigration Detention",
        "Juvenile Facility",
    }


def test_nothing_follows_death(rule_set: RuleSet) -> None:
    deceased = rule_set.status("Deceased")
    assert deceased is not None
    assert deceased.next == ()


def test_death_may_follow_anything(rule_set: RuleSet) -> None:
    assert all("Deceased" in each.next for each in rule_set.statuses.values() if each.name != "Deceased")


# --- jurisdictions ------------------------------------------------------------------------------------------------------


def test_fifty_three_members(built_in: Rules) -> None:
    members = {code for code, each in built_in.jurisdictions.items() if each.compact}
    assert len(members) == 53
    assert members < set(built_in.jurisdictions) == set(STATES)
    assert all(each.name for each in built_in.jurisdictions.values())
    assert {"VA", "NC", "DC", "PR", "VI"} < members


@pytest.mark.parametrize(("code", "zone"), [("GU", "Pacific/Guam"), ("AS", "Pacific/Pago_Pago"), ("MP", "Pacific/Saipan")])
def test_the_other_territories_are_no_members_and_have_their_own_time(built_in: Rules, code: str, zone: str) -> None:
    assert not built_in.member(code)
    assert built_in.rule_set(code, NOON).zone.key == zone


@pytest.mark.parametrize("code", ["ZZ", ""])
def test_others_are_no_members_and_have_the_default_page(built_in: Rules, code: str) -> None:
    assert not built_in.member(code)
    assert built_in.rule_set(code, NOON).zone.key == "America/New_York"
    assert built_in.rule_set(code, NOON).codes


@pytest.mark.parametrize(
    ("state", "ori", "zone"),
    [
        ("VA", "VA0430000", "America/New_York"),
        ("PR", "PR0010000", "America/Puerto_Rico"),
        ("VI", "VI0010000", "America/St_Thomas"),
        ("HI", "HI0020000", "Pacific/Honolulu"),
        ("AZ", "AZ0070000", "America/Phoenix"),
        ("FL", "FL0130000", "America/New_York"),
        ("FL", "FL0170000", "America/Chicago"),
        ("TX", "TX0710200", "America/Denver"),
        ("TX", "TXHPD0000", "America/Chicago"),
        ("TN", "TN0190100", "America/Chicago"),
        ("TN", "TN0470100", "America/New_York"),
        ("IN", "IN0820100", "America/Chicago"),
        ("KY", "KY1140100", "America/Chicago"),
        ("NE", "NB0280200", "America/Chicago"),
        ("NE", "NB0790200", "America/Denver"),
        ("SD", "SD0510100", "America/Denver"),
        ("ID", "ID0010100", "America/Boise"),
        ("MI", "MI8234900", "America/Detroit"),
    ],
)
def test_time_zones(built_in: Rules, state: str, ori: str, zone: str) -> None:
    assert built_in.rule_set(state, NOON).zone_of(ori).key == zone


def test_every_exception_is_of_the_state_s_own_agencies(built_in: Rules) -> None:
    exceptions = {state: list(built_in.rule_set(state, NOON).zones_by_ori) for state in built_in.jurisdictions}
    assert len([state for state, oris in exceptions.items() if oris]) > 5
    for state, oris in exceptions.items():
        prefix = "NB" if state == "NE" else state
        assert [ori for ori in oris if not ori.startswith(prefix) or len(ori) != 5] == []


def test_no_telephone_number_is_invented(built_in: Rules) -> None:
    assert not any(each.compact_office_phone or each.victim_authority_phone for each in built_in.jurisdictions.values())


def test_the_setting_s_default_for_a_known_subtype(built_in: Rules) -> None:
    assert built_in.duration("date.future", Scope("VA", "Hearing Notice", "Court Hearing")) == 60 * 86_400_000
