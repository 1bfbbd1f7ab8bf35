from typing import Any

import msgspec
import pytest

from processors.domain.registration import Verification, verification_digest
from processors.topics import VERIFICATIONS
from tests.ingest.records import NOW, SEAL, accepted_record, read, rejection, with_changes

VERIFICATION: dict[str, Any] = {"registration_id": "IVINS-1", "code": "048210", "at": "2026-11-02T18:20:00Z"}


def test_a_code_is_taken_as_an_hmac_of_its_registration() -> None:
    found = accepted_record(VERIFICATION, VERIFICATIONS, key="IVINS-1")
    assert (found.kind, found.message_id) == ("verification", "IVINS-1")
    assert msgspec.json.decode(found.body, type=Verification) == Verification(
        registration_id="IVINS-1", code=verification_digest("048210", "IVINS-1", SEAL), at=1_793_643_600_000, received_at=NOW
    )
    assert verification_digest("048210", "IVINS-1", SEAL) != verification_digest("048210", "IVINS-2", SEAL)


@pytest.mark.parametrize("code", ["048 210", "048-210", " 048210 "])
def test_a_code_may_be_written_in_groups(code: str) -> None:
    assert accepted_record(with_changes(VERIFICATION, code=code), VERIFICATIONS) == accepted_record(VERIFICATION, VERIFICATIONS)


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("bad_verification", {"code": "48210"}),
        ("bad_verification", {"code": "0482100"}),
        ("bad_verification", {"code": "04821o"}),
        ("bad_verification", {"code": "٠٤٨٢١٠"}),
        ("wrong_type", {"code": 48210}),
        ("missing_field", {"code": None}),
        ("missing_field", {"registration_id": None}),
        ("bad_id", {"registration_id": "R\n1"}),
        ("unreadable_date", {"at": None}),
        ("unreadable_date", {"at": "now"}),
    ],
)
def test_what_is_no_code_is_refused_and_never_shown(reason: str, changes: dict[str, Any]) -> None:
    assert rejection(with_changes(VERIFICATION, **changes), VERIFICATIONS) == reason
    decision = read(with_changes(VERIFICATION, **changes), VERIFICATIONS)
    written = msgspec.json.encode([*(each.value for each in decision.outputs), *decision.verdicts])
    assert b"48210" not in written
