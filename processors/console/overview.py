"""The overview: what the boards show of each stage, of broker and of store, from one watch whose latest measurements are kept."""

from collections import deque
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final

from processors.pipeline import PIPELINE
from processors.runtime.clock import wall
from processors.watch.boards import OF_STAGES
from processors.watch.boards.panel import Panel
from processors.watch.boards.protocol import PROTOCOL
from processors.watch.loop import Watch
from processors.watch.metrics import Page
from processors.watch.reading import shown_value

KEPT: Final = 120  # looks: ten minutes
EVERY_SECONDS: Final = 5.0
WIDTH, HEIGHT = 160, 32


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of a panel: as it is shown, whether it is bad, and the points of its chart."""

    panel: Panel
    value: str
    bad: bool
    chart: str = ""


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage as the overview shows it, a figure for each panel."""

    name: str
    figures: tuple[Figure, ...]


class Overview:
    """Measures every few seconds in a thread of its own."""

    def __init__(self, watch: Watch, page: Page) -> None:
        self._watch = watch
        self._page = page
        self._kept: dict[tuple[str, str], deque[float]] = {}  # by panel and stage
        self._stopped = Event()
        self.seen_at: int | None = None

    def start(self) -> None:
        Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def look(self) -> None:
        """Measure once and keep the result."""
        self._watch.look(wall())
        for panel in OF_STAGES:
            for (stage,), value in self._values(panel).items():
                self._kept.setdefault((panel.title, stage), deque(maxlen=KEPT)).append(value)
        self.seen_at = wall()

    def _run(self) -> None:
        while True:
            self.look()
            if self._stopped.wait(EVERY_SECONDS):
                return

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The panels that each stage has a figure of."""
        return OF_STAGES

    def stages(self) -> list[StageRow]:
        """Return a row for each stage."""
        values = {panel.title: self._values(panel) for panel in OF_STAGES}
        return [
            StageRow(name, tuple(self._figure(panel, values[panel.title].get((name,)), name) for panel in OF_STAGES))
            for name in (stage.name for stages in PIPELINE.values() for stage in stages)
        ]

    def figures(self) -> list[Figure]:
        """Return what is shown of broker and store."""
        return [
            self._figure(each, self._values(each).get(())) for each in PROTOCOL.panels if each.reading is not None and each.kind == "stat"
        ]

    def _values(self, panel: Panel) -> dict[tuple[str, ...], float]:
        return {} if panel.reading is None else panel.reading.values(self._page.registry)

    def _figure(self, panel: Panel, value: float | None, stage: str = "") -> Figure:
        return Figure(panel, shown_value(value, panel.unit), panel.is_bad(value), polyline(tuple(self._kept.get((panel.title, stage), ()))))


def polyline(values: tuple[float, ...]) -> str:
    """Return the points of an SVG polyline of the values, the highest at the top; nothing for fewer than two."""
    if len(values) < 2:  # noqa: PLR2004  a line has two ends
        return ""
    top = max(*values, 1.0)
    step = WIDTH / (len(values) - 1)
    return " ".join(f"{place * step:.1f},{HEIGHT - 2 - value / top * (HEIGHT - 4):.1f}" for place, value in enumerate(values))
