"""The kinds of B01 to B05 as other exchanges write them: containers, roles in words, repeated parts, encodings, prologs."""

from itertools import pairwise

import pytest

from processors.domain.person import Identifier, Name
from processors.ingest.read.roles import Role, role_of
from processors.runtime.decide.driver import PipelineDriver
from tests.cases.given import DEPARTURE, insert_before, swap_text
from tests.cases.test_b01_b05_niem import ASSOCIATION, NIL, PERSON, same_as_before
from tests.ingest.records import rejection, submission
from tests.stories.builders import registration

EVENT_TYPE = "    <vn-ext:EventType>"
DESCRIBED = (
    "<nc:PersonName><nc:PersonGivenName>Vera</nc:PersonGivenName><nc:PersonSurName>Stone</nc:PersonSurName></nc:PersonName>"
    "<nc:PersonBirthDate><nc:Date>1990-03-03</nc:Date></nc:PersonBirthDate>"
)
VERA = f'<nc:Person s:id="V9">{DESCRIBED}</nc:Person>'
INVOLVED = '<nc:Person s:ref="V9"/><nc:PersonActivityInvolvementText>Victim</nc:PersonActivityInvolvementText>'
WHOLE_PERSON = DEPARTURE[DEPARTURE.index(PERSON) : DEPARTURE.index("</nc:Person>") + len("</nc:Person>")]
NOBODY = swap_text(DEPARTURE, WHOLE_PERSON, "")


def within(*containers: str, person: str = VERA) -> str:
    for each in reversed(containers):
        person = f'<x:{each} xmlns:x="urn:x">{person}</x:{each}>'
    return person


def names(text: str) -> list[str | None]:
    return [each.name and each.name.sur for each in submission(text.encode()).offenders]


# --- who is no offender ------------------------------------------------------------------------------------------------------

CONTAINERS = [
    *(("Victims",), ("VictimList", "Item"), ("VictimDetails", "PersonInformation"), ("Victim", "Details"), ("Crime_Victim",), ("VICTIM",)),
    *(("victimPerson",), ("Victim1",), ("Witnesses",), ("CaseOfficials",), ("EnforcementOfficialUnit",), ("CaseInitiatingParty",)),
    *(("ReportingParty",), ("ProtectedParty",), ("PersonToNotify",), ("ContactInformation", "ContactResponder"), ("ReleasedTo",)),
    *(("ReleaseAuthorizingPerson",), ("CompactAdministrator",), ("SubmittedBy",), ("EnteredByPerson",), ("Investigator",), ("Landlord",)),
    *(
        ("Wife",),
        ("HouseholdMember",),
        ("InmateVisitor",),
        ("Offender", "Barber"),
        ("Victim", "RoleOfPerson"),
        ("Subjects", "SubjectMothers"),
    ),
]


@pytest.mark.parametrize("where", [PERSON, EVENT_TYPE, ASSOCIATION])
@pytest.mark.parametrize("containers", CONTAINERS, ids="/".join)
def test_somebody_within_something_else_is_no_offender(where: str, containers: tuple[str, ...]) -> None:
    assert names(insert_before(DEPARTURE, where, within(*containers))) == ["Sample"]


@pytest.mark.parametrize(
    "tie",
    [
        within("Victims", person='<nc:PersonReference s:ref="V9"/>'),
        '<nc:PersonUnionAssociation><nc:Person s:ref="OFFENDER1"/><nc:Person s:ref="V9"/></nc:PersonUnionAssociation>',
        '<j:Victim s:id="R9"><nc:RoleOfPerson s:ref="V9"/></j:Victim><j:VictimAssociation><j:Victim s:ref="R9"/></j:VictimAssociation>',
        '<j:Victim><nc:RoleOfPersonReference s:ref="R8"/></j:Victim><x:Payee xmlns:x="x" s:id="R8"><nc:RoleOfPerson s:ref="V9"/></x:Payee>',
        f"<nc:ActivityInvolvedPersonAssociation>{INVOLVED}</nc:ActivityInvolvedPersonAssociation>",
    ],
)
def test_nor_is_somebody_who_is_referred_to_as_another(driver: PipelineDriver, tie: str) -> None:
    driver.register(registration("R-2", offender={"name": {"full": "Vera Stone"}, "birth_date": "1990-03-03"}))
    same_as_before(driver, insert_before(DEPARTURE, ASSOCIATION, VERA + tie))


@pytest.mark.parametrize("reference", ['s:uri="urn:uuid:9"', 's:ref="V9"', 's:uri="#V9"'])
def test_somebody_with_an_id_and_a_uri_is_one_person(reference: str) -> None:
    victim = VERA.replace('s:id="V9"', 's:id="V9" s:uri="urn:uuid:9"')
    assert names(insert_before(DEPARTURE, PERSON, f"{victim}<j:Victim><nc:RoleOfPerson {reference}/></j:Victim>")) == ["Sample"]


@pytest.mark.parametrize(
    ("role", "found"),
    [("VICTIM", ["Sample"]), ("Parole Officer", ["Sample"]), ("Co-defendant", ["Sample"]), ("INMATE", ["Stone", "Sample"])],
)
def test_a_text_may_say_what_part_somebody_has(role: str, found: list[str]) -> None:
    for person in (
        within("CaseParties", "CaseParty", person=f'{VERA}<x:CasePartyRoleText xmlns:x="urn:x">{role}</x:CasePartyRoleText>'),
        VERA.replace("<nc:PersonName>", f'<x:PersonRoleCode xmlns:x="urn:x">{role}</x:PersonRoleCode><nc:PersonName>'),
    ):
        assert names(insert_before(DEPARTURE, PERSON, person)) == found


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *(
            ("CaseDefendantParty", Role.SUBJECT),
            ("Offenders", Role.SUBJECT),
            ("TransferredPerson", Role.SUBJECT),
            ("Parolees", Role.SUBJECT),
        ),
        *(("Co-Defendants", Role.OTHER), ("FBIAgent", Role.OTHER), ("DefendantAttorneys", Role.OTHER), ("JuvenileVictim", Role.OTHER)),
        *(("Wives", Role.RELATED), ("Stepchildren", Role.RELATED), ("NextOfKin", Role.RELATED), ("ParentChildAssociation", Role.RELATED)),
        *(("PersonChargeAssociation", Role.UNSTATED), ("SubjectVictimAssociation", Role.UNSTATED), ("PersonList", Role.UNSTATED)),
        *(
            ("Bookings", Role.UNSTATED),
            ("Release", Role.UNSTATED),
            ("ReleaseToPerson", Role.UNCLEAR),
            ("CaseInitiatingParty", Role.UNCLEAR),
        ),
    ],
)
def test_the_last_word_that_names_a_role_decides(name: str, role: Role) -> None:
    assert role_of(name) is role


@pytest.mark.parametrize("envelope", ["DocumentAuthor", "DocumentSubmitter", "DocumentRecipient"])
@pytest.mark.parametrize("reference", ["nc:EntityPerson", "nc:Person", "nc:RoleOfPersonReference"])
def test_nor_is_whoever_sends_or_gets_the_document(envelope: str, reference: str) -> None:
    sent = f'<nc:{envelope}><{reference} s:ref="V9"/></nc:{envelope}>'
    assert names(insert_before(DEPARTURE, "  <vn-ext:InterstateCompactEvent", sent + VERA)) == ["Sample"]


def test_but_the_document_may_refer_to_its_offender() -> None:
    assert names(
        insert_before(DEPARTURE, "  <vn-ext:InterstateCompactEvent", '<nc:DocumentTopic><nc:Person s:ref="OFFENDER1"/></nc:DocumentTopic>')
    ) == ["Sample"]


@pytest.mark.parametrize("blank", ["<nc:Person/>", "<nc:Person><nc:PersonName/></nc:Person>", "<nc:Person>\n</nc:Person>"])
@pytest.mark.parametrize(
    "containers", [("Victim",), ("Victims",), ("Victim", "Details"), ("DocumentAuthor",), ("ReleasedTo",)], ids="/".join
)
def test_a_victim_of_whom_nothing_is_said_hinders_nothing(driver: PipelineDriver, blank: str, containers: tuple[str, ...]) -> None:
    same_as_before(driver, insert_before(DEPARTURE, PERSON, within(*containers, person=blank)))


# --- who is one all the same -------------------------------------------------------------------------------------------------


ONES = [("Offenders",), ("OffenderList", "Offender"), ("PersonList",), ("Blob",), ("Bookings", "Booking"), ("CaseParties", "CaseParty")]


@pytest.mark.parametrize("where", [EVENT_TYPE, ASSOCIATION])
@pytest.mark.parametrize("containers", ONES, ids="/".join)
def test_the_only_persons_of_a_message_are_its_offenders(driver: PipelineDriver, where: str, containers: tuple[str, ...]) -> None:
    assert names(insert_before(NOBODY, where, within(*containers, person=VERA + WHOLE_PERSON))) == ["Stone", "Sample"]
    same_as_before(driver, insert_before(NOBODY, where, within(*containers, person=WHOLE_PERSON)))


def test_somebody_whose_part_is_not_clear_is_one_with_an_offenders_number() -> None:
    number = "<j:SubjectIdentification><nc:IdentificationID>B-77</nc:IdentificationID></j:SubjectIdentification>"
    for said, found in (("", ["Sample"]), (number, ["Sample", "Stone"])):
        person = VERA.replace("</nc:Person>", f"{said}</nc:Person>")
        assert names(insert_before(DEPARTURE, ASSOCIATION, within("Blob", person=person))) == found


@pytest.mark.parametrize("role", ["Driver", "GangMember", "Decedent", "Client", "CaseAppellant", "Owner"])
def test_an_offender_may_have_a_role_that_is_not_known_here(driver: PipelineDriver, role: str) -> None:
    tie = f'<x:{role} xmlns:x="urn:x"><nc:RoleOfPerson s:ref="{{}}"/></x:{role}>'
    assert names(insert_before(DEPARTURE, ASSOCIATION, VERA + tie.format("V9"))) == ["Sample"]
    same_as_before(driver, insert_before(DEPARTURE, ASSOCIATION, tie.format("OFFENDER1")))


def test_of_two_relatives_without_a_number_the_subject_is_the_offender() -> None:
    union = '<nc:PersonUnionAssociation><nc:Person s:ref="A1"/><nc:Person s:ref="V9"/></nc:PersonUnionAssociation>'
    text = insert_before(NOBODY, ASSOCIATION, VERA + VERA.replace("V9", "A1").replace("Vera", "Carl").replace("Stone", "Muster") + union)
    assert rejection(text.encode()) == "no_offender"
    assert names(insert_before(text, EVENT_TYPE, '<j:Arrest><j:ArrestSubject s:ref="A1"/></j:Arrest>')) == ["Muster"]


ROLE = '<j:Subject s:id="R1"><nc:RoleOfPerson s:ref="OFFENDER1"/></j:Subject>'
BOOKED = "<j:SubjectIdentification><nc:IdentificationID>B-77</nc:IdentificationID></j:SubjectIdentification>"


@pytest.mark.parametrize(
    "roles",
    [
        f'<j:BookingSubject><nc:RoleOfPersonReference s:ref="R1"/>{BOOKED}</j:BookingSubject>{ROLE}',
        f'<j:ArrestSubject s:ref="R1" {NIL}/><j:Subject s:id="R1"><nc:RoleOfPersonReference s:uri="#OFFENDER1"/>{BOOKED}</j:Subject>',
        f'<j:Subject s:uri="urn:r1"><nc:RoleOfPerson s:ref="OFFENDER1"/>{BOOKED}</j:Subject><j:BookingSubject s:uri="urn:r1" {NIL}/>',
    ],
)
def test_the_role_of_a_role_is_the_persons(roles: str) -> None:
    (offender,) = submission(insert_before(DEPARTURE, PERSON, roles).encode()).offenders
    assert {each.scheme for each in offender.identifiers} == {"BOOKING", "ICOTS", "SID"}
    assert offender.name == Name("John", "Q", "Sample")


@pytest.mark.parametrize("roles", ["Z1 Z2 Z1", "Z1 Z1", " ".join(f"Z{each}" for each in range(5000)) + " Z0"])
@pytest.mark.timeout(10)
def test_roles_that_refer_to_each_other_are_nobodys(driver: PipelineDriver, roles: str) -> None:
    chain = roles.split()
    tied = "".join(f'<j:Subject s:id="{one}"><nc:RoleOfPerson s:ref="{other}"/></j:Subject>' for one, other in pairwise(chain))
    same_as_before(driver, insert_before(DEPARTURE, PERSON, tied))


@pytest.mark.timeout(10)
def test_many_references_with_many_roles_are_read_at_once() -> None:
    many = '<nc:Person s:ref="OFFENDER1"/><x:RoleText xmlns:x="urn:x">Victim</x:RoleText>' * 9000
    assert names(insert_before(DEPARTURE, PERSON, within("Blob", person=many))) == ["Sample"]


# --- what is said of a person ------------------------------------------------------------------------------------------------


def part(kind: str, *texts: str) -> str:
    return "".join(f"<nc:Person{kind}Name>{each}</nc:Person{kind}Name>" for each in texts)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (part("Given", "Maria", "Guadalupe") + part("Sur", "Ortiz", "Vega"), Name("Maria Guadalupe", None, "Ortiz Vega")),
        (part("Sur", "Ortiz") + part("Middle", "Ann", "Lee") + part("Given", "Maria"), Name("Maria", "Ann Lee", "Ortiz")),
        (
            part("Given", "Maria", "MARIA") + part("Middle", "Ann", "Ann Lee", "ann") + part("Sur", "Ortiz"),
            Name("Maria", "Ann Lee", "Ortiz"),
        ),
        (part("Given", "", "Maria") + f"<nc:PersonMiddleName {NIL}/>" + part("Sur", "Ortiz"), Name("Maria", None, "Ortiz")),
        (part("Given", "Mar<!-- x -->ia") + part("Sur", "O<?x?><![CDATA['Hara]]>"), Name("Maria", None, "O'Hara")),
        (part("Given", "&#x9;Mar&#237;a&#13;&#10;") + part("Sur", "De\tLa\r\nCruz"), Name("María", None, "De La Cruz")),
        ("AKA" + part("Given", "Maria") + part("Sur", "Ortiz"), Name("Maria", None, "Ortiz")),
        (part("Full", "ORTIZ, MARIA A"), Name(full="ORTIZ, MARIA A")),
    ],
)
def test_a_part_that_comes_several_times_is_said_once_and_in_full(parts: str, name: Name) -> None:
    whole = DEPARTURE[DEPARTURE.index("<nc:PersonName>") : DEPARTURE.index("</nc:PersonName>")]
    (offender,) = submission(swap_text(DEPARTURE, whole, f"<nc:PersonName>{parts}").encode()).offenders
    assert offender.name == name


def test_nothing_is_listed_twice() -> None:
    alias = f"<nc:PersonAlternateName>{part('Full', 'Jack Sample', 'J. Sample')}</nc:PersonAlternateName>"
    sid = "<j:PersonStateFingerprintIdentification>VA1234567</j:PersonStateFingerprintIdentification>"
    again = f"<nc:PersonName>{part('Given', 'John')}{part('Middle', 'Q')}{part('Sur', 'Sample')}</nc:PersonName>"
    (offender,) = submission(insert_before(DEPARTURE, "  </nc:Person>", again + alias * 2 + sid).encode()).offenders
    assert offender.aliases == (Name(full="Jack Sample"), Name(full="J. Sample"))
    assert offender.identifiers == (Identifier("ICOTS", "1203344"), Identifier("SID", "VA1234567"))


def test_an_alias_may_be_tied_to_a_role() -> None:
    called = f"<nc:IdentityPersonRepresentation><nc:PersonName>{part('Full', 'Jack')}</nc:PersonName></nc:IdentityPersonRepresentation>"
    identity = f'<j:Subject s:ref="R1"/><nc:Identity>{called}</nc:Identity>'
    tie = f"<nc:PersonAliasIdentityAssociation>{identity}</nc:PersonAliasIdentityAssociation>"
    (offender,) = submission(insert_before(insert_before(DEPARTURE, ASSOCIATION, tie), PERSON, ROLE).encode()).offenders
    assert offender.aliases == (Name(full="Jack"),)


@pytest.mark.parametrize(
    ("source", "scheme"),
    [
        ("Interstate Compact Offender Tracking System (ICOTS)", "ICOTS"),
        ("ICOTS Offender Number", "ICOTS"),
        ("NICOTS", "NICOTS"),
        ("Virginia DOC", "Virginia DOC"),
    ],
)
def test_the_source_of_a_number_may_be_written_in_full(source: str, scheme: str) -> None:
    number = "<nc:IdentificationID>1203344</nc:IdentificationID>"
    text = swap_text(DEPARTURE, number, f"{number}<nc:IdentificationSourceText>{source}</nc:IdentificationSourceText>")
    assert submission(text.encode()).offenders[0].identifiers[0] == Identifier(scheme, "1203344")


@pytest.mark.parametrize("other", ["not provided by the agency", "1981-XX-XX", "1981", "05/17/81", "UNKNOWN", ""])
def test_of_several_birth_dates_the_most_exact_that_can_be_read_counts(other: str) -> None:
    birth = f"<nc:PersonBirthDate><nc:Date>{other}</nc:Date></nc:PersonBirthDate>"
    for before in ("    <nc:PersonBirthDate>", "    <nc:PersonName>"):
        assert submission(insert_before(DEPARTURE, before, birth).encode()).offenders == submission(DEPARTURE.encode()).offenders


# --- the agency --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("submitter", "organization"),
    [
        ('<nc:DocumentSubmitter s:ref="ORG"/>', "nc:EntityOrganization"),
        ('<nc:DocumentSubmitterReference s:ref="ORG"/>', "nc:Entity"),
        (f'<nc:DocumentSubmitter s:uri="#ORG" {NIL}/>', "nc:Organization"),
        ('<nc:DocumentSubmitter><nc:EntityOrganizationReference s:ref="ORG"/></nc:DocumentSubmitter>', "nc:Organization"),
        (f'<nc:DocumentSubmitter><nc:EntityOrganization s:uri="#ORG" {NIL}/></nc:DocumentSubmitter>', "nc:Organization"),
    ],
)
def test_the_agency_may_be_described_elsewhere(submitter: str, organization: str) -> None:
    start, end = DEPARTURE.index("    <nc:EntityOrganization>"), DEPARTURE.index("  </nc:DocumentSubmitter>")
    described = DEPARTURE[start:end].strip().removeprefix("<nc:EntityOrganization>").removesuffix("</nc:EntityOrganization>")
    contact = (
        f"<nc:OrganizationPrimaryContactInformation><nc:ContactEntity>{VERA}</nc:ContactEntity></nc:OrganizationPrimaryContactInformation>"
    )
    text = swap_text(DEPARTURE, f"  <nc:DocumentSubmitter>\n{DEPARTURE[start:end]}  </nc:DocumentSubmitter>", submitter)
    text = insert_before(text, PERSON, f'<{organization} s:id="ORG">{contact}{described}</{organization}>')
    assert submission(text.encode()) == submission(DEPARTURE.encode())


# --- the document ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "addition",
    [
        '<x:Link xmlns:x="urn:x" ref="https://example.org/a"/>',
        '<x:A xmlns:x="urn:x" id="1"/><x:B xmlns:x="urn:x" id="1" uri="#front"/>',
        "<x:Audit xmlns:x='urn:x'><x:EventType>INSERT</x:EventType><x:PersonName>clerk</x:PersonName></x:Audit>",
        "<nc:DocumentDescriptionText><![CDATA[<!DOCTYPE html><!ENTITY x>]]></nc:DocumentDescriptionText>",
        "<!-- <!DOCTYPE was here> -->",
    ],
)
def test_what_other_vocabularies_say_in_the_same_words_is_theirs(driver: PipelineDriver, addition: str) -> None:
    same_as_before(driver, insert_before(DEPARTURE, PERSON, addition))


@pytest.mark.parametrize("prolog", ["<!-- <!DOCTYPE x> -->", "<?x <!DOCTYPE x>?>\n<!-- > -->", '<?xml-stylesheet href="a.xsl"?>'])
def test_before_the_message_comments_may_say_anything(driver: PipelineDriver, prolog: str) -> None:
    same_as_before(driver, insert_before(DEPARTURE, "<vn:SubmitMessage", prolog))


@pytest.mark.parametrize(
    "prolog", ["<!DOCTYPE x>", "<!-- -->\n<?x?><!DOCTYPE x SYSTEM 'x.dtd'>", "<!-- > --><!DOCTYPE x [<!ENTITY a 'b'>]>"]
)
def test_but_no_document_type_may_stand_there(prolog: str) -> None:
    assert rejection(insert_before(DEPARTURE, "<vn:SubmitMessage", prolog).encode()) == "doctype"


@pytest.mark.parametrize(
    ("declared", "codec", "mark"),
    [
        *(("UTF-16", "utf-16-be", b"\xfe\xff"), ("UTF-16LE", "utf-16-le", b"\xff\xfe"), ("utf-16be", "utf-16-be", b"\xfe\xff")),
        *(("ASCII", "ascii", b""), ("UTF-8", "utf-16-le", b"\xff\xfe"), ("UTF-16", "utf-8", b"")),
    ],
)
def test_every_name_of_an_encoding_that_is_taken(declared: str, codec: str, mark: bytes) -> None:
    raw = mark + swap_text(DEPARTURE, "UTF-8", declared).replace("\n", "\r\n").encode(codec)
    assert submission(raw) == submission(DEPARTURE.encode())
