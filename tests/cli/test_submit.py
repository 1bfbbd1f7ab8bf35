"""`vn submit` splits files into messages, reads their ids, and reports where a file is broken."""

import json
from pathlib import Path

import pytest

from processors.cli.documents import BrokenFile, documents, parse_files, read_file
from processors.cli.submit import submit
from processors.domain.submission import Agency, Submission
from processors.ingest.submission_ids import submission_ids
from processors.runtime.errors import UserError
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.wire.codec import Codec

EXAMPLES = Path(__file__).parents[2] / "examples"
ONE = {"message_id": " M-1 ", "agency": {"ori": "VA0430000"}}


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1}\r\n\n{"b": 2}\n{"c": 3}\n',
        b'\xef\xbb\xbf{"a": 1}\n{"b": 2}\n{"c": 3}',
        '{"a": 1}\r\n{"b": 2}\r\n{"c": 3}\r\n'.encode("utf-16"),
        b'{"a": 1}{"b": 2} {"c": 3}',
        b'{\n  "a": 1\n}\n{\n  "b": 2\n}\n{"c": 3}',
    ],
)
def test_json_documents_that_follow_each_other_are_as_many_messages(content: bytes) -> None:
    assert [json.loads(each) for each in documents(content)] == [{"a": 1}, {"b": 2}, {"c": 3}]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ONE, indent=2).encode(),
        json.dumps(ONE).encode("utf-16"),
        b"<a>\n<b/>\n</a>",
        b"<!DOCTYPE a><a/>",
        b"\xc3\x01\n\n\x00",
        b"\x00\x00\x00\x00\x01{",
        '{"name": "José \\u0007"}'.encode(),
    ],
)
def test_anything_else_is_one_and_sent_as_it_is(content: bytes) -> None:
    assert documents(content) == [content]


BROKEN = [
    (b"", "line 1, column 1: the file is empty"),
    (b" \r\n", "line 1, column 1: the file is empty"),
    (b"nonsense", "line 1, column 1: the file begins neither as XML, nor as JSON, nor as Avro"),
    (b"[1]\n[2]\n", "line 1, column 1: the file begins neither as XML, nor as JSON, nor as Avro"),
    (b'{"a": 1}\nnot json\n', "line 2, column 1: the JSON is not well-formed"),
    (b'{"a": 1}\n[2]\n', "line 2, column 1: a message is a JSON object, and this is something else"),
    (b'{"a": 1}\n{"b": \n', "line 2, column 6: the JSON is not well-formed"),
    (b'\n\n  {"a": tru}', "line 3, column 9: the JSON is not well-formed"),
    (b'{\n  "a": [\n    {"b": 1},\n  ],\n}', "line 4, column 3: the JSON is not well-formed"),
    (b'{"a": ' + b"9" * 5_000 + b"}", "line 1, column 1: the JSON holds a number too long to read"),
    (b'{"a":' + b"[" * 100_000, "line 1, column 1: the JSON nests too deeply"),
    (b"<a>\n  <b>\n</a>", "line 3, column 5: the XML is not well-formed"),
    (b'{"a": "\xff"}', "line 1, column 8: the text is not UTF-8, nor UTF-16 with a byte order mark"),
]


@pytest.mark.parametrize(("content", "where"), BROKEN, ids=[each[1] for each in BROKEN])
def test_a_broken_file_says_where_it_breaks(content: bytes, where: str) -> None:
    with pytest.raises(BrokenFile) as found:
        documents(content)
    assert str(found.value) == where


def test_a_broken_file_loses_no_other(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(b'{"a": 1}')
    (tmp_path / "bad").write_bytes(b'{"b": 1}\n{"c"')
    (tmp_path / "also").write_bytes(b'{"d": 1}')
    files = [str(tmp_path / name) for name in ("good", "bad", "also")]
    found, broken = parse_files(files, documents)
    assert found == [b'{"a": 1}', b'{"d": 1}']
    assert broken == [f"{files[1]}, line 2, column 5: the JSON is not well-formed; nothing of it was sent"]


def test_a_json_message_is_called_by_its_id_and_keyed_by_its_agency() -> None:
    assert submission_ids(json.dumps(ONE).encode()) == ("M-1", "VA0430000")
    assert submission_ids(b"\xef\xbb\xbf \n" + json.dumps(ONE).encode()) == ("M-1", "VA0430000")


def test_an_xml_message_likewise() -> None:
    assert submission_ids((EXAMPLES / "xml" / "icots-departure.xml").read_bytes()) == ("ICOTS-NOD-931", "VAICOTS01")


def test_an_avro_message_likewise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sent: list[tuple[str | None, bytes]] = []
    monkeypatch.setattr(UserClient, "send", lambda _self, _topic, records: sent.extend(records))
    words = {"event_type": "Corrections", "event_subtype": "Escape", "notification_type": "Movement", "action_at": "2026-11-02"}
    message = Submission("M-1", Agency("VA0430000", "", ""), **words, notification_subtypes=(), offenders=())
    avro = Codec().encode(message)
    files = [tmp_path / "message.avro", tmp_path / "broken.avro"]
    for file, content in zip(files, (avro, avro[:-3]), strict=True):
        file.write_bytes(content)
    submit([str(each) for each in files])
    assert capsys.readouterr().out == "M-1\n-\n"
    assert sent == [("VA0430000", avro), (None, avro[:-3])]


@pytest.mark.parametrize(
    "message",
    [b"", b"\x00\x01", b"<a", b"{", b"nonsense", b'{"message_id": 7, "agency": "x"}', b'{"message_id": " ", "agency": {"ori": 1}}'],
)
def test_what_cannot_be_read_has_neither(message: bytes) -> None:
    assert submission_ids(message) == (None, None)


def test_deep_nesting_is_no_trouble() -> None:
    assert submission_ids(b'{"message_id":' + b"[" * 100_000) == (None, None)


def test_a_file_that_is_not_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="name a file that exists"):
        read_file(str(tmp_path / "absent"))
    with pytest.raises(UserError, match="cannot be read"):
        read_file(str(tmp_path))
