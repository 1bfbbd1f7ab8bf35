"""IANA time zones of the pinned `tzdata` package, independent of the machine, so that a name is valid everywhere or nowhere."""

from functools import cache
from importlib.resources import files
from typing import Final

NO_PLACES: Final = frozenset({"Factory", "localtime", "posixrules"})  # entries of the database that are not places


def zone_named(name: str) -> str | None:
    """Return the zone's name as the database writes it, ignoring the case of `name`; None if there is no such zone."""
    return _names().get(name.lower())


@cache
def _names() -> dict[str, str]:
    names = files("tzdata").joinpath("zones").read_text("utf-8").split()
    return {name.lower(): name for name in names if name not in NO_PLACES}
