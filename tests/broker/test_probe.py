"""The probe's oracle is exact: what a stage answers does not depend on how its two inputs interleave."""

from collections import Counter
from itertools import chain, zip_longest

import pytest

from processors.domain.notification import Receipt
from processors.domain.seal import Seal
from processors.stage import Context, Record
from processors.topics import Topic
from tests.broker.probe import LEFT, RIGHT, NoRules, Tally, decide, expected

Sent = list[tuple[str, Receipt]]
CONTEXT = Context(NoRules(), Seal(bytes(64)))


def receipt(reference: int) -> Receipt:
    return Receipt(reference=str(reference), status="accepted", occurred_at=0, provider="p")


LEFT_SENT: Sent = [("k", receipt(each)) for each in (0, 1, 0, 1)]
RIGHT_SENT: Sent = [("k", receipt(each)) for each in range(200)]


def answers(order: list[tuple[Topic, Receipt]]) -> Counter[tuple[str, str]]:
    """Return what the stage answers to the records in this order, timers left out."""
    states: dict[str, Tally] = {}
    found: Counter[tuple[str, str]] = Counter()
    for offset, (side, value) in enumerate(order):
        decision = decide(Record(side.name, 0, offset, "k", 0, value), states, CONTEXT)
        states |= {key: state for key, state in decision.states.items() if state is not None}
        found.update((each.key, each.value.detail) for each in decision.outputs)  # type: ignore[misc, union-attr]
    return found


left, right = [(LEFT, value) for _, value in LEFT_SENT], [(RIGHT, value) for _, value in RIGHT_SENT]
ORDERS = {
    "left first": [*left, *right],
    "right first": [*right, *left],
    "a backlog of one input before a duplicate on the other": [*left[:2], *right, *left[2:]],
    "in turn": [each for each in chain.from_iterable(zip_longest(left, right)) if each is not None],
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_answers_do_not_depend_on_how_the_inputs_interleave(order: list[tuple[Topic, Receipt]]) -> None:
    want = expected({LEFT.name: LEFT_SENT, RIGHT.name: RIGHT_SENT})
    del want["k", "told"]
    assert answers(order) == want
