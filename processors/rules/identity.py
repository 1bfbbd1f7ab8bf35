"""
Identifiers: within which scope they are unique, whether they are strong or weak, and which values are not identifiers (contract §3.2).

A mark is the comparable form of an identifier, a text that is equal only for equal identifiers:

    FBI:551234AB1          strong, unique in the nation
    SID:VA7700123          strong, unique in the state that its first letters name
    DOC@NC:0733210         strong, unique in the state's corrections
    ~BOOKING@VA0430000:77  weak, unique in the agency
    ~BOOKING@*:77          weak, of an unknown issuer, as in registrations
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby, pairwise
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Final, Literal

from msgspec import Struct

from processors.domain.names import APOSTROPHES
from processors.domain.normalize import without_invisible
from processors.domain.person import Identifier
from processors.domain.states import NCIC_CODES, STATES, state_code

ScopeKind = Literal["nation", "state", "agency"]

OTHER: Final = "*"  # the scheme of all numbers without an entry of their own
ANY_ISSUER: Final = "*"
WEAK: Final = "~"
PREFIX: Final = 2  # letters that name a state
FEDERAL: Final = "US"  # the prefix of federal agencies
STATE_PREFIXES: Final = frozenset({*STATES, *NCIC_CODES, FEDERAL})

_SILENT: Final = dict.fromkeys(map(ord, APOSTROPHES))
_SEPARATORS: Final = frozenset({"Pd", "Pc", "Zs", "Cc", "Zl", "Zp"})
_LETTERS: Final = re.compile(r"[A-Z]+")
_LETTERS_THEN_DIGITS: Final = re.compile(r"([A-Z]{2,})([0-9]{3,})")
_WORD: Final = re.compile(r"[^\W\d_]{5}")
MOST_DIGITS: Final = 2
_EDGES: Final = re.compile(r"^[^A-Z0-9]+|[^A-Z0-9]+$")
_FRACTION: Final = re.compile(r"([0-9]+)\.0+")  # added by a spreadsheet that took the number for a quantity
_AFTER_STATE: Final = re.compile(r"^([A-Z]{2})[^A-Z0-9]+(?=[0-9])")  # VA/7700123, (VA) 7700123
_LABEL: Final = r"[^A-Z0-9]*(?:{})(?:[^A-Z0-9]*(?:NO|NR|NUM|NUMBER))?[^A-Z0-9]+(?=.*[0-9])"


@lru_cache(1 << 14)
def comparable_number(text: str) -> str:
    """Return a number or code in comparable form: upper case, without spaces, hyphens, apostrophes and invisible characters."""
    if text.isascii() and text.isalnum():  # the usual case
        return text.upper()
    plain = unicodedata.normalize("NFKC", without_invisible(text).translate(_SILENT)).translate(_SILENT)
    return "".join(each for each in plain if unicodedata.category(each) not in _SEPARATORS and each != "\u2212").upper()


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of number, its synonyms in comparable form; `prefixed` if the value's first two letters name the state that issued it."""

    name: str
    synonyms: tuple[str, ...]
    scope: ScopeKind
    strong: bool
    pattern: re.Pattern[str]
    length: tuple[int, int]
    prefixed: bool = False
    meaning: str = ""

    def fits(self, value: str) -> bool:
        """Whether a value in comparable form has the scheme's form."""
        return self.length[0] <= len(value) <= self.length[1] and self.pattern.fullmatch(value) is not None


class Issuer(Struct, frozen=True, gc=False):
    """The presumed issuer of a number that does not name one: the submitting agency; nobody for a registration."""

    agency: str = ""
    state: str = ""

    def of(self, scope: ScopeKind) -> str:
        return (comparable_number(self.agency) if scope == "agency" else comparable_number(self.state)) or ANY_ISSUER


NO_ISSUER: Final = Issuer()


class NotAnIdentifier(ValueError):
    """The value is not an identifier; the message says why."""


@dataclass(frozen=True, eq=False)
class IdentityRules:
    """The schemes of one jurisdiction on one day, and which values are not identifiers."""

    schemes: Mapping[str, Scheme]
    words: frozenset[str] = frozenset()
    fillers: tuple[tuple[str, int, tuple[str, ...]], ...] = ()

    @cached_property
    def compact_words(self) -> frozenset[str]:
        return frozenset("".join(filter(str.isalnum, comparable_number(each))) for each in self.words)

    @cached_property
    def long_words(self) -> frozenset[str]:
        """The words for "no number" that count even beside digits or other words; short ones do not: NA123 may be a number."""
        return frozenset(each for each in self.compact_words if len(each) > PREFIX and each.isalpha())

    @cached_property
    def schemes_by_name(self) -> Mapping[str, Scheme]:
        """The schemes by name and synonyms; a name takes precedence over another's synonym."""
        return {each: scheme for scheme in self.schemes.values() for each in scheme.synonyms} | dict(self.schemes)

    def scheme(self, name: str) -> Scheme:
        """Return the scheme of this name, otherwise the scheme of other numbers."""
        return self.schemes_by_name.get(scheme_name(name)) or self.schemes[OTHER]

    def mark(self, identifier: Identifier, issuer: Issuer = NO_ISSUER) -> str:
        """Return the identifier's mark; raises NotAnIdentifier if it is not one."""
        scheme = self.scheme(identifier.scheme)
        name = scheme_name(identifier.scheme if scheme.name == OTHER else scheme.name)
        value = number_of(identifier.value, (name, *scheme.synonyms))
        value = _AFTER_STATE.sub(r"\1", value) if scheme.prefixed else value
        letters = value if value.isalnum() else "".join(filter(str.isalnum, value))
        if self.is_word(identifier.value, letters):
            raise NotAnIdentifier("it stands for no number")
        if filler := self.filler(letters, prefixed=scheme.prefixed) or self.written_filler(identifier.value):
            raise NotAnIdentifier(f"it is {filler}")
        if not scheme.fits(value):
            raise NotAnIdentifier(
                f"it has not the form of a {scheme.name} number" if scheme.name != OTHER else "it has not the form of a number"
            )
        strength = "" if scheme.strong else WEAK
        if scheme.scope == "nation":
            return f"{strength}{name}:{value}"
        if scheme.prefixed and value[:PREFIX] in STATE_PREFIXES:
            return f"{strength}{name}:{NCIC_CODES.get(value[:PREFIX], value[:PREFIX])}{value[PREFIX:]}"
        by = self.named_issuer(identifier.issuer, scheme.scope) or issuer.of(scheme.scope)
        if scheme.prefixed and by != ANY_ISSUER:
            return f"{strength}{name}:{by}{value}"
        return f"{strength}{name}@{by}:{value}"

    def named_issuer(self, text: str | None, scope: ScopeKind) -> str:
        """Return the issuer that an identifier names, empty if it names none; raises NotAnIdentifier if a state is needed and not named."""
        code = comparable_number(text or "")
        if not code or self.is_word(text or "", "".join(filter(str.isalnum, code))):
            return ""
        state = state_code(text or "") or (FEDERAL if code.startswith(FEDERAL) else None)
        if scope == "agency":
            return "" if code == state else code
        if state is None:
            raise NotAnIdentifier("its issuer is no state")
        return state

    def is_word(self, text: str, value: str) -> bool:
        """Whether a value says that there is no number, by itself or among other words."""
        if not value.strip("0") or value in self.compact_words:
            return True
        if value.isdigit():
            return False
        written = text.upper()
        if written.isalnum() and written[PREFIX:].isdigit():  # VA7100042, the usual case: its letters are not a word
            return False
        words = _LETTERS.findall(written)
        found = {*words, *_LETTERS.findall(value), "".join(words)}
        found |= {each[PREFIX:] for each in found if each[:PREFIX] in STATE_PREFIXES}
        return not self.long_words.isdisjoint(found) or any(each in written for each in self.abbreviations)

    @cached_property
    def abbreviations(self) -> frozenset[str]:
        """The words with a slash, such as N/A; they mean "no number" even with digits beside them."""
        return frozenset(each.upper() for each in self.words if "/" in each)

    def written_filler(self, text: str) -> str | None:
        """Return the kind of filler that the punctuation in a value shows; None if it may be a number."""
        written = text.upper() if text.isascii() else unicodedata.normalize("NFKC", text).upper()
        if written.isalnum() and MASK not in written:
            return None
        return next((name for name, form in FILLER_PATTERNS.items() if name in self.named_fillers and form.search(written)), None)

    @cached_property
    def named_fillers(self) -> frozenset[str]:
        return frozenset(name for name, _, _ in self.fillers)

    def filler(self, value: str, *, prefixed: bool = False) -> str | None:
        """Return the kind of filler that a value is; None if it may be a number."""
        body = value[PREFIX:] if prefixed and value[:PREFIX].isalpha() else ""
        for name, least, after_prefix in self.fillers:
            is_filler = FILLER_TESTS.get(name)
            if is_filler is None:
                continue
            if len(value) >= least and is_filler(value):
                return name
            if body and body[0] in after_prefix and len(body) >= least and is_filler(body):
                return name
        return None


LONGEST_RUN: Final = 70
RUNS: Final = (
    f"{digits * (LONGEST_RUN // len(digits) + 1)}|{ascii_uppercase}|{ascii_lowercase}"  # every run of plain characters is part of this text
)


def is_repeated(value: str) -> bool:
    return len(set(value)) == 1


def is_run(value: str) -> bool:
    """Whether each character is the successor of the one before; 0 follows 9."""
    if len(value) <= LONGEST_RUN and value.isascii() and value.isalnum():
        return value in RUNS
    return all(ord(later) == ord(one) + 1 or one + later == "90" for one, later in pairwise(value))


def is_descending_run(value: str) -> bool:
    """Whether the value is a run backwards from 9 or 09: 987654, 0987654321."""
    return value.startswith(("9", "09")) and is_run(value[::-1])


def is_run_there_and_back(value: str) -> bool:
    """Whether a run is followed by the same run backwards: 1234321, 12344321."""
    half = (len(value) + 1) // 2
    return value == value[::-1] and (is_run(value[:half]) or is_run(value[half - 1 :]))


def is_doubled_run(value: str) -> bool:
    """Whether each character of a run is repeated: 112233, 111222333."""
    if value[:1] != value[1:2]:
        return False
    once = "".join(each for each, _ in groupby(value))
    return all(len(list(same)) > 1 for _, same in groupby(value)) and (is_run(once) or is_run(once[::-1]))


def is_repeated_run(value: str) -> bool:
    """Whether a whole run is repeated: 12341234, 123123."""
    return is_run(value[:3]) and any(
        is_run(value[:size]) and value == value[:size] * (len(value) // size) for size in range(3, len(value) // 2 + 1)
    )


def is_repeated_group(value: str) -> bool:
    """Whether a group of two or three characters is repeated: 121212, 123123123."""
    return value[2:] == value[:-2] or value[3:] == value[:-3]


def is_repeated_but_one(value: str) -> bool:
    """Whether all digits but the first or the last are the same: 1000000, 9999998; 0000001 is a number with leading zeros."""
    return value.isdigit() and value[0] != "0" and (is_repeated(value[:-1]) or is_repeated(value[1:]))


def is_letters_then_digits(value: str) -> bool:
    """Whether letters and then digits are each repeated, or letters (three or more) and then digits a run: XX999999, ABCD1234."""
    found = _LETTERS_THEN_DIGITS.fullmatch(value)
    if found is None:
        return False
    letters, numbers = found.groups()
    return all(is_repeated(each) or (is_run(each) and len(letters) > PREFIX) for each in (letters, numbers))


def is_zeros(value: str) -> bool:
    """Whether there are only zeros, with at most two letters: A0000000."""
    zeros = value.count("0")
    return zeros > PREFIX and zeros >= len(value) - PREFIX and zeros == sum(map(str.isdigit, value))


def is_word_with_a_digit_or_two(value: str) -> bool:
    """Whether the value is a word of five letters or more with at most two digits: BLOCK12, INTAKE1."""
    return _WORD.search(value) is not None and sum(map(str.isdigit, value)) <= MOST_DIGITS


# The fillers that are recognized in a value without its punctuation.
FILLER_TESTS: Final = {
    "one repeated character": is_repeated,
    "a repeated digit after a state": is_repeated,
    "an ascending run": is_run,
    "a descending run": is_descending_run,
    "a run there and back": is_run_there_and_back,
    "a doubled run": is_doubled_run,
    "a repeated run": is_repeated_run,
    "a repeated group": is_repeated_group,
    "a word with a digit or two": is_word_with_a_digit_or_two,
    "one repeated digit but for the first or last": is_repeated_but_one,
    "letters and digits of a form": is_letters_then_digits,
    "nothing but zeros": is_zeros,
}
MASK: Final = "XXX"
# The fillers that are recognized by the punctuation in a value.
FILLER_PATTERNS: Final = {
    "a masked number": re.compile(r"[X*#•●.?]{3}|[*•●?]"),
    "a negative number": re.compile(r"^\s*[-−]\s*[0-9]+(?:\.0*)?\s*$"),
    "a placeholder of a form": re.compile(r"\$\{|\{\{|^\s*(?:%.*%|<.*>|[@:].*)\s*$"),
    "a date": re.compile(
        r"^\s*(?:0?[1-9]|[12]\d|3[01])[ -](?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[A-Z]*[ -](?:\d\d|\d{4})\s*$|"
        r"^\s*(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[A-Z]*-\d\d\s*$|^\s*(?:0001|1753|1900)-\d\d-\d\d|^\s*\d\d?/\d\d?/0001|"
        r"^\s*(?:(?:0?[1-9]|[12]\d|3[01])[/.-](?:0?[1-9]|[12]\d|3[01])[/.-](?:1[89]|20|99)\d\d"
        r"|(?:1[89]|20|99)\d\d[/.-](?:0?[1-9]|1[0-2])[/.-](?:0?[1-9]|[12]\d|3[01]))(?:[T ].*)?\s*$|"
        r"^\s*\d\d?:\d\d:\d\d(?:\.\d+)?(?: [AP]M)?\s*$"
    ),
    "a number cut short by a spreadsheet": re.compile(r"^\s*[0-9](?:[.,][0-9]+E[+-]?|E[+-])[0-9]+\s*$"),
}


@lru_cache(256)
def scheme_name(name: str) -> str:
    """Return the name of a scheme in comparable form: FBI for "F.B.I. #"."""
    plain = comparable_number(name)
    return plain if plain.isalnum() else "".join(filter(str.isalnum, plain)) or plain


def number_of(text: str, names: tuple[str, ...]) -> str:
    """Return a value in comparable form, without anything around the number: a name of the scheme, punctuation, a fraction of zeros."""
    plain = comparable_number(text)
    return plain if plain.isalnum() and not plain.startswith(names) else _bare_number(text, names)


@lru_cache(1 << 12)
def _bare_number(text: str, names: tuple[str, ...]) -> str:
    written = unicodedata.normalize("NFKC", without_invisible(text)).upper()
    labeled = _label(names).match(written)
    plain = _EDGES.sub("", comparable_number(written[labeled.end() :] if labeled else written))
    fraction = _FRACTION.fullmatch(plain)
    return fraction[1] if fraction else plain


@lru_cache(256)
def _label(names: tuple[str, ...]) -> re.Pattern[str]:
    """Return the pattern of a scheme's name before a number; signs within the name count for nothing, and the longest name counts."""
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(_LABEL.format("|".join("[^A-Z0-9]*".join(map(re.escape, each)) for each in longest_first)))


def group_of(mark: str) -> str:
    """Return the scheme and scope of a mark: two people whose marks of one group differ entirely are different people."""
    head, _, value = mark.partition(":")
    return f"{head}:{value[:PREFIX]}" if value[:PREFIX].isalpha() and "@" not in head else head


def is_strong(mark: str) -> bool:
    return not mark.startswith(WEAK)


def lacks_issuer(mark: str) -> bool:
    """Whether the issuer of the number is unknown."""
    return f"@{ANY_ISSUER}:" in mark


def readable_mark(mark: str) -> str:
    """Return a mark in readable form: "BOOKING 77 of VA0430000"."""
    head, _, value = mark.lstrip(WEAK).partition(":")
    scheme, _, issuer = head.partition("@")
    return f"{scheme} {value} of {issuer}" if issuer and issuer != ANY_ISSUER else f"{scheme} {value}"


def schemes_of(entries: Iterable[tuple[str, tuple[str, ...], ScopeKind, bool, str, tuple[int, int], bool, str]]) -> Mapping[str, Scheme]:
    """Return the schemes by name in comparable form."""
    return {
        (name if name == OTHER else comparable_number(name)): Scheme(
            name, tuple(map(scheme_name, synonyms)), scope, strong, re.compile(pattern), length, prefixed, meaning
        )
        for name, synonyms, scope, strong, pattern, length, prefixed, meaning in entries
    }
