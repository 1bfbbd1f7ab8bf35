"""Offenders as agencies and registrants describe them."""

from msgspec import Struct


class Identifier(Struct, frozen=True, order=True):
    """A number that identifies an offender, such as scheme `SID`, value `VA1234567`."""

    scheme: str
    value: str


class Name(Struct, frozen=True, omit_defaults=True):
    """A person's name in parts, or as a whole in `full`."""

    given: str | None = None
    middle: str | None = None
    sur: str | None = None
    full: str | None = None


class Person(Struct, frozen=True, omit_defaults=True):
    """An offender as described in one message; `birth_date` is an ISO 8601 date."""

    identifiers: tuple[Identifier, ...] = ()
    name: Name | None = None
    aliases: tuple[Name, ...] = ()
    birth_date: str | None = None
