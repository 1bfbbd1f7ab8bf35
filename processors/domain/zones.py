"""The zones of the IANA database: those of the pinned package, whatever the machine has, so that a name is valid everywhere or nowhere."""

from functools import cache
from importlib.resources import files
from typing import Final

NO_PLACES: Final = frozenset({"Factory", "localtime", "posixrules"})  # names of the database that are no zone of a place


def zone_named(name: str) -> str | None:
    """Return the zone's name as the database writes it, whatever the case of `name`; None if it has no such zone."""
    return _names().get(name.lower())


@cache
def _names() -> dict[str, str]:
    names = files("tzdata").joinpath("zones").read_text("utf-8").split()
    return {name.lower(): name for name in names if name not in NO_PLACES}
