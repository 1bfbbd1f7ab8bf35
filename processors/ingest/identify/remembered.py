"""
Messages are remembered for the Cancel or Update that refers to them, for `duplicate.window`.

Each is remembered until a time of its own, and nothing later finds it. Messages next to each other in the intake share a
page and its one timer, and are forgotten by the page, so that remembering a message writes little beside it.
"""

from collections.abc import Iterable
from typing import Final

from processors.ingest.identify.state import EarlierMessage, MessagePage, State, States, find
from processors.stage import Decision

PAGE: Final = 32  # offsets


def page_key(page: int) -> str:
    """Return the key of the page of this number: the intake's offset divided by the page's length."""
    return f"f{page}"


def page_keys(key: str, states: States) -> Iterable[str]:
    """Return the states that forgetting the messages of a page needs."""
    page = find(states, key, MessagePage)
    return (key, *page.messages) if page is not None else (key,)


def remember(states: States, page_key: str, key: str, message: EarlierMessage) -> Decision[State]:
    """Keep the message, and its key on its page, which is due with its first message."""
    page = find(states, page_key, MessagePage)
    grown = MessagePage((key,), message.until) if page is None else MessagePage((*page.messages, key), page.until)
    return Decision(states={page_key: grown, key: message})


def recall(states: States, key: str | None, at: int) -> EarlierMessage | None:
    """Return what is remembered of a message at this time."""
    found = find(states, key, EarlierMessage)
    return found if found is not None and found.until > at else None


def forget(states: States, key: str, page: MessagePage, at: int) -> Decision[State]:
    """Forget the messages of a page that are past; the page is due again with the last of the others."""
    left = {each: found.until for each in page.messages if (found := recall(states, each, at))}
    changes: dict[str, State | None] = {each: None for each in page.messages if each not in left}
    changes[key] = MessagePage(tuple(left), max(left.values())) if left else None
    return Decision(states=changes)
