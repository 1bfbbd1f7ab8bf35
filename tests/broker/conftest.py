"""Fixtures of the tests on a real broker."""

from collections.abc import Iterator

import pytest

from processors.runtime.local import LocalCluster
from tests.broker.harness import ProbeHarness


@pytest.fixture
def harness(cluster: LocalCluster) -> Iterator[ProbeHarness]:
    made = ProbeHarness(cluster.addresses.environment)
    yield made
    made.close()
