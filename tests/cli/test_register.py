"""`vn register` reads JSON, JSON lines and CSV with a header."""

import json
from itertools import product

import pytest

from processors.cli.documents import BrokenFile, text_field
from processors.cli.register import registrations

HEADER = "registration_id, registrant_id ,SID,fbi,given,sur,birth_date,case_numbers,sms,email,voice,verified,pin\n"


def read(text: str) -> list[dict[str, object]]:
    return [json.loads(each) for each in registrations(text.encode())]


def test_a_row_of_csv_is_a_registration() -> None:
    row = 'V-1,R-1,VA1,"F1; F2",Dean,Colton,1986-03-19,C-1;C-2,+18045550107,a@example.org;b@example.org,,,4821\n'
    assert read(HEADER + row) == [
        {
            "registration_id": "V-1",
            "registrant_id": "R-1",
            "pin": "4821",
            "case_numbers": ["C-1", "C-2"],
            "event_subtypes": [],
            "offender": {
                "identifiers": [{"scheme": "SID", "value": "VA1"}, {"scheme": "FBI", "value": "F1"}, {"scheme": "FBI", "value": "F2"}],
                "name": {"given": "Dean", "sur": "Colton"},
                "birth_date": "1986-03-19",
            },
            "contacts": [
                {"channel": "sms", "address": "+18045550107", "verified": False},
                {"channel": "email", "address": "a@example.org", "verified": False},
                {"channel": "email", "address": "b@example.org", "verified": False},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("said", "verified"),
    [
        ("Yes", True),
        ("Y", True),
        ("y", True),
        ("1", True),
        ("true", True),
        ("TRUE", True),
        ("ja", True),
        ("WAHR", True),
        ("sí", True),
        ("x", True),
        ("", False),
        ("no", False),
        ("N", False),
        ("0", False),
        ("FALSE", False),
        ("nein", False),
    ],
)
def test_contacts_are_verified_if_the_row_says_so(said: str, *, verified: bool) -> None:
    (found,) = read(f"registration_id,sms,verified\nV-1,+18045550107,{said}\n")
    assert found["contacts"] == [{"channel": "sms", "address": "+18045550107", "verified": verified}]


def test_contacts_of_a_table_without_that_column_are_not_verified() -> None:
    (found,) = read("registration_id,sms\nV-1,+18045550107\n")
    assert found["contacts"] == [{"channel": "sms", "address": "+18045550107", "verified": False}]


def test_nobody_is_invented_if_the_row_says_nothing() -> None:
    (found,) = read("registration_id\nV-1\n")
    assert found == {"registration_id": "V-1", "case_numbers": [], "event_subtypes": [], "offender": {"identifiers": []}, "contacts": []}


def test_a_number_has_the_issuer_of_its_column() -> None:
    (row,) = read("registration_id,doc,doc_issuer,sid\nV-1,0733210,NC,VA1\n")
    assert row["offender"]["identifiers"] == [
        {"scheme": "SID", "value": "VA1"},
        {"scheme": "DOC", "value": "0733210", "issuer": "NC"},
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    assert read("\ufeffregistration_id,sms\nV-1,+18045550107\n")[0]["registration_id"] == "V-1"


def test_json_is_taken_as_it_is() -> None:
    one, other = b'{"registration_id": "V-1"}', b'{"registration_id": "V-2"}'
    assert list(registrations(one + b"\n" + other)) == [one, other]
    assert text_field(one, "registration_id") == "V-1"
    assert text_field(b'{"registration_id": " "}', "registration_id") is None
    assert text_field(b"nonsense", "registration_id") is None


def test_avro_is_taken_as_it_is() -> None:
    assert list(registrations(b"\xc3\x01abc")) == [b"\xc3\x01abc"]


TABLE = "registration_id;registrant_id;given;sms\nV-1;R-1;José;8045551001\nV-2;R-2;Ann;8045551002\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_a_table_is_read_as_spreadsheets_write_it(encoding: str) -> None:
    for separator, said, ends in product([",", ";", "\t", "|"], ["", "sep={}\n", "SEP={}\n"], ["\n", "\r\n", "\r"]):
        text = (said.format(separator) + TABLE.replace(";", separator)).replace("\n", ends)
        found = [json.loads(each) for each in registrations(text.encode(encoding))]
        assert [(each["registration_id"], each["offender"]["name"]["given"], each["contacts"][0]["address"]) for each in found] == [
            ("V-1", "José", "8045551001"),
            ("V-2", "Ann", "8045551002"),
        ], text


@pytest.mark.parametrize(
    "header",
    [
        "Registration_ID",
        "REGISTRATION_ID",
        "registration id",
        "Registration-Id",
        " registration_id ",
        '"registration_id"',
        "Registration.ID",
    ],
)
def test_a_header_may_be_in_any_case(header: str) -> None:
    assert read(f"{header},SMS\nV-1,8045551001\n")[0]["registration_id"] == "V-1"


def test_a_column_may_stand_there_several_times() -> None:
    (found,) = read("registration_id,sms,email,sms,sid,SID\nV-1,8045551001,a@example.org,8045551002;8045551003,VA1,VA2\n")
    assert [each["address"] for each in found["contacts"]] == ["8045551001", "8045551002", "8045551003", "a@example.org"]
    assert [each["value"] for each in found["offender"]["identifiers"]] == ["VA1", "VA2"]


def test_empty_columns_cells_and_rows_are_nothing() -> None:
    text = "registration_id,sms,,\nV-1,8045551001,,,,\n,,,\n\nV-2\n"
    assert [(each["registration_id"], len(each["contacts"])) for each in read(text)] == [("V-1", 1), ("V-2", 0)]


def test_a_cell_may_hold_a_line_break() -> None:
    (found,) = read('registration_id,sms\nV-1,"8045551001\n8045551002"\n')
    assert [each["address"] for each in found["contacts"]] == ["8045551001", "8045551002"]


BROKEN = [
    ("registration_id,sms\nV-1,804-555-1002, 804-555-1003\n", "line 2, column 3: there is a value in a column that has no header"),
    ("registration_id,sms,\nV-1,8045551002,x\n", "line 2, column 3: there is a value in a column that has no header"),
    ("registration_id,mobile\nV-1,1\n", 'line 1, column 2: "mobile" is no column of a registration: see `vn register --help`'),
    ("registration_id,pin,PIN\nV-1,1,2\n", "line 1, column 3: the column pin occurs twice, and a registration has one"),
    ("registration_id,verified\nV-1,yes\nV-2,perhaps\n", "line 3, column 2: the column verified says neither yes nor no"),
    (
        "registration_id,sms\nV-1,8.04555E+09\n",
        "line 2, column 2: the number in the column sms was shortened by the spreadsheet: format the column as text",
    ),
    ("registration_id,sms\n,8045551002\n", "line 2, column 1: the row has no registration_id"),
    ("sep=;\nregistration_id;sms\nV-1;8045551001;2\n", "line 3, column 3: there is a value in a column that has no header"),
    ("registrant_id,sms\nR-1,1\n", "line 1, column 1: the header has no column registration_id"),
    ("nonsense\n", "line 1, column 1: this is neither JSON nor a header with the column registration_id: see `vn register --help`"),
    ("", "line 1, column 1: the file is empty: write a header, then a registration a line"),
    ("sep=,\n", "line 2, column 1: the file is empty: write a header, then a registration a line"),
    ('registration_id,sms\nV-1,"a" b\n', "line 2, column 1: the row cannot be read (',' expected after '\"')"),
    ('{"registration_id": "V-1"}\n{"registration_id": \n', "line 2, column 20: the JSON is not well-formed"),
]


@pytest.mark.parametrize(("text", "where"), BROKEN, ids=[each[1] for each in BROKEN])
def test_what_cannot_be_read_is_refused_with_its_line_and_column(text: str, where: str) -> None:
    with pytest.raises(BrokenFile) as found:
        read(text)
    assert str(found.value) == where


def test_the_line_is_that_of_the_file_though_cells_hold_line_breaks() -> None:
    with pytest.raises(BrokenFile, match=r"^line 4, column 3: "):
        read('registration_id,sms\nV-1,"8045551001\n8045551002"\nV-2,8045551003,2\n')
