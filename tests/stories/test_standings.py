"""An offender's standing in `vn.standings`: published when it changes, and only then."""

from datetime import timedelta
from typing import Any

import pytest

from processors.domain.offender import OffenderStanding
from processors.runtime.decide.driver import PipelineDriver
from processors.topics import STANDINGS
from processors.validate.state import MAX_HISTORY
from tests.stories.builders import WALKER, submission


def standing(driver: PipelineDriver) -> OffenderStanding:
    (found,) = (each for each in driver.latest(STANDINGS).values() if each is not None)
    assert isinstance(found, OffenderStanding)
    return found


def moved(message_id: str, at: str, **changes: Any) -> dict[str, Any]:
    return submission(message_id=message_id, action_at=f"2026-11-02T{at}:00-05:00", **changes)


def compact(message_id: str, subtype: str, at: str) -> dict[str, Any]:
    return moved(
        message_id,
        at,
        event_type="Interstate Compact",
        event_subtype=subtype,
        notification_type="Movement" if subtype in {"Departure", "Arrival"} else "Information",
        agency={"ori": "VA001065C", "state": "VA"},
        compact={"sending_state": "VA", "receiving_state": "NC", "case_number": "77"},
        notification_subtypes=[{"subtype": "Do Not Validate", "validations": []}],
    )


def test_an_event_that_takes_effect_says_status_and_place(driver: PipelineDriver) -> None:
    driver.submit(moved("M-1", "10:00"))
    found = standing(driver)
    assert (found.status, found.kind, found.jurisdiction) == ("Escapee", "At Large", "VA")
    assert found.status_since == found.kind_since
    assert (found.sending_state, found.transferred, found.confidential) == (None, False, False)


def test_what_changes_nothing_writes_nothing(driver: PipelineDriver) -> None:
    driver.submit(moved("M-1", "10:00"))
    driver.submit(moved("M-1", "10:00"))
    hearing = {"event_type": "Court", "event_subtype": "Court Hearing", "notification_type": "Hearing Notice"}
    driver.submit(submission(**hearing, action_at="2026-11-20T10:00:00-05:00"))
    driver.advance(timedelta(days=1))
    assert len(driver.records(STANDINGS)) == 1


def test_a_cancelled_event_is_taken_back(driver: PipelineDriver) -> None:
    driver.submit(moved("M-1", "10:00"))
    driver.submit(moved("M-2", "11:00", event_subtype="Recapture"))
    assert standing(driver).status == "Incarcerated"
    driver.submit(moved("M-3", "11:00", event_subtype="Recapture", operation="Cancel", refers_to="M-2"))
    driver.advance(timedelta(hours=1))
    assert standing(driver).status == "Escapee"


@pytest.mark.parametrize("before", [(), ("Request ICOTS Transfer", "Accept Transfer", "Departure")])
def test_a_transfer_is_completed_by_the_arrival(driver: PipelineDriver, before: tuple[str, ...]) -> None:
    for hour, subtype in enumerate(before):
        driver.submit(compact(f"C-{hour}", subtype, f"0{hour}:00"))
        assert not standing(driver).transferred
    driver.submit(compact("C-9", "Arrival", "10:00"))
    found = standing(driver)
    assert (found.sending_state, found.receiving_state, found.transferred) == ("VA", "NC", True), driver.explain()


def test_immigration_and_juvenile_custody_is_confidential(driver: PipelineDriver) -> None:
    driver.submit(
        moved("M-1", "10:00", event_subtype="Intake", notification_type="Movement", location={"kind": "Juvenile Facility", "name": "X"})
    )
    assert standing(driver).confidential, driver.explain()


def test_a_merged_key_has_no_standing(driver: PipelineDriver) -> None:
    other = {"identifiers": [{"scheme": "FBI", "value": "551234AB1"}]}
    driver.submit(moved("M-1", "09:00"))
    driver.submit(moved("M-2", "10:00", offenders=[other], event_subtype="Recapture"))
    assert len([each for each in driver.latest(STANDINGS).values() if each is not None]) == 2
    both = {**WALKER, "identifiers": [*WALKER["identifiers"], *other["identifiers"]]}
    driver.submit(moved("M-3", "11:00", offenders=[both], event_subtype="Recapture"))
    assert (standing(driver).status, standing(driver).kind) == ("Incarcerated", "At Large"), driver.explain()


def test_what_was_confidential_once_is_so_after_however_many_events(driver: PipelineDriver) -> None:
    juvenile = {"kind": "Juvenile Facility", "name": "X"}
    driver.submit(moved("M-0", "00:00", event_subtype="Intake", notification_type="Movement", location=juvenile))
    for number in range(MAX_HISTORY + 6):  # more than an offender's history holds
        subtype = ("Escape", "Recapture")[number % 2]
        driver.submit(moved(f"M-{number + 1}", f"{1 + number // 60:02}:{number % 60:02}", event_subtype=subtype))
    assert standing(driver).confidential
    other = {"identifiers": [{"scheme": "FBI", "value": "551234AB1"}]}
    driver.submit(moved("N-1", "09:00", offenders=[other]))
    both = {**WALKER, "identifiers": [*WALKER["identifiers"], *other["identifiers"]]}
    driver.submit(moved("N-2", "10:00", offenders=[both], event_subtype="Recapture"))
    assert standing(driver).confidential, driver.explain()
