"""The model of the protocol holds in every state, and breaks without any one of its guards."""

from itertools import combinations

import pytest

from tests.model.protocol import GUARDS, Guard, explore
from tests.model.watermark import outcomes


@pytest.mark.slow
def test_every_reachable_state_keeps_the_invariants() -> None:
    states, problem = explore()
    assert problem == []
    assert states > 10_000, "the model is exhaustive over something"


@pytest.mark.parametrize("guard", sorted(GUARDS))
def test_without_any_one_guard_some_state_breaks_them(guard: Guard) -> None:
    _, problem = explore(GUARDS - {guard})
    assert problem, f"nobody would miss {guard}"
    assert problem[-1].startswith(("committed", "the store says"))


@pytest.mark.slow
def test_two_guards_less_are_no_better() -> None:
    for pair in combinations(sorted(GUARDS), 2):
        assert explore(GUARDS - set(pair))[1]


def test_a_hold_ends_by_the_watermark_and_not_by_the_clock() -> None:
    assert outcomes(watermark=True) == {"nothing: it was taken back"}
    assert outcomes(watermark=False) == {"nothing: it was taken back", "cancellation"}
