"""
Remembers messages for `duplicate.window`, for a Cancel or Update that refers to them.

Each message has its own expiry. Messages next to each other in the intake share a page with one timer and are forgotten page by page,
so that remembering a message writes little else.
"""

from collections.abc import Iterable
from typing import Final

from processors.ingest.identify.state import EarlierMessage, MessagePage, State, States, find
from processors.stage import Decision

PAGE: Final = 32  # offsets


def page_key(page: int) -> str:
    """Return the key of the page with this number: the intake offset divided by PAGE."""
    return f"f{page}"


def page_keys(key: str, states: States) -> Iterable[str]:
    """Return the keys needed to forget the messages of a page."""
    page = find(states, key, MessagePage)
    return (key, *page.messages) if page is not None else (key,)


def remember_message(states: States, page_key: str, key: str, message: EarlierMessage) -> Decision[State]:
    """Remember the message, and add its key to its page; the page is due when its first message expires."""
    page = find(states, page_key, MessagePage)
    grown = MessagePage((key,), message.until) if page is None else MessagePage((*page.messages, key), page.until)
    return Decision(states={page_key: grown, key: message})


def find_message(states: States, key: str, at: int) -> EarlierMessage | None:
    """Return the remembered message; None if it has expired."""
    found = find(states, key, EarlierMessage)
    return found if found is not None and found.until > at else None


def forget_expired(states: States, key: str, page: MessagePage, at: int) -> Decision[State]:
    """Forget the expired messages of a page; the page is due again when the last remaining message expires."""
    left = {each: found.until for each in page.messages if (found := find_message(states, each, at))}
    changes: dict[str, State | None] = {each: None for each in page.messages if each not in left}
    changes[key] = MessagePage(tuple(left), max(left.values())) if left else None
    return Decision(states=changes)
