"""
A call as TwiML: the text of the message with its pauses, said twice, and the question for the PIN.

The body of a voice message is SSML (`<speak>`); Twilio's `<Say>` takes the same elements inside it.
"""

import re
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from processors.domain.notification import Outbound

VOICES: Final = {"en": "Polly.Joanna", "es": "Polly.Lupe"}
LOCALES: Final = {"en": "en-US", "es": "es-US"}
PIN_DIGITS: Final = 4
TRIES: Final = 3
OPT_OUT_KEY: Final = "9"
PROMPTS: Final = {
    "en": "To confirm that you have received this message, enter your four digit PIN now. "
    "To stop calls to this number, press 9 and the pound key.",
    "es": "Para confirmar que recibió este mensaje, marque ahora su PIN de cuatro dígitos. Para no recibir más llamadas en este número, "
    "oprima 9 y la tecla numeral.",
}
STOP_PROMPTS: Final = {
    "en": "To stop calls to this number, press 9 and the pound key.",
    "es": "Para no recibir más llamadas en este número, oprima 9 y la tecla numeral.",
}


def twiml_of(message: Outbound, action_url: str) -> str:
    """Return the TwiML of a call; what is keyed in goes to `action_url`."""
    language = message.language if message.language in LOCALES else "en"
    text = say(inner(message.body), language)
    prompt = say(escape((PROMPTS if message.confirm else STOP_PROMPTS)[language]), language)
    gather = f'<Gather input="dtmf" timeout="8" finishOnKey="#" action={quoteattr(action_url)}>{text}<Pause length="1"/>{prompt}</Gather>'
    return f'<?xml version="1.0" encoding="UTF-8"?><Response><Pause length="1"/>{gather}{text}</Response>'


def say(content: str, language: str) -> str:
    """Return the content spoken in a language."""
    return f'<Say voice="{VOICES[language]}" language="{LOCALES[language]}">{content}</Say>'


def inner(body: str) -> str:
    """Return what `<speak>` holds; a body that is plain text as escaped text."""
    found = re.fullmatch(r"\s*<speak[^>]*>(.*)</speak>\s*", body, re.DOTALL)
    return found[1] if found else escape(body)
