"""
The public's look-up: people by name or number, unless their standing, the rules or somebody's protection forbid it.

Names and numbers are stored in comparable form, so that accents, case, hyphens and blanks do not matter. Whether somebody is
shown is decided by a single condition of the query, so that people who are unknown, hidden or not public look the same.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

import msgspec

from processors.domain.names import parts_of, words_of
from processors.domain.offender import HiddenPerson, KnownPerson, OffenderStanding
from processors.domain.person import Name
from processors.domain.registration import RegistrationStatus
from processors.rules.identity import comparable_number
from processors.topics import PEOPLE, PEOPLE_HIDDEN, REGISTRATION_STATUS, STANDINGS
from processors.views.model import ReadModel, Row, json_document

PEOPLE_TABLES: Final = """
CREATE TABLE people (offender TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE names (
    sur TEXT, initial TEXT, year TEXT, offender TEXT, PRIMARY KEY (sur, initial, year, offender)
) WITHOUT ROWID;
CREATE INDEX names_by_year ON names (sur, year);
CREATE INDEX names_by_offender ON names (offender);
CREATE TABLE numbers (value TEXT, scheme TEXT, issuer TEXT, offender TEXT, PRIMARY KEY (value, scheme, issuer, offender)) WITHOUT ROWID;
CREATE INDEX numbers_by_offender ON numbers (offender);
CREATE TABLE standings (
    offender TEXT PRIMARY KEY, transferred INTEGER NOT NULL, confidential INTEGER NOT NULL, kind TEXT, jurisdiction TEXT,
    document TEXT NOT NULL
) WITHOUT ROWID;
"""
TABLES: Final = """
CREATE TABLE hidden (identifier TEXT PRIMARY KEY, scheme TEXT NOT NULL, issuer TEXT NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX hidden_by_value ON hidden (value);
CREATE TABLE statuses (registration_id TEXT PRIMARY KEY, status TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class PersonQuery:
    """A search for a person: by a number, or by a last name with an initial or a year of birth."""

    number: str = ""
    last_name: str = ""
    initial: str = ""
    year: str = ""


@dataclass(frozen=True, slots=True)
class PublicScope:
    """Whom the public may look up: people held in these kinds of place, as reported by these jurisdictions."""

    kinds: tuple[str, ...] = ()
    jurisdictions: tuple[str, ...] = ()


# The only place where hidden people, and those not public, are filtered out.
_SHOWN: Final = """
    SELECT people.document, standings.document FROM found
    JOIN people ON people.offender = found.offender
    JOIN standings ON standings.offender = found.offender
    WHERE NOT standings.confidential
      AND (
        standings.transferred
        OR (
          standings.kind IN (SELECT value FROM json_each(:kinds))
          AND standings.jurisdiction IN (SELECT value FROM json_each(:jurisdictions))
        )
      )
      AND NOT EXISTS (
        SELECT 1 FROM numbers AS own JOIN hidden ON hidden.value = own.value AND hidden.scheme = own.scheme
        WHERE own.offender = found.offender AND hidden.issuer IN ('', own.issuer)
      )
    LIMIT :most
"""
_BY_NUMBER: Final = f"WITH found AS (SELECT DISTINCT offender FROM numbers WHERE value = :number) {_SHOWN}"  # noqa: S608  no text from outside
_BY_NAME: Final = {  # by whether an initial and a year are given: each finds its index
    (initial, year): f"WITH found AS (SELECT DISTINCT offender FROM names WHERE sur = :last_name{one}{other}) {_SHOWN}"  # noqa: S608
    for initial, one in ((True, " AND initial = :initial"), (False, ""))
    for year, other in ((True, " AND year = :year"), (False, ""))
}


def look_up(database: Connection, query: PersonQuery, scope: PublicScope, most: int) -> list[tuple[KnownPerson, OffenderStanding]]:
    """Return at most `most` people whom the query finds and the public may see."""
    parameters = {
        "number": comparable_number(query.number),
        "last_name": surname_key(query.last_name),
        "initial": "".join(words_of(query.initial))[:1],
        "year": query.year,
        "kinds": json.dumps(scope.kinds),
        "jurisdictions": json.dumps(scope.jurisdictions),
        "most": most,
    }
    sql = _BY_NUMBER if parameters["number"] else _BY_NAME[bool(parameters["initial"]), bool(parameters["year"])]
    rows = database.execute(sql, parameters)
    return [
        (msgspec.json.decode(person, type=KnownPerson), msgspec.json.decode(standing, type=OffenderStanding)) for person, standing in rows
    ]


def registration_statuses(database: Connection, registration_ids: list[str]) -> Mapping[str, RegistrationStatus]:
    """Return the statuses of registrations, as far as the pipeline has reported them."""
    rows = database.execute(
        "SELECT registration_id, status, since FROM statuses WHERE registration_id IN (SELECT value FROM json_each(?))",
        (json.dumps(registration_ids),),
    )
    return {row[0]: RegistrationStatus(registration_id=row[0], source="", status=row[1], since=row[2]) for row in rows}


def surname_key(surname: str) -> str:
    """Return a surname in comparable form: without hyphens, blanks and accents."""
    return "".join(parts_of(surname))


def name_keys(name: Name) -> Iterator[tuple[str, str]]:
    """Yield the surname and initial by which a name is found; also each part of a surname with several parts."""
    given, sur = name.given or name.middle or "", name.sur or ""
    if not sur and name.full:
        last, comma, first = name.full.partition(",")
        words = name.full.split()
        sur, given = (last, first) if comma else (words[-1], words[0])
    initial = "".join(words_of(given))[:1]
    for each in dict.fromkeys((surname_key(sur), *parts_of(sur))):
        if each:
            yield each, initial


def apply_person(database: Connection, row: Row) -> None:
    person = row.value if isinstance(row.value, KnownPerson) and row.value.into is None else None
    if database.execute("SELECT 1 FROM people WHERE offender = ?", (row.key,)).fetchone():
        database.execute("DELETE FROM names WHERE offender = ?", (row.key,))
        database.execute("DELETE FROM numbers WHERE offender = ?", (row.key,))
    if person is None:
        database.execute("DELETE FROM people WHERE offender = ?", (row.key,))
        return
    database.execute("INSERT OR REPLACE INTO people VALUES (?, ?)", (row.key, json_document(person)))
    names = {
        (sur, initial, year, row.key) for name in person.names for sur, initial in name_keys(name) for year in person.birth_years or ("",)
    }
    database.executemany("INSERT INTO names VALUES (?, ?, ?, ?)", names)
    numbers = {(comparable_number(each.value), each.scheme, each.issuer or "", row.key) for each in person.identifiers}
    database.executemany("INSERT INTO numbers VALUES (?, ?, ?, ?)", numbers)


def apply_standing(database: Connection, row: Row) -> None:
    value = row.value
    if not isinstance(value, OffenderStanding):
        database.execute("DELETE FROM standings WHERE offender = ?", (row.key,))
        return
    database.execute(
        "INSERT OR REPLACE INTO standings VALUES (?, ?, ?, ?, ?, ?)",
        (row.key, value.transferred, value.confidential, value.kind, value.jurisdiction, json_document(value)),
    )


def apply_hidden(database: Connection, row: Row) -> None:
    if not isinstance(row.value, HiddenPerson):
        database.execute("DELETE FROM hidden WHERE identifier = ?", (row.key,))
        return
    named, _, value = row.value.identifier.partition(":")
    scheme, _, issuer = named.partition("@")
    database.execute("INSERT OR REPLACE INTO hidden VALUES (?, ?, ?, ?)", (row.key, scheme, issuer, comparable_number(value)))


def apply_status(database: Connection, row: Row) -> None:
    value = row.value
    if not isinstance(value, RegistrationStatus):
        database.execute("DELETE FROM statuses WHERE registration_id = ?", (row.key,))
        return
    database.execute("INSERT OR REPLACE INTO statuses VALUES (?, ?, ?)", (row.key, value.status, value.since))


PUBLIC_MODEL: Final = ReadModel(
    PEOPLE_TABLES + TABLES,
    {PEOPLE: apply_person, STANDINGS: apply_standing, PEOPLE_HIDDEN: apply_hidden, REGISTRATION_STATUS: apply_status},
)
