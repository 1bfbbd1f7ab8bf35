"""
Documents that grow with the number of registrants, in pages, so that none outgrows one record and adding writes one page.

A short list is in its document alone. A longer one is in pages, of which the document says how many there are. The page of
a registration follows from its id; when one is full, their number is doubled.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from zlib import crc32

from processors.domain.room import crowded_out
from processors.match.state import ActiveRegistration, ActiveRegistrations, State, ToldEvents, ToldRegistrants

REGISTRATIONS: Final = 100  # of one page
REGISTRANTS: Final = 1_000  # of one page of those told
LISTED: Final = 1_000  # told events that a merge takes along: as many as dedupe remembers of one offender
MARK: Final = "\v"  # between a document's key and the number of its page: it is in no id

Registrants = Mapping[str, tuple[str, ...]]


def page_key(key: str, page: int) -> str:
    return f"{key}{MARK}{page}"


def page_keys(key: str, found: Mapping[str, State]) -> Iterable[str]:
    """Return the keys of a document's pages."""
    pages = getattr(found.get(key), "pages", 0)
    return [page_key(key, page) for page in range(pages)] if pages else ()


# registrations


def home_of(registration_id: str, offender: str, found: Mapping[str, State]) -> str:
    """Return the key of the document that a registration is in, or belongs in."""
    document = found.get(offender)
    pages = document.pages if isinstance(document, ActiveRegistrations) else 0
    return page_key(offender, page_of(registration_id, pages)) if pages else offender


def page_of(registration_id: str, pages: int) -> int:
    return crc32(registration_id.encode()) % pages


def registrations_in(key: str, found: Mapping[str, State]) -> tuple[ActiveRegistration, ...]:
    """Return the registrations of one document."""
    document = found.get(key)
    return document.registrations if document is not None and isinstance(document, ActiveRegistrations) else ()


def registrations_of(found: Mapping[str, State], offender: str) -> tuple[ActiveRegistration, ...]:
    """Return all registrations for an offender."""
    first = registrations_in(offender, found)
    others = [each for page in page_keys(offender, found) for each in registrations_in(page, found)]
    return (*first, *others) if others else first


def is_full(key: str, found: Mapping[str, State]) -> bool:
    return len(registrations_in(key, found)) >= REGISTRATIONS


def need_more_pages(registrations: tuple[ActiveRegistration, ...]) -> bool:
    """Whether these are too many for one page."""
    return len(registrations) > REGISTRATIONS


def registration_documents(
    offender: str, registrations: Iterable[ActiveRegistration], found: Mapping[str, State]
) -> dict[str, State | None]:
    """Return an offender's registrations, all of them, in as many pages as they need, in place of the pages there were."""
    everything = sorted(registrations, key=lambda each: each.registration_id)
    old = dict.fromkeys([offender, *page_keys(offender, found)])
    if len(everything) <= REGISTRATIONS:
        return {**old, offender: ActiveRegistrations(tuple(everything)) if everything else None}
    pages = 2
    while max(map(len, (spread := spread_over(everything, pages)))) > REGISTRATIONS:
        pages *= 2
    written = {page_key(offender, page): ActiveRegistrations(tuple(each)) for page, each in enumerate(spread) if each}
    return {**old, offender: ActiveRegistrations((), pages), **written}


def spread_over(registrations: Iterable[ActiveRegistration], pages: int) -> list[list[ActiveRegistration]]:
    """Return the registrations by their page."""
    spread: list[list[ActiveRegistration]] = [[] for _ in range(pages)]
    for each in registrations:
        spread[page_of(each.registration_id, pages)].append(each)
    return spread


# who was told


def told_of(key: str, found: Mapping[str, State]) -> dict[str, tuple[str, ...]]:
    """Return who was told of an event, on whatever page."""
    told: dict[str, tuple[str, ...]] = {}
    for each in (key, *page_keys(key, found)):
        document = found.get(each)
        if document is not None and isinstance(document, ToldRegistrants):
            told |= document.registrants
    return told


def told_documents(
    key: str, registrants: Registrants, until: int, found: Mapping[str, State], first: Registrants | None = None
) -> dict[str, State | None]:
    """Return who was told of an event in as many pages as they need, in place of those there were; `first` have the first, alone."""
    documents: dict[str, State | None] = dict.fromkeys(page_keys(key, found))
    names = sorted(registrants)
    if len(names) <= REGISTRANTS:
        return {**documents, key: ToldRegistrants({each: registrants[each] for each in names}, until)}
    groups = [names] if first is None else [[each for each in names if each in first], [each for each in names if each not in first]]
    parts = [group[at : at + REGISTRANTS] for group in groups for at in range(0, len(group), REGISTRANTS)]
    for page, part in enumerate(parts):
        documents[page_key(key, page)] = ToldRegistrants({each: registrants[each] for each in part}, until)
    return {**documents, key: ToldRegistrants({}, until, len(parts))}


def list_of_told(until: dict[str, int]) -> ToldEvents | None:
    """
    Return the list of an offender's told events, with as many as a merge takes along: without those that are forgotten soonest.

    Who was told of one that goes from the list is remembered as long as otherwise, for a change or cancellation under this key.
    """
    if len(until) > LISTED:
        gone = dict(crowded_out(until.items(), LISTED, lambda told: told[0].split("\t")[1], lambda told: (told[1], told[0])))
        until = {key: at for key, at in until.items() if key not in gone}
    return ToldEvents(until) if until else None


def told_page(key: str, page: int, found: Mapping[str, State | None]) -> Registrants:
    """Return those of one page."""
    document = found.get(page_key(key, page))
    return document.registrants if isinstance(document, ToldRegistrants) else {}


def pages_of(registrants: Registrants) -> int:
    """Return on how many pages these are; 0 if they need none."""
    return -(-len(registrants) // REGISTRANTS) if len(registrants) > REGISTRANTS else 0


def no_documents(key: str, found: Mapping[str, State]) -> dict[str, State | None]:
    """Return the change that forgets a document with its pages."""
    return dict.fromkeys([key, *page_keys(key, found)] if key in found else [])
