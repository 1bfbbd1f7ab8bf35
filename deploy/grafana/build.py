"""
Build Grafana's dashboards and docs/dashboards.md from processors/watch/boards: `make dashboards`.

A panel's threshold is that of its alert: the number that the alert's expression in deploy/prometheus/rules.yml compares with.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.common import GraphThresholdsStyleMode

from processors.watch.boards import BOARDS
from processors.watch.boards.panel import Board, Panel

HERE: Final = Path(__file__).parent
RULES: Final = HERE.parent / "prometheus" / "rules.yml"
RUNBOOK: Final = "https://example.org/vn/deploy/runbook.md"  # where your copy of the runbook is read
MAKERS: Final[dict[str, Any]] = {"timeseries": timeseries.Panel, "stat": stat.Panel, "table": table.Panel}
SMALLEST: Final = 0.01
COLUMNS: Final = 24
WIDTHS: Final = {"timeseries": 12, "stat": 4, "table": 24}
HEIGHTS: Final = {"timeseries": 8, "stat": 5, "table": 6}


def threshold(alert: str) -> float | None:
    """Return the number above which the alert fires; None where it fires below one or compares series."""
    rules = yaml.safe_load(RULES.read_text())
    expression = next(rule["expr"] for group in rules["groups"] for rule in group["rules"] if rule.get("alert") == alert)
    found = re.findall(r">\s*(\d+(?:\.\d+)?)", expression)
    return float(found[0]) if found else None


def steps(each: Panel) -> list[models.Threshold]:
    """Return the colors by value: red from `bad_from` or the alert's threshold on, or below `good_above`; none without a threshold."""
    if each.good_above is not None:
        return [models.Threshold(value=None, color="red"), models.Threshold(value=each.good_above, color="green")]
    limit = each.bad_from
    if limit is None and each.alert is not None and not each.unlike_alert:
        limit = threshold(each.alert)
    if limit is None:
        return []
    # Grafana colors a value from the step on, an alert fires above it: what fires above 0 is red from the least above 0
    return [models.Threshold(value=None, color="green"), models.Threshold(value=limit or SMALLEST, color="red")]


def description(each: Panel) -> str:
    """Return what normal looks like, and when the panel is empty."""
    return f"Normal: {each.normal}." + (f" Empty until {each.empty_until}." if each.empty_until else "")


def widths(panels: Sequence[Panel]) -> list[int]:
    """Return how wide each panel is, of Grafana's 24 columns: the last of a row fills it."""
    found: list[int] = []
    for each in panels:
        used, width = sum(found) % COLUMNS, WIDTHS[each.kind]
        if used and used + width > COLUMNS:
            found[-1] += COLUMNS - used
        found.append(width)
    found[-1] += -sum(found) % COLUMNS
    return found


def panel(each: Panel, width: int) -> Any:
    """Return one panel, with its threshold, what normal looks like, and a link to the runbook."""
    built = MAKERS[each.kind]().title(each.title).description(description(each)).unit(each.unit).span(width)
    built = built.height(HEIGHTS[each.kind])
    query = prometheus.Dataquery().expr(each.query).ref_id("A")
    if each.legend:
        query = query.legend_format(each.legend)
    built = built.with_target(query.instant() if each.kind == "table" else query)
    if each.empty_until:
        built = built.no_value("none")
    if colors := steps(each):
        built = built.thresholds(dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(colors))
        if each.kind == "timeseries":
            built = built.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.LINE))
    if each.alert is None:
        return built
    link = dashboard.DashboardLink(f"Runbook: {each.alert}").url(f"{RUNBOOK}#{each.alert.lower()}").type(models.DashboardLinkType.LINK)
    return built.links([link])


def document(board: Board) -> str:
    """Return the dashboard as Grafana's JSON."""
    built = (
        dashboard.Dashboard(f"vn: {board.title}")
        .uid(f"vn-{board.slug}")
        .description(board.question)
        .tags(["vn"])
        .refresh("10s")
        .time("now-1h", "now")
        .timezone("browser")
        .readonly()
        .link(dashboard.DashboardLink("vn").tags(["vn"]).type(models.DashboardLinkType.DASHBOARDS).keep_time(True))
    )
    for each, width in zip(board.panels, widths(board.panels), strict=True):
        built = built.with_panel(panel(each, width))
    return JSONEncoder(sort_keys=True, indent=2).encode(built.build()) + "\n"


GUIDE: Final = """# Dashboards

Six boards for Grafana, each an answer to one question; *Duty* first. The files are in `deploy/grafana/dashboards`, and the containers
of `docker-compose.yml` come with them. A red line is the threshold of the alert that the panel links to in
[the runbook](../deploy/runbook.md); a panel says what normal looks like. Without Grafana, `vn top` and the first page of
[`vn console`](console.md) show the stages.

Definitions are in `processors/watch/boards`; `make dashboards` makes the files and this page from them. `make pictures` draws
each board in Chromium from the files of Grafana, with what a real Prometheus saw of a pipeline under load: one stage was stopped for half
a minute, an agency fell silent, records were refused and flagged for review.
"""


def guide() -> str:
    """Return docs/dashboards.md."""
    parts = [GUIDE]
    for board in BOARDS:
        parts.append(f"\n## {board.title}: {board.question}\n\n![{board.title}](images/dashboards/{board.slug}.png)\n")
        parts.append("\n| panel | normal | empty until | alert |\n|---|---|---|---|\n")
        for each in board.panels:
            alert = f"[{each.alert}](../deploy/runbook.md#{each.alert.lower()})" if each.alert else "-"
            parts.append(f"| {each.title} | {each.normal} | {each.empty_until or '-'} | {alert} |\n")
    return "".join(parts)


def main() -> None:
    """Write every dashboard, and the page about them."""
    (HERE.parents[1] / "docs" / "dashboards.md").write_text(guide())
    for board in BOARDS:
        (HERE / "dashboards" / f"{board.slug}.json").write_text(document(board))


if __name__ == "__main__":
    main()
