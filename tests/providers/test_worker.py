"""How many messages a provider has in hand, whose outcome is unknown if it ends."""

import pytest

from processors.providers.dispatch import VendorLimits
from processors.providers.worker import MAX_BATCH, batch_size


@pytest.mark.parametrize(
    ("limits", "size"),
    [
        ([VendorLimits(50, 10)], 10),
        ([VendorLimits(3, 10)], 3),
        ([VendorLimits(0.5, 10)], 1),
        ([VendorLimits(50, 10), VendorLimits(30, 20)], 20),
        ([VendorLimits(10_000, 10_000)], MAX_BATCH),
        ([], 1),
    ],
)
def test_a_batch_is_what_a_vendor_takes_at_the_same_time(limits: list[VendorLimits], size: int) -> None:
    assert batch_size(limits) == size
