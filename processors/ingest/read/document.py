"""A document of plain values as a typed record: blanks trimmed, nulls left out, unknown fields set aside, errors with their reason."""

import re
from collections.abc import Mapping
from types import NoneType
from typing import Any, Final, TypeVar, get_args, get_type_hints

import msgspec

from processors.ingest.read.rejection import Rejection

T = TypeVar("T", bound=msgspec.Struct)
Shape = Mapping[str, Any] | None
"""The fields a value may have and their shapes; None where it has none (texts, numbers) or any (maps)."""

MOST_NAMED: Final = 10
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_ERROR: Final = re.compile(r"(?:Object missing required field `(?P<missing>\w+)`|.*?)(?: - at `\$(?P<path>[^`]*)`)?", re.DOTALL)


def fields(kind: type[msgspec.Struct]) -> Mapping[str, Shape]:
    """Return the fields of a record with their shapes."""
    return {name: _shape(inner) for name, inner in get_type_hints(kind).items() if name in kind.__struct_fields__}


def _shape(kind: Any) -> Shape:
    """Return the shape of a type: a struct's fields; of tuples and optional types, that of what they hold."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return fields(kind)
    inner = [each for each in get_args(kind) if each not in {NoneType, Ellipsis, str}]
    return _shape(inner[0]) if inner else None


def tidy(document: Mapping[str, Any], known: Mapping[str, Any], unknown: list[str]) -> dict[str, Any]:
    """Return the fields without outer blanks, those empty, null and unknown left out; the names of the latter go to `unknown`."""
    kept: dict[str, Any] = {}
    for name, value in document.items():
        if name not in known:
            unknown.append(name)
            continue
        inner = value.strip() if type(value) is str else _tidied(value, known[name], unknown)
        if inner is not None and inner != "":
            kept[name] = inner
    return kept


def _tidied(value: Any, known: Shape, unknown: list[str]) -> Any:
    if type(value) is str:
        return value.strip()
    if known is not None and type(value) is dict:
        return tidy(value, known, unknown)
    return [_tidied(each, known, unknown) for each in value] if type(value) in {list, tuple} else value


def typed(document: Mapping[str, Any], kind: type[T], missing: Mapping[str, str]) -> T:
    """Return the tidied document as a record; `missing` holds the reasons of fields whose absence has one of its own."""
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise rejection(str(error), missing) from None


def rejection(said: str, missing: Mapping[str, str]) -> Rejection:
    """Return the reason for what msgspec found; only field names are taken over from its words, never values."""
    found = _ERROR.fullmatch(said)
    path = (found["path"] or "").lstrip(".") if found else ""
    if found and (field := found["missing"]):
        where = f"{path}.{field}" if path else field
        return Rejection(missing.get(where, "missing_field"), f"The field {where} is missing.")
    return Rejection("wrong_type", f"The field {path or '(the message itself)'} holds a value of the wrong kind.")


def noted(unknown: list[str]) -> str:
    """Return a sentence on the fields that were ignored; only names that look like field names are shown."""
    if not unknown:
        return ""
    names = sorted({name for name in unknown if _NAME.fullmatch(name)})
    shown = ", ".join(names[:MOST_NAMED])
    rest = len(set(unknown)) - min(len(names), MOST_NAMED)
    return f" Ignored unknown fields: {shown}{f' and {rest} more' if rest and shown else ''}{rest if not shown else ''}."
