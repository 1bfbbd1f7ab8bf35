from typing import Any

import msgspec
import pytest

from processors.domain.notification import Receipt
from processors.domain.unsubscription import unsubscription_token
from processors.topics import RECEIPTS
from tests.ingest.records import NOW, RECEIPT, SEAL, accepted_record, rejection, with_changes


def receipt(**changes: Any) -> Receipt:
    return msgspec.json.decode(accepted_record(with_changes(RECEIPT, **changes), RECEIPTS).body, type=Receipt)


def test_a_receipt_is_taken_with_what_was_keyed_in_hidden() -> None:
    found = receipt(status="confirmed", digits="4821", registrant="x")
    assert found == Receipt(
        reference=RECEIPT["reference"],
        status="confirmed",
        occurred_at=1_793_642_702_000,
        provider="example-sms",
        digits=SEAL.fingerprint("4821", "pin:R-1"),
        received_at=NOW,
    )


def test_a_registrant_id_may_hold_a_dot() -> None:
    assert receipt(reference=f"a.b.{'0' * 20}", digits="1").digits == SEAL.fingerprint("1", "pin:a.b")


def test_a_providers_words_lose_their_addresses() -> None:
    assert receipt(detail="No route to +1 (804) 555-1007 or ann@example.org, code 30").detail == "No route to … or … code 30"


@pytest.mark.parametrize(
    "status",
    [
        "accepted",
        "delivered",
        "confirmed",
        "unconfirmed",
        "voicemail",
        "busy",
        "no_answer",
        "temporary_failure",
        "permanent_failure",
        "opted_out",
    ],
)
def test_every_status_of_the_contract_is_known(status: str) -> None:
    assert receipt(status=status).status == status


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("unknown_receipt_status", {"status": "eaten"}),
        ("unknown_receipt", {"reference": "R-1"}),
        ("unknown_receipt", {"reference": "…the reference of the outbound message…"}),
        ("unknown_receipt", {"reference": "R-1.0123456789ABCDEF0123"}),
        ("bad_id", {"reference": "R\n1.0123456789abcdef0123"}),
        ("bad_id", {"reference": "R" * 1_100 + ".0123456789abcdef0123"}),
        ("missing_field", {"reference": None}),
        ("missing_field", {"provider": None}),
        ("unreadable_date", {"occurred_at": None}),
        ("unreadable_date", {"occurred_at": "now"}),
        ("wrong_type", {"digits": 4821}),
    ],
)
def test_a_receipt_that_means_nothing_is_refused(reason: str, changes: dict[str, Any]) -> None:
    assert rejection(with_changes(RECEIPT, **changes), RECEIPTS) == reason


def test_an_unsubscription_by_the_site_needs_the_token_of_its_email() -> None:
    token = unsubscription_token(RECEIPT["reference"], SEAL)
    site = {"provider": "site", "status": "opted_out"}
    assert receipt(**site, detail=token).detail is None
    for wrong in (None, "0" * 32):
        assert rejection(with_changes(RECEIPT, **site, detail=wrong), RECEIPTS) == "unknown_receipt"
