"""A call as TwiML: the SSML of the message inside the question for keys."""

import re
from typing import Final
from xml.sax.saxutils import quoteattr

from processors.domain.notification import Outbound
from processors.providers.ssml import Prompt, ssml_of

VOICES: Final = {
    "en": ("Polly.Joanna", "en-US"),
    "es": ("Polly.Lupe", "es-US"),
    "fr": ("Polly.Lea", "fr-FR"),
    "ru": ("Polly.Tatyana", "ru-RU"),
}
PIN_DIGITS: Final = 4
OPT_OUT_KEY: Final = "9"


def twiml_of(message: Outbound, action_url: str, prompt: Prompt) -> str:
    """Return the TwiML of a call; what is keyed in goes to `action_url`."""
    voice, locale = VOICES.get(message.language.partition("-")[0], VOICES["en"])
    inner = re.sub(r"^<speak[^>]*>|</speak>$", "", ssml_of(message, prompt))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Response>'
        f'<Gather input="dtmf" timeout="8" finishOnKey="#" action={quoteattr(action_url)}>'
        f'<Say voice="{voice}" language="{locale}">{inner}</Say></Gather></Response>'
    )
