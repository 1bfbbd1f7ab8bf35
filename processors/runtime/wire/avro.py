"""
Compiles Avro schemas to Python functions: one generated function per record type and direction.

Supports what `schemas/avro` uses: string, long, boolean, bytes, enum, record, array, map, and a union of null with one
of these. A generic codec looks up the type of every field of every datum; here that happens once, at generation.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import structs

Schema = dict[str, Any]
Write = Callable[[Any], bytes]
Read = Callable[[bytes, int], tuple[Any, int]]

MAX_LONG_BYTES: Final = 10  # bytes of a 64-bit number
SIX_BYTE_MASK: Final = 0x8080808080  # the highest bits of a number of six bytes, such as every time until 2039
_EIGHT_BYTES: Final = struct.Struct("<Q").unpack_from


class MalformedAvro(Exception):
    """The bytes do not match the schema."""


def write_long(number: int) -> bytes:
    """Return the zigzag variable-length form of `number`."""
    rest = number << 1 if number >= 0 else ~(number << 1)
    if 1 << 35 <= rest < 1 << 42:  # six bytes
        return bytes(
            (
                rest & 127 | 128,
                rest >> 7 & 127 | 128,
                rest >> 14 & 127 | 128,
                rest >> 21 & 127 | 128,
                rest >> 28 & 127 | 128,
                rest >> 35,
            )
        )
    out = bytearray()
    while rest > 127:  # noqa: PLR2004 - seven bits a byte
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def read_long(raw: bytes, at: int) -> tuple[int, int]:
    """Return the number at `at` and the offset of the next datum."""
    first = raw[at]
    if first < 128:  # noqa: PLR2004 - the highest bit says that more follows
        return (first >> 1) ^ -(first & 1), at + 1
    second = raw[at + 1]
    if second < 128:  # noqa: PLR2004
        rest = first & 127 | second << 7
        return (rest >> 1) ^ -(rest & 1), at + 2
    if at + 8 <= len(raw):
        (word,) = _EIGHT_BYTES(raw, at)
        if word & 0x808080808080 == SIX_BYTE_MASK:  # seven bits of each
            word = (word & 0x007F007F007F) | (word & 0x7F007F007F00) >> 1
            rest = (word & 0x3FFF) | (word & 0x3FFF0000) >> 2 | (word & 0x3FFF00000000) >> 4
            return (rest >> 1) ^ -(rest & 1), at + 6
    rest = shift = 0
    for here in range(at, at + MAX_LONG_BYTES):
        byte = raw[here]
        rest |= (byte & 127) << shift
        if byte < 128:  # noqa: PLR2004 - the highest bit says that more follows
            return (rest >> 1) ^ -(rest & 1), here + 1
        shift += 7
    raise MalformedAvro


def read_length(raw: bytes, at: int) -> tuple[int, int]:
    """Return a length of two bytes or more and the offset of its last byte."""
    length, after = read_long(raw, at)
    if length < 0:
        raise MalformedAvro
    return length, after - 1


def write_array(items: Any, write: Write) -> bytes:
    """Return `items` as one block."""
    return b"".join((NUMBERS[len(items)], *map(write, items), b"\0"))


def read_array(raw: bytes, at: int, read: Read) -> tuple[tuple[Any, ...], int]:
    """Return the items of all blocks and the offset of the next datum."""
    items: list[Any] = []
    while True:
        count, at = read_long(raw, at)
        if count == 0:
            return tuple(items), at
        if count < 0:  # a block that states its size in bytes
            count = -count
            _, at = read_long(raw, at)
        for _ in range(count):
            item, at = read(raw, at)
            items.append(item)


def write_map(entries: Mapping[str, Any], write: Write) -> bytes:
    """Return `entries` as one block, in their own order."""
    if not entries:
        return b"\0"
    pieces = [NUMBERS[len(entries)]]
    for key, value in entries.items():
        text = key.encode()
        pieces += (NUMBERS[len(text)], text, write(value))
    return b"".join((*pieces, b"\0"))


def read_map(raw: bytes, at: int, read: Read) -> tuple[dict[str, Any], int]:
    """Return the entries of all blocks and the offset of the next datum."""

    def entry(raw: bytes, at: int) -> tuple[tuple[str, Any], int]:
        length, last = read_length(raw, at)
        end = last + 1 + length
        value, after = read(raw, end)
        return (raw[last + 1 : end].decode(), value), after

    entries, after = read_array(raw, at, entry)
    return dict(entries), after


class _Numbers(dict[int, bytes]):
    """Cache of encoded numbers: lengths, and times, which repeat within a batch; cleared when full."""

    prefix = b""
    most = 8_192

    def __missing__(self, number: int) -> bytes:
        if len(self) >= self.most:
            self.clear()
        return self.setdefault(number, self.prefix + write_long(number))


class _Some(_Numbers):
    """Cache of encoded numbers, each preceded by the union index of the non-null branch."""

    prefix = b"\x02"


class _Texts(dict[str | None, bytes]):
    """Cache of encoded texts that repeat often; cleared when full."""

    most = 4_096

    def __missing__(self, text: str) -> bytes:
        if len(self) >= self.most:
            self.clear()
        return self.setdefault(text, self.encode_text(text))

    def encode_text(self, text: str | None) -> bytes:
        raw = (text or "").encode()
        return write_long(len(raw)) + raw


class _SomeTexts(_Texts):
    """Cache of encoded texts, each preceded by the union index of its branch."""

    def encode_text(self, text: str | None) -> bytes:
        return b"\0" if text is None else b"\x02" + super().encode_text(text)


# Fields with few different values: agencies, codes, names of rules and stages.
CACHED_FIELDS: Final = frozenset(
    {"channel", "event_subtype", "event_type", "jurisdiction", "notification_type", "ori", "reason", "rules", "stage"}
)
NUMBERS: Final[Mapping[int, bytes]] = _Numbers()
_SOME: Final = _Some()
# The length that a first byte encodes; -1 if it takes more than one byte or is negative.
_LENGTHS: Final = tuple(byte >> 1 if byte < 128 and not byte & 1 else -1 for byte in range(256))  # noqa: PLR2004

_GLOBALS: Final[dict[str, Any]] = {
    "NUMBER": NUMBERS,
    "SOME": _SOME,
    "TEXTS": _Texts(),
    "SOME_TEXTS": _SomeTexts(),
    "LENGTHS": _LENGTHS,
    "MalformedAvro": MalformedAvro,
    "read_array": read_array,
    "read_length": read_length,
    "read_long": read_long,
    "read_map": read_map,
    "write_array": write_array,
    "write_map": write_map,
}

# Expressions for the parts of an encoded value; `{v}` is the value.
_WRITTEN: Final[dict[str, tuple[str, ...]]] = {
    "string": ("NUMBER[len(s := {v}.encode())]", "s"),
    "bytes": ("NUMBER[len(s := {v})]", "s"),
    "long": ("NUMBER[{v}]",),
    "boolean": (r"b'\1' if {v} else b'\0'",),
}
_WRITTEN_OR_NULL: Final[dict[str, tuple[str, ...]]] = {
    "string": (r"b'\0' if (s := {v}) is None else SOME[len(s := s.encode())] + s",),
    "bytes": (r"b'\0' if (s := {v}) is None else SOME[len(s)] + s",),
    "long": (r"b'\0' if (n := {v}) is None else SOME[n]",),
}

# Statements that decode a value into `{t}`; `i` is the datum's offset before them, and the next datum's after them.
_TEXT: Final = ("n = LENGTHS[b[i]]", "if n < 0: n, i = read_length(b, i)", "i += 1", "j = i + n")
_READ: Final[dict[str, tuple[str, ...]]] = {
    "string": (*_TEXT, "{t} = b[i:j].decode()", "i = j"),
    "bytes": (*_TEXT, "{t} = b[i:j]", "i = j"),
    "long": ("n = b[i]", "if n < 128: {t} = n >> 1 ^ -(n & 1); i += 1", "else: {t}, i = read_long(b, i)"),
    "boolean": ("{t} = BOOLEAN[b[i]]", "i += 1"),
}


class Compiler:
    """Generates the functions of one schema; `types` maps record names to classes, `forms` maps some to handwritten functions."""

    def __init__(self, schema: Schema, types: Mapping[str, type], forms: Mapping[str, tuple[Write, Read]]) -> None:
        self._types = types
        self._forms = forms
        self._names: dict[str, Any] = _GLOBALS | {"BOOLEAN": {0: False, 1: True}}
        self._schemas: dict[str, Schema] = {}
        self._record = self._declare(schema)

    def write(self) -> Write:
        """Return the function that encodes a record."""
        write: Write = self._names[f"write_{self._record}"]
        return write

    def read(self) -> Read:
        """Return the function that decodes a record at an offset and returns it with the next offset."""
        read: Read = self._names[f"read_{self._record}"]
        return read

    def _declare(self, schema: Schema) -> str:
        """Generate a record's functions and return its short name."""
        name = str(schema["name"]).rpartition(".")[2]
        self._schemas[str(schema["name"])] = schema
        if name in self._forms:
            self._names[f"write_{name}"], self._names[f"read_{name}"] = self._forms[name]
            return name
        self._names[name] = self._types[name]
        fields = schema["fields"]
        attributes = attributes_of(self._types[name])
        pieces = [piece for field in fields for piece in self._pieces(field["type"], f"v.{attributes[field['name']]}")]
        self._define(f"write_{name}", "v", [f"return b''.join(({', '.join(pieces)},))"])
        lines = [line for count, field in enumerate(fields) for line in self._statements(field["type"], f"f{count}")]
        values = ", ".join(f"{attributes[field['name']]}=f{count}" for count, field in enumerate(fields))
        self._define(f"read_{name}", "b, i", [*lines, f"return {name}({values}), i"])
        return name

    def _define(self, name: str, arguments: str, body: list[str]) -> None:
        source = "\n".join((f"def {name}({arguments}):", *(f"    {line}" for line in body)))
        exec(compile(source, f"<avro {name}>", "exec"), self._names)  # noqa: S102 - made from our own schemas only

    def _resolve(self, schema: Any) -> Any:
        """Return the declaration behind a name, a primitive's name, or the schema itself."""
        if isinstance(schema, str):
            return self._schemas.get(schema, schema)
        return schema["type"] if isinstance(schema, dict) and schema["type"] in _READ else schema

    def _pieces(self, schema: Any, value: str) -> list[str]:
        """Return the expressions that encode `value`."""
        schema = self._resolve(schema)
        if value.rpartition(".")[2] in CACHED_FIELDS and schema in ("string", ["null", "string"]):
            return [f"{'TEXTS' if schema == 'string' else 'SOME_TEXTS'}[{value}]"]
        if isinstance(schema, list):
            return self._nullable_pieces(self._resolve(_non_null(schema)), value)
        return self._required_pieces(schema, value)

    def _required_pieces(self, schema: Any, value: str) -> list[str]:
        if isinstance(schema, str):
            return [piece.format(v=value) for piece in _WRITTEN[schema]]
        if schema["type"] == "enum":
            return [f"{self._symbols(schema)}[{value}]"]
        if schema["type"] == "record":
            return [f"write_{self._declare(schema)}({value})"]
        if schema["type"] == "array":
            return [rf"write_array({value}, {self._function('write', schema['items'])}) if {value} else b'\0'"]
        return [f"write_map({value}, {self._function('write', schema['values'])})"]

    def _nullable_pieces(self, other: Any, value: str) -> list[str]:
        if isinstance(other, str) and other in _WRITTEN_OR_NULL:
            return [piece.format(v=value) for piece in _WRITTEN_OR_NULL[other]]
        return [rf"b'\0' if {value} is None else b'\2' + {' + '.join(f'({piece})' for piece in self._pieces(other, value))}"]

    def _statements(self, schema: Any, target: str) -> list[str]:
        """Return the statements that decode into `target`."""
        schema = self._resolve(schema)
        if isinstance(schema, str):
            return [line.format(t=target) for line in _READ[schema]]
        if isinstance(schema, list):
            return [
                f"if b[i] == 0: {target} = None; i += 1",
                "else:",
                "    if b[i] != 2: raise MalformedAvro",
                "    i += 1",
                *(f"    {line}" for line in self._statements(_non_null(schema), target)),
            ]
        if schema["type"] == "enum":
            return [f"{target} = {self._symbols(schema)}_READ[b[i]]", "i += 1"]
        if schema["type"] == "record":
            return [f"{target}, i = read_{self._declare(schema)}(b, i)"]
        if schema["type"] == "array":
            return [
                f"if b[i] == 0: {target} = (); i += 1",
                f"else: {target}, i = read_array(b, i, {self._function('read', schema['items'])})",
            ]
        return [f"{target}, i = read_map(b, i, {self._function('read', schema['values'])})"]

    def _function(self, way: str, schema: Any) -> str:
        """Return the name of the function that encodes or decodes one item; generates one unless the item is a record."""
        item = self._resolve(schema)
        if isinstance(item, dict) and item["type"] == "record":
            return f"{way}_{self._declare(item)}"
        name = f"{way}_item{len(self._names)}"
        if way == "write":
            self._define(name, "v", [f"return b''.join(({', '.join(self._pieces(schema, 'v'))},))"])
        else:
            self._define(name, "b, i", [*self._statements(schema, "v"), "return v, i"])
        return name

    def _symbols(self, schema: Schema) -> str:
        """Return the name of an enum's encoding table; with the suffix `_READ` it is the decoding table's."""
        name = "ENUM_" + str(schema["name"]).rpartition(".")[2]
        self._schemas[str(schema["name"])] = schema
        self._names[name] = {symbol: write_long(index) for index, symbol in enumerate(schema["symbols"])}
        self._names[f"{name}_READ"] = {index * 2: symbol for index, symbol in enumerate(schema["symbols"])}
        return name


def attributes_of(kind: type) -> dict[str, str]:
    """Return the attribute of each field of a record type, by the field's name on the wire."""
    return {field.encode_name: field.name for field in structs.fields(kind)}


def _non_null(union: list[Any]) -> Any:
    """Return a union's branch that is not null."""
    null, other = union
    if null != "null":
        raise TypeError("a union must be of null and one other type, in this order")
    return other
