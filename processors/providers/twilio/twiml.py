"""A call as TwiML: the SSML of the message inside the question for keys, and the question once more after a try."""

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
TRIES: Final = 3  # a call
# Asks Twilio to post a callback up to five times more, within 15 seconds, if it is not answered, or answered 5xx. By default it does
# so once, and only if it cannot connect (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
POST_AGAIN: Final = "#rc=5&rp=5xx,ct,rt"
HANG_UP: Final = '<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>'
NO_ANSWER: Final = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


def twiml_of(message: Outbound, callback_url: str, prompt: Prompt) -> str:
    """Return the TwiML of a call; what is keyed in goes to the callback URL, of a PIN with the language and the number of the try."""
    action = f"{callback_url}/keys"
    inner = re.sub(r"^<speak[^>]*>|</speak>$", "", ssml_of(message, prompt))
    return gather(f"{action}/{quote(message.language, safe='')}/1" if message.confirm else action, message.language, inner)


def ask_again(action_url: str, language: str, text: str) -> str:
    """Return the TwiML after a PIN was keyed in: nobody here knows whether it was the right one, so that another may be."""
    return gather(action_url, language, escape(text))


def gather(action_url: str, language: str, said: str) -> str:
    """Return the TwiML that says something and waits for keys; `said` is markup."""
    voice, locale = VOICES.get(language.partition("-")[0], VOICES["en"])
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Response>'
        f'<Gather input="dtmf" timeout="8" finishOnKey="#" action={quoteattr(action_url + POST_AGAIN)}>'
        f'<Say voice="{voice}" language="{locale}">{said}</Say></Gather></Response>'
    )
