"""
Converts plain documents to typed records: trims spaces, drops nulls and unknown fields, and reports errors with their reason code.

Codes, numbers and dates are often copied and pasted, or padded to a fixed width: invisible and control characters are removed, and
every kind of space becomes a plain one.
Ids lose only what surrounds them; names and free texts lose only the spaces around them.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from types import NoneType
from typing import Any, Final, NamedTuple, TypeVar, get_args, get_type_hints

import msgspec
from msgspec import structs

from processors.domain.normalize import is_invisible
from processors.ingest.read.rejection import Rejection

T = TypeVar("T", bound=msgspec.Struct)
Shape = Mapping[str, Any] | None
"""The fields a value may have and their shapes; None if it has none (texts, numbers) or any (maps)."""

MAX_NAMED: Final = 10
FREE_TEXT_FIELDS: Final = frozenset({"given", "middle", "sur", "full", "name", "court", "remarks", "detail", "reason", "body"})
IDS: Final = frozenset({"message_id", "refers_to", "registration_id", "registrant_id", "reference", "review_id", "ori"})
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_ERROR: Final = re.compile(r"(?:Object missing required field `(?P<missing>\w+)`|.*?)(?: - at `\$(?P<path>[^`]*)`)?", re.DOTALL)


class TidyDocument(NamedTuple):
    """The known fields of a document, and the names of its other fields."""

    fields: dict[str, Any]
    unknown: tuple[str, ...]


def fields_of(kind: type[msgspec.Struct]) -> Mapping[str, Shape]:
    """Return the fields of a record type with their shapes."""
    hints = get_type_hints(kind)
    return {field.encode_name: _shape(hints[field.name]) for field in structs.fields(kind)}


def _shape(kind: Any) -> Shape:
    """Return the shape of a type: a struct's fields; of tuples and optional types, the shape of what they hold."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return fields_of(kind)
    inner = [each for each in get_args(kind) if each not in {NoneType, Ellipsis, str}]
    return _shape(inner[0]) if inner else None


def tidy(document: Mapping[str, Any], known: Mapping[str, Any]) -> TidyDocument:
    """Return the known fields cleaned, without empty and null ones, and the names of unknown fields."""
    return TidyDocument(_tidy_fields(document, known), tuple(_unknown(document, known)))


def _tidy_fields(document: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    values = ((name, _tidy_value(value, known[name], name)) for name, value in document.items() if name in known)
    return {name: value for name, value in values if value is not None and value != ""}


def _tidy_value(value: Any, known: Shape, name: str) -> Any:
    if type(value) is str:
        if name in FREE_TEXT_FIELDS or (value.isascii() and value.isprintable()):
            return value.strip()
        return clean_id(value) if name in IDS else clean(value)
    if known is not None and type(value) is dict:
        return _tidy_fields(value, known)
    return [_tidy_value(each, known, name) for each in value] if type(value) in {list, tuple} else value


def clean(text: str) -> str:
    """Return the text without invisible and control characters and surrounding blanks, with plain blanks inside."""
    return "".join(" " if unicodedata.category(each) == "Zs" else each for each in text if not is_hidden(each)).strip()


def clean_id(text: str) -> str:
    """Return the id without blanks, invisible and control characters around it; those within it are for `check_id` to reject."""
    shown = [index for index, each in enumerate(text) if not (each.isspace() or is_hidden(each))]
    return text[shown[0] : shown[-1] + 1] if shown else ""


def is_hidden(character: str) -> bool:
    """Whether a character is invisible, or a control character such as the NUL that fills fields of a fixed width."""
    return is_invisible(character) or (unicodedata.category(character) == "Cc" and not character.isspace())


def _unknown(value: Any, known: Shape) -> Iterator[str]:
    """Yield the names of the fields that the shape does not have."""
    if type(value) in {list, tuple}:
        for each in value:
            yield from _unknown(each, known)
    elif known is not None and isinstance(value, dict):
        for name, inner in value.items():
            if name in known:
                yield from _unknown(inner, known[name])
            else:
                yield name


def convert(document: Mapping[str, Any], kind: type[T], missing: Mapping[str, str]) -> T:
    """Return the tidy document as a record; `missing` maps a field to the reason code of its absence, if that is not the general one."""
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise _rejection(str(error), missing) from None


def _rejection(message: str, missing: Mapping[str, str]) -> Rejection:
    """Return the reason for what msgspec found; only field names are taken from its message, never values."""
    found = _ERROR.fullmatch(message)
    path = (found["path"] or "").lstrip(".") if found else ""
    if found and (field := found["missing"]):
        where = f"{path}.{field}" if path else field
        return Rejection(missing.get(where, "missing_field"), f"The field {where} is missing.")
    return Rejection("wrong_type", f"The field {path or '(the message itself)'} holds a value of the wrong kind.")


def describe_unknown(unknown: Iterable[str]) -> str:
    """Return a sentence that names the ignored fields; only names that look like field names are shown."""
    distinct = set(unknown)
    if not distinct:
        return ""
    names = sorted(name for name in distinct if _NAME.fullmatch(name))
    shown = ", ".join(names[:MAX_NAMED])
    rest = len(distinct) - min(len(names), MAX_NAMED)
    return f" Ignored unknown fields: {shown}{f' and {rest} more' if rest and shown else ''}{rest if not shown else ''}."
