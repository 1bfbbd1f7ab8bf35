"""How names, numbers and places of agencies compare."""

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=8192)
def normalize(text: str) -> str:
    """Return the letters and digits of `text` in NFKC, casefolded: case, blanks, punctuation and character width make no difference."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
