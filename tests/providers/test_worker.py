"""How many messages a provider has in hand: of so many it cannot be known whether they left if it ends."""

import pytest

from processors.providers.dispatch import Limits
from processors.providers.worker import BATCH, batch_size


@pytest.mark.parametrize(
    ("limits", "size"),
    [
        ([Limits(50, 10)], 10),
        ([Limits(3, 10)], 3),
        ([Limits(0.5, 10)], 1),
        ([Limits(50, 10), Limits(30, 20)], 20),
        ([Limits(10_000, 10_000)], BATCH),
        ([], 1),
    ],
)
def test_a_batch_is_what_a_vendor_takes_at_the_same_time(limits: list[Limits], size: int) -> None:
    assert batch_size(limits) == size
