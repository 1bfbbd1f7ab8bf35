"""Emergencies are sent ahead of earlier messages, and the read position never passes an unsettled message."""

import random

from hypothesis import given
from hypothesis import strategies as st

from processors.providers.backlog import Backlog, BacklogEntry
from tests.providers.given import AT, outbound

PARTITION, OTHER = ("outbound.sms", 0), ("outbound.sms", 1)


def entry(offset: int, *, emergency: bool = False, topic_partition: tuple[str, int] = PARTITION, late: bool = False) -> BacklogEntry:
    message = outbound(1_000 * topic_partition[1] + offset, emergency=emergency, expires_at=AT if late else AT + 1)
    return BacklogEntry.of(topic_partition, offset + 1, message, "")


def offsets(entries: list[BacklogEntry]) -> list[int]:
    return [each.after - 1 for each in entries]


def filled(*entries: BacklogEntry) -> Backlog:
    backlog = Backlog()
    for each in entries:
        backlog.add(each)
    return backlog


def test_emergencies_come_first_and_one_place_is_for_the_others() -> None:
    backlog = filled(*(entry(number) for number in range(5)), *(entry(number, emergency=True) for number in range(5, 10)))
    assert [offsets(backlog.take(4, AT)) for _ in range(4)] == [[5, 6, 7, 0], [8, 9, 1, 2], [3, 4], []]


def test_a_position_stays_before_what_is_not_settled() -> None:
    backlog = filled(entry(0), entry(1), entry(2, emergency=True))
    urgent, first = backlog.take(2, AT)
    assert backlog.settle([urgent]) == ({}, [])
    assert backlog.ahead == {urgent.reference}
    assert backlog.settle([first]) == ({PARTITION: 1}, [first])
    (second,) = backlog.take(2, AT)
    assert backlog.settle([second]) == ({PARTITION: 3}, [second, urgent])
    assert backlog.ahead == set()
    assert len(backlog) == 0


def test_what_was_settled_before_a_crash_is_not_sent_again_and_is_passed() -> None:
    backlog = filled(entry(0), BacklogEntry(PARTITION, 2, reference="R-1.settled"))
    (first,) = backlog.take(9, AT)
    assert backlog.ahead == {"R-1.settled"}
    positions, passed = backlog.settle([first])
    assert (positions, [each.reference for each in passed]) == ({PARTITION: 2}, [first.reference, "R-1.settled"])


def test_the_end_of_a_partition_is_passed_at_once() -> None:
    assert filled(BacklogEntry(PARTITION, 7)).settle([]) == ({PARTITION: 7}, [])


def test_messages_whose_lease_has_ended_do_not_count() -> None:
    backlog = filled(*(entry(number, late=True) for number in range(50)), entry(50), entry(51))
    assert offsets(backlog.take(1, AT)) == [*range(51)]


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from([PARTITION, OTHER]))),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_everything_is_taken_once_and_passed_once_in_order(
    given_entries: list[tuple[bool, bool, tuple[str, int]]], most: int, chance: random.Random
) -> None:
    entries = [
        entry(number, emergency=urgent, late=late, topic_partition=topic_partition)
        for number, (urgent, late, topic_partition) in enumerate(given_entries)
    ]
    backlog = filled(*entries)
    taken: list[BacklogEntry] = []
    passed: list[BacklogEntry] = []
    while batch := backlog.take(most, AT):
        taken += batch
        chance.shuffle(batch)
        positions, now = backlog.settle(batch)
        passed += now
        assert all(
            position == max(each.after for each in now if each.topic_partition == topic_partition)
            for topic_partition, position in positions.items()
        )
        unsettled = {
            topic_partition: [each.after for each in entries if each.topic_partition == topic_partition and not each.settled]
            for topic_partition in (PARTITION, OTHER)
        }
        assert all(position <= min(unsettled[topic_partition], default=position) for topic_partition, position in positions.items())
    assert sorted(map(id, taken)) == sorted(map(id, entries)) == sorted(map(id, passed))
    assert [each for each in passed if each.topic_partition == PARTITION] == [each for each in entries if each.topic_partition == PARTITION]
    assert backlog.ahead == set()
