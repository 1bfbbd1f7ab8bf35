"""Further constructions of NIEM: envelopes, `xml:base`, augmentations by reference."""

import pytest

from processors.runtime.decide.driver import PipelineDriver
from tests.cases.given import DEPARTURE, insert_before, swap_text
from tests.cases.test_b01_b05_niem import ASSOCIATION, NIL, PERSON, same_as_before
from tests.cases.test_other_xml import EVENT_TYPE, VERA
from tests.ingest.records import rejection, submission

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
NUMBER = (
    "<j:PersonStateFingerprintIdentification><nc:IdentificationID>VA1234567</nc:IdentificationID></j:PersonStateFingerprintIdentification>"
)
NUMBERS = DEPARTURE[DEPARTURE.index("    <nc:PersonOtherIdentification>") : DEPARTURE.index("  </nc:Person>")]
WITHOUT_NUMBER = swap_text(DEPARTURE, NUMBERS, "")

# --- references --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", ['s:ref="A1"', 's:uri="#A1"', f's:ref="A1" {NIL}'])
def test_an_augmentation_may_be_elsewhere(driver: PipelineDriver, reference: str) -> None:
    text = swap_text(DEPARTURE, NUMBER, f"<j:PersonAugmentation {reference}/>")
    same_as_before(driver, insert_before(text, ASSOCIATION, f'<j:PersonAugmentation s:id="A1">{NUMBER}</j:PersonAugmentation>'))


@pytest.mark.timeout(10)
def test_augmentations_within_each_other_are_read_once(driver: PipelineDriver) -> None:
    """Each of the thirty refers to the next twice, and the last to the first."""
    referring = (f'<j:PersonAugmentation s:id="A{each}">{again(each + 1)}</j:PersonAugmentation>' for each in range(30))
    text = swap_text(DEPARTURE, NUMBER, again(0))
    last = f'<j:PersonAugmentation s:id="A30">{NUMBER}{again(0)}</j:PersonAugmentation>'
    same_as_before(driver, insert_before(text, ASSOCIATION, "".join(referring) + last))


def again(number: int) -> str:
    return f'<j:PersonAugmentation s:ref="A{number}"/>' * 2


@pytest.mark.parametrize("suffix", ["", "Reference"])
def test_a_number_may_be_elsewhere(driver: PipelineDriver, suffix: str) -> None:
    text = swap_text(DEPARTURE, NUMBER, f'<j:PersonStateFingerprintIdentification{suffix} s:ref="I1"/>')
    number = NUMBER.replace("j:PersonStateFingerprintIdentification", "nc:Identification")
    same_as_before(driver, insert_before(text, ASSOCIATION, number.replace("<nc:Identification>", '<nc:Identification s:id="I1">', 1)))


@pytest.mark.parametrize(
    ("base", "named", "referring"),
    [
        ("https://vn.example.gov/m", 's:id="{}"', 's:uri="https://vn.example.gov/m#{}"'),
        ("https://vn.example.gov/m", 's:id="{}"', 's:uri="m#{}"'),
        ("https://vn.example.gov/m#top", 's:id="{}"', 's:uri="#{}"'),
        ("https://vn.example.gov/", 's:uri="{}"', 's:uri="https://vn.example.gov/{}"'),
        ("https://vn.example.gov/m/1", 's:uri="https://vn.example.gov/m/{}"', 's:uri="./{}"'),
        ("http://[x", 's:uri="http://[x/{}"', 's:uri="http://[x/{}"'),  # no URI
    ],
)
def test_a_uri_may_depend_on_a_base(driver: PipelineDriver, base: str, named: str, referring: str) -> None:
    text = swap_text(DEPARTURE, "<vn:SubmitMessage ", f'<vn:SubmitMessage xml:base="{base}" ')
    for name in ("NotificationSubtype001", "NotificationValidation001"):
        text = swap_text(swap_text(text, f's:id="{name}"', named.format(name)), f's:ref="{name}"', referring.format(name))
    same_as_before(driver, text)


def test_the_base_may_be_that_of_one_element(driver: PipelineDriver) -> None:
    text = swap_text(DEPARTURE, "<vn-structures:RelatedAssociations", '<vn-structures:RelatedAssociations xml:base="urn:x/d/"')
    association = '<nc:Person s:uri="https://vn.example.gov/p/1"/>'
    text = swap_text(text, '<nc:Person s:id="OFFENDER1">', '<nc:Person s:uri="https://vn.example.gov/p/1">')
    same_as_before(driver, insert_before(text, ASSOCIATION, association))


@pytest.mark.parametrize(
    ("reference", "target"),
    [('<nc:PersonAlternateName s:ref="L"/>', "nc:PersonName"), ('<j:PersonAugmentation s:ref="L"/>', "j:Augmentation")],
)
@pytest.mark.timeout(10)
def test_many_references_to_something_large_are_refused(reference: str, target: str) -> None:
    large = f'<{target} s:id="L">{"<nc:PersonGivenName>Al</nc:PersonGivenName>" * 3000}</{target}>'
    text = insert_before(insert_before(DEPARTURE, ASSOCIATION, large), PERSON, f"<nc:Person>{reference}</nc:Person>" * 5000)
    assert rejection(text.encode()) == "too_complex"


# --- envelopes ---------------------------------------------------------------------------------------------------------------

MESSAGE = DEPARTURE.split("?>", 1)[1].strip()
ATTACHED = (
    "<x:Attachment xmlns:x='urn:x'><nc:Document><nc:DocumentIdentification><nc:IdentificationID>ATT-1</nc:IdentificationID>"
    "</nc:DocumentIdentification><nc:DocumentCreationDate><nc:Date>2020-01-01</nc:Date></nc:DocumentCreationDate></nc:Document></x:Attachment>"
)
BROKER = (
    '<x:Routing xmlns:x="urn:x" xmlns:nc="urn:n"><nc:DocumentIdentification><nc:IdentificationID>ROUTE-1</nc:IdentificationID>'
    "</nc:DocumentIdentification><nc:DocumentSubmitter><nc:OrganizationORIIdentification><nc:IdentificationID>BROKER01</nc:IdentificationID>"
    "</nc:OrganizationORIIdentification></nc:DocumentSubmitter></x:Routing>"
)


def in_envelope(message: str, header: str = "") -> str:
    return f'<soap:Envelope xmlns:soap="urn:s"><soap:Header>{header}</soap:Header><soap:Body>{message}</soap:Body></soap:Envelope>'


@pytest.mark.parametrize(
    "text",
    [
        in_envelope(MESSAGE, BROKER),
        in_envelope(insert_before(MESSAGE, PERSON, ATTACHED)),
        in_envelope(insert_before(MESSAGE, "  <nc:DocumentCreationDate>", ATTACHED)),
        in_envelope(MESSAGE, f'<x:User xmlns:x="urn:x" xmlns:nc="urn:n">{VERA.replace("s:id", "id")}</x:User>'),
    ],
)
def test_what_an_envelope_says_is_not_of_the_message(driver: PipelineDriver, text: str) -> None:
    """Found as a variant: the first two IDs of an enveloped message were refused as a doubled field."""
    same_as_before(driver, text)
    found, plain = submission(text.encode()), submission(DEPARTURE.encode())
    assert (found.message_id, found.agency, found.sent_at) == (plain.message_id, plain.agency, plain.sent_at)


def test_all_cases_of_a_message_in_an_envelope_count() -> None:
    cases = "".join(f"<nc:Case><nc:CaseDocketID>CR26-{each}</nc:CaseDocketID></nc:Case>" for each in (1, 2))
    found = submission(in_envelope(insert_before(MESSAGE, PERSON, cases)).encode())
    assert found.case is not None
    assert found.case.number == "CR26-1; CR26-2"


def test_two_messages_in_one_envelope_are_refused() -> None:
    other = MESSAGE.replace('s:id="', 's:id="X-').replace('s:ref="', 's:ref="X-')
    assert rejection(in_envelope(MESSAGE + other).encode()) == "event_type_count"


def test_the_event_type_may_be_in_an_augmentation(driver: PipelineDriver) -> None:
    start, end = DEPARTURE.index(EVENT_TYPE), DEPARTURE.index("    <vn-ext:NotificationSubtype s:id")
    codes = DEPARTURE[start:end]
    same_as_before(driver, swap_text(DEPARTURE, codes, f"<vn-ext:ActivityAugmentation>{codes}</vn-ext:ActivityAugmentation>"))
