"""Docket numbers as people write them (B22)."""

import pytest

from processors.runtime.decide.driver import PipelineDriver
from tests.cases.given import registrants
from tests.stories.builders import WALKER, hearing, registration


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
    assert (registrants(driver) == ["R-1"]) is same


@pytest.mark.parametrize("none", ["pending", "N/A", "TBD", "unknown", "0000", "-"])
def test_b22_what_is_no_docket_number_is_in_every_case(driver: PipelineDriver, none: str) -> None:
    driver.register(registration("R-1", offender=WALKER, case_numbers=["CR26-1432"]))
    driver.submit(hearing(case={"number": none, "court": "Riverside Circuit Court"}))
    assert registrants(driver) == ["R-1"]
