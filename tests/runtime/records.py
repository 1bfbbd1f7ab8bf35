"""Records of every kind, made by hypothesis from the types' own annotations."""

import types
import typing
from typing import Any

from hypothesis import strategies as st
from msgspec import Struct

PRIMITIVES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=70),
    bool: st.booleans(),
    bytes: st.binary(max_size=200),
    int: st.integers(-(2**63), 2**63 - 1) | st.integers(0, 300) | st.integers(0, 2**42),
}


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Anything of the annotated type."""
    if hint in PRIMITIVES:
        return PRIMITIVES[hint]
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return st.sampled_from(parts)
    if origin in (types.UnionType, typing.Union):
        return st.none() | st.one_of(*(values(part) for part in parts if part is not type(None)))
    if origin is tuple:
        return st.lists(values(parts[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(values(parts[0]), values(parts[1]), max_size=3)
    return records(hint)


def records(kind: type[Struct]) -> st.SearchStrategy[Any]:
    """Any record of the kind."""
    return st.builds(kind, **{name: values(hint) for name, hint in typing.get_type_hints(kind).items()})
