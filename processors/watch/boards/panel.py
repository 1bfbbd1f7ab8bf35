"""
A board and its panels.

A panel names its query, its unit, what normal looks like, and the alert whose threshold it draws and whose runbook entry it
links to. A panel with `empty_until` is empty until that happens; tests/broker/test_boards.py checks this, and that normal load
fills every other panel.
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

    `source` is a PromQL query, or a reading, which `vn top` and the console can evaluate without Prometheus. A panel with a reading
    states itself from which value it is bad; a test compares that with the alert.
    """

    title: str
    source: str | Reading
    normal: str
    unit: Unit = "short"
    kind: Kind = "timeseries"
    legend: str = ""
    alert: str | None = None
    empty_until: str = ""
    good_above: float | None = None  # for panels that are good when high: drawn red below this value
    bad_from: float | None = None  # drawn red from this value, for readings and if the alert compares two series
    unlike_alert: bool = False  # no threshold is drawn, since the alert's unit differs

    @property
    def query(self) -> str:
        """The PromQL query."""
        return self.source if isinstance(self.source, str) else self.source.query

    @property
    def reading(self) -> Reading | None:
        """The reading that needs no Prometheus; None for a plain query."""
        return None if isinstance(self.source, str) else self.source

    def is_bad(self, value: float | None) -> bool:
        """Whether a value is drawn red; an unknown one is not."""
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
