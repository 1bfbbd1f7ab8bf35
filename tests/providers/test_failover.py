"""When a vendor is left, and when it is returned to."""

import pytest

from processors.providers.failover import LEAST, LONGEST_REST, REST, WINDOW, Failover


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
    assert calls(Failover(2), *[True] * (LEAST - 1)).current == 0
    assert calls(Failover(2), *[True] * LEAST).current == 1


def test_only_the_last_calls_count() -> None:
    assert calls(Failover(2), *[False] * 1_000, *[True] * 6).current == 1


def test_only_calls_since_the_switch_count() -> None:
    left = calls(Failover(2), *[True] * LEAST)
    assert left.calls == ()
    back = left.at(REST)
    assert (back.current, back.calls) == (0, ())
    assert calls(back, *[False] * 10, now=REST).current == 0


def test_a_call_that_was_under_way_at_the_switch_does_not_count() -> None:
    left = calls(Failover(2), *[True] * LEAST)
    assert left.after(0, failed=True, now=0) == left


def test_the_preferred_vendor_is_tried_again_after_a_rest_that_doubles_while_it_fails() -> None:
    failover, now, rests = Failover(2), 0, []
    for _ in range(9):
        failover = calls(failover, *[True] * LEAST, now=now)
        assert failover.current == 1
        rests.append(failover.rest)
        assert failover.at(now + failover.rest - 1).current == 1
        now += failover.rest
        failover = failover.at(now)
        assert failover.current == 0
    assert rests == [REST, 2 * REST, 4 * REST, 8 * REST, 16 * REST, 32 * REST, LONGEST_REST, LONGEST_REST, LONGEST_REST]


def test_a_vendor_that_has_recovered_rests_no_longer_than_at_first() -> None:
    failover = Failover(2, rest=8 * REST, since=1)
    assert calls(failover, *[False] * WINDOW).rest == REST


def test_a_single_vendor_is_never_left() -> None:
    assert calls(Failover(1), *[True] * 100).current == 0


@pytest.mark.parametrize("vendors", [2, 3])
def test_every_vendor_is_reached(vendors: int) -> None:
    failover, seen = Failover(vendors), set()
    for _ in range(vendors):
        seen.add(failover.current)
        failover = calls(failover, *[True] * LEAST)
    assert seen == set(range(vendors))
