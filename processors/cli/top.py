"""`vn top`: a live table of the stages in the terminal, for people without Grafana."""

from collections.abc import Mapping
from threading import Event
from typing import Annotated, Final

import typer
from prometheus_client import CollectorRegistry
from rich.live import Live
from rich.table import Table
from rich.text import Text

from processors.cli.app import new_app
from processors.cli.output import console
from processors.pipeline import PIPELINE
from processors.rules.load import load_rules
from processors.runtime.clock import wall
from processors.runtime.settings import Settings
from processors.watch.loop import Watch
from processors.watch.metrics import Page

app = new_app("A live table of the stages in the terminal.")

OLD_SECONDS: Final = 60.0  # the threshold of the alert VnWorkStands


@app.command()
def top(
    *,
    every: Annotated[float, typer.Option(min=0.5, help="Seconds between two looks.")] = 2.0,
    looks: Annotated[int | None, typer.Option(min=1, help="Stop after so many looks. Default: until interrupted.")] = None,
) -> None:
    """
    Show lag, age, reviews, expectations and dead letters, as read from Kafka, until interrupted.

    The stages are not queried, so the table is also right for a stage that hangs or is gone.
    """
    settings = Settings()
    page = Page()
    watch = Watch(settings, load_rules(settings.rules_dir), page, with_canary=False)
    pause, seen = Event(), 0
    with Live(console=console(), auto_refresh=False) as live:
        try:
            while looks is None or seen < looks:
                watch.look(wall())
                live.update(table(page.registry), refresh=True)
                seen += 1
                if looks is None or seen < looks:
                    pause.wait(every)
        except KeyboardInterrupt:
            return


def table(registry: CollectorRegistry) -> Table:
    """Return the table: a row for each stage and input, then what waits for people."""
    values = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value for metric in registry.collect() for sample in metric.samples
    }
    rows = Table(title="vn", title_justify="left")
    for column in ("stage", "input", "unread", "oldest"):
        rows.add_column(column, justify="right" if column in {"unread", "oldest"} else "left")
    for stages in PIPELINE.values():
        for stage in stages:
            for topic in stage.inputs:
                labels = (("topic", topic.name), ("unit", stage.name))
                unread = values.get(("vn_group_lag_records", labels))
                oldest = values.get(("vn_group_oldest_seconds", labels))
                rows.add_row(stage.name, topic.name, count(unread), age(oldest))
    rows.add_section()
    for name, title in (("vn_broker_up", "broker answers"), ("vn_store_up", "store answers")):
        rows.add_row(title, "", yes_or_no(total(values, name)), "")
    seen = total(values, "vn_tables_read_timestamp_seconds") is not None
    for name, title in (
        ("vn_reviews_open", "reviews open"),
        ("vn_expectations", "expected events"),
        ("vn_dead_letters_open", "dead letters open"),
    ):
        rows.add_row(title, "", count(total(values, name) or 0.0 if seen else None), "")
    return rows


def total(values: Mapping[tuple[str, tuple[tuple[str, str], ...]], float], name: str) -> float | None:
    """Return the sum of a metric's samples; None if there are none."""
    found = [value for (each, _), value in values.items() if each == name]
    return sum(found) if found else None


def yes_or_no(value: float | None) -> str:
    """Return whether it answers; a dash if it is not known."""
    return "-" if value is None else "yes" if value else "no"


def count(value: float | None) -> str:
    """Return a number for display; a dash if it is not known."""
    return "-" if value is None else f"{value:,.0f}"


def age(seconds: float | None) -> Text:
    """Return an age, red above the alert's threshold."""
    if seconds is None:
        return Text("-")
    return Text(f"{seconds:,.1f} s", style="red" if seconds > OLD_SECONDS else "")
