"""The seal of a dead letter that may hold a registrant's data: its own key, which can be destroyed with the registrant's."""

from processors.domain.erasure import dead_letter_key
from processors.domain.seal import Seal
from processors.stage import Context, Output
from processors.topics import DEAD_LETTER_KEYS


def new_dead_letter_seal(dead_letter_id: str, context: Context) -> tuple[Seal, Output]:
    """Return the seal with a new random key, and the record of that key."""
    key = context.draw(dead_letter_id)
    return Seal(key), Output(DEAD_LETTER_KEYS, dead_letter_id, dead_letter_key(dead_letter_id, key, context.seal))
