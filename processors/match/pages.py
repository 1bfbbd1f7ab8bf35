"""
Pages of documents that grow with the number of registrants, so that none outgrows one record and an addition writes one page.

A short list is stored in its document. A longer one is split into pages, and the document holds their number. A hash of its id
decides on which page a registration is; when a page is full, the number of pages is doubled.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from zlib import crc32

from processors.domain.limits import crowded_out
from processors.match.state import ActiveRegistration, ActiveRegistrations, State, ToldEvents, ToldRegistrants

REGISTRATIONS_PER_PAGE: Final = 100
REGISTRANTS_PER_PAGE: Final = 1_000  # told of one event
MAX_TOLD_EVENTS: Final = 1_000  # listed for a merge: as many as dedupe remembers of one offender
PAGE_SEPARATOR: Final = "\v"  # between a document's key and a page number; no id contains it

Registrants = Mapping[str, tuple[str, ...]]


def page_key(key: str, page: int) -> str:
    return f"{key}{PAGE_SEPARATOR}{page}"


def page_keys(key: str, found: Mapping[str, State]) -> Iterable[str]:
    """Return the keys of a document's pages."""
    pages = getattr(found.get(key), "pages", 0)
    return [page_key(key, page) for page in range(pages)] if pages else ()


# registrations


def registration_page_key(registration_id: str, offender: str, found: Mapping[str, State]) -> str:
    """Return the key of the document or page that a registration belongs to."""
    document = found.get(offender)
    pages = document.pages if isinstance(document, ActiveRegistrations) else 0
    return page_key(offender, page_number(registration_id, pages)) if pages else offender


def page_number(registration_id: str, pages: int) -> int:
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
    return len(registrations_in(key, found)) >= REGISTRATIONS_PER_PAGE


def need_more_pages(registrations: tuple[ActiveRegistration, ...]) -> bool:
    """Whether these are too many for one page."""
    return len(registrations) > REGISTRATIONS_PER_PAGE


def registration_documents(
    offender: str, registrations: Iterable[ActiveRegistration], found: Mapping[str, State]
) -> dict[str, State | None]:
    """Return the documents of all of an offender's registrations, in as many pages as needed; they replace the former pages."""
    everything = sorted(registrations, key=lambda each: each.registration_id)
    old = dict.fromkeys([offender, *page_keys(offender, found)])
    if len(everything) <= REGISTRATIONS_PER_PAGE:
        return {**old, offender: ActiveRegistrations(tuple(everything)) if everything else None}
    pages = 2
    while max(map(len, (spread := grouped_by_page(everything, pages)))) > REGISTRATIONS_PER_PAGE:
        pages *= 2
    written = {page_key(offender, page): ActiveRegistrations(tuple(each)) for page, each in enumerate(spread) if each}
    return {**old, offender: ActiveRegistrations((), pages), **written}


def grouped_by_page(registrations: Iterable[ActiveRegistration], pages: int) -> list[list[ActiveRegistration]]:
    """Return the registrations grouped by page."""
    spread: list[list[ActiveRegistration]] = [[] for _ in range(pages)]
    for each in registrations:
        spread[page_number(each.registration_id, pages)].append(each)
    return spread


# who was told


def told_registrants(key: str, found: Mapping[str, State]) -> dict[str, tuple[str, ...]]:
    """Return who was told of an event, from all pages."""
    told: dict[str, tuple[str, ...]] = {}
    for each in (key, *page_keys(key, found)):
        document = found.get(each)
        if document is not None and isinstance(document, ToldRegistrants):
            told |= document.registrants
    return told


def told_documents(
    key: str, registrants: Registrants, until: int, found: Mapping[str, State], first: Registrants | None = None
) -> dict[str, State | None]:
    """Return the documents of those told of an event, in as many pages as needed; those in `first` come first, on their own pages."""
    documents: dict[str, State | None] = dict.fromkeys(page_keys(key, found))
    names = sorted(registrants)
    if len(names) <= REGISTRANTS_PER_PAGE:
        return {**documents, key: ToldRegistrants({each: registrants[each] for each in names}, until)}
    groups = [names] if first is None else [[each for each in names if each in first], [each for each in names if each not in first]]
    parts = [group[at : at + REGISTRANTS_PER_PAGE] for group in groups for at in range(0, len(group), REGISTRANTS_PER_PAGE)]
    for page, part in enumerate(parts):
        documents[page_key(key, page)] = ToldRegistrants({each: registrants[each] for each in part}, until)
    return {**documents, key: ToldRegistrants({}, until, len(parts))}


def told_events_document(until: dict[str, int]) -> ToldEvents | None:
    """
    Return the document that lists an offender's told events for a merge; beyond MAX_TOLD_EVENTS, those that expire first are left out.

    Who was told of an event that is left out is still remembered, for a change or cancellation under this key.
    """
    if len(until) > MAX_TOLD_EVENTS:
        gone = dict(crowded_out(until.items(), MAX_TOLD_EVENTS, lambda told: told[0].split("\t")[1], lambda told: (told[1], told[0])))
        until = {key: at for key, at in until.items() if key not in gone}
    return ToldEvents(until) if until else None


def registrants_on_page(key: str, page: int, found: Mapping[str, State | None]) -> Registrants:
    """Return the registrants on one page."""
    document = found.get(page_key(key, page))
    return document.registrants if isinstance(document, ToldRegistrants) else {}


def page_count(registrants: Registrants) -> int:
    """Return how many pages these registrants need; 0 if they fit in one document."""
    return -(-len(registrants) // REGISTRANTS_PER_PAGE) if len(registrants) > REGISTRANTS_PER_PAGE else 0


def deleted_documents(key: str, found: Mapping[str, State]) -> dict[str, State | None]:
    """Return the state change that deletes a document and its pages."""
    return dict.fromkeys([key, *page_keys(key, found)] if key in found else [])
