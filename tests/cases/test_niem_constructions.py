"""Further constructions of NIEM: envelopes, `xml:base`, augmentations by reference, roles by type and by association."""

import pytest

from processors.domain.person import Name
from processors.ingest.read.roles import Role, role_of, role_of_association
from processors.runtime.decide.driver import PipelineDriver
from tests.cases.given import DEPARTURE, insert_before, swap_text
from tests.cases.test_b01_b05_niem import ASSOCIATION, NIL, PERSON, same_as_before
from tests.cases.test_other_xml import EVENT_TYPE, VERA, names, within
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


@pytest.mark.timeout(10)
def test_a_role_with_many_persons_is_read_at_once() -> None:
    mentioned = within("Related", person='<nc:Person s:ref="OFFENDER1"/>' * 5000)
    victim = mentioned + "<nc:PersonEyeColorText/>" * 5000 + '<nc:RoleOfPerson s:ref="V9"/>'
    assert names(insert_before(DEPARTURE, PERSON, VERA + within("Victim", person=victim))) == ["Sample"]


# --- roles -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["j:VictimType", "j:EnforcementOfficialType", "x:VictimPersonType", "JudgeType", " j:WitnessType "])
def test_a_type_gives_a_role(kind: str) -> None:
    """Found as a variant: a victim of this type was told of as an offender."""
    typed = f'{XSI} xsi:type="{kind}"'
    assert names(insert_before(DEPARTURE, PERSON, VERA.replace("<nc:Person ", f"<nc:Person {typed} "))) == ["Sample"]
    participant = f'<x:Participant xmlns:x="urn:x" {typed}>{VERA}</x:Participant>'
    assert names(insert_before(DEPARTURE, PERSON, participant)) == ["Sample"]


@pytest.mark.parametrize("said", ["Victim", "Victim of the offender", "Crime victim / registrant", "Victim, juvenile", "Reporting Officer"])
@pytest.mark.parametrize("element", ["PersonCategoryText", "PersonTypeCode", "PersonRoleText"])
def test_a_category_says_who_is_no_offender(said: str, element: str) -> None:
    category = f'<x:{element} xmlns:x="urn:x">{said}</x:{element}>'
    assert names(insert_before(DEPARTURE, PERSON, VERA.replace("<nc:PersonName>", f"{category}<nc:PersonName>"))) == ["Sample"]


def test_but_not_who_is_one() -> None:
    category = '<x:PersonCategoryCode xmlns:x="urn:x">Juvenile</x:PersonCategoryCode><nc:PersonName>'
    typed = VERA.replace("<nc:Person ", f'<nc:Person {XSI} xsi:type="x:JuvenileType" ')
    for victim in (typed, VERA.replace("<nc:PersonName>", category)):
        assert names(insert_before(DEPARTURE, PERSON, within("Victim", person=victim))) == ["Sample"]


@pytest.mark.parametrize("kind", ["nc:PersonType", "x:OffenderType", "j:SubjectType", "x:CompactPersonExtType", ""])
def test_a_type_takes_none_away(driver: PipelineDriver, kind: str) -> None:
    same_as_before(driver, swap_text(DEPARTURE, "<nc:Person s:id", f'<nc:Person {XSI} xsi:type="{kind}" s:id'))


@pytest.mark.parametrize("reference", ["nc:PersonReference", "nc:Person", "nc:RoleOfPerson"])
@pytest.mark.parametrize(
    "association",
    [
        "j:OffenseVictimAssociation",
        "j:IncidentWitnessAssociation",
        "j:ActivityEnforcementOfficialAssociation",
        "j:SupervisingOfficerAssociation",
    ],
)
def test_an_association_names_the_role_of_the_only_person_in_it(association: str, reference: str) -> None:
    """Found as a variant: NIEM 2 ties a victim to an offense in this way, and the victim was told of as an offender."""
    tie = f'<{association}><nc:ActivityReference s:ref="ACTIVITY"/><{reference} s:ref="V9"/></{association}>'
    assert names(insert_before(DEPARTURE, ASSOCIATION, VERA + tie)) == ["Sample"]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *(("OffenseVictimAssociation", Role.OTHER), ("ArrestSubjectAssociation", Role.SUBJECT), ("CaseOfficialsAssociation", Role.OTHER)),
        *(("SubjectVictimAssociation", Role.UNSTATED), ("PersonOfficerAssociation", Role.UNSTATED), ("ActivityAssociation", Role.UNSTATED)),
    ],
)
def test_if_it_names_one_role_only(name: str, role: Role) -> None:
    assert role_of_association(name) is role


def test_an_association_of_two_persons_says_of_neither_who_they_are(driver: PipelineDriver) -> None:
    persons = '<nc:Person s:ref="OFFENDER1"/><j:EnforcementOfficial s:ref="V9"/>'
    tie = f"<j:SupervisingOfficerAssociation>{persons}</j:SupervisingOfficerAssociation>"
    same_as_before(driver, insert_before(DEPARTURE, ASSOCIATION, VERA + tie))


@pytest.mark.parametrize("association", ["SubjectVictimAssociation", "CaseVictimAssociation", "PersonOfficerAssociation"])
def test_but_if_it_does_not_say_which_is_the_victim_the_offender_is_who_has_a_number(driver: PipelineDriver, association: str) -> None:
    tie = f'<j:{association}><nc:Person s:ref="OFFENDER1"/><nc:Person s:ref="V9"/></j:{association}>'
    assert names(insert_before(WITHOUT_NUMBER, ASSOCIATION, VERA + tie)) == ["Sample", "Stone"]
    same_as_before(driver, insert_before(DEPARTURE, ASSOCIATION, VERA + tie))


@pytest.mark.parametrize("root", ["Document", "DocumentMessage", "Victim", "NotifyVictim"])
def test_what_the_whole_message_is_called_gives_no_role(driver: PipelineDriver, root: str) -> None:
    same_as_before(driver, within(root, person=DEPARTURE.split("?>", 1)[1]))


@pytest.mark.parametrize("role", ["Captain", "Informant", "BoardMember", "VictimRepresentative", "Requester", "Cellmate", "NotifiedPerson"])
def test_a_role_that_is_not_known_may_itself_be_the_reference(driver: PipelineDriver, role: str) -> None:
    tie = f'<x:{role} xmlns:x="urn:x" s:ref="{{}}"/>'
    assert names(insert_before(WITHOUT_NUMBER, ASSOCIATION, VERA + tie.format("V9"))) == ["Sample"]
    same_as_before(driver, insert_before(DEPARTURE, ASSOCIATION, tie.format("OFFENDER1")))


def test_whoever_is_only_mentioned_by_such_roles_is_an_offender_if_nobody_else_is() -> None:
    items = "".join(f'<x:Item xmlns:x="urn:x" s:ref="{each}"/>' for each in ("V9", "OFFENDER1"))
    assert names(insert_before(WITHOUT_NUMBER, ASSOCIATION, VERA + items)) == ["Sample", "Stone"]
    assert names(insert_before(DEPARTURE, ASSOCIATION, VERA + items)) == ["Sample"]


@pytest.mark.parametrize("between", ["RelatedPerson", "VictimSubjectRelationship", "Caseload"])
@pytest.mark.parametrize("role", ["Victim", "SupervisingOfficer"])
def test_a_victim_may_refer_to_the_offender(driver: PipelineDriver, role: str, between: str) -> None:
    """Found as a variant: the offender counted as a victim too, and the message as about nobody."""
    related = within(between, person='<nc:Person s:ref="OFFENDER1"/>')
    tie = within(role, person=f'<nc:RoleOfPerson s:ref="V9"/>{related}')
    assert names(insert_before(WITHOUT_NUMBER, ASSOCIATION, VERA + tie)) == ["Sample"]
    same_as_before(driver, insert_before(DEPARTURE, ASSOCIATION, VERA + tie))


def test_and_to_whoever_accompanies_them() -> None:
    helper = within("Helper", person='<nc:Person s:ref="H9"/>')
    victim = within("Victim", person=f'<nc:RoleOfPerson s:ref="V9"/>{helper}')
    described = VERA + VERA.replace("V9", "H9").replace("Stone", "Rivers")
    assert names(insert_before(DEPARTURE, ASSOCIATION, described + victim)) == ["Sample"]


@pytest.mark.parametrize("role", ["JointDefendant", "OtherDefendants", "RelatedOffender", "AssociatedSubject"])
def test_another_defendant_is_a_codefendant(role: str) -> None:
    assert role_of(role) is Role.OTHER


@pytest.mark.parametrize(
    ("role", "given"),
    [
        *(("AttorneyForDefendant", Role.OTHER), ("Attorney for the Defendant", Role.OTHER), ("victim of the offender", Role.OTHER)),
        *(("MotherOfInmate", Role.RELATED), ("WitnessAgainstDefendant", Role.OTHER), ("Officer in charge of inmate", Role.OTHER)),
        *(("Victim (of offense 1)", Role.OTHER), ("Victim - minor", Role.OTHER), ("Defendant (victim of himself)", Role.SUBJECT)),
        *(("ReleaseOfInmate", Role.SUBJECT), ("DefendantInCustody", Role.SUBJECT), ("PersonInCustody", Role.UNSTATED)),
        *(("ListOfOffenders", Role.SUBJECT), ("Co-defendant", Role.OTHER), ("VictimToOffenderRelationship", Role.UNCLEAR)),
    ],
)
def test_what_follows_a_preposition_is_somebody_else(role: str, given: Role) -> None:
    """Found as a variant: the attorney for a defendant was told of as the defendant."""
    assert role_of(role) is given


@pytest.mark.parametrize(
    ("role", "given"),
    [("OffenderRef", Role.SUBJECT), ("VictimLinks", Role.OTHER), ("InmateID", Role.SUBJECT), ("PersonRef", Role.UNSTATED)],
)
def test_a_reference_may_say_that_it_is_one(role: str, given: Role) -> None:
    assert role_of(role) is given


def test_an_offender_referred_to_may_have_no_number_beside_another() -> None:
    text = insert_before(WITHOUT_NUMBER, ASSOCIATION, VERA + '<x:OffenderRef xmlns:x="urn:x" s:ref="OFFENDER1"/>')
    assert names(text) == ["Sample", "Stone"]


# --- names -------------------------------------------------------------------------------------------------------------------

JACK = "<nc:PersonGivenName>Jack</nc:PersonGivenName><nc:PersonSurName>Example</nc:PersonSurName>"


@pytest.mark.parametrize("category", ["alias", "AKA", "a.k.a.", "Also Known As", "nick", "Maiden Name", "former", "Other"])
@pytest.mark.parametrize("kind", ["Code", "Text"])
def test_a_name_that_is_called_an_alias_is_one_wherever_it_stands(category: str, kind: str) -> None:
    """Found as a variant: an alias before the name was what a victim was told."""
    alias = f"<nc:PersonName><nc:PersonNameCategory{kind}>{category}</nc:PersonNameCategory{kind}>{JACK}</nc:PersonName>"
    (offender,) = submission(insert_before(DEPARTURE, "<nc:PersonName>", alias).encode()).offenders
    assert (offender.name, offender.aliases) == (Name("John", "Q", "Sample"), (Name("Jack", None, "Example"),))


def test_but_it_is_the_name_of_somebody_who_has_no_other() -> None:
    text = swap_text(DEPARTURE, "<nc:PersonName>", "<nc:PersonName><nc:PersonNameCategoryCode>alias</nc:PersonNameCategoryCode>")
    assert submission(text.encode()).offenders == submission(DEPARTURE.encode()).offenders


@pytest.mark.parametrize("born", ["", "<nc:PersonBirthDate><nc:Date>1982-05-17</nc:Date></nc:PersonBirthDate>"])
def test_an_alias_may_be_written_as_a_person(born: str) -> None:
    person = f'<nc:Person s:id="AKA"><nc:PersonName>{JACK}</nc:PersonName>{born}</nc:Person>'
    identity = '<nc:Identity><nc:IdentityPersonRepresentation s:ref="AKA"/></nc:Identity>'
    tie = f'<nc:PersonAliasIdentityAssociation><nc:Person s:ref="OFFENDER1"/>{identity}</nc:PersonAliasIdentityAssociation>'
    (offender,) = submission(insert_before(DEPARTURE, ASSOCIATION, person + tie).encode()).offenders
    assert (offender.name, offender.aliases) == (Name("John", "Q", "Sample"), (Name("Jack", None, "Example"),))


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
