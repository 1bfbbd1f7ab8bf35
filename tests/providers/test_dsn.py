"""Bounces as receipts."""

import pytest

from processors.domain.external import ReceiptForm
from processors.providers.dsn import decode_xtext, receipts
from processors.providers.smtp import xtext

AT = 1_793_628_000_000
REFERENCE = "R-1001.000000000001abcdef01"


def bounce(action: str, status: str, *, envelope: str = REFERENCE, returned: str = "", date: str = "") -> bytes:
    lines = [
        "From: MAILER-DAEMON@mx.example.org",
        "To: bounces@vn.example.org",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "I could not deliver your message.",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.example.org",
        *([f"Original-Envelope-Id: {xtext(envelope)}"] if envelope else []),
        "",
        "Final-Recipient: rfc822; r1001@example.org",
        f"Action: {action}",
        f"Status: {status}",
        *([f"Last-Attempt-Date: {date}"] if date else []),
        "",
        "--b",
        "Content-Type: text/rfc822-headers",
        "",
        *([f"Message-ID: <{returned}@vn.example.org>"] if returned else []),
        "Subject: Departure",
        "",
        "--b--",
        "",
    ]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    ("action", "status", "expected"),
    [
        ("failed", "5.1.1", "permanent_failure"),
        ("failed", "4.4.7", "temporary_failure"),  # given up after retries
        ("failed", "5.2.2", "temporary_failure"),  # mailbox full
        ("delivered", "2.0.0", "delivered"),
        ("relayed", "2.0.0", "accepted"),
        ("expanded", "2.0.0", "accepted"),
        ("delayed", "4.4.1", "accepted"),
        ("vanished", "5.0.0", "temporary_failure"),
    ],
)
def test_what_became_of_a_message(action: str, status: str, expected: str) -> None:
    (found,) = receipts(bounce(action, status), "relay", AT)
    assert found == ReceiptForm(reference=REFERENCE, status=expected, occurred_at=AT, provider="relay", detail=f"{action} {status}")


def test_without_an_envelope_id_the_returned_message_leads_back() -> None:
    (found,) = receipts(bounce("failed", "5.1.1", envelope="", returned=REFERENCE), "relay", AT)
    assert found.reference == REFERENCE


def test_the_time_is_that_of_the_last_attempt() -> None:
    (found,) = receipts(bounce("failed", "5.1.1", date="Mon, 2 Nov 2026 09:00:00 -0500"), "relay", 0)
    assert found.occurred_at == AT


def test_an_email_that_is_no_report_gives_nothing() -> None:
    assert receipts(b"Subject: Out of office\r\n\r\nI am away.\r\n", "relay", AT) == ()
    assert receipts(bounce("failed", "5.1.1", envelope=""), "relay", AT) == ()
    assert receipts(b"\xff\x00", "relay", AT) == ()


def test_a_receipt_holds_no_address() -> None:
    (found,) = receipts(bounce("failed", "5.1.1"), "relay", AT)
    assert "@" not in (found.detail or "")


def test_an_envelope_id_comes_back_as_it_left() -> None:
    assert decode_xtext(xtext("R-1001.ab+c=d e")) == "R-1001.ab+c=d e"
