"""`vn submit` tells messages apart and reads what they are called."""

import json
from pathlib import Path

import pytest

from processors.cli.submit import contents, split
from processors.ingest.peek import message_labels
from processors.runtime.errors import UserError

EXAMPLES = Path(__file__).parents[2] / "examples"
ONE = {"message_id": " M-1 ", "agency": {"ori": "VA0430000"}}


def test_a_file_of_lines_is_as_many_messages() -> None:
    content = b'{"a": 1}\r\n\n{"b": 2}\nnot json\n'
    assert list(split(content)) == [b'{"a": 1}', b'{"b": 2}', b"not json"]


@pytest.mark.parametrize(
    "content", [json.dumps(ONE, indent=2).encode(), b"<a>\n<b/>\n</a>", b"\xc3\x01\n\n\x00", b"", b"[1]\n[2]\n", b"nonsense"]
)
def test_anything_else_is_one(content: bytes) -> None:
    assert list(split(content)) == [content]


def test_a_json_message_is_called_by_its_id_and_keyed_by_its_agency() -> None:
    assert message_labels(json.dumps(ONE).encode()) == ("M-1", "VA0430000")
    assert message_labels(b"\xef\xbb\xbf \n" + json.dumps(ONE).encode()) == ("M-1", "VA0430000")


def test_an_xml_message_likewise() -> None:
    assert message_labels((EXAMPLES / "xml" / "icots-departure.xml").read_bytes()) == ("ICOTS-NOD-931", "VAICOTS01")


@pytest.mark.parametrize(
    "message",
    [b"", b"\x00\x01", b"<a", b"{", b"nonsense", b'{"message_id": 7, "agency": "x"}', b'{"message_id": " ", "agency": {"ori": 1}}'],
)
def test_what_cannot_be_read_has_neither(message: bytes) -> None:
    assert message_labels(message) == (None, None)


def test_deep_nesting_is_no_trouble() -> None:
    deep = b"[" * 100_000
    assert list(split(deep)) == [deep]
    assert message_labels(b'{"message_id":' + deep) == (None, None)


def test_a_file_that_is_not_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="name a file that exists"):
        contents(str(tmp_path / "absent"))
    with pytest.raises(UserError, match="cannot be read"):
        contents(str(tmp_path))
