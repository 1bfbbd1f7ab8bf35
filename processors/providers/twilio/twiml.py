"""Converts a call to TwiML: the message's SSML within a Gather that waits for keys, and the prompt after a wrong PIN."""

import re
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

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
TRIES: Final = 3  # PIN entries per call
# Makes Twilio post a callback up to five more times, within 15 seconds, if it is not answered or answered 5xx. By default it does
# so once, and only if it cannot connect (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
POST_AGAIN: Final = "#rc=5&rp=5xx,ct,rt"
HANG_UP: Final = '<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>'
NO_ANSWER: Final = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


def twiml_of(message: Outbound, callback_url: str, prompt: Prompt) -> str:
    """Return the TwiML of a call; pressed keys go to the callback URL, for a PIN with the language and the number of the try."""
    action = f"{callback_url}/keys"
    inner = re.sub(r"^<speak[^>]*>|</speak>$", "", ssml_of(message, prompt))
    return gather(f"{action}/{quote(message.language, safe='')}/1" if message.confirm else action, message.language, inner)


def ask_again(action_url: str, language: str, text: str) -> str:
    """Return the TwiML after a PIN was keyed in: Twilio cannot know whether it was right, so another one may be entered."""
    return gather(action_url, language, escape(text))


def gather(action_url: str, language: str, markup: str) -> str:
    """Return the TwiML that says `markup` and waits for keys."""
    voice, locale = VOICES.get(language.partition("-")[0], VOICES["en"])
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Response>'
        f'<Gather input="dtmf" timeout="8" finishOnKey="#" action={quoteattr(action_url + POST_AGAIN)}>'
        f'<Say voice="{voice}" language="{locale}">{markup}</Say></Gather></Response>'
    )
