"""How many messages a provider has in hand: of so many it cannot be known whether they left if it ends."""

import pytest

from processors.providers.dispatch import Limits
from processors.providers.worker import BATCH, batch_size


@pytest.mark.parametrize(("rates", "size"), [((50.0,), 50), ((0.5,), 1), ((10.0, 30.0), 30), ((10_000.0,), BATCH), ((), 1)])
def test_a_batch_is_about_a_second_of_the_fastest_vendor(rates: tuple[float, ...], size: int) -> None:
    assert batch_size([Limits(rate=each) for each in rates]) == size
