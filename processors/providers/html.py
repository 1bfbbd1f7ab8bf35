"""
Converts the text of an email to an accessible HTML document.

It has the same content as the text, in headings, paragraphs, lists and description lists, for screen readers. It declares its
language and direction, has a contrast of at least 7:1 in light and dark mode, and loads nothing.
"""

import re
from html import escape
from typing import Final

from processors.domain.notification import Outbound

RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ps", "ur", "yi"})
ITEM: Final = "- "
PAIR: Final = re.compile(r"([^:.!?]{1,40}): (.+)")
EMERGENCY_NUMBER: Final = re.compile(r"\b911\b")

STYLE: Final = """
:root { color-scheme: light dark; }
body { margin: 0; background: #ffffff; color: #1a1a1a; font: 1.125rem/1.5 system-ui, sans-serif; }
main { max-width: 38rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
p, ul, dl { margin: 0 0 1rem; }
dt { font-weight: bold; }
dd { margin: 0 0 .5rem; }
a { color: #0b3d91; }
.emergency { border-inline-start: .375rem solid #8a1c12; padding-inline-start: .75rem; font-weight: bold; }
@media (prefers-color-scheme: dark) {
  body { background: #121212; color: #f2f2f2; }
  a { color: #a9c8ff; }
  .emergency { border-color: #ff9a8f; }
}
"""


def html_of(message: Outbound) -> str:
    """Return the document; what agencies wrote is escaped, never markup."""
    language = message.language
    direction = "rtl" if language.partition("-")[0].lower() in RIGHT_TO_LEFT else "ltr"
    blocks = "\n".join(html_block(each) for each in re.split(r"\n[ \t]*\n", message.body.strip()) if each.strip())
    subject = escape(message.subject or "")
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}" dir="{direction}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{subject}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{subject}</h1>\n{blocks}\n</main>\n</body>\n</html>\n"
    )


def html_block(text: str) -> str:
    """Return one block of lines: pairs as a description list, items as a list, anything else as a paragraph."""
    lines = [line.strip() for line in text.splitlines()]
    pairs = [found for line in lines if (found := PAIR.fullmatch(line))]
    if len(pairs) == len(lines):
        return "<dl>" + "".join(f"<dt>{escape(pair[1])}</dt><dd>{escape(pair[2])}</dd>" for pair in pairs) + "</dl>"
    first_item = next((number for number, line in enumerate(lines) if line.startswith(ITEM)), len(lines))
    head, items = lines[:first_item], lines[first_item:]
    if items and all(line.startswith(ITEM) for line in items):
        return (
            (html_paragraph(head) if head else "")
            + "<ul>"
            + "".join(f"<li>{link_emergency_number(line[2:])}</li>" for line in items)
            + "</ul>"
        )
    return html_paragraph(lines)


def html_paragraph(lines: list[str]) -> str:
    """Return the lines as one paragraph; one that names the emergency number stands out."""
    text = "<br>".join(link_emergency_number(line) for line in lines)
    return f'<p class="emergency">{text}</p>' if EMERGENCY_NUMBER.search(" ".join(lines)) else f"<p>{text}</p>"


def link_emergency_number(text: str) -> str:
    """Return escaped text with the emergency number as a link that dials it."""
    return EMERGENCY_NUMBER.sub('<a href="tel:911">911</a>', escape(text))
