"""Which states dedupe requests before it decides."""

import pytest
from msgspec.structs import replace

from processors.dedupe.decide import STAGE
from processors.dedupe.state import HeldCancel, KnownEvents, State
from processors.domain.review import ReviewAction
from processors.stage import Input, Record, RulesChanged, TimerFired
from tests.dedupe.known import CANCEL, known, waiting
from tests.dedupe.scene import OFFENDER

DOCUMENT = KnownEvents(
    events=(
        known(1),
        known(2, state="cancelled"),
        known(3, state="held", held=HeldCancel(10, CANCEL)),
        known(4, state="held", held=HeldCancel(11, CANCEL)),
    ),
    waiting=(waiting(5), waiting(6, due=11), waiting(7, review_id="r")),
)
STATES: dict[str, State] = {OFFENDER: DOCUMENT}


def event(**more: object) -> Record:
    return Record("events", 0, 1, OFFENDER, 1, replace(CANCEL, **more))


@pytest.mark.parametrize(
    ("given", "seqs"),
    [
        (TimerFired(OFFENDER, 10), [3, 5]),
        (TimerFired(OFFENDER, 11), [3, 4, 5, 6]),
        (TimerFired(OFFENDER, 9), []),
        (RulesChanged(OFFENDER, 10), [3, 5]),
        (event(operation="Cancel"), []),
        (event(operation="Add"), [1, 3, 4, 5, 6, 7]),
        (event(operation="Update"), [1, 3, 4, 5, 6, 7]),
        (
            Record(
                "events",
                0,
                1,
                OFFENDER,
                1,
                ReviewAction(action="release", reason="r", reviewer="kim", review_id=f"dedupe-{OFFENDER}-0123456789ab", received_at=1),
            ),
            [1, 3, 4, 5, 6, 7],
        ),
    ],
)
def test_only_the_messages_that_may_be_compared_are_asked_for(given: Input, seqs: list[int]) -> None:
    assert list(STAGE.keys(given, STATES)) == [OFFENDER, *(f"{OFFENDER}/{seq}" for seq in seqs)]
    assert list(STAGE.keys(given, {})) == [OFFENDER]


def test_an_event_for_which_nothing_waits_asks_only_for_those_whose_cancel_is_held() -> None:
    quiet: dict[str, State] = {OFFENDER: replace(DOCUMENT, waiting=())}
    assert list(STAGE.keys(event(operation="Add"), quiet)) == [OFFENDER, f"{OFFENDER}/3", f"{OFFENDER}/4"]
    assert list(STAGE.keys(event(operation="Update"), quiet)) == [OFFENDER, *(f"{OFFENDER}/{seq}" for seq in (1, 3, 4))]


@pytest.mark.parametrize("review_id", [None, "validate-o1-0", "", "dedupe"])
def test_a_review_of_another_stage_is_none_of_this_ones(review_id: str | None) -> None:
    action = Record(
        "events", 0, 1, OFFENDER, 1, ReviewAction(action="release", reason="r", reviewer="kim", review_id=review_id, received_at=1)
    )
    assert list(STAGE.keys(action, STATES)) == [OFFENDER]
