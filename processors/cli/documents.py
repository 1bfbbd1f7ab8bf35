"""Splits a file into documents, or says where the file is broken; nothing of a broken file is sent."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from processors.ingest.submission_ids import broken_xml
from processors.runtime.errors import UserError

T = TypeVar("T")

AVRO: Final = (b"\0", b"\xc3\x01")  # Confluent framing, single-object encoding
UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
WHITE_SPACE: Final = " \t\r\n\ufeff"


class BrokenFile(Exception):
    """A file is broken at a line and column; the message says where and why."""

    def __init__(self, why: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"line {line}, column {column}: {why}")


def read_file(file: str) -> bytes:
    """Return the bytes of a file; `-` is standard input."""
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}): name a file that exists") from None


def parse_files(files: Sequence[str], parse: Callable[[bytes], Iterable[T]]) -> tuple[list[T], list[str]]:
    """Return the parsed contents of all files that are not broken, and a sentence about each broken one."""
    found: list[T] = []
    broken = []
    for file in files:
        try:
            found += list(parse(read_file(file)))
        except BrokenFile as error:
            broken.append(f"{'standard input' if file == '-' else file}, {error}; nothing of it was sent")
    return found, broken


def fail_if_broken(broken: Sequence[str], advice: str) -> None:
    """Raise one UserError that names every broken file, if there is any."""
    if broken:
        raise UserError(f"{'. '.join(broken)}: {advice}")


def documents(content: bytes) -> list[bytes]:
    """Return the documents in a file: one of XML or Avro, or any number of JSON."""
    if content.startswith(AVRO):
        return [content]
    text = decode(content).lstrip(WHITE_SPACE)
    if text.startswith("<"):
        if (where := broken_xml(content)) is not None:
            raise BrokenFile(*where)
        return [content]
    if text.startswith("{"):
        found = json_documents(text.rstrip(WHITE_SPACE), decode(content))
        return [content] if len(found) == 1 else [each.encode() for each in found]
    raise BrokenFile("the file is empty" if not text else "the file begins neither as XML, nor as JSON, nor as Avro")


def decode(content: bytes) -> str:
    """Decode UTF-8, or UTF-16 with a byte order mark; raises BrokenFile for anything else."""
    encoding = "utf-16" if content.startswith(UTF_16) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2]) + 1
        raise BrokenFile("the text is not UTF-8, nor UTF-16 with a byte order mark", line, column) from None


def json_documents(text: str, whole: str) -> list[str]:
    """Return the consecutive JSON objects in the text; `whole` is the text of the file, which ends with it."""
    decoder, at, found = json.JSONDecoder(), 0, []
    start = len(whole) - len(whole.lstrip(WHITE_SPACE))
    while at < len(text):
        try:
            value, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise broken_at("the JSON is not well-formed", whole, start + error.pos) from None
        except RecursionError:
            raise broken_at("the JSON nests too deeply", whole, start + at) from None
        except ValueError:
            raise broken_at("the JSON holds a number too long to read", whole, start + at) from None
        if not isinstance(value, dict):
            raise broken_at("a message is a JSON object, and this is something else", whole, start + at)
        found.append(text[at:end])
        at = end + len(text[end:]) - len(text[end:].lstrip(WHITE_SPACE))
    return found


def broken_at(why: str, text: str, at: int) -> BrokenFile:
    """Return the error at a character of the text."""
    before = text[:at]
    return BrokenFile(why, before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)


def json_object(text: bytes) -> dict[str, Any]:
    """Return the text as a JSON object; an empty one if it is not a JSON object."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def text_field(message: bytes, field: str) -> str | None:
    """Return a text field of a JSON message without surrounding blanks; None if there is none."""
    value = json_object(message).get(field)
    return value.strip() if isinstance(value, str) and value.strip() else None
