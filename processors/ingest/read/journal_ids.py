"""The ids by which the journal names a record; nothing that looks like an address is shown there."""

from typing import Any, Final

from msgspec import Struct

from processors.ingest.read.ids import MAX_ID, looks_like_address

NO_ID: Final = "-"


class JournalIds(Struct, frozen=True, gc=False):
    """A record's own id, a submission's ORI, and the registrant it is about; `-` for one that cannot be shown."""

    message_id: str = NO_ID
    ori: str | None = None
    registrant_id: str = NO_ID


NO_AGENCY: Final = JournalIds(ori=NO_ID)


def submission_journal_ids(message_id: Any, ori: Any) -> JournalIds:
    return JournalIds(readable_id(message_id), readable_id(ori))


def readable_id(value: Any) -> str:
    """Return an id as the journal may show it."""
    return value if isinstance(value, str) and 0 < len(value) <= MAX_ID and value.isprintable() else NO_ID


def private_id(value: Any) -> str:
    """Return the id of a registration as the journal may show it: nothing that looks like an address."""
    return NO_ID if isinstance(value, str) and looks_like_address(value) else readable_id(value)
