"""
Every text as a registrant gets it, as pictures under docs/texts, and emails checked for accessibility by axe.

The pictures are made by `python -m tests.docs.test_text_pictures`, in the Chromium that is installed.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from processors.cli.texts import as_sent
from processors.deliver.sample import full_notice, sample_about_registration, sample_message, sample_standing
from processors.deliver.state import Content
from processors.domain.event import TellingKind
from processors.domain.notification import Outbound
from processors.domain.registration import Channel
from processors.providers.html import html_of
from processors.rules.load import load_rules
from processors.rules.rule_set import EventCode

AT: Final = 1_793_628_000_000  # 2026-11-02T14:00:00Z
FOLDER: Final = Path(__file__).parents[2] / "docs" / "texts"
CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LANGUAGES: Final = ("en", "es")
RULES: Final = load_rules()
TOLD: Final = [code for code in RULES.rule_set("", AT).codes.values() if set(code.notification_types) != {"Internal"}]
ABOUT_REGISTRATIONS: Final[dict[Content, str]] = {
    "verification": "Code to verify a contact",
    "registered": "Registration confirmed",
    "opted_out": "Opted out",
    "opted_in": "Opted in again",
    "help": "Help",
}
STYLE: Final = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 16px; color: #1a1a1a; background: #fff; }
h1 { font-size: 20px; } h2 { font-size: 15px; margin: 18px 0 6px; border-top: 1px solid #767676; padding-top: 8px; }
.sms { background: #e8f0fe; border-radius: 10px; padding: 8px 12px; margin: 0 0 8px; max-width: 480px; }
.email { border: 1px solid #767676; padding: 8px 12px; white-space: pre-line; margin: 0; }
"""

without_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)")


def message(code: EventCode, language: str, channel: Channel, telling: TellingKind = "news") -> Outbound:
    found = sample_message(RULES, full_notice(code, AT, telling), language, channel)
    assert found is not None, (code.subtype, language)
    return as_sent(found, channel, emergency=code.emergency, at=AT)


def about_registration(content: Content, language: str, channel: Channel) -> Outbound:
    """Return what a registrant gets about their registration, with an invented code."""
    found = sample_about_registration(RULES, content, language, channel, AT, sample_standing(AT))
    assert found is not None, (content, language)
    return as_sent(found, channel, emergency=False, at=AT)


def catalogue(language: str) -> str:
    """Return a page with every text message and the email beside it, those about registrations first."""
    parts = [
        f"<h2>{escape(name)}</h2>"
        f'<p class="sms">{escape(about_registration(content, language, "sms").body)}</p>'
        f'<p class="email"><strong>{escape(about_registration(content, language, "email").subject or "")}</strong>\n'
        f"{escape(about_registration(content, language, 'email').body)}</p>"
        for content, name in ABOUT_REGISTRATIONS.items()
    ]
    for code, kinds in distinct(language):
        email = message(code, language, "email")
        parts.append(
            f"<h2>{escape(code.subtype)} ({escape(', '.join(kinds))})</h2>"
            f'<p class="sms">{escape(message(code, language, "sms").body)}</p>'
            f'<p class="email"><strong>{escape(email.subject or "")}</strong>\n{escape(email.body)}</p>'
        )
    head = f'<head><meta charset="utf-8"><title>Texts ({language})</title><style>{STYLE}</style></head>'
    return f'<!DOCTYPE html><html lang="{language}">{head}<body><main><h1>Texts ({language})</h1>{"".join(parts)}</main></body></html>'


def distinct(language: str) -> list[tuple[EventCode, list[str]]]:
    """Return a code for every text, with the event types that share it."""
    found: dict[tuple[str, str], tuple[EventCode, list[str]]] = {}
    for code in sorted(TOLD, key=lambda each: (each.subtype, each.event_type)):
        found.setdefault((code.subtype, message(code, language, "sms").body), (code, []))[1].append(code.event_type)
    return list(found.values())


@contextmanager
def browser() -> Iterator[Page]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield running.new_page(viewport={"width": 720, "height": 900})
        finally:
            running.close()


@pytest.mark.slow
@without_chromium
def test_emails_are_accessible_in_light_and_dark() -> None:
    by_subtype = {code.subtype: code for code in TOLD}
    about = [about_registration(content, language, "email") for content in ABOUT_REGISTRATIONS for language in LANGUAGES]
    emails: list[tuple[str, TellingKind]] = [("Departure", "news"), ("Court Hearing", "cancellation"), ("Intake", "change")]
    with browser() as page:
        requested: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        told = [message(by_subtype[subtype], language, "email", telling) for language in LANGUAGES for subtype, telling in emails]
        for each in (*told, *about):
            page.set_content(html_of(each))
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                found = Axe().run(page)
                assert [violation["id"] for violation in found.response["violations"]] == [], (each.language, each.subject, scheme)
        assert requested == []


@pytest.mark.slow
@without_chromium
def test_axe_finds_what_is_wrong() -> None:
    """The negative control of the test above."""
    with browser() as page:
        page.set_content('<html><body><img src="data:,"><p style="color: #ccc; background: #fff">faint</p></body></html>')
        assert {"color-contrast", "html-has-lang", "image-alt"} <= {each["id"] for each in Axe().run(page).response["violations"]}


@pytest.mark.slow
@without_chromium
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_holds_every_text_and_is_accessible(language: str) -> None:
    with browser() as page:
        page.set_content(catalogue(language))
        assert page.locator("h2").count() == len(distinct(language)) + len(ABOUT_REGISTRATIONS)
        assert len(distinct(language)) > 50
        assert [each["id"] for each in Axe().run(page).response["violations"]] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_is_a_picture_of_every_language_that_the_page_shows(language: str) -> None:
    picture = FOLDER / f"{language}.jpg"
    assert picture.read_bytes().startswith(b"\xff\xd8\xff")
    assert f"({language}.jpg)" in (FOLDER / "README.md").read_text(encoding="utf-8")


def write() -> None:
    """Regenerate the pictures."""
    with browser() as page:
        for language in LANGUAGES:
            page.set_content(catalogue(language))
            page.screenshot(path=str(FOLDER / f"{language}.jpg"), type="jpeg", quality=35, full_page=True)


if __name__ == "__main__":
    sys.exit(write())
