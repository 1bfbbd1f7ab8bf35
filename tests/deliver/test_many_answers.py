"""One message sent again 100,000 times: each copy is answered like the first, and no state grows with their number."""

import pytest

from processors.deliver.answer import decide
from processors.domain.tally import PartRepeated
from processors.topics import TALLY
from tests.deliver.test_answer import NOON, OURS, Given
from tests.many_records import MANY, ManyRecords

FEW = 3


def test_those_beyond_the_limit_follow_one_that_follows_and_end_as_the_first_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "MAX_REPEATS", FEW)
    given = Given()
    given.matched(1)
    for number in range(2, 12):
        given.repeated(str(number))
    read = passed_on(given, 0)
    assert read > 10 - FEW, "some follow one that follows"
    assert given.answers == []
    given.told("failed")
    passed_on(given, read)
    assert sorted(given.answers) == sorted((f"m{number}", decide.FAILED) for number in range(1, 12)), "exactly one each"


def passed_on(given: Given, read: int) -> int:
    """Let the stage read what it wrote to its own topic, from the one of this number on; return how many there are."""
    while left := given.written(TALLY)[read:]:
        read += len(left)
        for each in left:
            given.put(TALLY, each, each.submission)
    return read


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_hundred_thousand_copies_of_one_message() -> None:
    many = ManyRecords(decide.STAGE, TALLY.name, "1")
    many.feed(
        PartRepeated(submission="1", repeated_by=str(number), leaves=1, **OURS | {"received_at": NOON}) for number in range(2, MANY + 2)
    )
    many.check_linear()
