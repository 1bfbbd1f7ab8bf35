"""References, roles and augmentations as NIEM 2 to 6 writes them (B01 to B05)."""

import pytest

from processors.runtime.decide.driver import PipelineDriver
from tests.cases.given import DEPARTURE, insert_before, messages_sent, registrants_told, swap_text
from tests.ingest.records import rejection, submission
from tests.stories.builders import registration

JOHN = {"identifiers": [{"scheme": "SID", "value": "VA1234567"}], "name": {"full": "John Sample"}, "birth_date": "1981-05-17"}
BY_NAME = {"name": {"given": "John", "middle": "Q", "sur": "Sample"}, "birth_date": "1981-05-17"}
ASSOCIATION = "    <vn-ext:NotificationSubtypeValidationAssociation>"
PERSON = "  <nc:Person s:id"
NIL = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"'
JUDGE = (
    "<nc:PersonName><nc:PersonFullName>Alice Judge</nc:PersonFullName></nc:PersonName>"
    "<nc:PersonBirthDate><nc:Date>1960-01-01</nc:Date></nc:PersonBirthDate>"
)

NAMED = JUDGE.replace("<nc:PersonName>", '<nc:PersonName s:id="V1">')


def same_as_before(driver: PipelineDriver, text: str) -> None:
    """The message says of its offenders and tags what it says without the change, and the registrant is told."""
    changed, plain = submission(text.encode()), submission(DEPARTURE.encode())
    assert (changed.offenders, changed.notification_subtypes) == (plain.offenders, plain.notification_subtypes)
    driver.register(registration("R-1", offender=JOHN))
    driver.submit(text)
    assert registrants_told(driver) == ["R-1"], driver.explain()


@pytest.mark.parametrize(
    "reference",
    [
        '<nc:Person s:ref="OFFENDER1"/>',
        '<nc:Person s:uri="#OFFENDER1"/>',
        '<nc:Person s:uri="#OFFENDER%31"/>',
        '<nc:Person s:ref="OFFENDER1"><!-- the offender --></nc:Person>',
        f'<nc:Person s:uri="#OFFENDER1" {NIL}/>',
        f'<nc:Person s:ref="OFFENDER1" {NIL}></nc:Person>',
        '<nc:Person s:ref="OFFENDER1">\n  </nc:Person>',
        '<nc:PersonReference s:ref="OFFENDER1"/>',
        f"<nc:Person {NIL}/>",
    ],
)
def test_b01_a_reference_to_a_person_is_no_offender(driver: PipelineDriver, reference: str) -> None:
    alias = f"<nc:PersonAliasIdentityAssociation>{reference}</nc:PersonAliasIdentityAssociation>\n"
    same_as_before(driver, insert_before(DEPARTURE, ASSOCIATION, alias))


def test_b01_nor_anywhere_else_in_the_message(driver: PipelineDriver) -> None:
    association = '<j:PersonChargeAssociation><nc:Person s:ref="OFFENDER1"/></j:PersonChargeAssociation>'
    text = insert_before(DEPARTURE, "    <vn-ext:EventType>", '<nc:SupervisionPerson s:ref="OFFENDER1"/>')
    same_as_before(driver, insert_before(text, PERSON, association))


def test_b01_an_alias_that_an_association_ties_to_the_person_is_theirs() -> None:
    text = insert_before(
        DEPARTURE,
        ASSOCIATION,
        '<nc:PersonAliasIdentityAssociation><nc:Person s:ref="OFFENDER1"/><nc:Identity s:ref="A1"/></nc:PersonAliasIdentityAssociation>'
        '<nc:Identity s:id="A1"><nc:IdentityPersonRepresentation><nc:PersonName><nc:PersonGivenName>Jack</nc:PersonGivenName>'
        "<nc:PersonSurName>Example</nc:PersonSurName></nc:PersonName></nc:IdentityPersonRepresentation></nc:Identity>",
    )
    (offender,) = submission(text.encode()).offenders
    assert [(each.given, each.sur) for each in offender.aliases] == [("Jack", "Example")]


@pytest.mark.parametrize("uri", ['s:uri="#{}"', 's:uri="{}"', "s:ref='{}'", 's:ref=" {} "'])
def test_b02_a_uri_is_a_reference_like_any_other(driver: PipelineDriver, uri: str) -> None:
    text = DEPARTURE
    for name in ("NotificationSubtype001", "NotificationValidation001"):
        text = swap_text(text, f's:ref="{name}"', uri.format(name))
    same_as_before(driver, text)


def test_b02_objects_may_be_called_by_uris_alone(driver: PipelineDriver) -> None:
    text = DEPARTURE
    for name in ("NotificationSubtype001", "NotificationValidation001"):
        text = swap_text(
            swap_text(text, f's:id="{name}"', f's:uri="https://example.org/{name}"'),
            f's:ref="{name}"',
            f's:uri="https://example.org/{name}"',
        )
    same_as_before(driver, text)


@pytest.mark.parametrize("reference", ['s:uri="#Nobody"', 's:ref="Nobody"', 's:uri="https://example.org/nothing"'])
def test_b02_a_uri_of_nothing_is_dangling(reference: str) -> None:
    assert rejection(swap_text(DEPARTURE, 's:ref="NotificationSubtype001"', reference).encode()) == "dangling_reference"


def test_b02_a_uri_outside_of_the_associations_may_be_somewhere_else(driver: PipelineDriver) -> None:
    same_as_before(driver, insert_before(DEPARTURE, PERSON, f'<j:Charge s:uri="https://example.org/charge/1" {NIL}/>'))


@pytest.mark.parametrize("nil", ["", NIL])
def test_b03_a_reference_needs_no_suffix(driver: PipelineDriver, nil: str) -> None:
    text = swap_text(
        DEPARTURE,
        '<vn-ext:NotificationSubtypeReference s:ref="NotificationSubtype001"/>',
        f'<vn-ext:NotificationSubtype {nil} s:ref="NotificationSubtype001"/>',
    )
    text = swap_text(
        text,
        '<vn-ext:NotificationValidationReference s:ref="NotificationValidation001"/>',
        f'<vn-ext:NotificationValidation {nil} s:ref="NotificationValidation001"/>',
    )
    same_as_before(driver, text)


def test_b03_any_property_may_be_a_reference() -> None:
    location = (
        "<nc:ActivityLocation><nc:LocationCategoryText>Community</nc:LocationCategoryText>"
        "<nc:LocationName>Raleigh, NC</nc:LocationName></nc:ActivityLocation>"
    )
    for reference in (
        '<nc:ActivityLocation s:ref="L1"/>',
        '<nc:ActivityLocationReference s:ref="L1"/>',
        '<nc:ActivityLocation s:uri="#L1"/>',
    ):
        text = swap_text(DEPARTURE, location, reference)
        text = insert_before(
            text, PERSON, location.replace("ActivityLocation", "Location").replace("<nc:Location>", '<nc:Location s:id="L1">', 1)
        )
        assert submission(text.encode()).location == submission(DEPARTURE.encode()).location


SOUNDEX = (
    "<x:PersonNameSoundex><nc:PersonGivenName>J500</nc:PersonGivenName><nc:PersonMiddleName>Q000</nc:PersonMiddleName>"
    "<nc:PersonSurName>S514</nc:PersonSurName></x:PersonNameSoundex>"
)


@pytest.mark.parametrize(
    "block",
    [
        f'<x:PersonNameAugmentation xmlns:x="urn:x">{SOUNDEX}</x:PersonNameAugmentation>',
        SOUNDEX.replace("<x:PersonNameSoundex>", '<x:PersonNameSoundex xmlns:x="urn:x">'),
        '<x:PersonNameAugmentation xmlns:x="urn:x"><nc:PersonMiddleName>Q000</nc:PersonMiddleName></x:PersonNameAugmentation>',
        '<x:PersonNameAugmentation xmlns:x="urn:x"><x:PersonNickName>Jack</x:PersonNickName></x:PersonNameAugmentation>',
        "<nc:PersonNamePrefixText>Mr</nc:PersonNamePrefixText><nc:PersonNameSuffixText>Jr</nc:PersonNameSuffixText>",
    ],
)
def test_b04_what_augments_a_name_is_no_part_of_it(driver: PipelineDriver, block: str) -> None:
    text = swap_text(DEPARTURE, "</nc:PersonSurName>", f"</nc:PersonSurName>{block}")
    driver.register(registration("R-1", offender=BY_NAME))
    driver.submit(text)
    (message,) = messages_sent(driver)
    assert message.offenders is not None
    assert [each.name for each in message.offenders] == ["John Q Sample"]
    assert "Q000" not in message.body


@pytest.mark.parametrize(
    "block",
    [
        "<nc:PersonPhysicalFeature><nc:PersonBirthDate><nc:Date>1999-01-01</nc:Date></nc:PersonBirthDate></nc:PersonPhysicalFeature>",
        "<nc:PersonParent><nc:PersonName><nc:PersonFullName>Mary Sample</nc:PersonFullName></nc:PersonName></nc:PersonParent>",
        "<nc:PersonParent><j:PersonFBIIdentification><nc:IdentificationID>999AA1</nc:IdentificationID></j:PersonFBIIdentification></nc:PersonParent>",
    ],
)
def test_b04_what_lies_deeper_belongs_to_somebody_else(block: str) -> None:
    assert submission(insert_before(DEPARTURE, "  </nc:Person>", block).encode()).offenders == submission(DEPARTURE.encode()).offenders


def test_b04_what_augments_a_person_is_theirs() -> None:
    sid = (
        "<j:PersonStateFingerprintIdentification><nc:IdentificationID>VA1234567</nc:IdentificationID>"
        "</j:PersonStateFingerprintIdentification>"
    )
    text = swap_text(DEPARTURE, sid, f"<j:PersonAugmentation>{sid}</j:PersonAugmentation>")
    assert submission(text.encode()).offenders == submission(DEPARTURE.encode()).offenders


def test_b04_a_remark_on_something_within_the_event_is_no_remark_on_the_event() -> None:
    text = insert_before(
        DEPARTURE, "    <vn-ext:EventType>", "<nc:Release><nc:ActivityDescriptionText>ROR</nc:ActivityDescriptionText></nc:Release>"
    )
    assert submission(text.encode()).remarks is None


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ('<j:Subject><nc:RoleOfPerson s:id="OFFENDER1">', "</nc:RoleOfPerson></j:Subject>"),
        ('<j:BookingSubject><nc:RoleOfPerson s:id="OFFENDER1">', "</nc:RoleOfPerson></j:BookingSubject>"),
        ("<j:ArrestSubject><nc:RoleOfPerson>", "</nc:RoleOfPerson></j:ArrestSubject>"),
        ('<j:CaseDefendantParty><nc:EntityPerson s:id="OFFENDER1">', "</nc:EntityPerson></j:CaseDefendantParty>"),
        ('<j:Subject><nc:Person s:id="OFFENDER1">', "</nc:Person></j:Subject>"),
        ('<nc:SupervisionPerson s:id="OFFENDER1">', "</nc:SupervisionPerson>"),
        ("<j:IncidentSuspect><nc:RoleOfPerson>", "</nc:RoleOfPerson></j:IncidentSuspect>"),
        ("<j:CaseRespondent><nc:RoleOfPerson>", "</nc:RoleOfPerson></j:CaseRespondent>"),
        ("<nc:ReleasedPerson>", "</nc:ReleasedPerson>"),
        ("<nc:Patient><nc:Person>", "</nc:Person></nc:Patient>"),
    ],
)
def test_b05_a_person_may_stand_inside_a_role(driver: PipelineDriver, opening: str, closing: str) -> None:
    same_as_before(driver, swap_text(swap_text(DEPARTURE, '<nc:Person s:id="OFFENDER1">', opening), "</nc:Person>", closing))


@pytest.mark.parametrize(
    "role",
    ['<nc:RoleOfPersonReference s:ref="OFFENDER1"/>', '<nc:RoleOfPerson s:ref="OFFENDER1"/>', '<nc:RoleOfPerson s:uri="#OFFENDER1"/>'],
)
def test_b05_a_role_adds_its_number_to_the_person_it_refers_to(role: str) -> None:
    number = "<j:SubjectIdentification><nc:IdentificationID>B-77</nc:IdentificationID></j:SubjectIdentification>"
    subject = f"<j:BookingSubject>{role}{number}</j:BookingSubject>"
    (offender,) = submission(insert_before(DEPARTURE, PERSON, f"<j:Booking>{subject}</j:Booking>").encode()).offenders
    assert ("BOOKING", "B-77") in {(each.scheme, each.value) for each in offender.identifiers}
    assert (offender.name, offender.birth_date) == (submission(DEPARTURE.encode()).offenders[0].name, "1981-05-17")


@pytest.mark.parametrize(
    "other",
    [
        f"<j:CourtEventJudge><nc:RoleOfPerson>{JUDGE}</nc:RoleOfPerson></j:CourtEventJudge>",
        f"<j:Victim><nc:RoleOfPerson>{JUDGE}</nc:RoleOfPerson></j:Victim>",
        f"<j:Victim><nc:Person>{JUDGE}</nc:Person></j:Victim>",
        f'<nc:Person s:id="V1">{JUDGE}</nc:Person><j:Victim><nc:RoleOfPersonReference s:ref="V1"/></j:Victim>',
        f'<nc:Person s:id="V1">{JUDGE}</nc:Person><j:EnforcementOfficial><nc:RoleOfPerson s:uri="#V1"/></j:EnforcementOfficial>',
        f'<nc:Person s:id="V1">{JUDGE}</nc:Person><nc:SupervisionSupervisor s:ref="V1"/>',
        f'<nc:Person>{NAMED}</nc:Person><j:Victim><nc:RoleOfPerson s:ref="V1"/></j:Victim>',
        f"<nc:DocumentAuthor><nc:Person>{JUDGE}</nc:Person></nc:DocumentAuthor>",
        f"<nc:Spouse><nc:Person>{JUDGE}</nc:Person></nc:Spouse>",
        f"<nc:Dependent><nc:Person>{JUDGE}</nc:Person></nc:Dependent>",
        f"<j:BailBondSurety><nc:Person>{JUDGE}</nc:Person></j:BailBondSurety>",
    ],
)
def test_b05_a_judge_a_victim_and_an_officer_are_no_offenders(driver: PipelineDriver, other: str) -> None:
    same_as_before(driver, insert_before(DEPARTURE, PERSON, other))


@pytest.mark.parametrize(
    "role", ["CoDefendant", "Codefendant", "CaseCoDefendantParty", "CoOffender", "CoRespondent", "Cosuspect", "Accomplice"]
)
@pytest.mark.parametrize(
    "within", ["<nc:RoleOfPerson>{}</nc:RoleOfPerson>", "<nc:EntityPerson>{}</nc:EntityPerson>", "<nc:Person>{}</nc:Person>", "{}"]
)
def test_b05_nor_is_a_codefendant(driver: PipelineDriver, role: str, within: str) -> None:
    """Found as a variant: whoever registered for a codefendant heard of the escape of another."""
    driver.register(registration("R-2", offender={"name": {"full": "Alice Judge"}, "birth_date": "1960-01-01"}))
    same_as_before(driver, insert_before(DEPARTURE, PERSON, f'<x:{role} xmlns:x="urn:x">{within.format(JUDGE)}</x:{role}>'))


def test_b05_a_message_about_nobody_says_which_element_is_missing() -> None:
    judge = f"<j:Judge><nc:RoleOfPerson>{JUDGE}</nc:RoleOfPerson></j:Judge>"
    start, end = DEPARTURE.index(PERSON), DEPARTURE.index("</nc:Person>") + len("</nc:Person>")
    assert rejection((DEPARTURE[:start] + judge + DEPARTURE[end:]).encode()) == "no_offender"


@pytest.mark.parametrize(
    ("date", "read"),
    [
        ("<nc:DateTime>1981-05-17T00:00:00</nc:DateTime>", "1981-05-17"),
        ("<nc:ZonedDateTime>1981-05-17T00:00:00-05:00</nc:ZonedDateTime>", "1981-05-17"),
        ("<nc:YearMonthDate>1981-05</nc:YearMonthDate>", "1981-05"),
        ("<nc:YearDate>1981</nc:YearDate>", "1981"),
        ('<nc:DateRepresentation type="niem-xs:date">1981-05-17</nc:DateRepresentation>', "1981-05-17"),
        ("1981-05-17", "1981-05-17"),
    ],
)
def test_b05_a_date_is_read_in_every_representation(date: str, read: str) -> None:
    (offender,) = submission(swap_text(DEPARTURE, "<nc:Date>1981-05-17</nc:Date>", date).encode()).offenders
    assert offender.birth_date == read


CHILD = '<nc:Child s:uri="#OFFENDER1"/>'


@pytest.mark.parametrize(
    "relation",
    [
        '<nc:EmploymentAssociation><nc:Employee s:ref="OFFENDER1"/><nc:Employer s:id="E1"/></nc:EmploymentAssociation>',
        f'<nc:Person s:id="V1">{JUDGE}</nc:Person><nc:ParentChildAssociation><nc:Parent s:ref="V1"/>{CHILD}</nc:ParentChildAssociation>',
        '<nc:PersonSpouseAssociation><nc:SpouseReference s:ref="OFFENDER1"/></nc:PersonSpouseAssociation>',
    ],
)
def test_b05_an_offender_may_be_somebodys_child_or_employee_too(driver: PipelineDriver, relation: str) -> None:
    same_as_before(driver, insert_before(DEPARTURE, PERSON, relation))


def test_b05_nor_does_it_take_a_number_if_the_message_describes_nobody_else() -> None:
    start, end = DEPARTURE.index("    <nc:PersonOtherIdentification>"), DEPARTURE.index("  </nc:Person>")
    text = DEPARTURE[:start] + DEPARTURE[end:]
    employed = insert_before(text, PERSON, '<nc:EmploymentAssociation><nc:Employee s:ref="OFFENDER1"/></nc:EmploymentAssociation>')
    assert submission(employed.encode()).offenders == submission(text.encode()).offenders


@pytest.mark.parametrize("role", ["NextOfKin", "CaseManager", "SupervisionAgent", "Warden", "Sheriff", "Caseworker"])
def test_b05_nor_is_anybody_else_who_has_to_do_with_the_case(driver: PipelineDriver, role: str) -> None:
    same_as_before(driver, insert_before(DEPARTURE, PERSON, f'<x:{role} xmlns:x="urn:x"><nc:Person>{JUDGE}</nc:Person></x:{role}>'))


def test_b05_a_person_of_an_entity_without_a_role_is_a_person(driver: PipelineDriver) -> None:
    text = swap_text(DEPARTURE, '<nc:Person s:id="OFFENDER1">', '<nc:Entity><nc:EntityPerson s:id="OFFENDER1">')
    same_as_before(driver, swap_text(text, "</nc:Person>", "</nc:EntityPerson></nc:Entity>"))


POSTAL = "<nc:LocationStateUSPostalServiceCode>NC</nc:LocationStateUSPostalServiceCode>"
ISSUED = "<nc:IdentificationID>7700123</nc:IdentificationID>"


@pytest.mark.parametrize(
    "jurisdiction",
    [
        "<j:IdentificationJurisdictionNCICLSTACode>NC</j:IdentificationJurisdictionNCICLSTACode>",
        "<nc:IdentificationJurisdictionText>North Carolina</nc:IdentificationJurisdictionText>",
        "<nc:IdentificationJurisdictionUSPostalServiceCode>NC</nc:IdentificationJurisdictionUSPostalServiceCode>",
        "<nc:IdentificationJurisdiction><nc:JurisdictionText>State of North Carolina</nc:JurisdictionText></nc:IdentificationJurisdiction>",
        f"<nc:IdentificationJurisdiction><nc:LocationAddress>{POSTAL}</nc:LocationAddress></nc:IdentificationJurisdiction>",
    ],
)
def test_b05_a_number_is_of_the_state_that_issued_it_and_not_of_the_agencys(driver: PipelineDriver, jurisdiction: str) -> None:
    """Without its issuer, a number of North Carolina that Virginia reports would be a stranger's of Virginia."""
    for registrant, state in (("R-VA", "VA"), ("R-NC", "NC")):
        known = {"identifiers": [{"scheme": "SID", "value": f"{state}7700123"}]}
        driver.register(registration(registrant, offender=known))
    driver.submit(swap_text(DEPARTURE, "<nc:IdentificationID>VA1234567</nc:IdentificationID>", ISSUED + jurisdiction))
    assert registrants_told(driver) == ["R-NC"], driver.explain()


def test_b05_the_most_exact_of_several_birth_dates_counts() -> None:
    text = insert_before(DEPARTURE, "    <nc:PersonBirthDate>", "<nc:PersonBirthDate><nc:YearDate>1981</nc:YearDate></nc:PersonBirthDate>")
    assert submission(text.encode()).offenders == submission(DEPARTURE.encode()).offenders


CASE = "<nc:Case><nc:CaseDocketID>{}</nc:CaseDocketID></nc:Case>"


@pytest.mark.parametrize("where", [PERSON, "    <vn-ext:EventType>"])
def test_b05_a_message_about_two_cases_is_told_to_whoever_chose_either(driver: PipelineDriver, where: str) -> None:
    for number in ("CR26-1", "CR26-2", "CR26-3"):
        driver.register(registration(f"R-{number[-1]}", offender=JOHN, case_numbers=[number]))
    driver.submit(insert_before(DEPARTURE, where, CASE.format("CR26-1") + CASE.format("CR26-2")))
    assert registrants_told(driver) == ["R-1", "R-2"]


def test_b05_another_case_within_something_else_is_not_what_the_message_is_about() -> None:
    other = f"<j:CaseLineage>{CASE.format('CR20-9')}</j:CaseLineage>"
    found = submission(insert_before(DEPARTURE, PERSON, other + CASE.format("CR26-1")).encode())
    assert found.case is not None
    assert found.case.number == "CR26-1"


def test_b05_two_statuses_after_one_event_are_refused() -> None:
    status = "<nc:SupervisionCustodyStatus><nc:StatusDescriptionText>{}</nc:StatusDescriptionText></nc:SupervisionCustodyStatus>"
    text = insert_before(DEPARTURE, "    <vn-ext:EventType>", status.format("Escapee") + status.format("Released"))
    assert rejection(text.encode()) == "doubled_field"
    same = insert_before(DEPARTURE, "    <vn-ext:EventType>", status.format("Escapee") * 2)
    assert submission(same.encode()).status == "Escapee"
