"""
Tables of open reviews, expectations, agencies and dead letters, computed from compacted topics. No I/O.

A table takes records in partition order and yields samples; it keeps only what the samples need.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

from processors.domain.agency import AgencyHeard
from processors.domain.event import Scope
from processors.domain.expectation import Expectation
from processors.domain.journal import DeadLetter, DeadLetterSettled
from processors.domain.review import Review
from processors.rules.rule_set import Rules
from processors.watch import canary, metrics
from processors.watch.metrics import MAX_AGENCIES, MetricFamily, Sample

OTHER: Final = "other"
CLOSED_EXPECTATIONS: Final = frozenset({"met", "cancelled"})


class OpenReviews:
    """The open reviews: reason, jurisdiction, whether it is an emergency, since when."""

    families: Final = frozenset({metrics.REVIEWS_OPEN, metrics.REVIEW_OLDEST})

    def __init__(self, rules: Callable[[], Rules]) -> None:
        self._rules = rules
        self._open: dict[str, tuple[tuple[str, str, str], int]] = {}

    def apply(self, key: str, value: Any) -> None:
        if not isinstance(value, Review) or value.state != "open":
            self._open.pop(key, None)
            return
        code = self._rules().rule_set(value.jurisdiction, value.since).code(value.event_type, value.event_subtype)
        emergency = code is not None and code.emergency
        self._open[key] = ((value.reason, value.jurisdiction, str(emergency).lower()), value.since)

    def samples(self, now: int) -> Iterator[Sample]:
        """Yield how many are open and how old the oldest is, by reason, jurisdiction and emergency."""
        counts: Counter[tuple[str, str, str]] = Counter()
        oldest: dict[tuple[str, str, str], int] = {}
        for labels, since in self._open.values():
            counts[labels] += 1
            oldest[labels] = min(since, oldest.get(labels, since))
        for labels, count in counts.items():
            yield metrics.REVIEWS_OPEN, labels, count
            yield metrics.REVIEW_OLDEST, labels, max(0.0, (now - oldest[labels]) / 1000)


class Expectations:
    """Expected events by state, rule and owing state, except those met or cancelled."""

    families: Final = frozenset({metrics.EXPECTATIONS})

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, str, str]] = {}

    def apply(self, key: str, value: Any) -> None:
        if not isinstance(value, Expectation) or value.state in CLOSED_EXPECTATIONS:
            self._held.pop(key, None)
        else:
            self._held[key] = (value.state, value.rule, value.owing_state or "")

    def samples(self, _: int) -> Iterator[Sample]:
        for labels, count in Counter(self._held.values()).items():
            yield metrics.EXPECTATIONS, labels, count


class Agencies:
    """When each agency was last heard, and how long it may be silent; the most overdue one represents those beyond the first 500."""

    families: Final = frozenset({metrics.AGENCY_HEARD, metrics.AGENCY_LIMIT})

    def __init__(self, rules: Callable[[], Rules]) -> None:
        self._rules = rules
        self._heard: dict[str, AgencyHeard] = {}

    def apply(self, key: str, value: Any) -> None:
        if key == canary.ORI:
            return  # the watch's own agency: a late canary has its own alert
        if isinstance(value, AgencyHeard):
            self._heard[key] = value
        else:
            self._heard.pop(key, None)

    def samples(self, _: int) -> Iterator[Sample]:
        rules = self._rules()
        rest: list[tuple[float, float]] = []
        for index, (ori, heard) in enumerate(sorted(self._heard.items())):
            at = heard.heard_at / 1000
            limit = rules.duration("feed.silence", Scope(jurisdiction=heard.jurisdiction)) / 1000
            if index >= MAX_AGENCIES:
                rest.append((at, limit))
                continue
            yield metrics.AGENCY_HEARD, (ori,), at
            yield metrics.AGENCY_LIMIT, (ori,), limit
        if rest:
            at, limit = min(rest, key=sum)
            yield metrics.AGENCY_HEARD, (OTHER,), at
            yield metrics.AGENCY_LIMIT, (OTHER,), limit


class DeadLetters:
    """Dead letters that nobody has replayed or settled yet, from two topics."""

    families: Final = frozenset({metrics.DEAD_LETTERS_OPEN})

    def __init__(self) -> None:
        self._open: dict[str, tuple[str, str]] = {}
        self._settled: set[str] = set()

    def apply(self, key: str, value: Any) -> None:
        if isinstance(value, DeadLetterSettled):
            self._settled.add(key)
            self._open.pop(key, None)
        elif isinstance(value, DeadLetter) and key not in self._settled:
            self._open[key] = (value.stage, value.reason)

    def samples(self, _: int) -> Iterator[Sample]:
        for labels, count in Counter(self._open.values()).items():
            yield metrics.DEAD_LETTERS_OPEN, labels, count


WatchTable = OpenReviews | Expectations | Agencies | DeadLetters


def families_of(tables: tuple[WatchTable, ...]) -> frozenset[MetricFamily]:
    """Return every family that the tables have samples of."""
    return frozenset(family for table in tables for family in table.families)
