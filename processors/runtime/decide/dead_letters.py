"""Dead letters for records and timers that a stage cannot decide, and the limit on unreadable records."""

import hashlib
import re
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import structs

from processors.domain.addresses import MAX_ADDRESSES, address_digests
from processors.domain.erasure import registrant_digest
from processors.domain.journal import DeadLetter, Original, Unreadable
from processors.domain.quarantine import record_id
from processors.domain.seal import Seal
from processors.runtime.errors import Stop
from processors.stage import Record, TimerFired

MAX_IN_A_ROW: Final = 50
MAX_SHARE: Final = 0.05
WINDOW: Final = 1_000
DIGEST: Final = re.compile(rb"\b[0-9a-f]{64}\b")  # digest of an address, as it is in the pipeline's own records


class DeadLetterLimit:
    """
    Stops a stage when too many of the pipeline's own records are unreadable: a bad deployment must not dead-letter everything.

    Bad input from outside is not counted. `read` and `unreadable` are stored in the partition's position, so the count
    continues after a restart or a rebalance.
    """

    def __init__(self, read: int = 0, unreadable: Sequence[int] = ()) -> None:
        self.read = read
        self._bad = deque(unreadable)
        self._row = trailing_run(self._bad)

    @property
    def unreadable(self) -> tuple[int, ...]:
        """The numbers of the unreadable records among the last WINDOW."""
        return tuple(each for each in self._bad if each > self.read - WINDOW)

    def count_bad(self) -> None:
        """Count an unreadable record; raises Stop when there are too many."""
        self.read += 1
        self._row = self._row + 1 if self._bad and self._bad[-1] == self.read - 1 else 1
        self._bad.append(self.read)
        while self._bad[0] <= self.read - WINDOW:
            self._bad.popleft()
        if self._row >= MAX_IN_A_ROW or len(self._bad) > MAX_SHARE * WINDOW:
            raise Stop(
                f"{len(self._bad)} of the last {min(self.read, WINDOW)} records of the pipeline's own cannot be read: this version and "
                "the one that wrote them do not fit; the last batch was not committed"
            )


def trailing_run(numbers: Sequence[int]) -> int:
    """Return how many numbers at the end of the sequence are consecutive."""
    run = 0
    while run < len(numbers) and numbers[-1 - run] == numbers[-1] - run:
        run += 1
    return run


def record_name(record: Record) -> str:
    """Return the name of a record in dead letters and logs."""
    return record_id(record.topic, record.partition, record.offset)


def timer_name(stage: str, partition: int, key: str, at: int) -> str:
    """Return the name of a timer in dead letters and logs; its key is digested since it may hold a registrant's id."""
    return f"{stage}.timer-{partition}-{hashlib.blake2b(key.encode(), digest_size=6).hexdigest()}-{at}"


def describe_failure(error: Exception) -> str:
    """Return the type of the exception and where it was raised; never its message, which may quote contact data."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in reversed(frames[-8:]))
    return f"{type(error).__name__} at {where}"


class DataSubject(NamedTuple):
    """Whose data a record may hold: keyed digests of the registrant's id and of addresses."""

    registrant: str | None = None
    addresses: tuple[str, ...] = ()


def data_subject_of(record: Record, registrant: Callable[[Record], str | None], seal: Seal) -> DataSubject:
    """Return whose data a record that is quarantined may hold, as far as the record can be read."""
    content = record.raw or b""
    try:
        found = registrant(record)
        addresses = address_digests(record.value if isinstance(record.value, Mapping) else content, seal)
    except Exception:  # noqa: BLE001  this may fail for the very reason why the record is quarantined
        return DataSubject()
    digests = (each.decode() for each in DIGEST.findall(content))
    return DataSubject(
        None if found is None else registrant_digest(found, seal), tuple(dict.fromkeys((*addresses, *digests)))[:MAX_ADDRESSES]
    )


def quarantined_record(record: Record, stage: str, why: str, seal: Seal, owner: DataSubject) -> DeadLetter:
    """Return the dead letter of a record that is quarantined; sealed, since its content was not checked."""
    letter = new_dead_letter(record, stage, "quarantined", why)
    return structs.replace(
        letter,
        encrypted=record.raw is not None,
        original=None if record.raw is None else seal.close(letter.original or b"", "dead-letter"),
        owner=owner.registrant,
        addresses=owner.addresses,
    )


def quarantined_timer(timer: TimerFired, stage: str, partition: int, name: str, why: str) -> DeadLetter:
    """Return the dead letter of a timer on which the stage fails; it has no original bytes, and the timer is tried again."""
    return DeadLetter(
        dead_letter_id=name,
        reason="quarantined",
        detail=f"{why}; it is a timer, and tried again in an hour",
        stage=stage,
        topic=f"{stage}.state",
        partition=partition,
        offset=-1,
        received_at=timer.due_at,
        sha256=hashlib.sha256(b"").hexdigest(),
        encrypted=False,
        original=None,
        key=None,
    )


def unreadable_dead_letter(record: Record, stage: str, unreadable: Unreadable) -> DeadLetter:
    """Return the dead letter of an unreadable internal record; contact data in it is already sealed."""
    return new_dead_letter(record, stage, unreadable.reason, unreadable.detail)


def new_dead_letter(record: Record, stage: str, reason: str, detail: str) -> DeadLetter:
    """Return a dead letter with the record's bytes unchanged, or only their beginning if there are too many."""
    kept = Original.of(record.raw or b"", record.key)
    return DeadLetter(
        dead_letter_id=record_name(record),
        reason=reason,
        detail=detail,
        stage=stage,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        received_at=record.timestamp,
        sha256=kept.sha256,
        encrypted=False,
        original=kept.value,
        key=kept.key,
        length=kept.length,
    )
