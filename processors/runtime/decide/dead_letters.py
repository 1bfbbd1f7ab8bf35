"""Dead letters of the pipeline's own records that cannot be read, and the limit on them."""

import hashlib
from collections import deque
from typing import Final

from processors.domain.journal import DeadLetter, Unreadable
from processors.runtime.errors import Stop
from processors.stage import Record

IN_A_ROW: Final = 50
SHARE: Final = 0.05
OF_LAST: Final = 1_000


class DeadLetterLimit:
    """
    Stops a stage that cannot read too many of the pipeline's own records: a bad deploy must not dead-letter everything.

    Bad input from outside is not counted.
    """

    def __init__(self) -> None:
        self._read = 0
        self._bad: deque[int] = deque()
        self._row = 0

    def count(self, *, bad: bool) -> None:
        """Count one record; raises Stop when too many were bad."""
        self._read += 1
        if not bad:
            return
        self._row = self._row + 1 if self._bad and self._bad[-1] == self._read - 1 else 1
        self._bad.append(self._read)
        while self._bad[0] <= self._read - OF_LAST:
            self._bad.popleft()
        if self._row >= IN_A_ROW or len(self._bad) > SHARE * OF_LAST:
            raise Stop(
                f"{len(self._bad)} of the last {min(self._read, OF_LAST)} records of the pipeline's own cannot be read: this version and "
                "the one that wrote them do not fit; the last batch was not committed"
            )


def dead_letter(record: Record, stage: str, unreadable: Unreadable) -> DeadLetter:
    """Return the dead letter of an internal record; contact data in it is sealed already."""
    original = record.raw or b""
    return DeadLetter(
        dead_letter_id=f"{record.topic}-{record.partition}-{record.offset}",
        reason=unreadable.reason,
        detail=unreadable.detail,
        stage=stage,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        received_at=record.timestamp,
        sha256=hashlib.sha256(original).hexdigest(),
        encrypted=False,
        original=original,
        key=record.key,
    )
