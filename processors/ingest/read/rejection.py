"""Why an outsider's record is not taken. Raised inside `read` alone, which turns it into a dead letter and a verdict."""


class Rejection(Exception):
    """
    The record cannot be taken: a code of `domain.reasons` and a sentence.

    The sentence names fields, codes and limits, never contact data or people, and never repeats a library's words.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


LONGEST_SHOWN = 80


def shown(text: str) -> str:
    """Return an outsider's code or field name as a sentence may quote it: printable and short."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in text[: LONGEST_SHOWN + 1])
    return f'"{plain[:LONGEST_SHOWN]}…"' if len(plain) > LONGEST_SHOWN else f'"{plain}"'
