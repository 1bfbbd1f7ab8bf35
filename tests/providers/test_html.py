"""Emails as HTML: structure, language, escaping, and nothing that is loaded from elsewhere."""

import re

import pytest

from processors.providers.html import html_of
from tests.providers.given import outbound

BODY = """
John Q Sample has left Virginia for North Carolina.

Name: John Q Sample, ICOTS 1203344
Sending state: Virginia
Receiving state: North Carolina

Something changed:
- the date was December 10, 2026
- the court is now <Henrico>

In an emergency call 911.

You receive this message because you registered.
"""


def body(text: str, **fields: str) -> str:
    found = re.search(r"<main>\n(.*)\n</main>", html_of(outbound(body=text, **fields)), re.DOTALL)
    assert found
    return found[1]


def test_text_becomes_headings_paragraphs_lists_and_pairs() -> None:
    assert body(BODY).splitlines() == [
        "<h1>Departure: John Q Sample</h1>",
        "<p>John Q Sample has left Virginia for North Carolina.</p>",
        (
            "<dl><dt>Name</dt><dd>John Q Sample, ICOTS 1203344</dd><dt>Sending state</dt><dd>Virginia</dd>"
            "<dt>Receiving state</dt><dd>North Carolina</dd></dl>"
        ),
        "<p>Something changed:</p><ul><li>the date was December 10, 2026</li><li>the court is now &lt;Henrico&gt;</li></ul>",
        '<p class="emergency">In an emergency call <a href="tel:911">911</a>.</p>',
        "<p>You receive this message because you registered.</p>",
    ]


def test_what_agencies_write_is_text() -> None:
    page = html_of(outbound(body='<script>alert(1)</script>\n\nName: "><img src=x>', subject="</title><script>"))
    assert "<script" not in page
    assert "<img" not in page


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("es", "ltr"), ("ru", "ltr"), ("ar", "rtl"), ("fa-IR", "rtl")])
def test_language_and_direction_are_stated(language: str, direction: str) -> None:
    assert f'<html lang="{language}" dir="{direction}">' in html_of(outbound(language=language))


def test_nothing_is_loaded_and_nobody_is_tracked() -> None:
    page = html_of(outbound(body=BODY))
    assert not re.search(r"https?:|src=|url\(|@import|<link|<img|<script|<iframe", page)
    assert re.findall(r'href="([^"]*)"', page) == ["tel:911"]


def luminance(color: str) -> float:
    parts = [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("text", "ground"), [("#1a1a1a", "#ffffff"), ("#0b3d91", "#ffffff"), ("#f2f2f2", "#121212"), ("#a9c8ff", "#121212")]
)
def test_the_contrast_is_enough_for_everybody(text: str, ground: str) -> None:
    """WCAG 2.2, success criterion 1.4.6: 7 to 1."""
    page = html_of(outbound())
    assert text in page
    assert ground in page
    bright, dark = sorted((luminance(text), luminance(ground)), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= 7
