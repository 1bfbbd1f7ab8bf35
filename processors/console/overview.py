"""The overview: the boards' figures of each stage, the broker and the store, with charts of the latest measurements."""

from collections import deque
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final

from processors.pipeline import PIPELINE
from processors.runtime.clock import wall_time
from processors.watch.boards import STAGE_PANELS
from processors.watch.boards.panel import Panel
from processors.watch.boards.protocol import PROTOCOL
from processors.watch.loop import Watch
from processors.watch.metrics import MetricsPage
from processors.watch.reading import shown_value

MAX_POINTS: Final = 120  # measurements in a chart: ten minutes
EVERY_SECONDS: Final = 5.0
WIDTH, HEIGHT = 160, 32


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of a panel: its text, whether it is bad, and the points of its chart."""

    panel: Panel
    value: str
    bad: bool
    chart: str = ""


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage in the overview, with a figure for each panel."""

    name: str
    figures: tuple[Figure, ...]


class Overview:
    """Measures every few seconds in a thread of its own."""

    def __init__(self, watch: Watch, page: MetricsPage) -> None:
        self._watch = watch
        self._page = page
        self._history: dict[tuple[str, str], deque[float]] = {}  # by panel and stage
        self._stopped = Event()
        self.seen_at: int | None = None

    def start(self) -> None:
        Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def measure(self) -> None:
        """Measure once and add the values to the charts."""
        self._watch.measure(wall_time())
        for panel in STAGE_PANELS:
            for (stage,), value in self._values(panel).items():
                self._history.setdefault((panel.title, stage), deque(maxlen=MAX_POINTS)).append(value)
        self.seen_at = wall_time()

    def _run(self) -> None:
        while True:
            self.measure()
            if self._stopped.wait(EVERY_SECONDS):
                return

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The panels for which each stage has a figure."""
        return STAGE_PANELS

    def stages(self) -> list[StageRow]:
        """Return a row for each stage."""
        values = {panel.title: self._values(panel) for panel in STAGE_PANELS}
        return [
            StageRow(name, tuple(self._figure(panel, values[panel.title].get((name,)), name) for panel in STAGE_PANELS))
            for name in (stage.name for stages in PIPELINE.values() for stage in stages)
        ]

    def figures(self) -> list[Figure]:
        """Return the figures of broker and store."""
        return [
            self._figure(each, self._values(each).get(())) for each in PROTOCOL.panels if each.reading is not None and each.kind == "stat"
        ]

    def _values(self, panel: Panel) -> dict[tuple[str, ...], float]:
        return {} if panel.reading is None else panel.reading.values(self._page.registry)

    def _figure(self, panel: Panel, value: float | None, stage: str = "") -> Figure:
        return Figure(
            panel, shown_value(value, panel.unit), panel.is_bad(value), polyline(tuple(self._history.get((panel.title, stage), ())))
        )


def polyline(values: tuple[float, ...]) -> str:
    """Return the points of an SVG polyline of the values, the highest at the top; nothing for fewer than two."""
    if len(values) < 2:  # noqa: PLR2004  a line has two ends
        return ""
    top = max(*values, 1.0)
    step = WIDTH / (len(values) - 1)
    return " ".join(f"{index * step:.1f},{HEIGHT - 2 - value / top * (HEIGHT - 4):.1f}" for index, value in enumerate(values))
