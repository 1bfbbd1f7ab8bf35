"""`vn doctor` says which broker's clock is wrong, and no more than it can know."""

import pytest

from processors.cli import doctor
from processors.runtime.kafka.broker_clocks import ClockDifference
from processors.runtime.settings import Settings


@pytest.mark.parametrize(
    ("ahead", "uncertain", "ok"),
    [(0.1, 0.01, True), (0.5, 0.01, False), (-0.5, 0.01, False), (0.5, 0.4, True)],
    ids=["agrees", "ahead", "behind", "answered too slowly to tell"],
)
def test_a_brokers_clock(monkeypatch: pytest.MonkeyPatch, ahead: float, uncertain: float, *, ok: bool) -> None:
    monkeypatch.setattr(doctor, "clock_differences", lambda _: [ClockDifference(1, 0.0, 0.01), ClockDifference(2, ahead, uncertain)])
    (found,) = doctor.broker_clocks(Settings())
    assert found.ok is ok
    if not ok:
        assert "broker 2 is 0.50 s" in found.found
        assert "NTP" in found.fix
