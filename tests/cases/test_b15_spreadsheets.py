"""Registrations from spreadsheets, and files that break (B15 and the find beside it)."""

import json
from pathlib import Path
from typing import Any

import pytest

from processors.cli import register, submit
from processors.cli.documents import Broken, documents
from processors.cli.register import registrations
from processors.runtime.errors import UserError

GOOD = "registration_id,registrant_id,source,sid,email,sms,verified\nV-1,R-1,VINE,VA7700123,reg1@example.org,804-555-1001,Y\n"
DOUBLED = GOOD.replace("email,sms", "sms,sms").replace("reg1@example.org", "804-555-1000")


def addresses(content: bytes) -> list[str]:
    (found,) = map(json.loads, registrations(content))
    return [each["address"] for each in found["contacts"]]


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode("utf-16"),
        f"sep=,\n{GOOD}".encode(),
        GOOD.replace("registration_id", "Registration_ID").encode(),
        GOOD.replace(",", ";").encode(),
        GOOD.encode("utf-16-be"),
        f"\ufeff\r\nSEP = ;\r\n{GOOD.replace(',', ';')}".encode(),
        GOOD.replace("\n", "\r").encode(),
        GOOD.replace("email,sms", "E-Mail Address,SMS 1").encode(),
        GOOD.replace("registration_id,registrant_id", "RegistrationID, RegistrantID").encode(),
        f"{GOOD}\x1a".encode(),
        GOOD.replace("sms", "sms\u200b").encode(),
        f",,,,,,\n{GOOD}".encode(),
        GOOD.replace("804-555-1001", '"=""804-555-1001"""').encode(),
    ],
    ids=[
        "utf-16",
        "sep",
        "header",
        "semicolons",
        "utf-16 without mark",
        "sep with blanks",
        "cr",
        "names",
        "camel case",
        "ctrl-z",
        "unseen in the header",
        "empty row above",
        "formula",
    ],
)
def test_b15_a_spreadsheet_is_read_as_it_is_saved(content: bytes) -> None:
    assert addresses(content) == ["804-555-1001", "reg1@example.org"]


def test_b15_a_doubled_column_loses_no_number() -> None:
    assert addresses(DOUBLED.encode()) == ["804-555-1000", "804-555-1001"]


@pytest.mark.parametrize("between", ["; ", ", ", "\n", " | ", " / "])
def test_b15_nor_does_a_cell_that_holds_two(between: str) -> None:
    assert addresses(GOOD.replace("804-555-1001", f'"804-555-1001{between}804-555-1002"').encode())[:2] == ["804-555-1001", "804-555-1002"]


@pytest.mark.parametrize("yes", ["Y", "yes", "TRUE", "1", "x", "on", "✓", "ja", "Sí", "oui", "WAHR"])
def test_b15_yes_is_yes(yes: str) -> None:
    (found,) = map(json.loads, registrations(GOOD.replace(",Y", f",{yes}").encode()))
    assert [each["verified"] for each in found["contacts"]] == [True, True]


def test_b15_a_surplus_cell_is_refused_with_its_place() -> None:
    with pytest.raises(Broken) as found:
        list(registrations(GOOD.replace(",Y", ",Y,804-555-1003").encode()))
    assert str(found.value) == "line 2, column 8: there is a value in a column that has no header"


@pytest.mark.parametrize(
    ("old", "new", "place", "why"),
    [
        ("804-555-1001", "8.05E+09", 6, "shortened by the spreadsheet"),
        ("804-555-1001", "########", 6, "an error of the spreadsheet"),
        ("VA7700123", "#N/A", 4, "an error of the spreadsheet"),
        ("VA7700123", "#NV", 4, "an error of the spreadsheet"),
        ("VA7700123", "#WERT!", 4, "an error of the spreadsheet"),
        ("VA7700123", "#¡REF!", 4, "an error of the spreadsheet"),
        ("VA7700123", "#SPILL!", 4, "an error of the spreadsheet"),
        ("VA7700123", "#NAME?", 4, "an error of the spreadsheet"),
        ("VA7700123", "#DIV/0!", 4, "an error of the spreadsheet"),
        ("804-555-1001", "=A1", 6, "a formula"),
        ("reg1@example.org", "reg1@example.org\x0breg2@example.org", 5, "does not print"),
        ("sid,email,sms,verified\nV-1,R-1,VINE,VA7700123", "DOB,email,sms,verified\nV-1,R-1,VINE,02/11/1979", 4, "YYYY-MM-DD"),
        ("sid,email,sms,verified\nV-1,R-1,VINE,VA7700123", "expires_at,email,sms,verified\nV-1,R-1,VINE,46388", 4, "YYYY-MM-DD"),
    ],
)
def test_b15_what_a_spreadsheet_spoiled_is_refused_with_its_place(old: str, new: str, place: int, why: str) -> None:
    with pytest.raises(Broken, match=f"line 2, column {place}: .*{why}"):
        list(registrations(GOOD.replace(old, new).encode()))


@pytest.mark.parametrize("column", ["case_numbers", "booking", "sid"])
@pytest.mark.parametrize(
    "written", ["26-Jan", "Jan-26", "1/26/2026", "26. Jan", "Mai 26", "26-Dez", "1-26-2026", "26.01.2026", "Sept-2026"]
)
def test_b15_a_number_that_became_a_date_is_refused(column: str, written: str) -> None:
    """Found as a variant: nobody was told of the case 1-26, since the registration was for the case 26-Jan."""
    with pytest.raises(Broken, match=f"line 2, column 4: the number in the column {column} was made a date by the spreadsheet"):
        list(registrations(GOOD.replace("sid", column).replace("VA7700123", written).encode()))


@pytest.mark.parametrize("written", ["1-26", "26-CR-1", "CR26-1432", "26/1432", "MAR26-1432", "2026-1", "12.3.4", "#26-1", "#CR26-1"])
def test_b15_but_a_docket_number_is_none(written: str) -> None:
    (found,) = map(json.loads, registrations(GOOD.replace("sid", "case_numbers").replace("VA7700123", written).encode()))
    assert found["case_numbers"] == [written]


def test_b15_a_pin_that_lost_its_zeros_is_refused() -> None:
    with pytest.raises(Broken, match="line 2, column 4: the column pin has lost zeros before the number"):
        list(registrations(GOOD.replace("sid", "pin").replace("VA7700123", "258").encode()))


@pytest.mark.parametrize(
    ("old", "new"), [("sms", "SMS (mobile)"), ("sid", "SID #"), ("verified", "Verified?"), ("email", "E-Mail:"), (",Y", ",✔️")]
)
def test_b15_what_stands_beside_a_headers_name_counts_for_nothing(old: str, new: str) -> None:
    assert addresses(GOOD.replace(old, new, 1).encode()) == ["804-555-1001", "reg1@example.org"]


NAMED = GOOD.replace("sid", "full").replace("VA7700123", "José Peña")


@pytest.mark.parametrize(
    "content",
    [
        NAMED.encode("mac_roman"),
        NAMED.encode("cp437"),
        NAMED.encode().decode("cp1252").encode(),
        NAMED.encode().replace("ñ".encode(), b"\xf1"),
        NAMED.replace("é", "\ufffd").encode(),
    ],
    ids=["Macintosh", "MS-DOS", "UTF-8 twice", "UTF-8 and Windows-1252", "lost"],
)
def test_b15_a_name_whose_letters_were_spoiled_is_refused_and_not_another_name(content: bytes) -> None:
    with pytest.raises(Broken, match="line 2, column 4: letters in the column full were spoiled by another program"):
        list(registrations(content))


@pytest.mark.parametrize("name", ["José Peña", "Zoë Ågren-O’Neil", "Łukasz Żak", "Đặng Thị", "Smith–Jones", "D´Angelo", "MÜLLER, Š."])
def test_b15_a_name_of_any_language_is_read(name: str) -> None:
    (found,) = map(json.loads, registrations(NAMED.replace("José Peña", f'"{name}"').encode()))
    assert found["offender"]["name"]["full"] == name


def test_b15_a_second_row_of_one_registration_replaces_no_number() -> None:
    with pytest.raises(Broken, match=r"line 3, column 1: this registration_id is in line 2 already"):
        list(registrations((GOOD + GOOD.splitlines()[1].replace("1001", "1002")).encode()))


@pytest.mark.parametrize("row", ["Total: 1,,,,,,", "(1 row affected)"])
def test_b15_what_stands_below_a_table_is_no_registration(row: str) -> None:
    with pytest.raises(Broken, match=r"line 3, column 1: the row has no registrant_id"):
        list(registrations((GOOD + row).encode()))


def test_b15_nor_is_a_header_alone_a_table() -> None:
    with pytest.raises(Broken, match="there is no registration below the header"):
        list(registrations(GOOD.splitlines()[0].encode()))


@pytest.mark.parametrize("workbook", [b"PK\x03\x04\x14\0", b"\xd0\xcf\x11\xe0\xa1\xb1"])
def test_b15_a_workbook_is_no_csv(workbook: bytes) -> None:
    with pytest.raises(Broken, match="save it as CSV"):
        list(registrations(workbook))


class Sent:
    """A connection that keeps what is sent."""

    def __init__(self, *_: Any) -> None:
        self.records: list[Any] = []
        LAST.append(self)

    def send(self, _topic: Any, records: Any) -> None:
        self.records = list(records)


LAST: list[Sent] = []


def test_b15_of_a_refused_file_nothing_is_sent_and_of_the_others_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(register, "Client", Sent)
    (tmp_path / "good.csv").write_text(GOOD)
    (tmp_path / "bad.csv").write_text(GOOD.replace(",Y", ",perhaps") + "V-9,R-9,VINE,VA1,,804-555-1009,Y\n")
    with pytest.raises(UserError) as found:
        register.register([str(tmp_path / "bad.csv"), str(tmp_path / "good.csv")])
    place = f"{tmp_path}/bad.csv, line 2, column 7"
    assert str(found.value) == f"{place}: the column verified says neither yes nor no; nothing of it was sent: fix it and send it again"
    assert [key for key, _ in LAST[-1].records] == ["V-1"]
    assert capsys.readouterr().out == "V-1\n"


def test_a_broken_document_of_which_one_line_is_an_object_is_no_seven_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = b'{\n  "message_id": "M-1",\n  "offenders": [\n{"birth_date": "1979-02-11"}\n  ],\n  "remarks": "x",\n}\n'
    with pytest.raises(Broken, match=r"^line 7, column 1: |^line 6, column 17: "):
        documents(broken)
    file = tmp_path / "broken.json"
    file.write_bytes(broken)
    monkeypatch.setattr(submit, "Client", Sent)
    LAST.clear()
    with pytest.raises(UserError, match=r"nothing of it was sent: fix it, or send it as it is with --raw$"):
        submit.submit([str(file)], raw=False)
    assert LAST == []
    submit.submit([str(file)], raw=True)
    assert LAST[-1].records == [(None, broken)]
