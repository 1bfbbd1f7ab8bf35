"""
A slice of the matrix of deliveries (`make delivery-faults`): deliver, answer, a provider and the receiver of callbacks are killed,
and a vendor answers twice.
"""

from pathlib import Path

import pytest

from processors.runtime.local import LocalCluster
from processors.runtime.run.faults import POINTS
from tests.broker.delivery_matrix import UNITS, WAVE_SECONDS, trials, verdict
from tests.broker.delivery_run import RECEIVER, World, running

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600, method="signal")]

STRUCK = {
    "deliver": ("kill", ("sent",)),
    "answer": ("kill", ("committed",)),
    "provider-email": ("kill", ("sent",)),
    RECEIVER: ("kill", ("produced", "committed")),
}
MOST_WAVES = 20


def test_every_cell_is_in_one_run() -> None:
    cells = [cell for trial in trials() for cell in trial.cells]
    assert len(cells) == len(set(cells)) > 200
    assert {point for points in UNITS.values() for point in points} == set(POINTS)


def test_nothing_is_lost_or_doubled(cluster: LocalCluster, tmp_path: Path) -> None:
    world = World(cluster.addresses.environment, tmp_path)
    try:
        with running(world, STRUCK) as run:
            world.vendors.smtp = "answers_twice"
            for _ in range(MOST_WAVES):
                run.send_wave()
                if run.tend_for(WAVE_SECONDS, lambda: not run.missed):
                    break
            facts = run.finish()
            assert not run.missed
    finally:
        world.close()
    found = verdict(facts)
    assert found["problem"] == ""
    assert facts.callbacks
    assert found["sends"] >= found["attempts"] / 2
