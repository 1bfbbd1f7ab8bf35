"""
Which persons of a NIEM document are offenders, and what it says of each (contract §3).

Every Person is an offender unless the document says otherwise: a judge, an officer, a victim or a parent has a role that
is not the subject's. A person may stand inside a role (`j:Subject/nc:RoleOfPerson`) or be referred to by it; what the
role adds, such as a booking number, is the person's. An element that only refers is the person already there.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from processors.ingest.read.niem import Element, NiemDocument, base_name, has_content, local_name, members, text_of

# Where a person's numbers are, and the scheme of each; PersonOtherIdentification may name another.
IDENTIFIERS: Final = {
    "PersonStateFingerprintIdentification": "SID",
    "PersonFBIIdentification": "FBI",
    "PersonOtherIdentification": "ICOTS",
    "SubjectIdentification": "BOOKING",
    "SubjectCorrectionsIdentification": "DOC",
}
SCHEMES: Final = frozenset(IDENTIFIERS.values())
OF_A_STATE: Final = frozenset({"SID", "DOC"})  # schemes whose numbers the jurisdiction issued that the document names
STATE_CODE: Final = 2  # letters
# The relations of a person to another, which say nothing of somebody who has a number of offenders.
RELATION: Final = re.compile(
    r".*(Parent|Guardian|Relative|Contact|Spouse|Partner|Child|Dependent|Sibling|Mother|Father|Friend|Kin|Sponsor|Employer|Employee|"
    r"Registrant)(Party|Person|Information|Entity)?"
)
# The roles of the person that a justice message is about, and of the others in it.
SUBJECT: Final = re.compile(
    r".*(?<!Co)(Subject|Defendant|DefendantParty|Offender|Inmate|Prisoner|Detainee|Arrestee|Probationer|Parolee|Suspect|Respondent|"
    r"Convict|Felon|Escapee|Absconder|Fugitive|Accused|Juvenile|Youth|Patient|"
    r"(Supervision|Supervised|Release|Released|Custody|Arrested|Detained|Sentenced|Incarcerated|Imprisoned|Convicted|Charged|"
    r"Accused|Committed|Transferred|Paroled|Wanted)(Person|Individual))"
)
OTHER_ROLE: Final = re.compile(
    r".*(Victim|Witness|Judge|Official|Officer|Attorney|Counsel|Prosecutor|Supervisor|Parent|Guardian|Relative|Contact|"
    r"Spouse|Partner|Child|Dependent|Sibling|Mother|Father|Friend|Kin|Sponsor|Surety|Bondsman|Magistrate|Clerk|Interpreter|Juror|"
    r"Employer|Employee|Physician|Nurse|Therapist|Reporter|Complainant|Petitioner|Plaintiff|Author|Submitter|Recipient|Creator|"
    r"Registrant|Agent|Manager|Caseworker|Warden|Sheriff|Deputy|Trooper|Notary|Accomplice|Associate|Coconspirator|CoConspirator|"
    r"Co(Subject|Defendant|Offender|Respondent|Suspect|Accused|Arrestee|defendant|offender|respondent|suspect|arrestee))"
    r"(Party|Person|Information|Entity)?"
)
ROLE_HOLDERS: Final = frozenset({"RoleOfPerson", "EntityPerson"})  # their parent is the role
PERSON_PROPERTIES: Final = frozenset({"PersonName", "PersonBirthDate", *IDENTIFIERS} - {"SubjectIdentification"})


def offenders(document: NiemDocument) -> list[dict[str, Any]]:
    """Return the offenders in the order in which the document describes them."""
    descriptions: dict[object, list[Element]] = defaultdict(list)
    roles: dict[object, set[str]] = defaultdict(set)
    for element, role, described in appearances(document):
        key = person_key(document, element)
        roles[key] |= {role} if role else set()
        descriptions[key] += [each for each in described if each not in descriptions[key]]
    aliases = alias_names(document)
    said = {key: person(document, found, aliases.get(key, [])) for key, found in descriptions.items() if found}
    related = [key for key in said if is_only_related(roles[key], descriptions[key])]
    offending = [key for key in said if is_offender(roles[key]) or (key in related and has_number(said[key]))]
    if not offending and len(related) == 1:
        offending = related
    read = [(descriptions[key], said[key]) for key in offending]
    # A role may refer to somebody whom the document does not describe; a Person that says nothing is one who cannot be identified.
    known = [each for found, each in read if each or any(local_name(element.tag) == "Person" for element in found)]
    return known + [{} for element in document.named.get("Person", ()) if is_blank(document, element)]


def person_key(document: NiemDocument, element: Element) -> object:
    """Return the key of the person that the element is or refers to; a reference to a person's name counts as one to the person."""
    for named in () if has_content(element) else document.resolve(element):
        holder = named.getparent()
        if local_name(named.tag) == "PersonName" and holder is not None:
            return document.key(holder) or holder
    return document.key(element) or element


def appearances(document: NiemDocument) -> Iterator[tuple[Element, str | None, list[Element]]]:
    """Yield every element that is or refers to a person, the role it gives them, and the elements that describe them."""
    for element in document.root.iter():
        name = local_name(element.tag).removesuffix("Reference")
        parent = element.getparent() if may_be_person(name) else None
        if parent is None or in_envelope(element):
            continue
        described = [element] if has_content(element) else []
        role = local_name(parent.tag)
        if name in ROLE_HOLDERS:
            yield element, role if role != "Entity" else None, [*described, parent]
        elif name == "Person" and (described or document.target(element)):
            known = SUBJECT.fullmatch(role) or OTHER_ROLE.fullmatch(role)
            yield element, role if known else None, [*described, parent] if SUBJECT.fullmatch(role) else described
        elif document.target(element) or any(local_name(each.tag) in PERSON_PROPERTIES for each in members(element)):
            yield element, name, described


@lru_cache(4096)
def may_be_person(name: str) -> bool:
    """Whether an element of this name may be or refer to a person."""
    return name == "Person" or name in ROLE_HOLDERS or bool(SUBJECT.fullmatch(name) or OTHER_ROLE.fullmatch(name))


def in_envelope(element: Element) -> bool:
    """Whether the element says who sends the document or to whom, and not what it is about."""
    return any(local_name(each.tag).startswith("Document") for each in element.iterancestors())


def is_offender(roles: set[str]) -> bool:
    """Whether the message is about somebody with these roles: none at all, or the subject's."""
    return not roles or any(SUBJECT.fullmatch(role) for role in roles)


def is_only_related(roles: set[str], described: list[Element]) -> bool:
    """
    Whether a Person who stands by itself has no role but that of somebody's child, employee or the like.

    An offender may be that too: then their numbers decide, or that the message describes nobody else.
    """
    alone = any(local_name(each.tag) == "Person" and not RELATION.fullmatch(parent_name(each)) for each in described)
    return alone and all(RELATION.fullmatch(role) for role in roles)


def parent_name(element: Element) -> str:
    parent = element.getparent()
    return local_name(parent.tag) if parent is not None else ""


def has_number(said: dict[str, Any]) -> bool:
    return any(each["scheme"] in SCHEMES for each in said.get("identifiers", ()))


def is_blank(document: NiemDocument, element: Element) -> bool:
    """Whether a Person says nothing and refers to nobody."""
    nil = "nil" in {local_name(key) for key in element.attrib}
    return not has_content(element) and not nil and document.target(element) is None


def person(document: NiemDocument, elements: list[Element], aliases: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the elements say of one person; numbers in document order."""
    names = [found for each in elements for named in document.children(each, "PersonName") if (found := name(document, named))]
    others = [found for each in elements for named in document.children(each, "PersonAlternateName") if (found := name(document, named))]
    births = [date for each in elements for born in document.children(each, "PersonBirthDate") if (date := document.date(born))]
    return drop_empty(
        identifiers=[number for each in elements for number in identifiers(document, each)],
        name=names[0] if names else None,
        aliases=names[1:] + others + aliases,
        birth_date=max(births, key=len, default=None),  # the first of the most exact
    )


def identifiers(document: NiemDocument, element: Element) -> Iterator[dict[str, str]]:
    """Yield the numbers that are properties of the element."""
    for each in members(element):
        scheme = IDENTIFIERS.get(local_name(each.tag))
        for found in document.resolve(each) if scheme else ():
            value = document.text(found, "IdentificationID")
            source = document.text(found, "IdentificationSourceText") if scheme == "ICOTS" else None
            if value:
                yield drop_empty(scheme=source or scheme, value=value, issuer=issuer(document, found) if scheme in OF_A_STATE else None)


def issuer(document: NiemDocument, identification: Element) -> str | None:
    """Return who issued a number, as the document says it in one of the elements of its jurisdiction; a state's two letters first."""
    said = [
        (local_name(each.tag), text)
        for jurisdiction in members(identification)
        if base_name(jurisdiction.tag).startswith("IdentificationJurisdiction")
        for found in document.resolve(jurisdiction)
        for each in found.iter()
        if len(each) == 0 and (text := text_of(each))
    ]
    return next((text for name, text in said if name.endswith("Code") and len(text) == STATE_CODE), None) or next(
        (text for _, text in said), None
    )


def name(document: NiemDocument, element: Element) -> dict[str, Any]:
    """Return a name in parts, or as a whole. Its augmentations, such as a Soundex code, are no part of it."""
    parts: dict[str, list[str]] = defaultdict(list)
    for each in element:
        parts[local_name(each.tag)] += [text for found in document.resolve(each) if (text := text_of(found))]
    return drop_empty(
        given=next(iter(parts.get("PersonGivenName", ())), None),
        middle=" ".join(parts.get("PersonMiddleName", ())),
        sur=next(iter(parts.get("PersonSurName", ())), None),
        full=next(iter(parts.get("PersonFullName", ())), None) or text_of(element),
    )


def alias_names(document: NiemDocument) -> dict[object, list[dict[str, Any]]]:
    """Return the names of the identities that associations tie to persons, by person."""
    found: dict[object, list[dict[str, Any]]] = defaultdict(list)
    for association in document.contents("PersonAliasIdentityAssociation"):
        names = [
            alias
            for identity in document.children(association, "Identity")
            for described in document.children(identity, "IdentityPersonRepresentation")
            for named in document.children(described, "PersonName")
            if (alias := name(document, named))
        ]
        for each in members(association):
            if local_name(each.tag).removesuffix("Reference") == "Person" and (key := document.key(each)):
                found[key] += names
    return found


def drop_empty(**fields: Any) -> dict[str, Any]:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value}
