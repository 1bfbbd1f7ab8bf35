"""The email of an outbound message."""

from email import message_from_bytes
from email.policy import default

from processors.domain.seal import Seal
from processors.domain.unsubscription import unsubscription_token
from processors.providers.mail import MailSender, email_of, message_id, reference_of
from tests.providers.given import outbound

SEAL = Seal(bytes(64))
SENDER = MailSender("notify@vn.example.org", "Victim Notification", "bounces@vn.example.org", "https://vn.example.org/unsubscribe", SEAL)


def test_an_email_has_what_receivers_go_by() -> None:
    content = email_of(outbound(), SENDER)
    email = message_from_bytes(content, policy=default)
    assert email["From"] == "Victim Notification <notify@vn.example.org>"
    assert email["To"] == "r1001@example.org"
    assert email["Subject"] == "Departure: John Q Sample"
    assert email["Date"] == "Mon, 02 Nov 2026 14:00:00 +0000"
    assert email["Message-ID"] == "<R-1001.000000000001abcdef01@vn.example.org>"
    assert email["Auto-Submitted"] == "auto-generated"
    assert email["Importance"] is None
    text = email.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == outbound().body


def test_the_unsubscribe_headers_are_one_line_each() -> None:
    lines = email_of(outbound(), SENDER).split(b"\r\n")
    token = unsubscription_token("R-1001.000000000001abcdef01", SEAL).encode()
    assert b"List-Unsubscribe: <https://vn.example.org/unsubscribe?reference=R-1001.000000000001abcdef01&token=%b>" % token in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


def test_without_an_address_for_it_nothing_offers_to_unsubscribe() -> None:
    assert b"List-Unsubscribe" not in email_of(outbound(), MailSender("notify@vn.example.org"))


def test_text_and_html_are_alternatives_and_only_ascii_leaves() -> None:
    content = email_of(outbound(body="José ha salido.\n", subject="Salida: José", language="es"), SENDER)
    assert content.isascii()
    email = message_from_bytes(content, policy=default)
    assert [part.get_content_type() for part in email.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert email["Subject"] == "Salida: José"
    assert email["Content-Language"] == "es"
    text, html = email.iter_parts()
    assert text.get_content().strip() == "José ha salido."
    assert "<p>José ha salido.</p>" in html.get_content()
    assert '<html lang="es" dir="ltr">' in html.get_content()


def test_the_same_message_gives_the_same_bytes() -> None:
    message = outbound()
    assert email_of(message, SENDER) == email_of(message, SENDER)


def test_an_emergency_is_marked() -> None:
    assert b"\r\nImportance: high\r\n" in email_of(outbound(emergency=True), SENDER)


def test_a_message_id_leads_back_to_the_reference() -> None:
    assert reference_of(message_id("R-1001.abc", "vn.example.org")) == "R-1001.abc"
    assert reference_of("") == ""
