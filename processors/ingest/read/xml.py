"""
Convert the XML profile of a submission (contract §3) into the document that JSON would carry; the only place that parses XML.

The size of a message is limited before and while it is parsed, and every document type is rejected: entities that are
not resolved leave holes in the text, entities that are resolved reach out.
"""

import re
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from itertools import chain
from typing import Any, Final

from lxml import etree

from processors.ingest.read.niem import Element, NiemDocument, base_name, has_content, local_name, owner, text_of
from processors.ingest.read.persons import drop_empty, offenders
from processors.ingest.read.rejection import Rejection, quote
from processors.ingest.read.roles import KNOWN, role_of

MAX_DEPTH: Final = 64
MAX_NODES: Final = 20_000
MAX_ATTRIBUTES: Final = 64
MAX_NAMESPACES: Final = 32

Document = dict[str, Any]
Dates = Callable[[Mapping[str, Any]], tuple[str, ...]]
"""Which elements may hold the action date of such a message, first choice first."""

_BEFORE_ROOT: Final = re.compile(r"(?:\s|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)  # a document type may only follow there
_NAMESPACE: Final = re.compile(r"xmlns(?::[^\s=]*)?\s*=\s*[\"']([^\"']*)")
_DECLARED_ENCODING: Final = re.compile(r"<\?xml[^>]*\sencoding\s*=\s*[\"']([^\"']*)[\"']")
_ENCODINGS: Final = frozenset({"utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "ascii"})
_TOO_DEEP_FOR_LIBXML: Final = 114  # XML_ERR_RESOURCE_LIMIT

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
        "Identity",
        "MessageOperationCode",
        "Person",
        "PersonAliasIdentityAssociation",
        "RelatedAssociations",
    }
)

# The fields that a submission must have, with the element of each and the reason code if it is missing.
REQUIRED: Final = (
    ("message_id", "missing_field", "DocumentIdentification/IdentificationID"),
    ("agency.ori", "missing_field", "DocumentSubmitter//OrganizationORIIdentification/IdentificationID"),
    ("event_subtype", "missing_field", "EventSubtype"),
    ("notification_type", "missing_field", "NotificationType"),
    ("notification_subtypes", "no_notification_subtype", "NotificationSubtype"),
    ("action_at", "unreadable_date", "ActivityDate (of a prosecutor's hearing CourtAppearanceDate)"),
    ("offenders", "no_offender", "Person (nor a Subject with RoleOfPerson)"),
)
CODES: Final = {"event_type": "EventType", "event_subtype": "EventSubtype", "notification_type": "NotificationType"}


def parse_xml(text: str) -> Element:
    """Return the root of a document without declarations, within the limits of what a real message holds."""
    before = _BEFORE_ROOT.match(text)
    if before and text.startswith("<!DOCTYPE", before.end()):
        raise Rejection("doctype", "The XML declares a document type or an entity.")
    declared = _DECLARED_ENCODING.match(text)
    if declared and declared[1].lower() not in _ENCODINGS:
        raise Rejection("bad_encoding", f"The XML declares the encoding {quote(declared[1])}; only UTF-8 and UTF-16 are accepted.")
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
        line, column = error.position
        raise Rejection("malformed", f"The XML is not well-formed: error at line {line}, column {column}.") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Rejection("doctype", "The XML declares a document type or an entity.")
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


class XmlMessage(NiemDocument):
    """A submission's elements, converted field by field."""

    @classmethod
    def parse(cls, text: str) -> "XmlMessage":
        """Return the message of a document; raises Rejection if it is not well-formed or beyond the limits."""
        return cls(parse_xml(text))

    def head(self) -> Document:
        """Return the sender and the ids of the message."""
        elsewhere = (found for each in self.elements_named("DocumentSubmitter") for found in self.resolve(each))
        submitter = next(chain(self.of_message("DocumentSubmitter"), elsewhere), None)
        deep = partial(self.deep_text, submitter, referring=True)
        return drop_empty(
            message_id=self.only("DocumentIdentification", "IdentificationID"),
            operation=self.only("MessageOperationCode"),
            refers_to=self.only("DocumentReferencedIdentification", "IdentificationID"),
            sent_at=next((date for each in self.of_message("DocumentCreationDate") if (date := self.date(each))), None),
            agency=drop_empty(
                ori=deep("OrganizationORIIdentification", "IdentificationID"),
                name=deep("OrganizationName"),
                state=deep("LocationStateUSPostalServiceCode"),
            ),
        )

    @cached_property
    def holders_of_type(self) -> list[Element]:
        """Return the elements that have an EventType."""
        return [holder for each in self.named.get("EventType", ()) if text_of(each) and (holder := owner(each)) is not None]

    @cached_property
    def events(self) -> list[Element]:
        """Return the event elements that have an EventType; elsewhere it says something else."""
        return [each for each in self.holders_of_type if local_name(each.tag).endswith("Event")]

    @cached_property
    def around(self) -> list[Element]:
        """Return the elements around the event, the nearest first: the message, then what it is sent in; without one event the whole."""
        return list(self.events[0].iterancestors()) if len(self.events) == 1 else [self.root]

    def of_message(self, name: str) -> list[Element]:
        """Return the properties of this name of the message: of the nearest element around the event that has any, or deeper ones."""
        found = (list(self.children(each, name)) for each in self.around)
        return next((each for each in found if each), []) or self.nearest(self.root, name)

    def document(self, head: Document, dates: Dates) -> tuple[Document, list[str]]:
        """Return the submission as JSON would carry it, and the names of the elements that are ignored."""
        event = self.event()
        body = head | self.body(event) | drop_empty(notification_subtypes=self.notification_subtypes(event))
        action = self.action_date(event, dates(body))
        details, ignored = self.details(event, action[0] if action else "")
        document = body | ({"action_at": action[1]} if action else {})
        check_required(document)
        return document | {"details": details}, ignored

    def event(self) -> Element:
        """Return the one event element: the one that holds the one EventType (specification §2.1)."""
        events = [each for each in self.root if local_name(each.tag).endswith("Event")]
        if len(self.events) != 1 or len(events) > 1:
            detail = f"The message has {len(self.holders_of_type)} EventType in {len(events)} event elements; it needs one in one."
            raise Rejection("event_type_count", detail)
        return self.events[0]

    def body(self, event: Element) -> Document:
        """Return the fields of the message, without notification subtypes and dates."""
        cases = self.cases(event)
        compact = next(iter(self.elements_with_content("CompactCase")), None)
        return drop_empty(
            **{field: self.only(name, of=event) for field, name in CODES.items()},
            event_id=self.text(event, "ActivityIdentification", "IdentificationID"),
            offenders=offenders(self, event),
            case=drop_empty(
                number="; ".join(dict.fromkeys(number for each in cases if (number := self.docket(each)))),
                court=next((court for each in cases if (court := self.deep_text(each, "CourtName"))), None),
            ),
            status=self.status(event),
            location=self.place(self.first(event, "ActivityLocation")),
            from_location=self.place(self.first(event, "PreviousLocation")),
            compact=drop_empty(
                sending_state=self.deep_text(compact, "SendingStateCode"),
                receiving_state=self.deep_text(compact, "ReceivingStateCode"),
                case_number=self.deep_text(compact, "CaseNumber"),
                report_by=next((self.date(each) for each in self.nearest(compact, "ReportByDate")), None) if compact is not None else None,
            ),
            remarks=self.text(event, "ActivityDescriptionText"),
        )

    def cases(self, event: Element) -> list[Element]:
        """Return the cases that the message or its event is about, possibly several; otherwise the first one anywhere in it."""
        found = self.elements_with_content("Case")
        about = [each for each in found if each.getparent() in {*self.around, event}]
        return about or [*self.children(event, "Case"), *found][:1]

    def docket(self, case: Element) -> str | None:
        return self.text(case, "CaseDocketID") or self.text(case, "CaseTrackingID")

    def status(self, event: Element) -> str | None:
        """Return the status after the event; rejects an event with two different ones."""
        if len(self.nearest(event, "SupervisionCustodyStatus")) > 1:
            return self.only("SupervisionCustodyStatus", "StatusDescriptionText", of=event)
        return self.deep_text(self.first(event, "SupervisionCustodyStatus"), "StatusDescriptionText")

    def first(self, event: Element, name: str) -> Element | None:
        """Return the event's property of this name, otherwise the first one in the message."""
        return next(iter((*self.nearest(event, name), *self.elements_with_content(name))), None)

    def place(self, element: Element | None) -> Document:
        return drop_empty(kind=self.deep_text(element, "LocationCategoryText"), name=self.deep_text(element, "LocationName"))

    def deep_text(self, element: Element | None, name: str, *path: str, referring: bool = False) -> str | None:
        """Return the text of the nearest element of this name, or along a path of properties from it; `referring` follows references."""
        found = (self.nearest(element, name) or (referring and self.descendants_named(element, name)) or []) if element is not None else []
        return next((text for each in found if (text := self.text(each, *path))), None)

    def only(self, name: str, *path: str, of: Element | None = None) -> str | None:
        """Return the one text of these properties, of the message by default; rejects two different ones, since either might be meant."""
        places = self.of_message(name) if of is None else self.nearest(of, name)
        found = {text: None for each in places if (text := self.text(each, *path))}
        if len(found) > 1:
            raise Rejection("doubled_field", f"The message has two different values of {'/'.join((name, *path))}.")
        return next(iter(found), None)

    def notification_subtypes(self, event: Element) -> list[Document]:
        """Return the subtypes with the validations that associations tie to them (specification §2.5, §3)."""
        self.check_references()
        subtypes, validations = self.nearest(event, "NotificationSubtype"), self.nearest(event, "NotificationValidation")
        tied = self.validations_by_subtype(subtypes, validations)
        loose = [each for each in validations if not any(each in ties for ties in tied.values())]
        if loose:
            raise Rejection("orphan_validation", f"{len(loose)} NotificationValidation of the event are tied to no NotificationSubtype.")
        return [
            {"subtype": text_of(subtype), "validations": [text_of(each) for each in validations if each in tied.get(subtype, ())]}
            for subtype in subtypes
        ]

    def validations_by_subtype(self, subtypes: list[Element], validations: list[Element]) -> dict[Element, list[Element]]:
        """Return the validations of each subtype; both ends of every association must be of the kind they name."""
        found: dict[Element, list[Element]] = {}
        for association in self.elements_with_content("NotificationSubtypeValidationAssociation"):
            for subtype in self.ends(association, "NotificationSubtype", subtypes):
                found.setdefault(subtype, []).extend(self.ends(association, "NotificationValidation", validations))
        return found

    def ends(self, association: Element, name: str, among: list[Element]) -> list[Element]:
        """Return the elements of the event that the association names."""
        ends = [self.resolve(each) for each in self.members(association) if base_name(each.tag) == name]
        elements = [found for end in ends for found in end]
        if not elements or not all(ends) or any(each not in among for each in elements):
            raise Rejection("dangling_reference", f"An association refers to no {name} of the event.")
        return elements

    def action_date(self, event: Element, names: tuple[str, ...]) -> tuple[str, str] | None:
        """Return element and text of the action date: the first name present in the event's properties, deeper within it, or elsewhere."""
        for name in names:
            for places in (self.nearest(event, name), self.elements_with_content(name)):
                found = {text: None for each in places if (text := self.date(each))}
                if len(found) > 1:
                    raise Rejection("doubled_field", f"The message has two different values of {name}.")
                if found:
                    return name, next(iter(found))
        return None

    def details(self, event: Element, action: str) -> tuple[dict[str, str], list[str]]:
        """Return the event's other simple elements, and the names of elements that are ignored."""
        details: dict[str, str] = {}
        ignored = [name for each in self.root if (name := local_name(each.tag)) not in ENVELOPE and each is not event]
        for element in event:
            name = local_name(element.tag)
            if name in MAPPED or name == action or not has_content(element) or role_of(name) in KNOWN:
                continue
            texts = [text for each in element.iter() if len(each) == 0 and (text := text_of(each))]
            if len(texts) == 1:
                details[name] = f"{details[name]}; {texts[0]}" if name in details else texts[0]
            elif texts:
                ignored.append(name)
        return details, ignored


def check_required(document: Document) -> None:
    """Reject a message without a required field, and name the element that is missing."""
    for field, reason, element in REQUIRED:
        holder, _, inner = field.partition(".")
        value = document.get(holder)
        if not (value.get(inner) if inner and isinstance(value, dict) else value):
            raise Rejection(reason, f"The field {field} is missing: the message has no element {element}.")
