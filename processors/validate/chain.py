"""The agency event that a message is about, named by the chain of its messages."""

from processors.domain.event import Event


def is_later(event: Event) -> bool:
    """Whether an earlier message was about the same agency event."""
    return event.operation != "Add" or (event.root is not None and event.root != event.message_id)


def chain_of(event: Event) -> str:
    """Return the key shared by all messages about one agency event: the agency and the id of the first message."""
    return f"{event.ori}\n{event.root or event.refers_to or event.message_id}"
