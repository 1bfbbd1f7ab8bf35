"""Of very many attempts left open by an outage, emergencies leave first; `python -m bench.outage` shows it with 100,000."""

import pytest

from bench.outage import URGENT, SentAfterOutage, after_outage, open_attempts
from processors.runtime.decide.timers import NOT_URGENT_EVERY
from tests.examples import examples

MANY = examples(2_000)


@pytest.fixture(scope="module")
def left() -> SentAfterOutage:
    return after_outage(open_attempts(MANY))


def test_every_open_attempt_is_followed_by_one(left: SentAfterOutage) -> None:
    assert len(left.urgent) == MANY
    assert sum(left.urgent) == MANY // URGENT


def test_emergencies_leave_first_and_one_of_eight_is_another(left: SentAfterOutage) -> None:
    emergencies = MANY // URGENT
    assert left.last_urgent < emergencies + emergencies // (NOT_URGENT_EVERY - 1) + 1


def test_each_has_its_whole_lease(left: SentAfterOutage) -> None:
    assert left.shortest_lease == 120_000
