"""Encodes the verdicts of a batch as few journal records."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import structs

from processors.domain.journal import Verdict, Verdicts

JOURNAL_BYTES: Final = 1 << 20  # bytes of verdicts in one record


def journal_records(verdicts: Sequence[Verdict], rules: str, encode: Callable[[Verdicts], bytes]) -> list[bytes]:
    """Return the encoded verdicts, each with the version of the rules that it was made under."""
    return split_journal([each if each.rules else structs.replace(each, rules=rules) for each in verdicts], encode)


def split_journal(verdicts: Sequence[Verdict], encode: Callable[[Verdicts], bytes]) -> list[bytes]:
    """Return the verdicts encoded as few records, none much larger than JOURNAL_BYTES."""
    if not verdicts:
        return []
    record = encode(Verdicts(tuple(verdicts)))
    if len(record) <= JOURNAL_BYTES or len(verdicts) == 1:
        return [record]
    middle = len(verdicts) // 2
    return [*split_journal(verdicts[:middle], encode), *split_journal(verdicts[middle:], encode)]
