"""The structure of the rules document, and how its cells are written."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the document: a heading, sentences, and perhaps a table."""

    heading: str
    sentences: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """The whole document; `version` is the digest under which the journal records these rules."""

    title: str
    version: str
    parts: tuple[Part, ...]


def group(pairs: Iterable[tuple[str, Any]]) -> Iterable[tuple[Any, list[str]]]:
    """Return the names that go with each value."""
    groups: dict[Any, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(value, []).append(name)
    return groups.items()


def yes_or_blank(truth: bool) -> str:  # noqa: FBT001  the only argument
    return "yes" if truth else ""


def join(words: Iterable[str], between: str = ", ") -> str:
    return between.join(words)


def duration_in_words(millis: int) -> str:
    """Return a duration as people say it."""
    for unit, length in (("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000)):
        if millis >= length and millis % length == 0:
            return f"{millis // length} {unit}"
    return f"{millis // 1_000} seconds"


def unique(values: Iterable[Any]) -> list[Any]:
    """Return the distinct values, sorted by name."""
    return sorted({each.name: each for each in values}.values(), key=lambda each: str(each.name))
