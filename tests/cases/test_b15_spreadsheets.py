"""Registrations from spreadsheets, and files that break (B15 and the find beside it)."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from processors.cli import register, submit
from processors.cli.documents import BrokenFile, documents
from processors.cli.register import registrations
from processors.runtime.errors import UserError
from processors.runtime.wire.codec import Codec

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


@pytest.mark.parametrize(
    ("column", "wrong", "right"),
    [
        ("language", "Spanish", "spa"),
        ("language", "es_MX", "es-MX"),
        ("language", "sp", "ES"),
        ("time_zone", "Eastern", "america/new_york"),
        ("time_zone", "America/New York", "EST5EDT"),
        ("source", "VINELink", "VINE"),
    ],
)
def test_b14_a_language_zone_or_source_that_is_none_is_refused_with_its_place(column: str, wrong: str, right: str) -> None:
    """Found as a variant: every row became a dead letter, and the command said nothing of it."""
    content = (
        GOOD.replace("VINE", "{source}").replace("verified\n", "verified,language,time_zone\n").replace("Y\n", "Y,{language},{time_zone}\n")
    )
    written = {"source": "VINE", "language": "en", "time_zone": "America/Chicago"}
    with pytest.raises(BrokenFile, match=f"the column {column} holds no"):
        list(registrations(content.format(**written | {column: wrong}).encode()))
    assert list(registrations(content.format(**written | {column: right}).encode()))


@pytest.mark.parametrize("sign", ["\u200b", "\u00ad", "\u200e", "\u2060", "\u3164", "\ufeff"], ids=ascii)
def test_b06_an_invisible_sign_in_a_cell_is_no_part_of_it(sign: str) -> None:
    """Found as a variant: the whole file was refused for a birth date that looked right."""
    content = GOOD.replace("verified\n", "verified,birth_date\n").replace("Y\n", "Y,1979-02-11\n")
    marked = re.sub(r"(?=,|\n)", sign, content)
    assert list(registrations(marked.encode())) == list(registrations(content.encode()))


@pytest.mark.parametrize("yes", ["Y", "yes", "TRUE", "1", "x", "on", "✓", "ja", "Sí", "oui", "WAHR"])
def test_b15_yes_is_yes(yes: str) -> None:
    (found,) = map(json.loads, registrations(GOOD.replace(",Y", f",{yes}").encode()))
    assert [each["verified"] for each in found["contacts"]] == [True, True]


def test_b15_a_surplus_cell_is_refused_with_its_column() -> None:
    with pytest.raises(BrokenFile) as found:
        list(registrations(GOOD.replace(",Y", ",Y,804-555-1003").encode()))
    assert str(found.value) == "line 2, column 8: there is a value in a column that has no header"


@pytest.mark.parametrize(
    ("old", "new", "column", "why"),
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
def test_b15_what_a_spreadsheet_spoiled_is_refused_with_its_column(old: str, new: str, column: int, why: str) -> None:
    with pytest.raises(BrokenFile, match=f"line 2, column {column}: .*{why}"):
        list(registrations(GOOD.replace(old, new).encode()))


@pytest.mark.parametrize("column", ["case_numbers", "booking", "sid"])
@pytest.mark.parametrize(
    "written",
    [
        *("26-Jan", "Jan-26", "1/26/2026", "26. Jan", "Mai 26", "26-Dez", "1-26-2026", "26.01.2026", "Sept-2026"),
        *("26-ene", "abr-26", "26-dic", "ago-26", "26-févr", "26-août", "26-déc.", "26-avr", "26-juil.", "26-Jan-26", "26-Jan-2026"),
        *("January 26, 2026", "26 de enero de 2026", "2026-01-26", "2026-01-26 00:00:00", "2026-01-26T00:00:00.000", "1/26/2026 0:00"),
        *("01/26/26", "01:26:00", "1:26 AM", "1:26:00 AM"),
    ],
)
def test_b15_a_number_that_became_a_date_is_refused(column: str, written: str) -> None:
    """Found as a variant: nobody was told of the case 1-26, since the registration was for the case 26-Jan."""
    with pytest.raises(BrokenFile, match=f"line 2, column 4: the number in the column {column} was made a date by the spreadsheet"):
        list(registrations(GOOD.replace("sid", column).replace("VA7700123", written).encode()))


@pytest.mark.parametrize(
    "written",
    [
        *("1-26", "26-CR-1", "CR26-1432", "26/1432", "MAR26-1432", "2026-1", "12.3.4", "#26-1", "#CR26-1"),
        *("1:26-cr-00012", "26-MAG-1432", "2026-13-26", "26-JAN-1432", "26 AGR 12", "#2026-01-26", "1:26"),
    ],
)
def test_b15_but_a_docket_number_is_none(written: str) -> None:
    (found,) = map(json.loads, registrations(GOOD.replace("sid", "case_numbers").replace("VA7700123", written).encode()))
    assert found["case_numbers"] == [written]


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        *((pin, "the column pin has lost zeros before the number") for pin in ("258", "0")),
        *((pin, "the column pin does not hold four digits") for pin in ("4821.0", '"4,821"', "48211", "****", "4821#")),
    ],
)
def test_b15_a_pin_that_lost_its_zeros_or_gained_a_fraction_is_refused(pin: str, why: str) -> None:
    with pytest.raises(BrokenFile, match=f"line 2, column 4: {why}"):
        list(registrations(GOOD.replace("sid", "pin").replace("VA7700123", pin).encode()))


@pytest.mark.parametrize(
    ("old", "new", "column", "why"),
    [
        ("V-1", "1-Mar", 1, "was made a date"),
        ("R-1", "5-mars", 2, "was made a date"),
        ("V-1", "12345.0", 1, "was given a fraction"),
        ("R-1", '"1,432"', 2, "was made an amount"),
        ("VA7700123", '"7,700,123"', 4, "was made an amount"),
        ("VA7700123", '"7,700,123.00"', 4, "was made an amount"),
    ],
)
def test_b15_nor_is_an_id_or_a_number_of_which_the_spreadsheet_made_another(old: str, new: str, column: int, why: str) -> None:
    with pytest.raises(BrokenFile, match=f"line 2, column {column}: the number in the column .* {why}"):
        list(registrations(GOOD.replace(old, new, 1).encode()))


@pytest.mark.parametrize("id_", ["MAR-12", "12-MAR", "V12345.0", "26-1432", "20260126"])
def test_b15_but_an_id_of_any_other_form_is_one(id_: str) -> None:
    (found,) = map(json.loads, registrations(GOOD.replace("V-1", id_).encode()))
    assert found["registration_id"] == id_


@pytest.mark.parametrize(
    ("old", "new", "column", "why"),
    [
        *(
            ("804-555-1001", written, 6, "is no telephone number, or more than one")
            for written in (
                *("804-555-1001 and 804-555-1002", "804-555-1001/804-555-1002", "8045551001 8045551002", "804-555-1001<br>804-555-1002"),
                *("Err:502", "Loading...", "call my mother", "8'045'551'001", '"8,045,551,001"', '"804-555-1001_x000D_\n804-555-1002"'),
            )
        ),
        *(
            ("804-555-1001", written, 6, "has too few or too many digits for a telephone number")
            for written in ("45551001", "-951", "8/4/1955", '"804-555-1002; 555-1001"')
        ),
        *(
            ("reg1@example.org", written, 5, "is no email address")
            for written in (
                "reg1@example.org reg2@example.org",
                "reg1(at)example.org",
                "reg1@example",
                "804-555-1001",
                '"reg2@example.org, reg1"',
            )
        ),
    ],
)
def test_b15_an_address_that_cannot_be_read_is_refused_with_its_column(old: str, new: str, column: int, why: str) -> None:
    """Found as a variant: such a telephone number was lost, and only the journal said so."""
    with pytest.raises(BrokenFile, match=f"line 2, column {column}: an address in the column .* {why}"):
        list(registrations(GOOD.replace(old, new).encode()))


@pytest.mark.parametrize("none", ["N/A", "none", "-", "nan", "NULL", "unknown", "Not provided", "declined", "?", "ninguno"])
def test_b15_a_word_for_none_is_no_address(none: str) -> None:
    assert addresses(GOOD.replace("804-555-1001", none).encode()) == ["reg1@example.org"]


@pytest.mark.parametrize("written", ["911", "9999999999", "804-555-1001 x12", "+1 900 555 1234"])
def test_b15_what_no_registrant_answers_is_for_read_to_leave_out(written: str) -> None:
    assert addresses(GOOD.replace("804-555-1001", written).encode()) == [written, "reg1@example.org"]


def test_b15_a_comma_within_an_address_parts_nothing() -> None:
    written = '"Muster, Ann <reg1@example.org>; reg2@example.org, reg3@example.org"'
    assert addresses(GOOD.replace("reg1@example.org", written).encode())[1:] == [
        "Muster, Ann <reg1@example.org>",
        "reg2@example.org",
        "reg3@example.org",
    ]


@pytest.mark.parametrize(
    ("old", "new", "field"), [("V-1", "'26-1", "registration_id"), ("sid", "pin", "pin"), ("804-555-1001", "'+18045551001", "sms")]
)
def test_b15_the_sign_that_keeps_a_text_a_text_is_no_part_of_it(old: str, new: str, field: str) -> None:
    (found,) = map(
        json.loads, registrations(GOOD.replace(old, new, 1).replace("VA7700123", "'0482" if new == "pin" else "VA7700123").encode())
    )
    values = {"registration_id": found["registration_id"], "pin": found.get("pin"), "sms": found["contacts"][0]["address"]}
    assert values[field] == {"registration_id": "26-1", "pin": "0482", "sms": "+18045551001"}[field]


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
        NAMED.replace("José Peña", "Иванов Пётр").encode("cp1251"),
        NAMED.replace("José Peña", "Παπαδόπουλος").encode("cp1253"),
        NAMED.replace("José Peña", "王伟").encode("gb18030"),
    ],
    ids=["Macintosh", "MS-DOS", "UTF-8 twice", "UTF-8 and Windows-1252", "lost", "Cyrillic", "Greek", "Chinese"],
)
def test_b15_a_name_whose_letters_were_spoiled_is_refused_and_not_another_name(content: bytes) -> None:
    with pytest.raises(BrokenFile, match="line 2, column 4: letters in the column full were spoiled by another program"):
        list(registrations(content))


@pytest.mark.parametrize("name", ["José Peña", "Zoë Ågren-O’Neil", "Łukasz Żak", "Đặng Thị", "Smith–Jones", "D´Angelo", "MÜLLER, Š."])
def test_b15_a_name_of_any_language_is_read(name: str) -> None:
    (found,) = map(json.loads, registrations(NAMED.replace("José Peña", f'"{name}"').encode()))
    assert found["offender"]["name"]["full"] == name


def test_b15_a_second_row_of_one_registration_replaces_no_number() -> None:
    with pytest.raises(BrokenFile, match=r"line 3, column 1: this registration_id is in line 2 already"):
        list(registrations((GOOD + GOOD.splitlines()[1].replace("1001", "1002")).encode()))


@pytest.mark.parametrize("row", ["Total: 1,,,,,,", "(1 row affected)"])
def test_b15_what_stands_below_a_table_is_no_registration(row: str) -> None:
    with pytest.raises(BrokenFile, match=r"line 3, column 1: the row has no registrant_id"):
        list(registrations((GOOD + row).encode()))


def test_b15_nor_is_a_header_alone_a_table() -> None:
    with pytest.raises(BrokenFile, match="there is no registration below the header"):
        list(registrations(GOOD.splitlines()[0].encode()))


@pytest.mark.parametrize("workbook", [b"PK\x03\x04\x14\0", b"\xd0\xcf\x11\xe0\xa1\xb1"])
def test_b15_a_workbook_is_no_csv(workbook: bytes) -> None:
    with pytest.raises(BrokenFile, match="save it as CSV"):
        list(registrations(workbook))


class Sent:
    """A connection that keeps what is sent."""

    def __init__(self, *_: Any) -> None:
        self.codec = Codec()
        self.records: list[Any] = []
        LAST.append(self)

    def send(self, _topic: Any, records: Any) -> None:
        self.records = list(records)


LAST: list[Sent] = []


def test_b15_of_a_refused_file_nothing_is_sent_and_of_the_others_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(register, "UserClient", Sent)
    (tmp_path / "good.csv").write_text(GOOD)
    (tmp_path / "bad.csv").write_text(GOOD.replace(",Y", ",perhaps") + "V-9,R-9,VINE,VA1,,804-555-1009,Y\n")
    with pytest.raises(UserError) as found:
        register.register([str(tmp_path / "bad.csv"), str(tmp_path / "good.csv")])
    cell = f"{tmp_path}/bad.csv, line 2, column 7"
    assert str(found.value) == f"{cell}: the column verified says neither yes nor no; nothing of it was sent: fix it and send it again"
    assert [key for key, _ in LAST[-1].records] == ["V-1"]
    assert capsys.readouterr().out == "V-1\n"


def test_a_broken_document_of_which_one_line_is_an_object_is_no_seven_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = b'{\n  "message_id": "M-1",\n  "offenders": [\n{"birth_date": "1979-02-11"}\n  ],\n  "remarks": "x",\n}\n'
    with pytest.raises(BrokenFile, match=r"^line 7, column 1: |^line 6, column 17: "):
        documents(broken)
    file = tmp_path / "broken.json"
    file.write_bytes(broken)
    monkeypatch.setattr(submit, "UserClient", Sent)
    LAST.clear()
    with pytest.raises(UserError, match=r"nothing of it was sent: fix it, or send it as it is with --raw$"):
        submit.submit([str(file)], raw=False)
    assert LAST == []
    submit.submit([str(file)], raw=True)
    assert LAST[-1].records == [(None, broken)]
