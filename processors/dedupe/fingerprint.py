"""
Fingerprints tell whether two messages are about the same event (contract §3.1.1); also, what an Update changed.

Compared are the agency, the kind of event and the fields that the rules name for the subtype (`EventCode.same`), but not
message_id, event_id, sent_at or remarks. Case, spaces and punctuation are ignored. Statuses and kinds of location are compared by
meaning, so that a synonym makes no difference.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Final

from processors.domain.docket import compared_dockets
from processors.domain.event import Change, Event
from processors.domain.normalize import normalize
from processors.domain.time import iso
from processors.rules.rule_set import EventCode, RuleSet

KIND_FIELDS: Final = ("event_type", "event_subtype", "notification_type")
DEFAULT_FIELDS: Final = EventCode("", "", ()).same  # for a kind of event that is not (or no longer) in any rule file


def compared_fields(event: Event, rule_set: RuleSet) -> dict[str, str]:
    """Return the fields that identify events of this kind, in comparable form; a missing value is empty."""
    return {name: compared_value(event, name, rule_set) if getattr(event, name) else "" for name in identifying_fields(event, rule_set)}


def fingerprint(event: Event, compared: Mapping[str, str]) -> str:
    """Return a digest that is the same for all messages of one agency about one offender and one event."""
    return digest(event, compared.values())


def digest(event: Event, fields: Iterable[str]) -> str:
    kind = (event.ori, event.event_type, event.event_subtype, event.notification_type)
    return blake2b("\x1f".join((*kind, *fields)).encode(), digest_size=8).hexdigest()


def earlier_fingerprint(event: Event, compared: Mapping[str, str]) -> str | None:
    """
    Return the fingerprint of an earlier version, which compared only the letters and digits of a docket number.

    None if the message has no docket number. Events from before the upgrade are recognized by it for `duplicate.window`.
    """
    if "case_number" not in compared or not event.case_number:
        return None
    return digest(event, {**compared, "case_number": normalize(event.case_number)}.values())


def changes(old: Event, new: Event, rule_set: RuleSet) -> tuple[Change, ...]:
    """Return the differences that a registrant who was told `old` must be told."""
    names = dict.fromkeys((*KIND_FIELDS, *identifying_fields(old, rule_set), *identifying_fields(new, rule_set)))
    return tuple(
        Change(name, written_value(old, name, rule_set), written_value(new, name, rule_set))
        for name in names
        if compared_value(old, name, rule_set) != compared_value(new, name, rule_set)
    )


def identifying_fields(event: Event, rule_set: RuleSet) -> tuple[str, ...]:
    """Return the names of the fields that identify events of this kind."""
    code = rule_set.code(event.event_type, event.event_subtype)
    return DEFAULT_FIELDS if code is None else code.same


def compared_value(event: Event, name: str, rule_set: RuleSet) -> str:
    """Return a field's value in comparable form."""
    reading = _COMPARED.get(name)
    return normalize(getattr(event, name) or "") if reading is None else reading(event, rule_set)


def written_value(event: Event, name: str, rule_set: RuleSet) -> str:
    """Return a field's value for a `Change`: in the agency's words; the action date as an ISO 8601 date or instant."""
    if name != "action_at":
        return getattr(event, name) or ""
    if event.date_only:
        return datetime.fromtimestamp(event.action_at / 1000, rule_set.zone_of(event.ori)).date().isoformat()
    return iso(event.action_at)


def _instant(event: Event, _: RuleSet) -> str:
    return f"{event.action_at} day" if event.date_only else str(event.action_at)


def _case_number(event: Event, _: RuleSet) -> str:
    return "; ".join(sorted(compared_dockets(event.case_number or "")))


def _status(event: Event, rule_set: RuleSet) -> str:
    text = event.status or ""
    known = rule_set.status(text)
    return normalize(known.name if known else text)


def _location(event: Event, rule_set: RuleSet) -> str:
    text = event.location_kind or ""
    known = rule_set.location(text)
    return normalize(known.name if known else text)


_COMPARED: Final[Mapping[str, Callable[[Event, RuleSet], str]]] = {
    "action_at": _instant,
    "case_number": _case_number,
    "status": _status,
    "location_kind": _location,
}
