"""The kinds of B01 to B05 as other exchanges write them: prologs, encodings, words of other vocabularies."""

import pytest

from processors.runtime.decide.driver import PipelineDriver
from tests.cases.given import DEPARTURE, inserted, swapped
from tests.cases.test_b01_b05_niem import PERSON, same_as_before
from tests.ingest.records import refused, submission

# --- the document ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "addition",
    [
        "<x:Audit xmlns:x='urn:x'><x:EventType>INSERT</x:EventType><x:PersonName>clerk</x:PersonName></x:Audit>",
        "<nc:DocumentDescriptionText><![CDATA[<!DOCTYPE html><!ENTITY x>]]></nc:DocumentDescriptionText>",
        "<!-- <!DOCTYPE was here> -->",
    ],
)
def test_what_other_vocabularies_say_in_the_same_words_is_theirs(driver: PipelineDriver, addition: str) -> None:
    same_as_before(driver, inserted(DEPARTURE, PERSON, addition))


@pytest.mark.parametrize("prolog", ["<!-- <!DOCTYPE x> -->", "<?x <!DOCTYPE x>?>\n<!-- > -->", '<?xml-stylesheet href="a.xsl"?>'])
def test_before_the_message_comments_may_say_anything(driver: PipelineDriver, prolog: str) -> None:
    same_as_before(driver, inserted(DEPARTURE, "<vn:SubmitMessage", prolog))


@pytest.mark.parametrize(
    "prolog", ["<!DOCTYPE x>", "<!-- -->\n<?x?><!DOCTYPE x SYSTEM 'x.dtd'>", "<!-- > --><!DOCTYPE x [<!ENTITY a 'b'>]>"]
)
def test_but_no_document_type_may_stand_there(prolog: str) -> None:
    assert refused(inserted(DEPARTURE, "<vn:SubmitMessage", prolog).encode()) == "doctype"


@pytest.mark.parametrize(
    ("declared", "codec", "mark"),
    [
        *(("UTF-16", "utf-16-be", b"\xfe\xff"), ("UTF-16LE", "utf-16-le", b"\xff\xfe"), ("utf-16be", "utf-16-be", b"\xfe\xff")),
        *(("ASCII", "ascii", b""), ("UTF-8", "utf-16-le", b"\xff\xfe"), ("UTF-16", "utf-8", b"")),
    ],
)
def test_every_name_of_an_encoding_that_is_taken(declared: str, codec: str, mark: bytes) -> None:
    raw = mark + swapped(DEPARTURE, "UTF-8", declared).replace("\n", "\r\n").encode(codec)
    assert submission(raw) == submission(DEPARTURE.encode())
