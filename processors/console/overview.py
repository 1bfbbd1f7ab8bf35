"""The overview: who has not been told yet, and the stages, from one watch whose last looks are kept for small charts."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, Final

from processors.pipeline import PIPELINE
from processors.runtime.clock import wall
from processors.watch.loop import Watch
from processors.watch.metrics import Page

KEPT: Final = 120  # looks: ten minutes
EVERY_SECONDS: Final = 5.0
WIDTH, HEIGHT = 160, 32


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage as the overview shows it; None if it could not be seen."""

    name: str
    unread: float | None
    oldest: float | None
    chart: str


class Overview:
    """Looks every few seconds in a thread of its own."""

    def __init__(self, watch: Watch, page: Page) -> None:
        self._watch = watch
        self._page = page
        self._lags: dict[str, deque[float]] = {}
        self._stopped = Event()
        self.seen_at: int | None = None

    def start(self) -> None:
        Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def look(self) -> None:
        """Make one look and keep it."""
        self._watch.look(wall())
        for name in self._names():
            unread = self._sum("vn_group_lag_records", unit=name)
            if unread is not None:
                self._lags.setdefault(name, deque(maxlen=KEPT)).append(unread)
        self.seen_at = wall()

    def _run(self) -> None:
        while True:
            self.look()
            if self._stopped.wait(EVERY_SECONDS):
                return

    def stages(self) -> list[StageRow]:
        """Return a row a stage."""
        return [
            StageRow(
                name,
                self._sum("vn_group_lag_records", unit=name),
                self._max("vn_group_oldest_seconds", unit=name),
                polyline(tuple(self._lags.get(name, ()))),
            )
            for name in self._names()
        ]

    def figures(self) -> Mapping[str, float | None]:
        """Return what the top of the overview says."""
        return {name: self._sum(name) for name in ("vn_broker_up", "vn_store_up")}

    def _names(self) -> list[str]:
        return [stage.name for stages in PIPELINE.values() for stage in stages]

    def _values(self, name: str, labels: Mapping[str, str]) -> list[float]:
        return [
            sample.value
            for metric in self._page.registry.collect()
            for sample in metric.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

    def _sum(self, name: str, **labels: Any) -> float | None:
        values = self._values(name, labels)
        return sum(values) if values else None

    def _max(self, name: str, **labels: Any) -> float | None:
        return max(self._values(name, labels), default=None)


def polyline(values: tuple[float, ...]) -> str:
    """Return the points of an SVG polyline of the values, the highest at the top; nothing for fewer than two."""
    if len(values) < 2:  # noqa: PLR2004  a line has two ends
        return ""
    top = max(*values, 1.0)
    step = WIDTH / (len(values) - 1)
    return " ".join(f"{place * step:.1f},{HEIGHT - 2 - value / top * (HEIGHT - 4):.1f}" for place, value in enumerate(values))
