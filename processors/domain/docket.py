"""
The comparable form of court case numbers: "No. CR26-001432" is "cr 26 1432", and 12-3 is not 1-23 (contract §3.2).

After a federal number (1:26-cr-00143) courts write the judges' initials and the defendant's number, which change within a case.
"""

import re
from functools import lru_cache
from itertools import pairwise
from unicodedata import normalize

from processors.domain.normalize import normalize as letters_and_digits
from processors.domain.normalize import without_invisible

_GROUPS = re.compile(r"[0-9]+|[^\W0-9_]+")
_YEAR = re.compile(r"^((?:\S{1,5} ){0,3})20(\d\d)(?= (?:\S+ )*\d)")  # of a compared number, more digits after it
_NUMERO = re.compile(r"\b(n)\s?\.?\s?[°º]")
_FEDERAL = re.compile(
    r"((?:\b[0-9]{1,2}:(?:20)?[0-9]{2}|\b(?:20)?[0-9]{2})-(?:cr|cv|mj|po|mc|sw)-[0-9]{1,5})(?:-[a-z]{2,4})+(?:-[0-9]{1,3})?\s*$"
)
_SEVERAL = re.compile(r"[;|+\n\t]|,\s|,(?!\d{3}\b)|\s(?:and|or|y|o|&|/)\s", re.IGNORECASE)
# What is written beside a number: a remark in brackets, the parties, the document within the case.
_REMARK = re.compile(r"(?<=\d)\s*(?:\([^()]*\)|\[[^\[\]]*\])")
_PARTIES = re.compile(
    r"(?<=[\w)])\s+(?:-\s+)?(?:(?:the\s+)?(?:state|people|commonwealth|united\s+states|u\.?s\.?a?\.?|in\s+re|et\s+al)\b.*|doc(?:ument)?\.?\s*\d+)\s*$"
)
_WORDS_FOR_NUMBER = frozenset(
    {
        *("no", "nos", "nr", "num", "núm", "number", "numero", "número", "case", "cases", "cause", "docket", "dkt", "file"),
        *("caso", "causa", "expte", "dossier"),
        *("ref", "reference", "id", "expediente", "caseno", "casenumber", "docketno", "docketnumber", "causeno", "causenumber"),
        *("fileno", "filenumber"),
    }
)
# Words for the kind of case before its number: CRIM 26-1 and CIV 26-1 are two cases.
_KINDS = frozenset(
    {
        *("crim", "criminal", "civil", "court", "indictment", "complaint", "felony", "misdemeanor", "action", "matter", "warrant"),
        *("citation", "appeal", "petition", "juvenile", "traffic"),
    }
)


# What is written where there is no number yet, with a digit beside it: TBD 1.
_NO_NUMBER = frozenset({"tbd", "tba", "unknown", "unk", "unkn", "pending", "pendiente", "none", "null", "xxx", "desconocido"})


@lru_cache(maxsize=8192)
def compared_docket(text: str) -> str:
    """
    Return the groups of letters and digits of a docket number, folded, with blanks between.

    Leading zeros are ignored, and so are a group of zeros alone and words such as "No." in front; empty if
    nothing is left or there is no digit, as in "pending".
    """
    shown = normalize("NFKC", _NUMERO.sub("no ", without_invisible(text).casefold())).casefold()
    shown = _FEDERAL.sub(r"\1", _PARTIES.sub("", _REMARK.sub("", shown)))
    groups = _GROUPS.findall(shown)
    first = next((place for place, each in enumerate(groups) if each.isdecimal()), None)
    if first is None:
        return ""
    in_front = [each for each, after in pairwise(groups[: first + 1]) if not is_label(each, after)]
    numbers = [each.lstrip("0") if each.isdecimal() else each for each in groups[first:]]
    return " ".join(filter(None, (*in_front, *numbers)))


@lru_cache(maxsize=8192)
def compared_dockets(text: str) -> frozenset[str]:
    """Return the docket numbers that a text names, which may be several: "CR26-1432; CR26-1433"."""
    return frozenset(filter(None, map(compared_docket, _SEVERAL.split(text))))


@lru_cache(maxsize=8192)
def docket_keys(text: str) -> frozenset[str]:
    """
    Return the docket numbers that a text names, a year in four digits as well by its last two: CR2026-1432 is CR26-1432.

    Who is told, and what follows what, is decided by these. They are not what a duplicate is recognised by, which would change with them.
    """
    found = (each for each in compared_dockets(text) if _NO_NUMBER.isdisjoint(each.split()))
    return frozenset(key for each in found for key in (each, _YEAR.sub(r"\1\2", each)))


def same_case(one: str | None, other: str | None) -> bool:
    """Whether two messages may be about one case: both name the same number, however spelt, or one names none (contract §3.1)."""
    if one is None or other is None or one == other:
        return True
    mine, others = docket_keys(one), docket_keys(other)
    if not mine and not others:
        return letters_and_digits(one) == letters_and_digits(other)
    return not mine or not others or not mine.isdisjoint(others)


def is_label(word: str, following: str) -> bool:
    """Whether a word says only that a number follows."""
    return word in _WORDS_FOR_NUMBER or (word in _KINDS and (following in _WORDS_FOR_NUMBER or following in _KINDS))
