"""
The comparable form of court case numbers: "No. CR26-001432" is "cr 26 1432", and 12-3 is not 1-23 (contract §3.2).

After a federal number (1:26-cr-00143) courts write the judges' initials and the defendant's number, which change within a case.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final
from unicodedata import normalize

from processors.domain.normalize import normalize as letters_and_digits
from processors.domain.normalize import without_invisible

MOST: Final = 100  # numbers that "CR26-1 thru CR26-9" may stand for

_GROUPS = re.compile(r"[0-9]+|[^\W0-9_]+")
_YEAR = re.compile(r"^((?:\S{1,5} ){0,3})(?:19(?=[5-9])|20)(\d\d)(?= (?:\S+ )*\d)")  # of a compared number, more digits after it
_NUMERO = re.compile(r"\bn\s?\.?\s?[°º]|№")
_DASH = re.compile("[\u2010-\u2015\u2212]")
_DOTTED = re.compile(r"(?<![^\W_])([a-z])\.(?=[a-z]\.)")  # C.R. is CR
# A division before the number, as in 1:26-cr-00143, or initials after it say that it is a federal one.
_FEDERAL = re.compile(
    r"(\b[0-9]{1,2}:(?:19|20)?[0-9]{2}[- ]?(?:cr|cv|mj|po|mc|sw)[- ]?[0-9]{1,5}"
    r"|\b(?:19|20)?[0-9]{2}-(?:cr|cv|mj|po|mc|sw)-[0-9]{1,5}(?=-[a-z]{2}))"
    r"(?:-[a-z]{2,4})*(?:-[0-9]{1,3})?\s*$"
)
# A number with nothing beside it, as most are.
_ALONE = re.compile(r"[a-z0-9:-]*")
# What stands between several numbers. After a comma or "and" the end of a number may be written alone: CR26-1432 & 1433.
_SEVERAL = re.compile(r"[;|+\n\r\t\u2028\u2029•]")
_AND = re.compile(
    r",\s|,(?!\d{3}\b)|、|&|\s(?:and|or|and/or|y|o|y/o|plus|with|·|/)\s"
    r"|(?:(?<=-\d{3})|(?<=-\d{4})|(?<=-\d{5})|(?<=-\d{6}))/(?=[a-z])"
)
_TO = re.compile(r"\s(?:thru|through|to)\s")
_ROW = re.compile(r"(?:[a-z]{0,5}-?\d+-\d+(?:-\w+)?\s+)+[a-z]{0,5}-?\d+-\d+(?:-\w+)?")
_END = re.compile(r"\s*(?:-\s*)?(\d{1,9})\s*")
_LAST = re.compile(r"(?<!\d)\d{1,9}(?=\D*$)")
# What is written beside a number: a remark in brackets, the parties, the document or count within the case, that it is sealed.
_REMARK = re.compile(r"(?<=\d)\s*(?:\([^()]*\)|\[[^\[\]]*\])")
_PARTIES_BEFORE = re.compile(r"^\D*[^\W\d_]\W+vs?\.?\s+(?:[^\W\d_][^\d\s]*\s+)+?(?=[a-z]{0,4}[-\s]?\d)")
_BESIDE = re.compile(
    r"(?<=[\w)])\s+(?:-\s+)?(?:(?:the\s+)?(?:state|people|commonwealth|united\s+states|u\.?s\.?a?\.?|in\s+re|et\s+al)\b.*|doc(?:ument)?\.?\s*\d+"
    r"|(?:counts?|cts|ct\.|charges?)\s*[#\divx].*|\W*(?:sealed|consolidated|all\s+defendants|et\s+seq)\b.*)\s*$"
)
_WORDS_FOR_NUMBER = frozenset(
    {
        *("no", "nos", "nr", "num", "núm", "number", "numero", "número", "case", "cases", "cause", "docket", "dkt", "file"),
        *("caso", "causa", "expte", "dossier"),
        *("ref", "reference", "id", "index", "expediente", "caseno", "casenumber", "docketno", "docketnumber", "causeno", "causenumber"),
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
    shown = plain(text)
    if not _ALONE.fullmatch(shown):
        shown = _DOTTED.sub(r"\1", _PARTIES_BEFORE.sub("", shown))
        shown = _BESIDE.sub("", _REMARK.sub("", shown))
    groups = _GROUPS.findall(_FEDERAL.sub(r"\1", shown))
    first = next((place for place, each in enumerate(groups) if each.isdecimal()), None)
    if first is None:
        return ""
    in_front = [each for each, after in pairwise(groups[: first + 1]) if not is_label(each, after)]
    numbers = [each.lstrip("0") if each.isdecimal() else each for each in groups[first:]]
    return " ".join(filter(None, (*in_front, *numbers)))


@lru_cache(maxsize=8192)
def compared_dockets(text: str) -> frozenset[str]:
    """Return the docket numbers that a text names, which may be several: "CR26-1432; CR26-1433"."""
    return frozenset(filter(None, map(compared_docket, numbers_in(plain(text)))))


@lru_cache(maxsize=8192)
def docket_keys(text: str) -> frozenset[str]:
    """
    Return the docket numbers that a text names, a year in four digits as well by its last two: CR2026-1432 is CR26-1432.

    Who is told, and what follows what, is decided by these. They are not what a duplicate is recognised by, which would change with them.
    """
    found = filter(None, map(without_no_number, compared_dockets(text)))
    return frozenset(key for each in found for key in (each, _YEAR.sub(r"\1\2", each)))


def plain(text: str) -> str:
    """Return a text folded, with the signs of a keyboard for those that programs set."""
    return _DASH.sub("-", normalize("NFKC", _NUMERO.sub(" no ", without_invisible(text).casefold())).casefold())


def numbers_in(text: str) -> Iterator[str]:
    """Yield the numbers of a folded text, each whole: "cr26-1432 & 1434" names cr26-1432 and cr26-1434, "thru" those between as well."""
    if _ALONE.fullmatch(text):
        yield text
        return
    for part in text.split() if _ROW.fullmatch(text.strip()) else _SEVERAL.split(text):
        whole = ""
        for each in _AND.split(part):
            first, *more = _TO.split(each)
            whole = complete(first, whole)
            yield whole
            for end in more:
                before, whole = whole, complete(end, whole)
                yield from between(before, whole)
                yield whole


def complete(written: str, before: str) -> str:
    """Return a number of which only the end may be written, as much of it as the end of the number before it has."""
    end, last = _END.fullmatch(written), _LAST.search(before)
    if end is None or last is None or len(end[1]) < len(last[0].lstrip("0")) or not _GROUPS.search(before[: last.start()]):
        return written
    return before[: last.start()] + end[1]


def between(first: str, last: str) -> Iterator[str]:
    """Yield the numbers between two that differ at their ends alone."""
    begins, ends = _LAST.search(first), _LAST.search(last)
    if begins is None or ends is None or _GROUPS.findall(first[: begins.start()]) != _GROUPS.findall(last[: ends.start()]):
        return
    if int(ends[0]) - int(begins[0]) <= MOST:
        yield from (f"{first[: begins.start()]}{each}" for each in range(int(begins[0]) + 1, int(ends[0])))


def without_no_number(compared: str) -> str:
    """Return a compared number without words such as "pending" beside it; empty if they stand for it: "TBD 1", "CR26-TBD"."""
    words = compared.split()
    left = [each for each in words if each not in _NO_NUMBER]
    if left and (words[0] in _NO_NUMBER or (left != words and sum(map(str.isdecimal, left)) == 1)):
        return ""
    return " ".join(left)


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
