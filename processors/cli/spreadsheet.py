"""
Reads registrations from a spreadsheet: CSV as written by Excel and similar programs.

UTF-8, UTF-16 or Windows-1252; separated by commas, semicolons, tabs or bars, or as a first line `sep=` says; headers in any
case. A column may occur several times, and a cell may hold several values separated by semicolons or line breaks. What cannot
be read is refused with its line and column: a cell skipped silently might be a telephone number, and a name with letters
garbled by another program would match nobody.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from itertools import chain
from typing import Any, Final

from processors.cli.documents import UTF_16, BrokenFile
from processors.domain.addresses import NORMALIZE, UnreadableAddress, UnusableAddress, normalize
from processors.domain.normalize import without_invisible
from processors.domain.registration import Channel
from processors.domain.zones import zone_named
from processors.ingest.read.contacts import CHANNELS
from processors.ingest.read.dates import means_unknown, parse_birth_date
from processors.ingest.read.instants import parse_expiry, parse_instant
from processors.ingest.read.languages import canonical_language
from processors.ingest.read.registration import PIN, PIN_LENGTH, SOURCES
from processors.ingest.read.rejection import Rejection

# The columns, by where they go in the registration.
SINGLE: Final = ("registration_id", "registrant_id", "source", "language", "time_zone", "pin", "created_at", "expires_at")
LISTS: Final = ("case_numbers", "event_subtypes")
NAMES: Final = ("given", "middle", "sur", "full")
SCHEMES: Final = {"sid": "SID", "fbi": "FBI", "icots": "ICOTS", "booking": "BOOKING", "doc": "DOC"}
ISSUERS: Final = {column: f"{column}_issuer" for column in SCHEMES}  # the column with the issuer of these numbers
COLUMNS: Final = frozenset({*ISSUERS.values(), *SINGLE, *LISTS, *NAMES, *SCHEMES, *CHANNELS, "birth_date", "verified"})
REQUIRED: Final = ("registration_id", "registrant_id", "source")
REPEATED: Final = frozenset({*LISTS, *SCHEMES, *CHANNELS})  # columns that hold several values
SPELLINGS: Final = {
    "registrationid": "registration_id",
    "registrantid": "registrant_id",
    "e_mail": "email",
    "e_mails": "email",
    "emails": "email",
    "email_address": "email",
    "e_mail_address": "email",
    "surname": "sur",
    "last_name": "sur",
    "given_name": "given",
    "first_name": "given",
    "middle_name": "middle",
    "full_name": "full",
    "name": "full",
    "date_of_birth": "birth_date",
    "birthdate": "birth_date",
    "dob": "birth_date",
}
DATES: Final[Mapping[str, Callable[[str], object]]] = {
    "birth_date": parse_birth_date,
    "created_at": lambda text: parse_instant("created_at", text, UTC),
    "expires_at": lambda text: parse_expiry("expires_at", text, UTC),
}

IDS: Final = frozenset({"registration_id", "registrant_id"})
# Columns of numbers that spreadsheets may turn into dates: 1-26 becomes 26-Jan.
NUMBERED: Final = frozenset({*IDS, "case_numbers", *SCHEMES})

YES: Final = frozenset({"y", "yes", "true", "t", "1", "x", "on", "✓", "✔", "☑", "ja", "j", "wahr", "si", "sí", "verdadero", "oui", "vrai"})
NO: Final = frozenset({"", "-", "n", "no", "false", "f", "0", "off", "☐", "nein", "falsch", "non", "faux", "falso"})
SEPARATORS: Final = (",", ";", "\t", "|")
EMPTY: Final = f'{"".join(SEPARATORS)} "\ufeff'  # the characters of a row without values
MAX_CELL: Final = 131_072
WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SEP: Final = re.compile(r"\"?sep ?= ?(.)\"?[,;\t|]*", re.IGNORECASE | re.DOTALL)
_LINE: Final = re.compile(r"\r\n|\r|\n")
_FORMULA: Final = re.compile(r"=\"(.*)\"", re.DOTALL)
_ERROR: Final = re.compile(r"#+|#¡?[^\W\d_]+(?:[/_ ][^\W\d_]+)*[!?]?|#DIV/0!")  # in whatever language: #N/A, #¡REF!, #WERT!, #SPILL!
# A month in English, German, French or Spanish, and the forms of dates and times that spreadsheets write.
_MONTH: Final = r"(?:jan|ene|feb|f[eé]v|m[aä]r|a[pvb]r|ma[iy]|jui?n|jui?l|a[ug][go]|ao[uû]|sep|o[ck]t|nov|d[eéi][cz])[a-zäû]{0,6}\.?"
_YEAR: Final = r"(?:19|20)\d\d"
_DATES: Final = "|".join(
    (
        rf"\d{{1,4}}(?:[-./ ]|\. ){_MONTH}(?:[-./ ]\d\d|[-./ ]{_YEAR})?",  # 26-Jan, 1. Januar 2026, 26-ene-26
        rf"\d{{1,2}} de {_MONTH} de {_YEAR}",
        rf"{_MONTH}[-./ ]\d{{1,4}}",  # Jan-26
        rf"(?:[a-z]+day, )?{_MONTH} \d{{1,2}}, {_YEAR}",  # Monday, January 26, 2026
        rf"\d{{1,2}}([/.-])\d{{1,2}}\1{_YEAR}|\d{{1,2}}/\d{{1,2}}/\d\d",
        rf"{_YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])",
    )
)
_CLOCK: Final = r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?(?: ?[ap]m)?| ?[ap]m)"
_MADE_A_DATE: Final = re.compile(rf"(?:{_DATES})(?:[ T](?:{_CLOCK}|\d{{1,2}}:\d\d))?|{_CLOCK}", re.IGNORECASE)
_CAPITALS: Final = re.compile("[A-Z]{3}")  # no spreadsheet writes a month like that: MAR-12 is an id
_MADE_AN_AMOUNT: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")  # 1,432
# UTF-8 that a program decoded as Windows-1252, and letters of a Mac's or of MS-DOS's character set decoded wrongly.
_TAKEN_TWICE: Final = re.compile("[\u00c2-\u00c5][\u0080-\u00bf]|\u00e2\u20ac|\ufffd")
_NO_LETTER: Final = re.compile(
    "[\u00a1-\u00a7\u00a9\u00ab\u00ac\u00ae\u00b0-\u00b3\u00b6\u00b9\u00bb-\u00bf\u00d7\u00f7\u0192\u201a\u201e\u2020\u2021\u2026\u2030\u20ac\u2122]"
    "|[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff]{4}"  # Cyrillic, Greek or Chinese decoded as Windows-1252
    "|(?<=[a-z])(?:[\u0152\u0160\u0178\u017d]|[\u2013\u2014](?=[a-z]))"
)
_FRACTION: Final = re.compile(r"\d+\.0+")
_NUMBERED: Final = re.compile(r"_?\d+$")
_TEXT_MARK: Final = re.compile(r"^'(?=[\d=+@-])")  # keeps a spreadsheet from interpreting what follows
_SCIENTIFIC: Final = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
_BESIDE_NAME: Final = re.compile(r"\([^()]*\)|[#*?:]")  # additions to a header: SMS (mobile), SID #, Verified?
_WORD: Final = re.compile(r"[\s.-]+")


def registrations(content: bytes) -> Iterator[dict[str, Any]]:
    """Yield one registration per row; raises Broken if the table cannot be read."""
    if content.startswith(WORKBOOKS):
        raise BrokenFile("this is a workbook: save it as CSV")
    lines = _LINE.split(text_of(content).rstrip("\x1a\r\n"))
    first = 1
    while len(lines) > 1 and not lines[0].strip(EMPTY):
        first, lines = first + 1, lines[1:]
    separator = None
    if lines and (declared := _SEP.fullmatch(lines[0].strip("\r\n "))):
        separator, first, lines = declared[1], first + 1, lines[1:]
    if lines in ([], [""]):
        raise BrokenFile("the file is empty: write a header, then a registration a line", first)
    separator = separator or separator_of(lines[0], first)
    rows = Rows(lines, separator, first)
    header = columns(next(rows, (first, []))[1], first)
    found: dict[str, int] = {}
    for line, row in rows:
        if any(cell.strip() for cell in row):
            each = registration(cells(header, row, line), header, line)
            earlier = found.setdefault(each["registration_id"], line)
            if earlier != line:
                raise BrokenFile(
                    f"this registration_id is in line {earlier} already: write all addresses of a registration in one row", line
                )
            yield each
    if not found:
        raise BrokenFile("there is no registration below the header", first)


class Rows:
    """Iterates over the rows of a table, each with the number of its first line."""

    def __init__(self, lines: list[str], separator: str, first: int) -> None:
        self._first = first
        self._reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=separator, skipinitialspace=True, strict=True)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        return self

    def __next__(self) -> tuple[int, list[str]]:
        line = self._first + self._reader.line_num
        try:
            return line, next(self._reader)
        except csv.Error as error:
            raise BrokenFile(f"the row cannot be read ({error})", line) from None


def text_of(content: bytes) -> str:
    """Decode UTF-8, UTF-16 or Windows-1252, Excel's default."""
    if content.startswith(UTF_16):
        return _decode(content, "utf-16")
    if content[1:2] == b"\0" or content[:1] == b"\0":
        return _decode(content, "utf-16-le" if content[1:2] == b"\0" else "utf-16-be")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decode(content, "cp1252")


def _decode(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(encoding, "replace")
        why = "the text is neither UTF-8, nor UTF-16, nor Windows-1252: save the file as UTF-8"
        raise BrokenFile(why, before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1) from None


def separator_of(header: str, line: int) -> str:
    """Return the column separator: the one that results in the most known column names."""
    found = {each: sum(name_of(cell) in COLUMNS for cell in next(csv.reader([header], delimiter=each), [])) for each in SEPARATORS}
    best = max(SEPARATORS, key=lambda each: found[each])
    if not found[best]:
        raise BrokenFile("this is neither JSON nor a header with the column registration_id: see `vn register --help`", line)
    return best


def name_of(cell: str) -> str:
    """Return the column name that a header cell stands for."""
    name = _WORD.sub("_", _BESIDE_NAME.sub("", without_invisible(cell)).strip().casefold())
    name = SPELLINGS.get(name, name)
    numbered = _NUMBERED.sub("", name)
    return numbered if numbered in REPEATED else name


def columns(header: list[str], line: int) -> list[str]:
    """Return the column names in a header; empty for a column without a name."""
    names = [name_of(cell) for cell in header]
    for column, name in enumerate(names, 1):
        if name and name not in COLUMNS:
            raise BrokenFile(f'"{name[:40]}" is no column of a registration: see `vn register --help`', line, column)
        if name in names[: column - 1] and name and name not in REPEATED:
            raise BrokenFile(f"the column {name} occurs twice, and a registration has one", line, column)
    if "registration_id" not in names:
        raise BrokenFile("the header has no column registration_id", line)
    return names


def cells(header: list[str], row: list[str], line: int) -> dict[str, list[str]]:
    """Return the values of a row by column."""
    found: dict[str, list[str]] = {}
    for column, cell in enumerate(row, 1):
        value = _TEXT_MARK.sub("", without_invisible(cell).strip())
        if formula := _FORMULA.fullmatch(value):
            value = formula[1].strip()
        name = header[column - 1] if column <= len(header) else ""
        if not value:
            continue
        if not name:
            raise BrokenFile("there is a value in a column that has no header", line, column)
        if (why := fault_of(name, value)) is not None:
            raise BrokenFile(why, line, column)
        try:
            values = addresses(CHANNELS[name], value) if name in CHANNELS else parts(value) if name in REPEATED else [value]
        except UnreadableAddress as why:
            raise BrokenFile(f"an address in the column {name} {why}", line, column) from None
        found.setdefault(name, []).extend(values)
    return found


def fault_of(column: str, value: str) -> str | None:
    """Return why a cell's value is probably not what was meant; None if it is fine."""
    for is_faulty, why in FAULTS:
        if is_faulty(column, value):
            return why.format(column=column)
    return None


def is_date(column: str, value: str) -> bool:
    """Whether `read` can parse the date."""
    try:
        DATES[column](value)
    except (ValueError, Rejection):
        return False
    return True


# The checks of a cell, each with the error message.
FAULTS: Final[tuple[tuple[Callable[[str, str], object], str], ...]] = (
    (
        lambda _, value: _SCIENTIFIC.fullmatch(value),
        "the number in the column {column} was shortened by the spreadsheet: format the column as text",
    ),
    (lambda _, value: _ERROR.fullmatch(value), "the column {column} holds an error of the spreadsheet: write the value itself"),
    (
        lambda column, value: column in NUMBERED and _MADE_A_DATE.fullmatch(value) and not (column in IDS and _CAPITALS.search(value)),
        "the number in the column {column} was made a date by the spreadsheet: format the column as text",
    ),
    (
        lambda column, value: column in NUMBERED and _MADE_AN_AMOUNT.fullmatch(value),
        "the number in the column {column} was made an amount by the spreadsheet: format the column as text",
    ),
    (
        lambda column, value: column in IDS and _FRACTION.fullmatch(value),
        "the number in the column {column} was given a fraction by the spreadsheet: format the column as text",
    ),
    (
        lambda column, value: column == "pin" and value.isdecimal() and len(value) < PIN_LENGTH,
        "the column pin has lost zeros before the number: format the column as text",
    ),
    (
        lambda column, value: column == "pin" and not PIN.fullmatch(value),
        "the column pin does not hold four digits: format the column as text",
    ),
    (lambda _, value: value.startswith("="), "the column {column} holds a formula: write the value itself"),
    (
        lambda column, value: _TAKEN_TWICE.search(value) or (column in NAMES and _NO_LETTER.search(value)),
        "letters in the column {column} were spoiled by another program: save the file as CSV UTF-8",
    ),
    (
        lambda _, value: any(unicodedata.category(each) == "Cc" and each != "\n" for each in value),
        "the column {column} holds a character that does not print",
    ),
    (
        lambda column, value: column in DATES and not is_date(column, value),
        "the date in the column {column} is not written YYYY-MM-DD: format the column as text",
    ),
    (
        lambda column, value: column == "language" and canonical_language(value) is None,
        "the column language holds no language code such as en or es",
    ),
    (
        lambda column, value: column == "time_zone" and zone_named(value) is None,
        "the column time_zone holds no time zone such as America/New_York",
    ),
    (lambda column, value: column == "source" and value not in SOURCES, "the column source holds none of the registration sources"),
    (lambda column, value: column == "verified" and value.casefold() not in YES | NO, "the column verified says neither yes nor no"),
)


def registration(row: Mapping[str, list[str]], header: list[str], line: int) -> dict[str, Any]:
    """Return the registration that a row describes."""
    for column in REQUIRED:
        if column in header and column not in row:
            raise BrokenFile(f"the row has no {column}", line)
    verified = row.get("verified", [""])[0].casefold() in YES
    offender: dict[str, Any] = {
        "identifiers": [
            {"scheme": scheme, "value": value, **({"issuer": row[ISSUERS[column]][0]} if ISSUERS[column] in row else {})}
            for column, scheme in SCHEMES.items()
            for value in row.get(column, ())
        ],
    }
    if name := {part: row[part][0] for part in NAMES if part in row}:
        offender["name"] = name
    if "birth_date" in row:
        offender["birth_date"] = row["birth_date"][0]
    return {
        **{column: row[column][0] for column in SINGLE if column in row},
        **{column: row.get(column, []) for column in LISTS},
        "offender": offender,
        "contacts": [
            {"channel": channel, "address": address, "verified": verified} for channel in CHANNELS for address in row.get(channel, ())
        ],
    }


def parts(cell: str) -> list[str]:
    """Return the values of a cell that holds several."""
    return [part.strip() for part in re.split(r"[;\n]", cell) if part.strip()]


def addresses(channel: Channel, cell: str) -> list[str]:
    """
    Return the addresses in a cell, which may also be separated by commas, bars and slashes; words for "none" are left out.

    Raises UnreadableAddress for an address that cannot be read. One that is readable but unusable is left to `read`.
    """
    pieces = ([part] if normalize(channel, part) else re.split(r"[,|]| / ", part) for part in parts(cell))
    found = [piece.strip() for piece in chain.from_iterable(pieces) if not means_unknown(piece)]
    for each in found:
        check_legible(channel, each)
    return found


def check_legible(channel: Channel, address: str) -> None:
    try:
        NORMALIZE[channel](address)
    except UnreadableAddress:
        raise
    except UnusableAddress:
        return
