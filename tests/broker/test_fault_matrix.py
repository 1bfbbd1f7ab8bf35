"""A slice of the fault matrix (`make faults`): twenty-one of its cells."""

from pathlib import Path

import pytest

from processors.runtime.local import LocalCluster
from processors.runtime.run.faults import POINTS
from tests.broker.fault_matrix import FAULTS, GROUPS, strike, write_feed
from tests.broker.feed_run import NAMES

pytestmark = [pytest.mark.long, pytest.mark.broker, pytest.mark.timeout(900, method="signal")]


def test_the_matrix_has_every_point_and_at_least_180_cells() -> None:
    points = [point for group in GROUPS.values() for point in group]
    assert sorted(points) == sorted(POINTS)
    assert len(points) * len(FAULTS) * len(NAMES) >= 180


def test_every_stage_is_killed_where_it_commits(cluster: LocalCluster, tmp_path: Path) -> None:
    strike(cluster.addresses.environment, tmp_path, write_feed(tmp_path), "commit", "kill")
