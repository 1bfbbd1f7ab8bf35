"""The recipients of an event: those whose registrations cover it, and those who were told of it before."""

from collections.abc import Iterable, Mapping
from typing import Final

from processors.domain.docket import docket_keys
from processors.domain.event import Event
from processors.domain.normalize import normalize
from processors.match.pages import Registrants
from processors.match.state import ActiveRegistration, Choice

NOBODY: Final[Mapping[str, tuple[str, ...]]] = {}


def recipients(event: Event, before: Registrants, registrations: tuple[ActiveRegistration, ...]) -> Registrants:
    """Return who is to be told of the event, given who was told before."""
    if event.telling == "cancellation":
        return before
    now = registrants_covering(event, registrations) if registrations else NOBODY
    if event.withheld:
        return {each: ids for each, ids in now.items() if each not in before}
    return now if event.telling == "news" else union(before, now)


def registrants_covering(event: Event, registrations: Iterable[ActiveRegistration]) -> Registrants:
    """Return the registrants whose registrations cover the event, each with the ids of these registrations."""
    found: dict[str, list[str]] = {}
    numbers = comparable_numbers(event.case_number)
    if numbers and event.compact_case:
        numbers |= comparable_numbers(event.compact_case)
    subtype = normalize(event.event_subtype)
    for each in registrations:
        choice = choice_at(each, event.seq)
        if choice is not None and covers(choice, subtype, numbers, event.received_at):
            found.setdefault(each.registrant_id, []).append(each.registration_id)
    return {registrant: tuple(sorted(ids)) for registrant, ids in found.items()}


def choice_at(registration: ActiveRegistration, seq: int) -> Choice | None:
    """Return what the registrant had chosen when the message with that offset was received."""
    return next((each for each in reversed(registration.choices) if each.seq < seq), None)


def comparable_numbers(*numbers: str | None) -> frozenset[str]:
    """Return case numbers in comparable form."""
    return frozenset().union(*[docket_keys(number) for number in numbers if number])


def covers(choice: Choice, subtype: str, numbers: frozenset[str], at: int) -> bool:
    return (
        (choice.expires_at is None or choice.expires_at > at)
        and (not choice.event_subtypes or subtype in choice.event_subtypes)
        and (not choice.case_numbers or not numbers or not numbers.isdisjoint(choice.case_numbers))
    )


def union(some: Registrants, others: Registrants) -> dict[str, tuple[str, ...]]:
    """Return the registrants of both, in order, each with the registrations of both."""
    return {each: tuple(sorted({*some.get(each, ()), *others.get(each, ())})) for each in sorted({*some, *others})}
