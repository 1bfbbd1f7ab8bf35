"""The exception that rejects a record; `read` turns it into a dead letter and a verdict."""

from typing import Final


class Rejection(Exception):
    """
    The record is rejected, with a reason code of `domain.reasons` and a sentence.

    The sentence names fields, codes and limits, never contact data or people, and never quotes a library's error message.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


MAX_QUOTED: Final = 80


def quote(text: str) -> str:
    """Return an outsider's code or field name quoted for a sentence: printable and short."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in text[: MAX_QUOTED + 1])
    return f'"{plain[:MAX_QUOTED]}…"' if len(plain) > MAX_QUOTED else f'"{plain}"'
