"""Fixtures of the tests on a real broker."""

from collections.abc import Iterator

import pytest

from processors.runtime.local import Local
from tests.broker.harness import ProbeHarness


@pytest.fixture
def harness(cluster: Local) -> Iterator[ProbeHarness]:
    made = ProbeHarness(cluster.addresses.environment)
    yield made
    made.close()
