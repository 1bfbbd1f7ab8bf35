"""`vn top`: a live table of the stages in the terminal, for people without Grafana."""

from threading import Event
from typing import Annotated

import typer
from prometheus_client import CollectorRegistry
from rich.live import Live
from rich.table import Table
from rich.text import Text

from processors.cli.app import new_app
from processors.cli.output import console
from processors.pipeline import PIPELINE
from processors.rules.load import load_rules
from processors.runtime.clock import wall_time
from processors.runtime.settings import Settings
from processors.watch.boards import OVERALL_PANELS, STAGE_PANELS
from processors.watch.boards.panel import Panel
from processors.watch.loop import Watch
from processors.watch.metrics import MetricsPage
from processors.watch.reading import shown_value

app = new_app("A live table of the stages in the terminal.")


@app.command()
def top(
    *,
    every: Annotated[float, typer.Option(min=0.5, help="Seconds between two measurements.")] = 2.0,
    looks: Annotated[int | None, typer.Option(min=1, help="Stop after this many measurements. Default: until interrupted.")] = None,
) -> None:
    """
    Show lag, age, reviews, expectations and dead letters, as read from Kafka, until interrupted.

    The stages are not queried, so the table is also correct for a stage that hangs or is gone.
    """
    settings = Settings()
    page = MetricsPage()
    watch = Watch(settings, load_rules(settings.rules_dir), page, with_canary=False)
    pause, seen = Event(), 0
    with Live(console=console(), auto_refresh=False) as live:
        try:
            while looks is None or seen < looks:
                watch.measure(wall_time())
                live.update(table(page.registry), refresh=True)
                seen += 1
                if looks is None or seen < looks:
                    pause.wait(every)
        except KeyboardInterrupt:
            return


def table(registry: CollectorRegistry) -> Table:
    """Return the table: one row per stage and input, then rows about the whole pipeline."""
    rows = Table(title="vn", title_justify="left")
    rows.add_column("stage")
    rows.add_column("input")
    for panel in STAGE_PANELS:
        rows.add_column(panel.title.partition(",")[0].lower(), justify="right")
    values = [{} if panel.reading is None else panel.reading.values(registry, "unit", "topic") for panel in STAGE_PANELS]
    for stage in (stage for stages in PIPELINE.values() for stage in stages):
        for topic in stage.inputs:
            found = (each.get((stage.name, topic.name)) for each in values)
            rows.add_row(stage.name, topic.name, *(cell(panel, value) for panel, value in zip(STAGE_PANELS, found, strict=True)))
    rows.add_section()
    for panel in OVERALL_PANELS:
        rows.add_row(panel.title, "", cell(panel, None if panel.reading is None else panel.reading.value(registry)))
    return rows


def cell(panel: Panel, value: float | None) -> Text:
    """Return a value as on the boards: red if it is bad."""
    return Text(shown_value(value, panel.unit), style="red" if panel.is_bad(value) else "")
