"""Which agency event a message is about."""

from processors.domain.event import Event


def is_later(event: Event) -> bool:
    """Whether the message is about an agency event that another message told of first."""
    return event.operation != "Add" or event.root not in {None, event.message_id}


def chain_of(event: Event) -> str:
    """Return what every message about the same agency event has in common: the agency, and the first message about it."""
    return f"{event.ori}\n{event.root or event.refers_to or event.message_id}"
