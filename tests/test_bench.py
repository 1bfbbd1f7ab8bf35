"""The benchmark's part in memory runs over the stages as they are."""

from bench import memory
from processors.pipeline import PIPELINE


def test_every_stage_is_measured_and_every_submission_comes_to_its_end() -> None:
    costs, stored = memory.measure(100)
    assert list(costs) == [stage.name for stages in PIPELINE.values() for stage in stages]
    assert costs["read"].records == 105
    assert costs["read"].outcomes == {"accepted accepted": 105}
    assert costs["dedupe"].outcomes["suppressed duplicate"] == 5
    assert all(cost.micros > 0 for cost in costs.values())
    assert len(stored["outbound.sms"]) > 0
