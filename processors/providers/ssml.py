"""
Converts a voice message to SSML 1.1: the text with a pause after each sentence and the prompt for keys, both said twice.

A voice message's body is plain text; the provider that makes the call decides how it is spoken.
"""

import re
from collections.abc import Callable
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from processors.domain.notification import Outbound

Prompt = Callable[[str, bool], str]  # returns the prompt for keys, given the language and whether to ask for the PIN

SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=\S)")
NUMBER: Final = re.compile(r"\b\d[\d-]{3,}\d\b|\b911\b")
PAUSE: Final = '<break time="400ms"/>'
LONG_PAUSE: Final = '<break time="1s"/>'


def ssml_of(message: Outbound, prompt: Prompt) -> str:
    """Return the document: the text, the prompt, and both once more."""
    once = f"<p>{ssml_text(message.body)}</p>{LONG_PAUSE}<p>{escape(prompt(message.language, message.confirm))}</p>"
    return (
        f'<speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang={quoteattr(message.language)}>'
        f"{LONG_PAUSE}{once}{LONG_PAUSE}{once}</speak>"
    )


def ssml_text(text: str) -> str:
    """Return text with a pause between sentences, and numbers read digit by digit."""
    return PAUSE.join(f"<s>{digits(each)}</s>" for each in SENTENCE.split(text.strip()))


def digits(sentence: str) -> str:
    """Return a sentence whose long numbers and 911 are read digit by digit."""
    parts, end = [], 0
    for found in NUMBER.finditer(sentence):
        parts.append(escape(sentence[end : found.start()]))
        parts.append(f'<say-as interpret-as="characters">{found[0]}</say-as>')
        end = found.end()
    return "".join((*parts, escape(sentence[end:])))
