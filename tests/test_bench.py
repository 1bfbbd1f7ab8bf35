"""The benchmark's part in memory runs over the stages as they are, and the burst says what is wrong."""

from collections import Counter

import pytest

from bench import memory
from bench.burst import Burst
from bench.peers import job
from processors.domain.seal import Seal
from processors.pipeline import PIPELINE
from processors.stage import Context


def test_every_stage_is_measured_and_every_submission_comes_to_its_end() -> None:
    costs, stored = memory.measure(100)
    assert list(costs) == [stage.name for stages in PIPELINE.values() for stage in stages]
    assert costs["read"].records == 105
    assert costs["read"].outcomes == {"accepted accepted": 105}
    assert costs["dedupe"].outcomes["suppressed duplicate"] == 5
    assert all(cost.micros > 0 for cost in costs.values())
    assert len(stored["outbound.sms"]) > 0


def test_the_peers_job_writes_what_plain_python_makes_of_its_records() -> None:
    sent = list(job.changes(2_000))
    stage = memory.RunningStage(job.STAGE, job.ChangeCodec(), Context(memory.rules(), Seal(bytes(range(64)))))
    written = list(stage.work(job.CHANGES, [(each.offender.encode(), job.WRITE_CHANGE(each)) for each in sent]))
    found = Counter((record.event_id, record.decision) for _, (_, raw) in written for record in (job.READ_DECIDED(raw, 0)[0],))
    assert found == job.expected(sent)
    assert {name for name, _ in written} == {job.ACCEPTED.name, job.REJECTED.name}
    assert len(written) < len(sent)


NOTHING: frozenset[str] = frozenset()
BURSTS = [
    (Counter("abc"), NOTHING, True),
    (Counter("ab"), NOTHING, False),  # one is missing
    (Counter("ab"), frozenset("c"), True),  # and said to be in doubt
    (Counter("aabc"), NOTHING, False),  # one came twice
    (Counter("aabc"), frozenset("a"), True),
    (Counter("abcd"), NOTHING, False),  # one that nobody wrote
]


@pytest.mark.parametrize(("received", "in_doubt", "is_exact"), BURSTS)
def test_a_burst_holds_if_what_is_missing_or_doubled_is_said_to_be_in_doubt(
    received: Counter[str], in_doubt: frozenset[str], *, is_exact: bool
) -> None:
    assert Burst(3, 0, received, frozenset("abc"), in_doubt, 1.0).is_exact is is_exact
