"""
The XML profile of a submission (contract §3), read as the document that JSON would carry. The only place that parses XML.

Elements are found by local name, whatever their namespace or prefix. What an agency's message may hold is bounded before
and while it is looked at, and every document type is refused: entities that are not resolved leave
holes in the text, entities that are resolved reach out.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from lxml import etree

from processors.ingest.read.rejection import Rejection, quote

MAX_DEPTH: Final = 64
MAX_NODES: Final = 20_000
MAX_ATTRIBUTES: Final = 64
MAX_NAMESPACES: Final = 32

Element = etree._Element  # noqa: SLF001 - lxml gives its element type no public name
Document = dict[str, Any]
Dates = Callable[[Mapping[str, Any]], tuple[str, ...]]
"""Which elements may hold the action date of such a message, first choice first."""

_DECLARATIONS: Final = ("<!DOCTYPE", "<!ENTITY")
_NAMESPACE: Final = re.compile(r"xmlns(?::[^\s=]*)?\s*=\s*[\"']([^\"']*)")
_DECLARED_ENCODING: Final = re.compile(r"<\?xml[^>]*\sencoding\s*=\s*[\"']([^\"']*)[\"']")
_ENCODINGS: Final = frozenset({"utf-8", "utf8", "utf-16", "us-ascii"})
_TOO_DEEP_FOR_LIBXML: Final = 114  # XML_ERR_RESOURCE_LIMIT

# Where a person's numbers are, and the scheme of each; PersonOtherIdentification may name another.
IDENTIFIERS: Final = {
    "PersonStateFingerprintIdentification": "SID",
    "PersonFBIIdentification": "FBI",
    "PersonOtherIdentification": "ICOTS",
    "SubjectIdentification": "BOOKING",
    "SubjectCorrectionsIdentification": "DOC",
}

# Elements of the event that have a field of their own; its other simple elements become `details`.
MAPPED: Final = frozenset(
    {
        "ActivityDescriptionText",
        "ActivityIdentification",
        "ActivityLocation",
        "Case",
        "CompactCase",
        "EventSubtype",
        "EventType",
        "NotificationSubtype",
        "NotificationType",
        "NotificationValidation",
        "Person",
        "PreviousLocation",
        "SupervisionCustodyStatus",
    }
)
ENVELOPE: Final = frozenset(
    {
        "Case",
        "DocumentCreationDate",
        "DocumentIdentification",
        "DocumentReferencedIdentification",
        "DocumentSubmitter",
        "MessageOperationCode",
        "Person",
        "RelatedAssociations",
    }
)


def parse_xml(text: str) -> Element:
    """Return the root of a document without declarations, within the limits of what a real message holds."""
    if any(each in text for each in _DECLARATIONS):
        raise Rejection("doctype", "The XML declares a document type or an entity.")
    declared = _DECLARED_ENCODING.match(text)
    if declared and declared[1].lower() not in _ENCODINGS:
        raise Rejection("bad_encoding", f"The XML declares the encoding {quote(declared[1])}; only UTF-8 and UTF-16 are taken.")
    if len(set(_NAMESPACE.findall(text))) > MAX_NAMESPACES:
        raise Rejection("too_complex", f"The XML declares more than {MAX_NAMESPACES} namespaces.")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        if getattr(error, "code", None) == _TOO_DEEP_FOR_LIBXML:
            raise Rejection("too_complex", f"The XML nests deeper than {MAX_DEPTH} levels.") from None
        raise Rejection("malformed", "The XML is not well-formed.") from None
    check_limits(root)
    return root


def check_limits(root: Element) -> None:
    """Reject a document with more depth, elements or attributes than a real message has."""
    depth = nodes = 0
    for step, element in etree.iterwalk(root, events=("start", "end")):
        if step == "end":
            depth -= 1
            continue
        depth += 1
        nodes += 1
        if depth > MAX_DEPTH:
            raise Rejection("too_complex", f"The XML nests deeper than {MAX_DEPTH} levels.")
        if nodes > MAX_NODES:
            raise Rejection("too_complex", f"The XML has more than {MAX_NODES} elements.")
        if len(element.attrib) > MAX_ATTRIBUTES:
            raise Rejection("too_complex", f"An element has more than {MAX_ATTRIBUTES} attributes.")


@lru_cache(4096)
def local(name: str | bytes) -> str:
    """Return a tag or attribute name without its namespace."""
    return str(name).rpartition("}")[2]


def text_of(element: Element | None) -> str | None:
    """Return the element's own text with single blanks; None where there is none."""
    return (" ".join((element.text or "").split()) or None) if element is not None else None


def attribute(element: Element, name: str) -> str | None:
    """Return the attribute with this local name."""
    for key, value in element.attrib.items():
        if local(key) == name:
            return " ".join(str(value).split())
    return None


def descendants(element: Element | None, name: str) -> Iterator[Element]:
    """Yield the elements of this local name below `element`, in document order."""
    if element is not None:
        for each in element.iterdescendants():
            if local(each.tag) == name:
                yield each


def first_text(element: Element | None, *path: str) -> str | None:
    """Return the first text found along the path of descendants, depth by depth."""
    if len(path) == 1:
        return next((text for each in descendants(element, path[0]) if (text := text_of(each))), None)
    return next((text for each in descendants(element, path[0]) if (text := first_text(each, *path[1:]))), None)


def date_text(element: Element) -> str | None:
    """Return the date that an element holds: its DateTime, else its Date, else its own text."""
    return first_text(element, "DateTime") or first_text(element, "Date") or text_of(element)


def drop_empty(**fields: Any) -> Document:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value}


class XmlMessage:
    """The elements of one message, indexed by local name."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self.named: dict[str, list[Element]] = defaultdict(list)
        self.by_id: dict[str, Element] = {}
        self.doubled: str | None = None
        for element in root.iter():
            self.named[local(element.tag)].append(element)
            if identity := attribute(element, "id"):
                self.doubled = identity if identity in self.by_id else self.doubled
                self.by_id[identity] = element

    @classmethod
    def parse(cls, text: str) -> "XmlMessage":
        """Return the message of a document; raises Rejection where it is not well-formed or beyond the limits."""
        return cls(parse_xml(text))

    def document(self, head: Document, dates: Dates) -> tuple[Document, list[str]]:
        """Return the submission as JSON would carry it, and the names of the elements that nothing reads."""
        event = self.event()
        body = head | self.body(event) | {"notification_subtypes": self.notification_subtypes(event)}
        action = self.action_date(event, dates(body))
        details, ignored = self.details(event, action[0] if action else "")
        return body | ({"action_at": action[1]} if action else {}) | {"details": details}, ignored

    def any(self, name: str) -> Element | None:
        found = self.named.get(name)
        return found[0] if found else None

    def only(self, *path: str) -> str | None:
        """Return the one text along the path; two that differ are rejected, since either might be meant."""
        found = {text: None for each in self.named.get(path[0], ()) if (text := first_text(each, *path[1:]) if path[1:] else text_of(each))}
        if len(found) > 1:
            raise Rejection("doubled_field", f"The message has two different values of {'/'.join(path)}.")
        return next(iter(found), None)

    def head(self) -> Document:
        """Return who sends the message and what it is called."""
        submitter = self.any("DocumentSubmitter")
        return drop_empty(
            message_id=self.only("DocumentIdentification", "IdentificationID"),
            operation=self.only("MessageOperationCode"),
            refers_to=self.only("DocumentReferencedIdentification", "IdentificationID"),
            sent_at=next(map(date_text, self.named.get("DocumentCreationDate", ())), None),
            agency=drop_empty(
                ori=self.only("DocumentSubmitter", "OrganizationORIIdentification", "IdentificationID"),
                name=first_text(submitter, "OrganizationName"),
                state=first_text(submitter, "LocationStateUSPostalServiceCode"),
            ),
        )

    def event(self) -> Element:
        """Return the one event element: the one that holds the one EventType (specification §2.1)."""
        types = [each for each in self.named.get("EventType", ()) if text_of(each)]
        events = [each for each in self.root if local(each.tag).endswith("Event")]
        holder = types[0].getparent() if types else None
        if len(types) != 1 or len(events) > 1 or holder is None or not local(holder.tag).endswith("Event"):
            detail = f"The message has {len(types)} EventType in {len(events)} event elements; it needs one in one."
            raise Rejection("event_type_count", detail)
        return holder

    def body(self, event: Element) -> Document:
        """Return what the message says, notification subtypes and dates left aside."""
        codes = {field: self.only_in(event, name) for field, name in CODES.items()}
        case, compact = self.any("Case"), self.any("CompactCase")
        return drop_empty(
            **codes,
            event_id=next((first_text(each, "IdentificationID") for each in event if local(each.tag) == "ActivityIdentification"), None),
            offenders=[person(each) for each in self.named.get("Person", ())],
            case=drop_empty(
                number=first_text(case, "CaseDocketID") or first_text(case, "CaseTrackingID"), court=first_text(case, "CourtName")
            ),
            status=first_text(self.root, "SupervisionCustodyStatus", "StatusDescriptionText"),
            location=place(self.any("ActivityLocation")),
            from_location=place(self.any("PreviousLocation")),
            compact=drop_empty(
                sending_state=first_text(compact, "SendingStateCode"),
                receiving_state=first_text(compact, "ReceivingStateCode"),
                case_number=first_text(compact, "CaseNumber"),
                report_by=next(map(date_text, descendants(compact, "ReportByDate")), None),
            ),
            remarks=first_text(event, "ActivityDescriptionText"),
        )

    @staticmethod
    def only_in(event: Element, name: str) -> str | None:
        found = {text: None for each in descendants(event, name) if (text := text_of(each))}
        if len(found) > 1:
            raise Rejection("doubled_field", f"The event has two different values of {name}.")
        return next(iter(found), None)

    def notification_subtypes(self, event: Element) -> list[Document]:
        """Return the subtypes with the validations that associations tie to them (specification §2.5, §3)."""
        self.check_references()
        subtypes, validations = list(descendants(event, "NotificationSubtype")), list(descendants(event, "NotificationValidation"))
        tied = self.tied(subtypes, validations)
        loose = [each for each in validations if not any(each in ties for ties in tied.values())]
        if loose:
            raise Rejection("orphan_validation", f"{len(loose)} NotificationValidation of the event are tied to no NotificationSubtype.")
        return [
            {"subtype": text_of(subtype), "validations": [text_of(each) for each in validations if each in tied.get(subtype, ())]}
            for subtype in subtypes
        ]

    def check_references(self) -> None:
        if self.doubled is not None:
            raise Rejection("doubled_reference", f"Two elements carry the id {quote(self.doubled)}.")
        for element in self.root.iter():
            reference = attribute(element, "ref")
            if reference is not None and reference not in self.by_id:
                detail = f"{quote(local(element.tag))} refers to the id {quote(reference)}, which no element has."
                raise Rejection("dangling_reference", detail)

    def tied(self, subtypes: list[Element], validations: list[Element]) -> dict[Element, list[Element]]:
        """Return the validations of each subtype; both ends of every association must be what they say they are."""
        found: dict[Element, list[Element]] = {}
        for association in self.named.get("NotificationSubtypeValidationAssociation", ()):
            ends = (self.ends(association, "NotificationSubtype", subtypes), self.ends(association, "NotificationValidation", validations))
            for subtype in ends[0]:
                found.setdefault(subtype, []).extend(ends[1])
        return found

    def ends(self, association: Element, name: str, among: list[Element]) -> list[Element]:
        references = [attribute(each, "ref") or "" for each in descendants(association, f"{name}Reference")]
        elements = [self.by_id.get(each) for each in references]
        if not elements or any(each not in among for each in elements):
            raise Rejection("dangling_reference", f"An association refers to no {name} of the event.")
        return [each for each in elements if each is not None]

    def action_date(self, event: Element, names: tuple[str, ...]) -> tuple[str, str] | None:
        """Return element and text of the action date, of the first name present: in the event itself, in its depth, in the message."""
        for name in names:
            own = [each for each in event if local(each.tag) == name]
            for places in (own, list(descendants(event, name)), self.named.get(name, [])):
                found = {text: None for each in places if (text := date_text(each))}
                if len(found) > 1:
                    raise Rejection("doubled_field", f"The message has two different values of {name}.")
                if found:
                    return name, next(iter(found))
        return None

    def details(self, event: Element, action: str) -> tuple[dict[str, str], list[str]]:
        """Return the event's other simple elements, and the names of elements that nothing reads."""
        details: dict[str, str] = {}
        ignored = [name for each in self.root if (name := local(each.tag)) not in ENVELOPE and each is not event]
        for element in event:
            name = local(element.tag)
            if name in MAPPED or name == action:
                continue
            texts = [text for each in element.iter() if len(each) == 0 and (text := text_of(each))]
            if len(texts) == 1:
                details[name] = f"{details[name]}; {texts[0]}" if name in details else texts[0]
            elif texts:
                ignored.append(name)
        return details, ignored


CODES: Final = {"event_type": "EventType", "event_subtype": "EventSubtype", "notification_type": "NotificationType"}


def place(element: Element | None) -> Document:
    return drop_empty(kind=first_text(element, "LocationCategoryText"), name=first_text(element, "LocationName"))


def person(element: Element) -> Document:
    """Return one offender; numbers in document order."""
    named = next((name(each) for each in descendants(element, "PersonName")), None)
    return drop_empty(
        identifiers=list(identifiers(element)),
        name=named,
        aliases=[each for each in map(name, descendants(element, "PersonAlternateName")) if each],
        birth_date=next(map(date_text, descendants(element, "PersonBirthDate")), None),
    )


def identifiers(element: Element) -> Iterator[Document]:
    for each in element.iterdescendants():
        scheme = IDENTIFIERS.get(local(each.tag))
        value = first_text(each, "IdentificationID") if scheme else None
        if value:
            source = first_text(each, "IdentificationSourceText") if scheme == "ICOTS" else None
            yield {"scheme": source or scheme, "value": value}


def name(element: Element) -> Document:
    return drop_empty(
        given=first_text(element, "PersonGivenName"),
        middle=" ".join(filter(None, map(text_of, descendants(element, "PersonMiddleName")))),
        sur=first_text(element, "PersonSurName"),
        full=first_text(element, "PersonFullName") or text_of(element),
    )
