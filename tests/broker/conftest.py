"""What the tests on the real broker share."""

from collections.abc import Iterator

import pytest

from processors.runtime.local import Local
from tests.broker.bench import Bench


@pytest.fixture
def bench(cluster: Local) -> Iterator[Bench]:
    made = Bench(cluster.addresses.environment)
    yield made
    made.close()
