"""Docket numbers as people write them (B22)."""

import pytest

from processors.runtime.decide.driver import PipelineDriver
from tests.cases.given import registrants_told
from tests.stories.builders import WALKER, hearing, registration, tagged


@pytest.mark.parametrize(
    ("registered", "submitted", "same"),
    [
        ("CR26-1432", "CR26-001432", True),
        ("CR26-1432", "No. CR26-1432", True),
        ("CR26-1432", "cr 26 1432", True),
        ("CR26-1432", "CR-26-1432", True),
        ("CR26-1432", "CR26-1432-00", True),
        ("CR26-1432", "N° CR26-1432", True),
        ("CR26-1432", "№ CR26−1432", True),
        ("CR26-1432", "CaseNo.CR26-1432", True),
        ("CR26-1432", "Criminal Case No. CR26-1432", True),
        ("CR26-1432", "CR No. 26-1432", True),
        ("CR26-1432", "Caso Núm. CR26-1432", True),
        ("2:26-cr-00143", "02:26-CR-143", True),
        ("n.º 26-5", "26-5", True),
        ("1:26-cr-00143-ABC", "1:26-cr-00143", True),
        ("26-cr-00143-ABC-DE-2", "26-CR-143", True),
        ("CR26-1432; CR26-1433", "CR26-1433", True),
        ("CR26-1431", "CR26-1432, CR26-1431 and CR26-1430", True),
        ("CR26-1432", "CR2026-1432", True),
        ("CR 2026-1432", "CR26-001432", True),
        ("2:26-cr-00143", "2:2026-cr-00143-ABC", True),
        ("2026-CF-12", "26-CF-12", True),
        ("CR26-1432", "CR26-1430,CR26-1432", True),
        ("CR26-1432", "CR26-1430 | CR26-1432", True),
        ("CR26-1432", "CR26-1430 / CR26-1432", True),
        ("CR26-1432", "CR26-1430 OR CR26-1432", True),
        ("CR26-1432", "CR26-1430\tCR26-1432", True),
        ("CR26-1432", "CR26-1432 (felony)", True),
        ("CR26-1432", "CR26-1432 [Ct 1]", True),
        ("CR26-1432", "(CR26-1432)", True),
        ("CR26-1432", "CR26-1432 State v. Walker", True),
        ("CR26-1432", "State v. Walker, CR26-1432", True),
        ("CR26-1432", "CR26-1432 et al.", True),
        ("2:26-cr-00143", "Case 2:26-cr-00143-ABC-DEF Document 12", True),
        ("26-5", "Ref. 26-5", True),
        ("26-5", "Case ID: 26-5", True),
        ("26-5", "Criminal Action No. 26-5", True),
        ("26-5", "Warrant No. 26-5", True),
        ("1:26-cr-00143", "1:26-CR-143-01", True),  # the defendant's number without initials
        ("1:26-cr-00143", "1:26CR143-1", True),
        ("1:26-cr-00143", "1:26−cr−00143−ABC", True),
        ("1:26-cr-00143", "1:26-cr-00143-ABC *SEALED*", True),
        ("1:26-cr-00143", "1:26-cr-00143-ABC-1 All Defendants", True),
        ("1:26-cr-00143", "USA v. Walker 1:26-cr-00143-ABC", True),
        ("CR26-1432", "State v. Lee No. CR26-1432", True),
        ("CR26-1432", "C.R. 26-1432", True),
        ("CR26-1432", "Case№CR26-1432", True),
        ("CR26-1432", "Index No. CR26-1432", True),
        ("CR26-1432", "CR26-1432 Count 2", True),
        ("CR26-1432", "CR26-1432 cts 1-3", True),
        ("CR26-1432", "CR26-1432 - sealed", True),
        ("CR26-1432", "CR26-1432 pending", True),
        ("CR26-1432", "CR26-1430\rCR26-1432", True),
        ("CR26-1432", "CR26-1430；CR26-1432", True),
        ("CR26-1432", "CR26-1430 CR26-1432", True),
        ("CR26-1432", "CR26-1430 and/or CR26-1432", True),
        ("CR26-1432", "CR26-1430 consolidated with CR26-1432", True),
        ("CR26-1432", "CR26-1430 & 1432", True),
        ("CR26-1432", "CR26-1430&CR26-1432", True),
        ("CR26-1432", "CR26-1430/CR26-1432", True),
        ("26/CR1432", "26 CR 1432", True),
        ("CR26-1432", "CR26-1430, -1431, -1432", True),
        ("CR26001432-02", "CR26001432-00 and -02", True),
        ("CR26-1432", "CR26-1430 thru CR26-1434", True),
        ("CR26-1432", "CR26-1430 through 1434", True),
        ("1998-CF-12", "98-CF-12", True),
        ("CR26-1432", "CR26-1431 pending", False),
        ("CR26-1432", "CR26-1433 thru CR26-1435", False),
        ("CR26-1432", "CV26-1430 thru CR26-1435", False),
        ("CR26-1432", "CR26-1430 to 143200", False),
        ("CR26-2", "CR26-1432, 2", False),
        ("26 CT 1432", "26 CT 1433", False),
        ("V 26-12", "26-12", False),
        ("1:26-cr-00143-1", "1:26-cr-00144-1", False),
        ("26-cr-143-1", "26-cr-143-2", False),
        ("1926-12", "26-12", False),
        ("26-26", "26-2026", False),
        ("2026", "26", False),
        ("CR26-1,432", "CR26-1", False),
        ("26-CR-143-A", "26-CR-143-B", False),
        ("1:26-cr-00143-ABC", "2:26-cr-00143-ABC", False),
        ("CRIM26-1432", "CIV26-1432", False),
        ("1-2-3", "12-3", False),
        ("26-100", "26-1", False),
        ("12-3", "1-23", False),
        ("CR26-1432", "CR26-14320", False),
        ("CR26-1432", "CR2-61432", False),
    ],
)
def test_b22_the_groups_of_a_docket_number_stay_apart_and_leading_zeros_count_for_nothing(
    driver: PipelineDriver, registered: str, submitted: str, *, same: bool
) -> None:
    driver.register(registration("R-1", offender=WALKER, case_numbers=[registered]))
    driver.submit(hearing(case={"number": submitted, "court": "Riverside Circuit Court"}))
    assert (registrants_told(driver) == ["R-1"]) is same


@pytest.mark.parametrize("none", ["pending", "N/A", "TBD", "unknown", "0000", "-"])
def test_b22_what_is_no_docket_number_is_in_every_case(driver: PipelineDriver, none: str) -> None:
    driver.register(registration("R-1", offender=WALKER, case_numbers=["CR26-1432"]))
    driver.submit(hearing(case={"number": none, "court": "Riverside Circuit Court"}))
    assert registrants_told(driver) == ["R-1"]


@pytest.mark.parametrize(
    ("filed", "decided", "told", "open_reviews"),
    [("CR26-0017", "No. CR26-17", 2, []), ("12-3", "1-23", 1, ["previous_event_missing"])],
)
def test_b22_events_follow_each_other_in_one_case_however_it_is_written(
    driver: PipelineDriver, filed: str, decided: str, told: int, open_reviews: list[str]
) -> None:
    driver.register(registration("R-1"))
    for number, subtype, tag in ((filed, "Appeal Filed", "Date"), (decided, "Appeal Decision", "Previous Event")):
        sent = hearing(
            event_type="Court",
            event_subtype=subtype,
            notification_type="Information",
            case={"number": number, "court": "Riverside Circuit Court"},
            action_at=f"2026-11-02T11:{10 + len(subtype)}:00-05:00",
            notification_subtypes=[tagged("Validate", tag), tagged("Expect Subsequent Event")],
        )
        driver.submit(sent)
    assert registrants_told(driver) == ["R-1"]
    assert (len(driver.outbound()), [each.reason for each in driver.reviews()]) == (told, open_reviews), driver.explain()
