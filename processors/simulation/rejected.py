"""Submissions that ingest must reject, with a fault for each reason (contract §3)."""

import json
from collections.abc import Callable
from typing import Any, Final

from processors.simulation.markup import xml

Document = dict[str, Any]
TOO_LARGE: Final = 1_100_000  # than the 1 MiB that are taken


def with_fields(**fields: Any) -> Callable[[Document], str]:
    """Return a fault: the message with these fields replaced."""
    return lambda document: json.dumps({**document, **fields})


def without(field: str) -> Callable[[Document], str]:
    return lambda document: json.dumps({name: value for name, value in document.items() if name != field})


def xml_with(old: str, new: str) -> Callable[[Document], str]:
    """Return a fault: the message as XML with `old` replaced by `new`."""
    return lambda document: xml(document).replace(old, new, 1)


def with_validation(document: Document) -> Document:
    """Return the document with a validation tied to its first notification subtype, which the faults below need."""
    subtypes = document["notification_subtypes"]
    if subtypes and subtypes[0]["validations"]:
        return document
    return {**document, "notification_subtypes": [{"subtype": "Validate", "validations": ["Date"]}]}


def with_wrong_reference(old: str, new: str) -> Callable[[Document], str]:
    """Return a fault: the message as XML with a wrong reference."""
    return lambda document: xml_with(old, new)(with_validation(document))


def without_associations(document: Document) -> str:
    """Return the message as XML without the associations of its validations."""
    head, _, rest = xml(with_validation(document)).partition("<vn-structures:RelatedAssociations>")
    return head + rest.partition("</vn-structures:RelatedAssociations>")[2]


FAULTS: Final[tuple[tuple[str, Callable[[Document], str]], ...]] = (
    ("malformed", lambda document: json.dumps(document)[:-40]),
    ("malformed", xml_with("</vn:SubmitMessage>", "")),
    ("doctype", xml_with("<vn:SubmitMessage", '<!DOCTYPE x [<!ENTITY e "e">]><vn:SubmitMessage')),
    ("too_large", json.dumps),
    ("unknown_format", lambda _: "the offender was released this morning"),
    ("event_type_count", xml_with("<vn-ext:EventType>", "<vn-ext:EventType>Jail</vn-ext:EventType><vn-ext:EventType>")),
    ("event_type_count", without("event_type")),
    ("unknown_code", with_fields(event_subtype="Teleportation")),
    ("unknown_code", with_fields(compact={"sending_state": "VA", "receiving_state": "GU"})),
    ("subtype_not_allowed", with_fields(event_type="Jail", event_subtype="Departure", notification_type="Movement")),
    ("subtype_not_allowed", with_fields(event_type="Jail", event_subtype="Escape", notification_type="Movement")),
    ("no_notification_subtype", with_fields(notification_subtypes=[])),
    ("orphan_validation", without_associations),
    ("dangling_reference", with_wrong_reference('s:ref="V0-0"', 's:ref="V9-9"')),
    ("doubled_reference", with_wrong_reference('s:id="V0-0"', 's:id="S0"')),
    ("no_offender", with_fields(offenders=[])),
    ("offender_not_identified", with_fields(offenders=[{"identifiers": [], "name": {"given": "Nobody"}}])),
    ("unreadable_date", with_fields(action_at="next Tuesday")),
    ("missing_field", without("message_id")),
    ("wrong_type", with_fields(offenders="everybody")),
    ("bad_id", with_fields(message_id="M" * 300)),
    ("too_long", with_fields(status="free " * 300)),
)


def rejected_content(number: int, document: Document) -> tuple[str, str, int]:
    """Return the reason of one fault, the faulty content, and the size up to which it is padded."""
    reason, fault = FAULTS[number % len(FAULTS)]
    return reason, fault(document), TOO_LARGE if reason == "too_large" else 0
