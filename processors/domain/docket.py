"""
The comparable form of court case numbers: "No. CR26-001432" is "cr 26 1432", and 12-3 is not 1-23 (contract §3.2).

Federal courts append the judges' initials and the defendant's number to a number (1:26-cr-00143). These are ignored, since they
change within a case.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final
from unicodedata import normalize

from processors.domain.normalize import normalize as letters_and_digits
from processors.domain.normalize import without_invisible

MAX_RANGE: Final = 100  # the most numbers that a range such as "CR26-1 thru CR26-9" may stand for

_GROUPS = re.compile(r"[0-9]+|[^\W0-9_]+")
_YEAR = re.compile(
    r"^((?:\S{1,5} ){0,3})(?:19(?=[5-9])|20)(\d\d)(?= (?:\S+ )*\d)"
)  # the year in a compared number, followed by more digits
_NUMERO = re.compile(r"\bn\s?\.?\s?[°º]|№")
_DASH = re.compile("[\u2010-\u2015\u2212]")
_DOTTED = re.compile(r"(?<![^\W_])([a-z])\.(?=[a-z]\.)")  # C.R. is CR
# A federal number has a division before it, as in 1:26-cr-00143, or initials after it.
_FEDERAL = re.compile(
    r"(\b[0-9]{1,2}:(?:19|20)?[0-9]{2}[- ]?(?:cr|cv|mj|po|mc|sw)[- ]?[0-9]{1,5}"
    r"|\b(?:19|20)?[0-9]{2}-(?:cr|cv|mj|po|mc|sw)-[0-9]{1,5}(?=-[a-z]{2}))"
    r"(?:-[a-z]{2,4})*(?:-[0-9]{1,3})?\s*$"
)
# A number with nothing beside it: the usual case.
_BARE_NUMBER = re.compile(r"[a-z0-9:-]*")
# What separates several numbers. After a comma or "and", only the end of a number may be written: CR26-1432 & 1433.
_SEPARATOR = re.compile(r"[;|+\n\r\t\u2028\u2029•]")
_AND = re.compile(
    r",\s|,(?!\d{3}\b)|、|&|\s(?:and|or|and/or|y|o|y/o|plus|with|·|/)\s"
    r"|(?:(?<=-\d{3})|(?<=-\d{4})|(?<=-\d{5})|(?<=-\d{6}))/(?=[a-z])"
)
_TO = re.compile(r"\s(?:thru|through|to)\s")
_ROW = re.compile(r"(?:[a-z]{0,5}-?\d+-\d+(?:-\w+)?\s+)+[a-z]{0,5}-?\d+-\d+(?:-\w+)?")
_END = re.compile(r"\s*(?:-\s*)?(\d{1,9})\s*")
_LAST = re.compile(r"(?<!\d)\d{1,9}(?=\D*$)")
# What is written beside a number: a remark in brackets, the parties, a document or count within the case, "sealed".
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
# Words for the kind of case. Before a number they count: CRIM 26-1 and CIV 26-1 are two cases.
_KINDS = frozenset(
    {
        *("crim", "criminal", "civil", "court", "indictment", "complaint", "felony", "misdemeanor", "action", "matter", "warrant"),
        *("citation", "appeal", "petition", "juvenile", "traffic"),
    }
)


# Placeholders for a number that is not known yet, possibly with a digit beside them: TBD 1.
_PLACEHOLDERS = frozenset({"tbd", "tba", "unknown", "unk", "unkn", "pending", "pendiente", "none", "null", "xxx", "desconocido"})


@lru_cache(maxsize=8192)
def compared_docket(text: str) -> str:
    """
    Return a docket number in comparable form: its groups of letters and digits, case-folded, separated by spaces.

    Leading zeros, groups of zeros only, and words such as "No." in front are ignored. Empty if nothing is left or there is no
    digit, as in "pending".
    """
    shown = plain(text)
    if not _BARE_NUMBER.fullmatch(shown):
        shown = _DOTTED.sub(r"\1", _PARTIES_BEFORE.sub("", shown))
        shown = _BESIDE.sub("", _REMARK.sub("", shown))
    groups = _GROUPS.findall(_FEDERAL.sub(r"\1", shown))
    first = next((index for index, each in enumerate(groups) if each.isdecimal()), None)
    if first is None:
        return ""
    in_front = [each for each, after in pairwise(groups[: first + 1]) if not is_label(each, after)]
    numbers = [each.lstrip("0") if each.isdecimal() else each for each in groups[first:]]
    return " ".join(filter(None, (*in_front, *numbers)))


@lru_cache(maxsize=8192)
def compared_dockets(text: str) -> frozenset[str]:
    """Return the docket numbers in a text in comparable form; there may be several: "CR26-1432; CR26-1433"."""
    return frozenset(filter(None, map(compared_docket, numbers_in(plain(text)))))


@lru_cache(maxsize=8192)
def docket_keys(text: str) -> frozenset[str]:
    """
    Return the docket numbers in a text; one with a four-digit year also with a two-digit year: CR2026-1432 is CR26-1432.

    They decide who is notified and which event precedes which. Duplicates are not recognized by them but by `compared_dockets`,
    so that fingerprints stay stable.
    """
    found = filter(None, map(without_placeholders, compared_dockets(text)))
    return frozenset(key for each in found for key in (each, _YEAR.sub(r"\1\2", each)))


def plain(text: str) -> str:
    """Return a text case-folded, with plain keyboard characters for typographic ones."""
    return _DASH.sub("-", normalize("NFKC", _NUMERO.sub(" no ", without_invisible(text).casefold())).casefold())


def numbers_in(text: str) -> Iterator[str]:
    """Yield the numbers in a folded text, each complete: "cr26-1432 & 1434" is cr26-1432 and cr26-1434; "thru" includes those between."""
    if _BARE_NUMBER.fullmatch(text):
        yield text
        return
    for part in text.split() if _ROW.fullmatch(text.strip()) else _SEPARATOR.split(text):
        whole = ""
        for each in _AND.split(part):
            first, *more = _TO.split(each)
            whole = complete_number(first, whole)
            yield whole
            for end in more:
                before, whole = whole, complete_number(end, whole)
                yield from numbers_between(before, whole)
                yield whole


def complete_number(written: str, before: str) -> str:
    """Return a number that may be abbreviated to its end, completed from the number before it."""
    end, last = _END.fullmatch(written), _LAST.search(before)
    if end is None or last is None or len(end[1]) < len(last[0].lstrip("0")) or not _GROUPS.search(before[: last.start()]):
        return written
    return before[: last.start()] + end[1]


def numbers_between(first: str, last: str) -> Iterator[str]:
    """Yield the numbers between two that differ only at their ends."""
    begins, ends = _LAST.search(first), _LAST.search(last)
    if begins is None or ends is None or _GROUPS.findall(first[: begins.start()]) != _GROUPS.findall(last[: ends.start()]):
        return
    if int(ends[0]) - int(begins[0]) <= MAX_RANGE:
        yield from (f"{first[: begins.start()]}{each}" for each in range(int(begins[0]) + 1, int(ends[0])))


def without_placeholders(compared: str) -> str:
    """Return a compared number without placeholders such as "pending"; empty if they replace the number: "TBD 1", "CR26-TBD"."""
    words = compared.split()
    left = [each for each in words if each not in _PLACEHOLDERS]
    if left and (words[0] in _PLACEHOLDERS or (left != words and sum(map(str.isdecimal, left)) == 1)):
        return ""
    return " ".join(left)


def same_case(one: str | None, other: str | None) -> bool:
    """Whether two messages may be about one case: both name the same number, however written, or one names none (contract §3.1)."""
    if one is None or other is None or one == other:
        return True
    mine, others = docket_keys(one), docket_keys(other)
    if not mine and not others:
        return letters_and_digits(one) == letters_and_digits(other)
    return not mine or not others or not mine.isdisjoint(others)


def is_label(word: str, following: str) -> bool:
    """Whether a word only announces a number."""
    return word in _WORDS_FOR_NUMBER or (word in _KINDS and (following in _WORDS_FOR_NUMBER or following in _KINDS))
