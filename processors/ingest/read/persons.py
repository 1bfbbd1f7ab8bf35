"""
Finds the offenders of a NIEM document, and how it describes each (contract §3).

Every Person is an offender unless the document gives them another role: judge, officer, victim, parent (roles.py). A person may
be inside a role (`j:Subject/nc:RoleOfPerson`) or be referred to by it; what the role adds, such as a booking number, belongs to
the person. An element that only refers to a person is that person.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from processors.ingest.read.dates import parse_birth_date
from processors.ingest.read.niem import Element, NiemDocument, base_name, has_content, local_name, text_of
from processors.ingest.read.roles import ASIDE, KNOWN, Role, role_of, role_of_association, roles_in_association

# Where a person's numbers are, and the scheme of each; PersonOtherIdentification may name another.
IDENTIFIERS: Final = {
    "PersonStateFingerprintIdentification": "SID",
    "PersonFBIIdentification": "FBI",
    "PersonOtherIdentification": "ICOTS",
    "SubjectIdentification": "BOOKING",
    "SubjectCorrectionsIdentification": "DOC",
}
ICOTS: Final = re.compile(r"\bICOTS\b|Interstate Compact Offender Tracking", re.IGNORECASE)  # in the text that names a number's source
SCHEMES: Final = frozenset(IDENTIFIERS.values())
OF_A_STATE: Final = frozenset({"SID", "DOC"})  # schemes whose numbers the jurisdiction issued that the document names
STATE_CODE: Final = 2  # letters
ROLE_HOLDERS: Final = frozenset({"RoleOfPerson", "EntityPerson"})  # their parent is the role
REPRESENTATION: Final = "IdentityPersonRepresentation"
XSI_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
NAME_CATEGORIES: Final = frozenset({"PersonNameCategoryCode", "PersonNameCategoryText"})
OTHER_NAME: Final = re.compile(
    r"alias|\ba\W*k\W*a\b|known as|nick|moniker|maiden|birth|former|previous|stage|street|\bother\b", re.IGNORECASE
)
DEEPEST_ROLE: Final = 8  # roles of roles that are followed to the person
# The elements whose text states a person's role in an activity or a case.
ROLE_TEXT: Final = re.compile(r".*(Role|Involvement)(Category|Description)*(Text|Code|Name)?")
CATEGORY: Final = re.compile(r"(Person|Party|Participant|Individual)(Category|Type|Kind)(Description)?(Text|Code)")
PERSON_PROPERTIES: Final = frozenset({"PersonName", "PersonBirthDate", *IDENTIFIERS} - {"SubjectIdentification"})


def offenders(document: NiemDocument, event: Element) -> list[dict[str, Any]]:
    """Return the offenders in the order in which the document describes them."""
    descriptions: dict[object, dict[Element, None]] = defaultdict(dict)
    roles: dict[object, set[Role]] = defaultdict(set)
    behind = persons_by_role_or_name(document)
    surroundings = SurroundingRoles(document, {event, *event.iterancestors()})
    for element, role, described in appearances(document, surroundings):
        key = person_key(document, element, behind)
        roles[key] |= {role} if role else set()
        descriptions[key] |= dict.fromkeys(described)
    aliases = alias_names(document, behind)
    eligible = {key: found for key, found in descriptions.items() if found and (Role.SUBJECT in roles[key] or Role.OTHER not in roles[key])}
    persons = {key: person(document, list(found), aliases.get(key, [])) for key, found in eligible.items()}
    chosen = choose_offenders({key: roles[key] for key in persons}, {key for key, found in persons.items() if has_number(found)})
    read = [(descriptions[key], persons[key]) for key in persons if key in chosen]
    # A role may refer to somebody whom the document does not describe; a Person without content is one who cannot be identified.
    known = [each for found, each in read if each or any(local_name(element.tag) == "Person" for element in found)]
    blank = [element for element in document.named.get("Person", ()) if is_blank(document, element)]
    return known + [
        {} for element in blank if surroundings.role_of(element) in {Role.UNSTATED, Role.SUBJECT} and not surroundings.in_envelope(element)
    ]


def choose_offenders(roles: dict[object, set[Role]], numbered: set[object]) -> set[object]:
    """
    Return the persons that the message is about, by the roles that it gives to each; `numbered` are those with a number of offenders.

    Somebody who is only a relative, or whose role is unclear, is an offender if they have such a number, or if nobody else is an
    offender; of several relatives without a number, none is.
    """
    certain = {key for key, given in roles.items() if Role.SUBJECT in given or given == {Role.UNSTATED}}
    unclear = {key for key, given in roles.items() if given == {Role.UNCLEAR}}
    mentioned = {key for key, given in roles.items() if given == {Role.UNSTATED, Role.UNCLEAR}}
    related = {key for key, given in roles.items() if Role.RELATED in given and len(given) > 1} - certain
    doubtful = mentioned | related
    found = certain | ((unclear | doubtful) & numbered) if certain or doubtful & numbered else unclear
    return found or mentioned or (related if len(related) == 1 else set())


def persons_by_role_or_name(document: NiemDocument) -> dict[object, Element]:
    """Return the person behind each role and name, by its key: a reference to a role or a name means that person."""
    roles = ((each.getparent(), each) for name in ROLE_HOLDERS for each in document.elements_named(name))
    called = ((each, each.getparent()) for each in document.elements_named("PersonName"))
    pairs = [(one, other) for one, other in (*roles, *called) if one is not None and other is not None]
    return {key: other for one, other in reversed(pairs) if (key := document.key(one))}


def person_key(document: NiemDocument, element: Element, behind: Mapping[object, Element]) -> object:
    """Return the key of the person that the element is or refers to, possibly through a role or a name."""
    key = document.key(element) or element
    for _ in range(DEEPEST_ROLE):
        if key not in behind:
            break
        key = document.key(behind[key]) or behind[key]
    return key


class SurroundingRoles:
    """The roles that elements give to the persons within them; the event and the elements around it (`about`) give none."""

    def __init__(self, document: NiemDocument, about: set[Element]) -> None:
        self._document = document
        self._about = about
        self._given: dict[Element, Role] = dict.fromkeys(about, Role.UNSTATED)
        self._held: dict[Element, bool] = {}  # whether a role has a person of its own, or an association several

    def role_of(self, person: Element) -> Role:
        """Return the role that a text or `xsi:type` states for the person, otherwise the one that the nearest element around them gives."""
        parent = person.getparent()
        return stated_role(self._document, person) or (self._given_by(parent) if parent is not None else Role.UNSTATED)

    def in_envelope(self, element: Element) -> bool:
        """Whether the element belongs to the sender or recipient of the document, and not to its subject."""
        return any(local_name(each.tag).startswith("Document") and each not in self._about for each in element.iterancestors())

    def belong_to_another(self, reference: Element) -> bool:
        """
        Whether the role around a reference may be that of another person.

        So it is in a Victim with a RoleOfPerson and a RelatedPerson, and in a VictimAssociation of two persons.
        """
        parent = reference.getparent()
        if parent is not None and (name := local_name(parent.tag)).endswith("Association"):
            if parent not in self._held:
                plain = sum(base_name(each.tag) == "Person" for each in self._document.members(parent))
                self._held[parent] = plain > 1 and not ASIDE.isdisjoint(roles_in_association(name))
            return self._held[parent]
        if parent is None or role_of(local_name(parent.tag)) is not Role.UNCLEAR:
            return False
        giver = next((each for each in parent.iterancestors() if role_of(local_name(each.tag)) in KNOWN), None)
        if giver is None:
            return False
        if giver not in self._held:
            self._held[giver] = any(base_name(each.tag) in ROLE_HOLDERS for each in self._document.members(giver))
        return self._held[giver]

    def _given_by(self, element: Element) -> Role:
        if element not in self._given:
            self._given[element] = self._give(element)
        return self._given[element]

    def _give(self, element: Element) -> Role:
        own, parent = stated_role(self._document, element) or self._named_role(element), element.getparent()
        around = self._given_by(parent) if own not in KNOWN and parent is not None else own
        return Role.UNCLEAR if own is Role.UNCLEAR and around in {Role.UNSTATED, Role.SUBJECT} else around

    def _named_role(self, element: Element) -> Role:
        """Return the role that the element's name gives; that of an association only counts for the only person in it."""
        name = local_name(element.tag)
        if not name.endswith("Association") or (role := role_of(name)) in KNOWN:
            return role_of(name)
        persons = sum(may_be_person(base_name(each.tag)) for each in self._document.members(element))
        return role_of_association(name) if persons == 1 else role


def stated_role(document: NiemDocument, element: Element) -> Role | None:
    """
    Return the role that a text in the element states, such as `PersonRoleText`, or that its category or `xsi:type` names.

    A category only says who is no offender: a victim may be of the category Juvenile. Texts count only if there are not several persons.
    """
    said = [(local_name(each.tag), text) for each in document.members(element) if len(each) == 0 and (text := text_of(each))]
    texts = [text for name, text in said if ROLE_TEXT.fullmatch(name)]
    categories = [text for name, text in said if CATEGORY.fullmatch(name)]
    alone = not (texts or categories) or sum(base_name(each.tag) == "Person" for each in document.members(element)) <= 1
    stated = next((role for text in texts if alone and (role := role_of(text)) in KNOWN), None)
    kinds = [*(categories if alone else ()), (element.get(XSI_TYPE) or "").rpartition(":")[2].strip().removesuffix("Type")]
    return stated or next((role for kind in kinds if (role := role_of(kind)) in ASIDE), None)


def appearances(document: NiemDocument, surroundings: SurroundingRoles) -> Iterator[tuple[Element, Role | None, list[Element]]]:
    """Yield every element that is or refers to a person, the role it gives them, and the elements that describe them."""
    for element in document.root.iter():
        name = base_name(element.tag)
        parent = element.getparent() if may_be_person(name) or (element.items() and is_unclear_reference(document, element)) else None
        if parent is None:
            continue
        if surroundings.in_envelope(element):
            yield element, Role.OTHER if surroundings.role_of(element) is Role.OTHER else None, []
            continue
        described = [element] if has_content(element) else []
        if name == REPRESENTATION:  # an alias, which is a person of its own in the document only
            yield element, Role.RELATED, []
        elif name in ROLE_HOLDERS:
            role = surroundings.role_of(element)
            yield element, Role.RELATED if role is Role.UNCLEAR and not described else role, [*described, parent]
        elif name == "Person" and (described or document.target(element)):
            role = surroundings.role_of(element)
            if not described and surroundings.belong_to_another(element):
                yield element, Role.UNCLEAR, []
                continue
            subject = role_of(local_name(parent.tag)) is Role.SUBJECT
            yield element, role if described or role in KNOWN else None, [*described, parent] if subject else described
        elif (role := role_of(name)) is Role.UNCLEAR:
            yield element, role, []
        elif document.target(element) or any(base_name(each.tag) in PERSON_PROPERTIES for each in document.members(element)):
            yield element, role, described


def is_unclear_reference(document: NiemDocument, element: Element) -> bool:
    """Whether the element refers to something by a role that is not known, such as `Captain`; to a name is no role."""
    name = base_name(element.tag)
    return role_of(name) is Role.UNCLEAR and not name.endswith("Name") and not has_content(element) and document.target(element) is not None


@lru_cache(4096)
def may_be_person(name: str) -> bool:
    """Whether an element of this name may be or refer to a person."""
    return name in {"Person", REPRESENTATION} or name in ROLE_HOLDERS or role_of(name) in KNOWN


def has_number(described: dict[str, Any]) -> bool:
    return any(each["scheme"] in SCHEMES for each in described.get("identifiers", ()))


def is_blank(document: NiemDocument, element: Element) -> bool:
    """Whether a Person has no content and refers to nobody."""
    nil = "nil" in {local_name(key) for key in element.attrib}
    return not has_content(element) and not nil and document.target(element) is None


def person(document: NiemDocument, elements: list[Element], aliases: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the description of one person by these elements; numbers in document order, without duplicates."""
    own = sorted((named for each in elements for named in document.children(each, "PersonName")), key=is_other_name)
    called = [found for named in own for found in names(document, named) if found]
    others = [
        found for each in elements for named in document.children(each, "PersonAlternateName") for found in names(document, named) if found
    ]
    births = [date for each in elements for born in document.children(each, "PersonBirthDate") if (date := document.date(born))]
    return drop_empty(
        identifiers=distinct([number for each in elements for number in identifiers(document, each)]),
        name=called[0] if called else None,
        aliases=[each for each in distinct(called[1:] + others + aliases) if each not in called[:1]],
        birth_date=max(births, key=exactness, default=None),  # the first of the most exact
    )


def is_other_name(name: Element) -> bool:
    """Whether the document says of a name that it is an alias, a former name or the like."""
    return any(OTHER_NAME.search(text_of(each) or "") for each in name if local_name(each.tag) in NAME_CATEGORIES)


def exactness(birth_date: str) -> int:
    """Return how much of a birth date is known, as its length; -1 if it cannot be read."""
    try:
        return len(parse_birth_date(birth_date) or "")
    except ValueError:
        return -1


def distinct(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({tuple(each.items()): each for each in reversed(found)}.values())[::-1]


def identifiers(document: NiemDocument, element: Element) -> Iterator[dict[str, str]]:
    """Yield the numbers that are properties of the element."""
    for each in document.members(element):
        scheme = IDENTIFIERS.get(base_name(each.tag))
        for found in document.resolve(each) if scheme else ():
            value = document.text(found, "IdentificationID") or text_of(found)
            source = document.text(found, "IdentificationSourceText") if scheme == "ICOTS" else None
            source = None if source and ICOTS.search(source) else source
            if value:
                yield drop_empty(scheme=source or scheme, value=value, issuer=issuer(document, found) if scheme in OF_A_STATE else None)


def issuer(document: NiemDocument, identification: Element) -> str | None:
    """Return who issued a number according to the elements of its jurisdiction, preferably a state's two letters; None if unknown."""
    texts = [
        (local_name(each.tag), text)
        for jurisdiction in document.members(identification)
        if base_name(jurisdiction.tag).startswith("IdentificationJurisdiction")
        for found in document.resolve(jurisdiction)
        for each in found.iter()
        if len(each) == 0 and (text := text_of(each))
    ]
    return next((text for name, text in texts if name.endswith("Code") and len(text) == STATE_CODE), None) or next(
        (text for _, text in texts), None
    )


def names(document: NiemDocument, element: Element) -> list[dict[str, Any]]:
    """Return a name in parts or as a whole, then its other full names; augmentations (a Soundex code) are ignored."""
    parts: dict[str, list[str]] = defaultdict(list)
    for each in element:
        parts[base_name(each.tag)] += [text for found in document.resolve(each) if (text := text_of(found))]
    whole = parts.get("PersonFullName", [])
    found = drop_empty(
        given=join_parts(parts.get("PersonGivenName", [])),
        middle=join_parts(parts.get("PersonMiddleName", [])),
        sur=join_parts(parts.get("PersonSurName", [])),
        full=next(iter(whole), None),
    )
    return [found or drop_empty(full=text_of(element)), *({"full": each} for each in whole[1:])]


def join_parts(texts: list[str]) -> str:
    """Return the texts of a repeated part of a name, without those that add nothing: "Ann" and "Ann Lee" give "Ann Lee"."""
    if len(texts) < 2:  # noqa: PLR2004  the usual case
        return texts[0] if texts else ""
    distinct = {each.casefold(): each for each in reversed(texts)}
    longest = max(distinct, key=len, default="")
    words = set(longest.split())
    return " ".join(text for plain, text in reversed(distinct.items()) if plain == longest or not words.issuperset(plain.split()))


def alias_names(document: NiemDocument, behind: Mapping[object, Element]) -> dict[object, list[dict[str, Any]]]:
    """Return the names of the identities that associations tie to persons, by person."""
    found: dict[object, list[dict[str, Any]]] = defaultdict(list)
    for association in document.elements_with_content("PersonAliasIdentityAssociation"):
        called = [
            alias
            for identity in document.children(association, "Identity")
            for described in document.children(identity, REPRESENTATION)
            for named in document.children(described, "PersonName")
            for alias in names(document, named)
            if alias
        ]
        for each in document.members(association):
            if may_be_person(base_name(each.tag)):
                found[person_key(document, each, behind)] += called
    return found


def drop_empty(**fields: Any) -> dict[str, Any]:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value}
