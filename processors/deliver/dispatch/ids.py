"""Ids that are digests of what is told and to whom: a replayed decision gives the same ids."""

from hashlib import blake2b

import msgspec

from processors.deliver.state import NOTIFICATION_DIGITS, Notice


def notification_id(registrant_id: str, notices: tuple[Notice, ...]) -> str:
    """Return the id of a notification, the same for every channel, contact and attempt."""
    first = notices[0]
    told = sorted((notice.message_id, notice.part) for notice in notices)
    return digest(16, registrant_id, first.ori, first.event_subtype, first.action_at, first.telling, told)


def reference(registrant_id: str, notification: str, contact: str, number: int) -> str:
    """Return the provider's idempotency key of one attempt; it also identifies registrant and notification."""
    return f"{registrant_id}.{notification[:NOTIFICATION_DIGITS]}{digest(4, notification, contact, number)}"


def digest(size: int, *parts: object) -> str:
    """Return a digest of the parts in hexadecimal, `size` bytes long."""
    return blake2b(msgspec.json.encode(parts), digest_size=size).hexdigest()
