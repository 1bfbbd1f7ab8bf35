"""`vn register` reads JSON, JSON lines and CSV with a header."""

import json

import pytest

from processors.cli.register import registration_id, registrations
from processors.runtime.errors import UserError

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
                {"channel": "sms", "address": "+18045550107", "verified": True},
                {"channel": "email", "address": "a@example.org", "verified": True},
                {"channel": "email", "address": "b@example.org", "verified": True},
            ],
        }
    ]


@pytest.mark.parametrize(("said", "verified"), [("", True), ("Yes", True), ("1", True), ("true", True), ("no", False), ("0", False)])
def test_contacts_are_verified_unless_the_row_says_otherwise(said: str, *, verified: bool) -> None:
    (found,) = read(f"registration_id,sms,verified\nV-1,+18045550107,{said}\n")
    assert found["contacts"] == [{"channel": "sms", "address": "+18045550107", "verified": verified}]


def test_nobody_is_invented_where_the_row_says_nothing() -> None:
    (found,) = read("registration_id\nV-1\n")
    assert found == {"registration_id": "V-1", "case_numbers": [], "event_subtypes": [], "offender": {"identifiers": []}, "contacts": []}


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    assert read("\ufeffregistration_id,sms\nV-1,+18045550107\n")[0]["registration_id"] == "V-1"


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(UserError, match="names mobile, which is no column"):
        read("registration_id,mobile\nV-1,1\n")


def test_json_is_taken_as_it_is() -> None:
    one, other = b'{"registration_id": "V-1"}', b'{"registration_id": "V-2"}'
    assert list(registrations(one + b"\n" + other)) == [one, other]
    assert registration_id(one) == "V-1"
    assert registration_id(b'{"registration_id": " "}') is None
    assert registration_id(b"nonsense") is None
