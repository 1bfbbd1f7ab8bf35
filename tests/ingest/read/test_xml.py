import re
from pathlib import Path
from typing import Any

import pytest

from processors.domain.person import Identifier, Name
from processors.domain.submission import Case, NotificationSubtype, Place
from processors.ingest.read.formats import MAX_BYTES
from processors.topics import RECEIPTS, REGISTRATIONS, REVIEW_ACTIONS
from tests.ingest.records import SCHEMAS, read, rejection, submission

EXAMPLES = sorted((SCHEMAS / "xml").glob("*.xml"))
ESCAPE, RECAPTURE, HEARING = (next(SCHEMAS.glob(f"xml/specification-{number}-*")).read_text() for number in (1, 2, 3))
DEPARTURE = next(SCHEMAS.glob("xml/ivins-4-*")).read_text()


def inserted(text: str, before: str, addition: str) -> str:
    assert text.count(before) == 1, before
    return text.replace(before, addition + before)


def without(text: str, pattern: str) -> str:
    found = re.subn(pattern, "", text, count=1, flags=re.DOTALL)
    assert found[1] == 1, pattern
    return found[0]


def swapped(text: str, old: str, new: str) -> str:
    assert old in text, old
    return text.replace(old, new)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_taken(path: Path) -> None:
    found = submission(path.read_bytes())
    assert found.offenders[0].name == Name(given="John", middle="Q", sur="Sample")
    assert found.details == {}


def test_the_examples_are_the_specifications_three_and_the_nine_of_ivins() -> None:
    assert [path.stem.split("-")[0] for path in EXAMPLES] == ["ivins"] * 9 + ["specification"] * 3


def test_every_element_has_its_field() -> None:
    text = inserted(DEPARTURE, "  <vn-ext:InterstateCompactEvent", "<vn:MessageOperationCode>Update</vn:MessageOperationCode>")
    text = inserted(
        text,
        "  <vn-ext:InterstateCompactEvent",
        "<nc:DocumentReferencedIdentification><nc:IdentificationID>NOD-1</nc:IdentificationID></nc:DocumentReferencedIdentification>"
        "<nc:Case><nc:CaseTrackingID>T-1</nc:CaseTrackingID><j:CourtName>Henrico</j:CourtName></nc:Case>",
    )
    text = inserted(
        text,
        "    <vn-ext:EventType>",
        "<nc:ActivityDescriptionText>for the agency</nc:ActivityDescriptionText>"
        "<nc:SupervisionCustodyStatus><nc:StatusDescriptionText>Supervised</nc:StatusDescriptionText></nc:SupervisionCustodyStatus>"
        "<x:PreviousLocation xmlns:x='urn:x'><nc:LocationCategoryText>State\n  Prison</nc:LocationCategoryText>"
        "<nc:LocationName>Nottoway</nc:LocationName></x:PreviousLocation>"
        "<vn-ext:BailAmount>500</vn-ext:BailAmount>"
        "<vn-ext:ReleaseDate><nc:Date>2026-11-05</nc:Date></vn-ext:ReleaseDate>",
    )
    assert submission(text.encode()) == submission(
        {
            "message_id": "ICOTS-NOD-991",
            "operation": "Update",
            "refers_to": "NOD-1",
            "sent_at": "2026-11-02T18:04:11Z",
            "agency": {"ori": "VAICOTS01", "name": "Virginia Interstate Compact", "state": "VA"},
            "event_id": "NOD-991",
            "event_type": "Interstate Compact",
            "event_subtype": "Departure",
            "notification_type": "Movement",
            "notification_subtypes": [{"subtype": "Validate", "validations": ["Date"]}, {"subtype": "Expect Subsequent Event"}],
            "action_at": "2026-11-02",
            "offenders": [
                {
                    "identifiers": [{"scheme": "ICOTS", "value": "1203344"}, {"scheme": "SID", "value": "VA1234567"}],
                    "name": {"given": "John", "middle": "Q", "sur": "Sample"},
                    "birth_date": "1981-05-17",
                }
            ],
            "case": {"number": "T-1", "court": "Henrico"},
            "status": "Supervised",
            "location": {"kind": "Community", "name": "Raleigh, NC"},
            "from_location": {"kind": "State Prison", "name": "Nottoway"},
            "compact": {"case_number": "1203344-2", "sending_state": "VA", "receiving_state": "NC", "report_by": "2026-11-09"},
            "remarks": "for the agency",
            "details": {"BailAmount": "500", "ReleaseDate": "2026-11-05"},
        }
    )


def test_the_specifications_hearing_with_its_case_and_tags() -> None:
    found = submission(HEARING.encode())
    assert (found.event_type, found.event_subtype, found.notification_type) == ("Prosecution", "Court Hearing", "Hearing Notice")
    assert found.action_at == "2026-12-14T15:00:00Z"
    assert found.case == Case("CR26-001432", "Henrico Circuit Court")
    assert found.notification_subtypes == (NotificationSubtype("Validate", ("Date",)), NotificationSubtype("Expect Subsequent Event"))


def test_the_specifications_recapture_and_escape() -> None:
    recapture, escape = submission(RECAPTURE.encode()), submission(ESCAPE.encode())
    assert recapture.notification_subtypes == (NotificationSubtype("Validate", ("Date", "Previous Event")),)
    assert (recapture.status, recapture.location) == ("Incarcerated", Place("Local Jail", "Henrico County Regional Jail"))
    assert escape.notification_subtypes == (NotificationSubtype("Do Not Validate"),)
    assert escape.from_location == Place("State Prison", "Nottoway")


def test_a_message_as_the_specification_prints_it_is_not_well_formed() -> None:
    assert rejection(swapped(RECAPTURE, 's:id="NotificationSubtype001"', "s:id=” NotificationSubtype 001”").encode()) == "malformed"
    assert (
        rejection(swapped(RECAPTURE, "</vn-structures:RelatedAssociations>", "</ vn-structures:RelatedAssociations >").encode())
        == "malformed"
    )


# --- tolerance -----------------------------------------------------------------------------------------------------------


def test_prefixes_and_namespaces_do_not_matter() -> None:
    text = RECAPTURE.replace("niem-core/2.0", "release/niem-core/5.0/").replace("nc:", "core:").replace("xmlns:nc", "xmlns:core")
    text = text.replace("s:id", "structures:id").replace("s:ref", "structures:ref").replace("xmlns:s=", "xmlns:structures=")
    assert submission(text.encode()) == submission(RECAPTURE.encode())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_utf_8_and_utf_16_are_read_after_a_mark_and_white_space(encoding: str) -> None:
    text = RECAPTURE.replace("UTF-8", "UTF-16" if encoding == "utf-16" else "UTF-8").replace("John", "José")
    assert submission(("\n " + text).encode(encoding)).offenders[0].name == Name(given="José", middle="Q", sur="Sample")


def test_comments_and_instructions_hide_nothing() -> None:
    assert submission(RECAPTURE.replace("77120<", "77<!-- x -->1<?y z?>20<").encode()) == submission(RECAPTURE.encode())


def test_character_data_sections_are_text() -> None:
    assert submission(RECAPTURE.replace(">Incarcerated<", "><![CDATA[Incarcerated]]><").encode()) == submission(RECAPTURE.encode())


def test_white_space_within_elements_is_one_blank() -> None:
    assert submission(RECAPTURE.replace("Status Update", "\n  Status\n  Update\n").encode()) == submission(RECAPTURE.encode())


def test_elements_without_a_field_are_named_in_the_journal() -> None:
    text = inserted(RECAPTURE, "    <vn-ext:EventType>", "<nc:Vehicle><nc:Make>a</nc:Make><nc:Model>b</nc:Model></nc:Vehicle>")
    (verdict,) = read(inserted(text, "</vn:SubmitMessage>", "<vn:Signature>abc</vn:Signature>").encode()).verdicts
    assert "Signature, Vehicle" in verdict.detail


# --- offenders -----------------------------------------------------------------------------------------------------------


def identified(element: str, source: str = "") -> str:
    named = f"<nc:IdentificationSourceText>{source}</nc:IdentificationSourceText>" if source else ""
    return f"<x:{element} xmlns:x='urn:x'><nc:IdentificationID> 1 </nc:IdentificationID>{named}</x:{element}>"


@pytest.mark.parametrize(
    ("element", "source", "scheme"),
    [
        ("PersonStateFingerprintIdentification", "", "SID"),
        ("PersonFBIIdentification", "", "FBI"),
        ("PersonOtherIdentification", "", "ICOTS"),
        ("PersonOtherIdentification", "INSITE", "INSITE"),
        ("SubjectIdentification", "", "BOOKING"),
        ("SubjectCorrectionsIdentification", "", "DOC"),
    ],
)
def test_every_identifier_has_its_scheme(element: str, source: str, scheme: str) -> None:
    text = inserted(RECAPTURE, "  </nc:Person>", identified(element, source))
    assert submission(text.encode()).offenders[0].identifiers[-1] == Identifier(scheme, "1")


def test_every_person_is_an_offender_with_names_and_aliases() -> None:
    other = (
        "<nc:Person><nc:PersonBirthDate><nc:Date>1970-01-02</nc:Date></nc:PersonBirthDate>"
        "<nc:PersonName><nc:PersonFullName>Sample, Jack</nc:PersonFullName></nc:PersonName>"
        "<nc:PersonAlternateName><nc:PersonGivenName>Jay</nc:PersonGivenName><nc:PersonSurName>Example</nc:PersonSurName>"
        "</nc:PersonAlternateName><nc:PersonAlternateName><nc:PersonFullName>J. X.</nc:PersonFullName></nc:PersonAlternateName></nc:Person>"
    )
    first, second = submission(inserted(RECAPTURE, "  <nc:Person s:id", other).encode()).offenders
    assert second.name == Name(given="John", middle="Q", sur="Sample")
    assert (first.name, first.birth_date) == (Name(full="Sample, Jack"), "1970-01-02")
    assert first.aliases == (Name(given="Jay", sur="Example"), Name(full="J. X."))


# --- the action date -----------------------------------------------------------------------------------------------------

ACTIVITY = "<nc:ActivityDate><nc:DateTime>2026-11-20T09:00:00Z</nc:DateTime></nc:ActivityDate>"
APPEARANCE = "<j:CourtAppearanceDate><nc:Date>2026-11-21</nc:Date></j:CourtAppearanceDate>"


def test_a_prosecution_hearing_is_when_the_appearance_is() -> None:
    text = inserted(HEARING, "    <vn-ext:EventType>", ACTIVITY)
    found = submission(text.encode())
    assert found.action_at == "2026-12-14T15:00:00Z"
    assert found.details == {"ActivityDate": "2026-11-20T09:00:00Z"}


def test_everything_else_is_when_the_activity_is() -> None:
    assert submission(inserted(RECAPTURE, "    <vn-ext:EventType>", APPEARANCE).encode()).action_at == "2026-11-02T17:40:00Z"


def test_the_other_date_counts_if_only_it_is_present() -> None:
    hearing = without(HEARING, "<j:CourtAppearanceDate>.*</j:CourtAppearanceDate>")
    recapture = without(RECAPTURE, "<nc:ActivityDate>.*</nc:ActivityDate>")
    assert submission(inserted(hearing, "    <vn-ext:EventType>", ACTIVITY).encode()).action_at == "2026-11-20T09:00:00Z"
    assert submission(inserted(recapture, "    <vn-ext:EventType>", APPEARANCE).encode()).action_at == "2026-11-21"


def test_the_date_may_be_in_the_depth_of_the_case() -> None:
    hearing = without(HEARING, "<j:CourtAppearanceDate>.*</j:CourtAppearanceDate>")
    deep = f"<j:CaseCourtEvent><j:CourtEventAppearance>{APPEARANCE}</j:CourtEventAppearance></j:CaseCourtEvent>"
    assert submission(inserted(hearing, "  </nc:Case>", deep).encode()).action_at == "2026-11-21"


def test_a_date_of_another_thing_within_the_event_is_not_its_own() -> None:
    text = inserted(RECAPTURE, "    <vn-ext:EventType>", f"<nc:Release>{ACTIVITY}</nc:Release>")
    assert submission(text.encode()).action_at == "2026-11-02T17:40:00Z"


# --- rejections ----------------------------------------------------------------------------------------------------------

TIE = re.search(
    "<vn-ext:NotificationSubtypeValidationAssociation>.*?</vn-ext:NotificationSubtypeValidationAssociation>", RECAPTURE, re.DOTALL
)
assert TIE
SECOND_EVENT = "<vn-ext:CourtEvent><vn-ext:EventType>Court</vn-ext:EventType></vn-ext:CourtEvent>"

SECOND_ID = "<DocumentIdentification><IdentificationID>2</IdentificationID></DocumentIdentification>"

REJECTIONS: list[tuple[str, str, Any]] = [
    ("no EventType", "event_type_count", lambda: without(RECAPTURE, "<vn-ext:EventType>Jail</vn-ext:EventType>")),
    ("empty EventType", "event_type_count", lambda: swapped(RECAPTURE, ">Jail<", "> <")),
    (
        "two EventType",
        "event_type_count",
        lambda: inserted(RECAPTURE, "    <vn-ext:EventType>", "<vn-ext:EventType>Jail</vn-ext:EventType>"),
    ),
    ("two events", "event_type_count", lambda: inserted(RECAPTURE, "  <nc:Person s:id", SECOND_EVENT)),
    ("two events, one untyped", "event_type_count", lambda: inserted(RECAPTURE, "  <nc:Person s:id", "<vn-ext:CourtEvent/>")),
    ("EventType in no event", "event_type_count", lambda: RECAPTURE.replace("JailEvent", "JailThing")),
    ("no event", "event_type_count", lambda: without(RECAPTURE, "<vn-ext:JailEvent.*</vn-ext:JailEvent>")),
    ("another document", "event_type_count", lambda: "<html><body/></html>"),
    ("no id", "missing_field", lambda: without(RECAPTURE, "<nc:DocumentIdentification>.*</nc:DocumentIdentification>")),
    ("no agency", "missing_field", lambda: without(RECAPTURE, "<nc:DocumentSubmitter>.*</nc:DocumentSubmitter>")),
    ("no EventSubtype", "missing_field", lambda: without(RECAPTURE, "<vn-ext:EventSubtype>Recapture</vn-ext:EventSubtype>")),
    (
        "no NotificationSubtype",
        "no_notification_subtype",
        lambda: without(ESCAPE, "<vn-ext:NotificationSubtype .*</vn-ext:NotificationSubtype>"),
    ),
    ("two ids", "doubled_field", lambda: inserted(RECAPTURE, "  <nc:DocumentSubmitter>", SECOND_ID)),
    (
        "two EventSubtype",
        "doubled_field",
        lambda: inserted(RECAPTURE, "    <vn-ext:EventSubtype>", "<vn-ext:EventSubtype>Escape</vn-ext:EventSubtype>"),
    ),
    ("two dates", "doubled_field", lambda: inserted(RECAPTURE, "    <vn-ext:EventType>", ACTIVITY)),
    ("no date", "unreadable_date", lambda: without(RECAPTURE, "<nc:ActivityDate>.*</nc:ActivityDate>")),
    ("unreadable date", "unreadable_date", lambda: swapped(RECAPTURE, "2026-11-02T17:40:00Z", "2026-11-31T17:40:00Z")),
    ("unknown code", "unknown_code", lambda: swapped(RECAPTURE, ">Recapture<", ">Vanishing<")),
    ("subtype of another agency", "subtype_not_allowed", lambda: swapped(RECAPTURE, ">Recapture<", ">Court Hearing<")),
    ("untied validation", "orphan_validation", lambda: RECAPTURE.replace(TIE[0], "", 1)),
    (
        "validation without id",
        "orphan_validation",
        lambda: inserted(RECAPTURE, "  </vn-ext:JailEvent>", "<vn-ext:NotificationValidation>Date</vn-ext:NotificationValidation>"),
    ),
    (
        "no associations",
        "orphan_validation",
        lambda: without(RECAPTURE, "<vn-structures:RelatedAssociations>.*</vn-structures:RelatedAssociations>"),
    ),
    (
        "dangling subtype",
        "dangling_reference",
        lambda: swapped(RECAPTURE, 's:ref="NotificationSubtype001"', 's:ref="NotificationSubtype009"'),
    ),
    (
        "dangling validation",
        "dangling_reference",
        lambda: swapped(RECAPTURE, 's:ref="NotificationValidation002"', 's:ref="NotificationValidation009"'),
    ),
    ("dangling elsewhere", "dangling_reference", lambda: inserted(RECAPTURE, "  <nc:Person s:id", '<nc:PersonReference s:ref="NOBODY"/>')),
    ("reference to another thing", "dangling_reference", lambda: swapped(RECAPTURE, 's:ref="NotificationSubtype001"', 's:ref="OFFENDER1"')),
    (
        "ends the wrong way round",
        "dangling_reference",
        lambda: swapped(RECAPTURE, 's:ref="NotificationSubtype001"', 's:ref="NotificationValidation001"'),
    ),
    (
        "association of one end",
        "dangling_reference",
        lambda: without(RECAPTURE, r'<vn-ext:NotificationValidationReference s:ref="NotificationValidation001"/>'),
    ),
    ("doubled id", "doubled_reference", lambda: swapped(RECAPTURE, 's:id="NotificationValidation002"', 's:id="NotificationValidation001"')),
    ("doubled id elsewhere", "doubled_reference", lambda: swapped(RECAPTURE, 's:id="OFFENDER1"', 's:id="ACTIVITY"')),
    ("no person", "no_offender", lambda: without(RECAPTURE, "<nc:Person s:id.*</nc:Person>")),
    ("nameless person", "offender_not_identified", lambda: inserted(RECAPTURE, "  <nc:Person s:id", "<nc:Person/>")),
]


@pytest.mark.parametrize(("reason", "text"), [each[1:] for each in REJECTIONS], ids=[each[0] for each in REJECTIONS])
def test_what_is_wrong_is_refused_with_its_reason(reason: str, text: Any) -> None:
    assert rejection(text().encode()) == reason


def test_a_rejection_names_the_message_if_it_can_be_read() -> None:
    (verdict,) = read(swapped(RECAPTURE, 's:ref="NotificationSubtype001"', 's:ref="X"').encode()).verdicts
    assert (verdict.message_id, verdict.ori) == ("JAIL-2026-0000123", "VA0430000")


def test_identical_elements_may_be_repeated() -> None:
    text = inserted(RECAPTURE, "    <vn-ext:EventSubtype>", "<vn-ext:EventSubtype>Recapture</vn-ext:EventSubtype>")
    assert submission(text.encode()) == submission(RECAPTURE.encode())


# --- hostile -------------------------------------------------------------------------------------------------------------


def declared(doctype: str, text: str = RECAPTURE) -> bytes:
    return inserted(text, "<vn:SubmitMessage", doctype).encode()


LAUGHS = (
    "<!DOCTYPE l [<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
EVENT_TYPE = ">Jail<"

HOSTILE: dict[str, tuple[str, bytes]] = {
    "billion laughs": ("doctype", declared(LAUGHS, swapped(RECAPTURE, EVENT_TYPE, ">&i;<"))),
    "quadratic entity": (
        "doctype",
        declared(f"<!DOCTYPE l [<!ENTITY a '{'a' * 50_000}'>]>", swapped(RECAPTURE, EVENT_TYPE, f">{'&a;' * 10_000}<")),
    ),
    "entity of a file": (
        "doctype",
        declared("<!DOCTYPE l [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>", swapped(RECAPTURE, EVENT_TYPE, ">Jail&x;<")),
    ),
    "unresolved entity leaves no hole": ("doctype", declared("<!DOCTYPE l [<!ENTITY x ''>]>", swapped(RECAPTURE, EVENT_TYPE, ">Jail&x;<"))),
    "parameter entity": ("doctype", declared("<!DOCTYPE l [<!ENTITY % x SYSTEM 'http://example.org/x.dtd'> %x;]>")),
    "external document type": ("doctype", declared("<!DOCTYPE l SYSTEM 'http://example.org/x.dtd'>")),
    "bare document type": ("doctype", declared("<!DOCTYPE SubmitMessage>")),
    "document type in utf-16": ("doctype", declared("<!DOCTYPE l>", RECAPTURE.replace("UTF-8", "UTF-16")).decode().encode("utf-16")),
    "undeclared entity": ("malformed", swapped(RECAPTURE, EVENT_TYPE, ">Jail&x;<").encode()),
    "200,000 deep": ("too_complex", b"<a>" * 200_000 + b"</a>" * 100),
    "65 deep": ("too_complex", b"<a>" * 65 + b"</a>" * 65),
    "20,001 elements": ("too_complex", b"<a>" + b"<b/>" * 20_000 + b"</a>"),
    "65 attributes": ("too_complex", ("<a " + " ".join(f"b{n}='1'" for n in range(65)) + "/>").encode()),
    "50,000 attributes": ("too_complex", ("<a " + " ".join(f"b{n}='1'" for n in range(50_000)) + "/>").encode()),
    "33 namespaces": ("too_complex", ("<a " + " ".join(f"xmlns:n{n}='urn:{n}'" for n in range(33)) + "/>").encode()),
    "20,000 namespaces": ("too_complex", ("<a>" + "".join(f"<b xmlns='urn:{n}'/>" for n in range(20_000)) + "</a>").encode()),
    "11 MB of text": ("too_large", b"<a>" + b"x" * 11_000_000 + b"</a>"),
    "one byte too many": ("too_large", RECAPTURE.encode().ljust(MAX_BYTES + 1)),
    "utf-7": ("bad_encoding", RECAPTURE.replace("UTF-8", "UTF-7").encode()),
    "latin-1": ("bad_encoding", RECAPTURE.replace("UTF-8", "ISO-8859-1").encode()),
    "latin-1 undeclared": ("bad_encoding", RECAPTURE.replace("John", "José").encode("latin-1")),
    "ebcdic": ("unknown_format", RECAPTURE.encode("cp037")),
    "utf-32": ("unknown_format", RECAPTURE.encode("utf-32")),
    "utf-16 without mark": ("malformed", RECAPTURE.encode("utf-16-le")),
    "half a utf-16 letter": ("bad_encoding", RECAPTURE.replace("UTF-8", "UTF-16").encode("utf-16")[:-1]),
    "overlong utf-8": ("bad_encoding", RECAPTURE.encode().replace(b"John", b"\xc1\x8aohn")),
    "NUL": ("malformed", RECAPTURE.replace("John", "Jo\0hn").encode()),
    "NUL by number": ("malformed", RECAPTURE.replace("John", "Jo&#0;hn").encode()),
    "surrogate by number": ("malformed", RECAPTURE.replace("John", "Jo&#xD800;hn").encode()),
    "truncated": ("malformed", RECAPTURE.encode()[:-40]),
    "two roots": ("malformed", (RECAPTURE + "<a/>").encode()),
    "undeclared prefix": ("malformed", RECAPTURE.replace("xmlns:nc=", "xmlns:other=").encode()),
    "attribute twice": ("malformed", swapped(RECAPTURE, 's:id="ACTIVITY"', 's:id="ACTIVITY" s:id="B"').encode()),
    "only a bracket": ("malformed", b"<"),
    "html": ("malformed", b"<html><br></html>"),
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_refused_with_its_reason(name: str) -> None:
    reason, raw = HOSTILE[name]
    assert rejection(raw) == reason


def test_inclusions_are_not_followed() -> None:
    text = inserted(RECAPTURE, "  <nc:Person s:id", "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='file:///etc/passwd'/>")
    assert submission(text.encode()) == submission(RECAPTURE.encode())


@pytest.mark.parametrize("depth", [64])
def test_what_a_real_message_may_hold_is_taken(depth: int) -> None:
    nested = "<x>" * (depth - 1) + "</x>" * (depth - 1)
    wide = "<y " + " ".join(f"b{n}='1'" for n in range(64)) + "/>"
    assert submission(inserted(RECAPTURE, "</vn:SubmitMessage>", nested + wide + "<z/>" * 19_000).encode()) == submission(
        RECAPTURE.encode()
    )


def test_only_submissions_may_be_xml() -> None:
    assert {rejection(RECAPTURE.encode(), topic) for topic in (RECEIPTS, REGISTRATIONS, REVIEW_ACTIONS)} == {"unknown_format"}


def test_xml_is_parsed_in_one_place() -> None:
    package = SCHEMAS.parent / "processors"
    parsing = re.compile(r"etree\.(fromstring|parse|XML|HTML|iterparse)\(|minidom|ElementTree|expat|defusedxml|xml\.sax(?!\.saxutils)")
    assert [path.name for path in package.rglob("*.py") if parsing.search(path.read_text())] == ["xml.py"]
