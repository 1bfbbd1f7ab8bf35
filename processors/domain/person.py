"""Offenders as agencies and registrants describe them."""

from msgspec import Struct


class Identifier(Struct, frozen=True, gc=False, omit_defaults=True):
    """A number that identifies the offender, such as scheme `SID`, value `VA1234567`; `issuer` is a state or an agency's ORI."""

    scheme: str
    value: str
    issuer: str | None = None


class Name(Struct, frozen=True, gc=False, omit_defaults=True):
    """A person's name in parts, or as a whole in `full`."""

    given: str | None = None
    middle: str | None = None
    sur: str | None = None
    full: str | None = None


class Person(Struct, frozen=True, gc=False, omit_defaults=True):
    """An offender as described in one message; `birth_date` is an ISO 8601 date."""

    identifiers: tuple[Identifier, ...] = ()
    name: Name | None = None
    aliases: tuple[Name, ...] = ()
    birth_date: str | None = None


class ComparedPerson(Struct, frozen=True, gc=False, cache_hash=True):
    """A person in comparable form (processors.ingest.comparison): identifiers as marks, names with the birth date."""

    marks: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
