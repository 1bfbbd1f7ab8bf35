"""Timers come in the order of due time, then key, whatever was set and cleared before."""

from hypothesis import given
from hypothesis import strategies as st

from processors.runtime.decide.timers import Timers

KEYS = st.sampled_from("abcde")
CHANGES = st.lists(st.tuples(KEYS, st.none() | st.integers(0, 20)), max_size=30)


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
