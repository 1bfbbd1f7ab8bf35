"""
A board and its panels.

A panel names its query, its unit, what normal looks like, and the alert whose threshold it draws and whose runbook heading
it links to. A panel with `empty_until` shows nothing while nothing is wrong: tests/broker/test_boards.py sees it fill when
that happens, and every other panel filled by the load alone.
"""

from dataclasses import dataclass
from typing import Literal

from processors.watch.reading import Reading

Unit = Literal["short", "s", "reqps", "percentunit", "bytes", "bool_yes_no"]
Kind = Literal["stat", "timeseries", "table"]


@dataclass(frozen=True, slots=True)
class Panel:
    """
    One panel; `legend` is Grafana's legend format, `alert` a rule of deploy/prometheus/rules.yml.

    `source` is what it shows: a query, or a reading, which `vn top` and the console take from a watch of their own. Readings say
    themselves from which value they are bad; a test holds that against their alerts.
    """

    title: str
    source: str | Reading
    normal: str
    unit: Unit = "short"
    kind: Kind = "timeseries"
    legend: str = ""
    alert: str | None = None
    empty_until: str = ""
    good_above: float | None = None  # for panels that are good when high: the value below which they are drawn red
    bad_from: float | None = None  # the value from which it is drawn red, if it is a reading or its alert compares two series
    unlike_alert: bool = False  # the panel's unit is not the alert's: no threshold is drawn

    @property
    def query(self) -> str:
        """What Prometheus is asked."""
        return self.source if isinstance(self.source, str) else self.source.query

    @property
    def reading(self) -> Reading | None:
        """What is read without Prometheus, if it can be."""
        return None if isinstance(self.source, str) else self.source

    def is_bad(self, value: float | None) -> bool:
        """Whether a value is drawn red; one that is not known is not."""
        if value is None:
            return False
        if self.good_above is not None:
            return value < self.good_above
        return self.bad_from is not None and value >= self.bad_from


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard."""

    slug: str
    title: str
    question: str
    panels: tuple[Panel, ...]
