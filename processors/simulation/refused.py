"""What is not let in: for each reason, what an agency might send that has it (contract §3)."""

import json
from collections.abc import Callable
from typing import Any, Final

from processors.simulation.markup import xml

Document = dict[str, Any]
LARGER: Final = 1_100_000  # than the 1 MiB that are taken


def with_(**fields: Any) -> Callable[[Document], str]:
    """Return what sends a message with these fields instead of its own."""
    return lambda document: json.dumps({**document, **fields})


def without(field: str) -> Callable[[Document], str]:
    return lambda document: json.dumps({name: value for name, value in document.items() if name != field})


def edited(old: str, new: str) -> Callable[[Document], str]:
    """Return what sends the message as XML, with something in it exchanged."""
    return lambda document: xml(document).replace(old, new, 1)


def validated(document: Document) -> Document:
    """Return the document with a validation tied to its first notification subtype, as the ways below need one."""
    subtypes = document["notification_subtypes"]
    if subtypes and subtypes[0]["validations"]:
        return document
    return {**document, "notification_subtypes": [{"subtype": "Validate", "validations": ["Date"]}]}


def mistied(old: str, new: str) -> Callable[[Document], str]:
    """Return what sends the message as XML, with a reference in it exchanged."""
    return lambda document: edited(old, new)(validated(document))


def untied(document: Document) -> str:
    """Return the message as XML whose validations are tied to nothing."""
    head, _, rest = xml(validated(document)).partition("<vn-structures:RelatedAssociations>")
    return head + rest.partition("</vn-structures:RelatedAssociations>")[2]


WAYS: Final[tuple[tuple[str, Callable[[Document], str]], ...]] = (
    ("malformed", lambda document: json.dumps(document)[:-40]),
    ("malformed", edited("</vn:SubmitMessage>", "")),
    ("doctype", edited("<vn:SubmitMessage", '<!DOCTYPE x [<!ENTITY e "e">]><vn:SubmitMessage')),
    ("too_large", json.dumps),
    ("unknown_format", lambda _: "the offender was released this morning"),
    ("event_type_count", edited("<vn-ext:EventType>", "<vn-ext:EventType>Jail</vn-ext:EventType><vn-ext:EventType>")),
    ("event_type_count", without("event_type")),
    ("unknown_code", with_(event_subtype="Teleportation")),
    ("unknown_code", with_(compact={"sending_state": "VA", "receiving_state": "GU"})),
    ("subtype_not_allowed", with_(event_type="Jail", event_subtype="Departure", notification_type="Movement")),
    ("subtype_not_allowed", with_(event_type="Jail", event_subtype="Escape", notification_type="Movement")),
    ("no_notification_subtype", with_(notification_subtypes=[])),
    ("orphan_validation", untied),
    ("dangling_reference", mistied('s:ref="V0-0"', 's:ref="V9-9"')),
    ("doubled_reference", mistied('s:id="V0-0"', 's:id="S0"')),
    ("no_offender", with_(offenders=[])),
    ("offender_not_identified", with_(offenders=[{"identifiers": [], "name": {"given": "Nobody"}}])),
    ("unreadable_date", with_(action_at="next Tuesday")),
    ("missing_field", without("message_id")),
    ("wrong_type", with_(offenders="everybody")),
    ("bad_id", with_(message_id="M" * 300)),
    ("too_long", with_(status="free " * 300)),
)


def refused(place: int, document: Document) -> tuple[str, str, int]:
    """Return the reason of one way to be refused, what is sent, and to which size it is filled up."""
    reason, way = WAYS[place % len(WAYS)]
    return reason, way(document), LARGER if reason == "too_large" else 0
