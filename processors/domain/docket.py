"""Numbers of court cases as they compare: "No. CR26-001432" is "cr 26 1432", and 12-3 is not 1-23 (contract §3.2)."""

import re
from functools import lru_cache
from unicodedata import normalize

from processors.domain.normalize import without_invisible

_GROUPS = re.compile(r"[0-9]+|[^\W0-9_]+")
_WORDS_FOR_NUMBER = frozenset({"no", "nos", "nr", "num", "number", "case", "cause", "docket", "file"})


@lru_cache(maxsize=8192)
def compared_docket(text: str) -> str:
    """
    Return the groups of letters and digits of a docket number, folded, with blanks between.

    Leading zeros count for nothing, nor does a group of zeros alone, nor "No." and its like in front; empty where nothing is left.
    """
    shown = normalize("NFKC", without_invisible(text)).casefold()
    groups = [each.lstrip("0") if each.isdigit() else each for each in _GROUPS.findall(shown)]
    while len(groups) > 1 and groups[0] in _WORDS_FOR_NUMBER:
        groups.pop(0)
    return " ".join(filter(None, groups))
