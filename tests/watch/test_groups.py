"""Lag, age and the time left until retention, from measurements of the groups."""

from processors.topics import DAY, FOREVER
from processors.watch import metrics
from processors.watch.groups import Unread, samples_of

NOW = 1_793_628_000_000


def test_a_stages_partitions_count_together_and_the_oldest_speaks_for_all() -> None:
    unread = [
        Unread("dedupe", "events", 3, NOW - 4_000),
        Unread("dedupe", "events", 2, NOW - 9_000),
        Unread("dedupe", "events", 1, None),  # only a transaction's mark is left
        Unread("match", "events.confirmed", 0, None),
    ]
    samples = list(samples_of(unread, {"events": 2 * DAY, "policies": FOREVER}, NOW))
    assert (metrics.GROUP_LAG, ("dedupe", "events"), 5) in samples
    assert (metrics.GROUP_OLDEST, ("dedupe", "events"), 9.0) in samples
    assert (metrics.GROUP_LAG, ("match", "events.confirmed"), 0) in samples
    assert (metrics.GROUP_OLDEST, ("match", "events.confirmed"), 0.0) in samples
    assert (metrics.RETENTION_LEFT, ("events",), 2 * DAY / 1000 - 9.0) in samples
    assert [labels for family, labels, _ in samples if family is metrics.RETENTION_LEFT] == [("events",)]
