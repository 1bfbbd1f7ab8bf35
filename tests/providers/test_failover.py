"""When a vendor is left, and when the preferred one is tried again."""

import pytest

from processors.providers.failover import COOL_DOWN, MAX_COOL_DOWN, MIN_CALLS, WINDOW, Failover


def calls(failover: Failover, *failed: bool, now: int = 0) -> Failover:
    for each in failed:
        failover = failover.after(failover.current, failed=each, now=now)
    return failover


def test_the_preferred_vendor_comes_first() -> None:
    assert Failover(3).order() == (0, 1, 2)
    assert Failover(3, current=1).order() == (1, 2, 0)


def test_a_vendor_is_left_when_three_of_ten_calls_fail() -> None:
    assert calls(Failover(2), *[False] * 8, True, True).current == 0
    assert calls(Failover(2), *[False] * 7, True, True, True).current == 1


def test_a_few_calls_say_nothing() -> None:
    assert calls(Failover(2), *[True] * (MIN_CALLS - 1)).current == 0
    assert calls(Failover(2), *[True] * MIN_CALLS).current == 1


def test_only_the_last_calls_count() -> None:
    assert calls(Failover(2), *[False] * 1_000, *[True] * 6).current == 1


def test_only_calls_since_the_switch_count() -> None:
    left = calls(Failover(2), *[True] * MIN_CALLS)
    assert left.calls == ()
    back = left.at(COOL_DOWN)
    assert (back.current, back.calls) == (0, ())
    assert calls(back, *[False] * 10, now=COOL_DOWN).current == 0


def test_a_call_that_was_under_way_at_the_switch_does_not_count() -> None:
    left = calls(Failover(2), *[True] * MIN_CALLS)
    assert left.after(0, failed=True, now=0) == left


def test_the_preferred_vendor_is_tried_again_after_a_rest_that_doubles_while_it_fails() -> None:
    failover, now, cool_downs = Failover(2), 0, []
    for _ in range(9):
        failover = calls(failover, *[True] * MIN_CALLS, now=now)
        assert failover.current == 1
        cool_downs.append(failover.cool_down)
        assert failover.at(now + failover.cool_down - 1).current == 1
        now += failover.cool_down
        failover = failover.at(now)
        assert failover.current == 0
    assert cool_downs == [
        COOL_DOWN,
        2 * COOL_DOWN,
        4 * COOL_DOWN,
        8 * COOL_DOWN,
        16 * COOL_DOWN,
        32 * COOL_DOWN,
        MAX_COOL_DOWN,
        MAX_COOL_DOWN,
        MAX_COOL_DOWN,
    ]


def test_a_vendor_that_has_recovered_rests_no_longer_than_at_first() -> None:
    failover = Failover(2, cool_down=8 * COOL_DOWN, since=1)
    assert calls(failover, *[False] * WINDOW).cool_down == COOL_DOWN


def test_a_single_vendor_is_never_left() -> None:
    assert calls(Failover(1), *[True] * 100).current == 0


@pytest.mark.parametrize("vendors", [2, 3])
def test_every_vendor_is_reached(vendors: int) -> None:
    failover, seen = Failover(vendors), set()
    for _ in range(vendors):
        seen.add(failover.current)
        failover = calls(failover, *[True] * MIN_CALLS)
    assert seen == set(range(vendors))
