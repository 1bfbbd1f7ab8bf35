"""Timers come in the order of urgency, due time, then key, whatever was set and cleared before."""

import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processors.runtime.decide import timers as module
from processors.runtime.decide.timers import Timers

KEYS = st.sampled_from("abcde")
CHANGES = st.lists(st.tuples(KEYS, st.none() | st.integers(0, 20)), max_size=30)


@pytest.fixture(autouse=True, params=[module.SPARE_ENTRIES, 0])
def spare(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing superseded is kept, too."""
    monkeypatch.setattr(module, "SPARE_ENTRIES", request.param)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES, st.integers(0, 20))
def test_they_are_those_of_the_last_setting_of_each_key(changes: list[tuple[str, int | None]], until: int) -> None:
    timers, truth = Timers(), dict[str, int | None]()
    for key, at in changes:
        timers.set(key, at)
        truth[key] = at
    due = sorted((at, key) for key, at in truth.items() if at is not None)
    assert len(timers) == len(due)
    assert timers.next() == (due[0][0] if due else None)
    assert sorted(timers.due(until, 100)) == sorted((key, at) for at, key in due if at <= until)
    taken = []
    while (timer := timers.take(until)) is not None:
        taken.append(timer)
    assert taken == [(key, at) for at, key in due if at <= until]
    assert len(timers) == len([at for at, _ in due if at > until])


def test_as_many_as_asked_for() -> None:
    timers = Timers({str(number): number for number in range(100)})
    assert len(timers.due(99, 10)) == 10
    assert len(timers) == 100


def test_one_timer_that_is_always_put_off_takes_up_no_more_than_a_few() -> None:
    timers = Timers()
    tracemalloc.start()
    for number in range(20_000):
        timers.set("the same", number)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 200_000
    assert timers.take(20_000) == ("the same", 19_999)


URGENT_CHANGES = st.lists(st.tuples(KEYS, st.none() | st.integers(0, 20), st.booleans()), max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(URGENT_CHANGES, st.integers(0, 20))
def test_what_is_urgent_comes_first_of_what_is_due_and_nothing_is_lost(changes: list[tuple[str, int | None, bool]], until: int) -> None:
    timers, truth = Timers(), dict[str, tuple[int, bool]]()
    for key, at, urgent in changes:
        timers.set(key, at, urgent=urgent)
        truth.pop(key, None)
        if at is not None:
            truth[key] = at, urgent
    assert {key for key in "abcde" if timers.is_urgent(key)} == {key for key, (_, urgent) in truth.items() if urgent}
    assert timers.next() == min((at for at, _ in truth.values()), default=None)
    expected = [
        (key, at) for key, (at, urgent) in sorted(truth.items(), key=lambda each: (not each[1][1], each[1][0], each[0])) if at <= until
    ]
    assert timers.due(until, 100) == expected
    taken = []
    while (first := timers.first(until)) is not None:
        assert timers.take(until) == first
        taken.append(first)
    assert taken == expected
    assert timers.take(until) is None
    assert len(timers) == len([at for at, _ in truth.values() if at > until])


def test_every_eighth_is_not_urgent_while_both_are_due() -> None:
    timers = Timers({f"{number:03}": number for number in range(100)}, urgent=[f"{number:03}" for number in range(50, 100)])
    kinds = ""
    while (timer := timers.take(1_000)) is not None:
        kinds += "." if int(timer[0]) < 50 else "!"
    assert kinds == "!!!!!!!." * 7 + "!" + "." * 43


def test_what_is_urgent_and_not_due_yet_holds_up_nothing() -> None:
    timers = Timers({"urgent": 10, "other": 5}, urgent=["urgent"])
    assert timers.take(9) == ("other", 5)
    assert timers.take(9) is None
