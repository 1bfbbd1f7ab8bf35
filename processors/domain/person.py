"""Who an event is about: the offender as agencies and registrants name them."""

from msgspec import Struct


class Identifier(Struct, frozen=True, order=True):
    """A number an agency knows the offender by, such as scheme `SID`, value `VA1234567`."""

    scheme: str
    value: str


class Name(Struct, frozen=True, omit_defaults=True):
    """A person's name in parts, or whole in `full`."""

    given: str | None = None
    middle: str | None = None
    sur: str | None = None
    full: str | None = None


class Person(Struct, frozen=True, omit_defaults=True):
    """An offender as one message describes them; `birth_date` is an ISO 8601 date."""

    identifiers: tuple[Identifier, ...] = ()
    name: Name | None = None
    aliases: tuple[Name, ...] = ()
    birth_date: str | None = None
