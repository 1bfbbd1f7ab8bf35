"""Words as they compare: two spellings of one name, number or place are the same."""

from functools import lru_cache
from unicodedata import normalize


@lru_cache(maxsize=8192)
def bare(text: str) -> str:
    """Return the letters and digits of `text`, folded: case, blanks, punctuation and the width of characters tell nothing apart."""
    return "".join(filter(str.isalnum, normalize("NFKC", text).casefold()))
