"""Fixtures of the tests on a real broker."""

from collections.abc import Iterator

import pytest

from processors.runtime.local import Local
from tests.broker.testbed import Testbed


@pytest.fixture
def testbed(cluster: Local) -> Iterator[Testbed]:
    made = Testbed(cluster.addresses.environment)
    yield made
    made.close()
