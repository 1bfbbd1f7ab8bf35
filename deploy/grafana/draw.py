"""
Draw a dashboard's JSON with answers of Prometheus, as a page of SVG: for docs/dashboards.md, and for who has no Grafana.

It draws what these dashboards use (timeseries, stat, table, thresholds, units), not all that Grafana can.
"""

import html
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from processors.watch.reading import shown_value

Series = tuple[str, list[tuple[float, float]]]  # its legend, and times with values
WIDTH: Final = 1200  # of the page; Grafana's grid has 24 columns
ROW: Final = 26  # pixels of a row of Grafana's grid
COLORS: Final = ("#1f78c1", "#e0752d", "#508642", "#ba43a9", "#bf1b00", "#705da0", "#0a437c", "#99440a", "#3f6833", "#962d82")
NAMED: Final = {"green": "#37872d", "red": "#c4162a"}
MISSING: Final = re.compile(r"\{\{\w+\}\}")  # a label that the series does not have
CODE: Final = re.compile(r"`([^`]+)`")
STYLE: Final = """
body { margin: 0; background: #f4f5f5; font: 13px/1.35 'DejaVu Sans', sans-serif; color: #1f2329; width: 1200px; }
header { padding: 12px 16px 4px; } h1 { font-size: 18px; margin: 0; } header p { margin: 2px 0 0; color: #555; }
main { display: grid; grid-template-columns: repeat(24, 1fr); gap: 8px; padding: 8px 16px 16px; }
section { background: #fff; border: 1px solid #d9dadc; border-radius: 3px; padding: 8px 10px; overflow: hidden; }
h2 { font-size: 13px; margin: 0; text-wrap: balance; } small { color: #666; font-size: 11px; display: block; }
.stat { font-size: 28px; font-weight: 600; margin-top: 6px; } .none { color: #666; padding: 24px; text-align: center; }
table { border-collapse: collapse; width: 100%; margin-top: 6px; }
td, th { text-align: left; padding: 3px 6px; border-bottom: 1px solid #eee; }
ul { list-style: none; margin: 2px 0 0; padding: 0; font-size: 11px; display: flex; flex-wrap: wrap; gap: 0 12px; }
li span { display: inline-block; width: 12px; height: 3px; margin-right: 4px; vertical-align: middle; }
text { font-size: 10px; fill: #666; }
"""


def page(dashboard: Mapping[str, Any], answers: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return the page of one dashboard; `answers` are results of query_range by expression."""
    times = [float(at) for answer in answers.values() for each in answer for at, _ in each["values"]] or [0.0]
    shown = min(times), max(times)  # every chart shows the same time
    panels = "".join(_panel(each, answers[each["targets"][0]["expr"]], shown) for each in dashboard["panels"])
    title, question = html.escape(dashboard["title"]), html.escape(dashboard["description"])
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    return (
        f'<!DOCTYPE html><html lang="en"><head>{head}</head><body><header><h1>{title}</h1><p>{question}</p></header>'
        f"<main>{panels}</main></body></html>"
    )


def _panel(panel: Mapping[str, Any], answer: Sequence[Mapping[str, Any]], shown: tuple[float, float]) -> str:
    place, defaults = panel["gridPos"], panel["fieldConfig"]["defaults"]
    description = CODE.sub(r"<code>\1</code>", html.escape(panel["description"]))
    if not answer:
        body = f'<p class="none">{html.escape(defaults.get("noValue", "no data"))}</p>'
    elif panel["type"] == "table":
        body = _table([each for each in answer if float(each["values"][-1][0]) == shown[1]])
    else:
        series = [(_legend(panel["targets"][0].get("legendFormat", ""), each["metric"]), _points(each)) for each in answer]
        body = _stat(defaults, series) if panel["type"] == "stat" else _lines(defaults, sorted(series), place["w"], shown)
    return (
        f'<section style="grid-column: span {place["w"]}; min-height: {place["h"] * ROW - 30}px"><h2>{html.escape(panel["title"])}</h2>'
        f"<small>{description}</small>{body}</section>"
    )


def _points(result: Mapping[str, Any]) -> list[tuple[float, float]]:
    return [(float(at), float(value)) for at, value in result["values"]]


def _legend(form: str, labels: Mapping[str, str]) -> str:
    for name, value in labels.items():
        form = form.replace(f"{{{{{name}}}}}", value)
    return MISSING.sub("", form)  # as Grafana does


def _steps(defaults: Mapping[str, Any]) -> list[tuple[float, str]]:
    steps = defaults.get("thresholds", {}).get("steps", [])
    return [(-math.inf if each.get("value") is None else float(each["value"]), NAMED[each["color"]]) for each in steps]


def _stat(defaults: Mapping[str, Any], series: list[Series]) -> str:
    values = [points[-1][1] for _, points in series]
    shown = []
    for value in values:
        color = next((color for least, color in reversed(_steps(defaults)) if value >= least), "#1f2329")
        shown.append(f'<span style="color: {color}">{shown_value(value, defaults.get("unit", ""))}</span>')
    return f'<p class="stat">{" ".join(shown)}</p>'


def _table(answer: Sequence[Mapping[str, Any]]) -> str:
    columns = sorted({name for each in answer for name in each["metric"]})
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    rows = ["".join(f"<td>{html.escape(each['metric'].get(name, ''))}</td>" for name in columns) for each in answer]
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _lines(defaults: Mapping[str, Any], series: list[Series], columns: int, span_of_page: tuple[float, float]) -> str:
    unit, width, height, left, bottom = defaults.get("unit", ""), 46 * columns + 8, 136, 56, 16
    known = [(name, [point for point in points if math.isfinite(point[1])]) for name, points in series]
    every = [point for _, points in known for point in points]
    if not every:
        return '<p class="none">no data</p>'
    limits = [(least, color) for least, color in _steps(defaults) if math.isfinite(least)]
    first, last = span_of_page
    highest = max(value for _, value in every)
    top = (
        max(highest, *(least * 1.1 for least, _ in limits if least <= highest * 20 or highest == 0), 1.0 if unit == "short" else 0.0) or 1.0
    )
    span = (last - first) or 1.0

    def x(at: float) -> float:
        return left + (at - first) / span * (width - left - 4)

    def y(value: float) -> float:
        return 10 + (1 - max(value, 0.0) / top) * (height - bottom - 14)

    marks = []
    for share in (0.0, 0.5, 1.0):
        at = y(top * share)
        marks.append(f'<line x1="{left}" x2="{width}" y1="{at:.1f}" y2="{at:.1f}" stroke="#e5e6e8"/>')
        marks.append(f'<text x="{left - 5}" y="{at + 3:.1f}" text-anchor="end">{shown_value(top * share, unit, 3)}</text>')
        moment = first + span * share
        anchor = {0.0: "start", 0.5: "middle", 1.0: "end"}[share]
        marks.append(
            f'<text x="{x(moment):.1f}" y="{height - 2}" text-anchor="{anchor}">{datetime.fromtimestamp(moment, UTC):%H:%M:%S}</text>'
        )
    for least, _ in limits:
        if least <= top:
            at = y(least)
            marks.append(f'<line x1="{left}" x2="{width}" y1="{at:.1f}" y2="{at:.1f}" stroke="{NAMED["red"]}" stroke-dasharray="5 4"/>')
    legend = []
    for number, (name, points) in enumerate(known):
        if points:
            color = COLORS[number % len(COLORS)]
            path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in points)
            marks.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.6"/>')
            now = shown_value(points[-1][1], unit)
            legend.append(f'<li><span style="background: {color}"></span>{html.escape(name)} {now}</li>')
    return f'<svg viewBox="0 0 {width} {height}" width="100%">{"".join(marks)}</svg><ul>{"".join(legend)}</ul>'
