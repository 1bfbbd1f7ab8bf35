"""What was measured, as pictures: drawn from `bench/results.md` and `bench/growth.json` by `python -m tests.docs.pages`."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from math import log10
from typing import Any, Final

from tests.docs.pictures import ROOT, opened, text

RESULTS: Final = ROOT / "bench" / "results.md"
GROWTH: Final = ROOT / "bench" / "growth.json"
LEFT: Final = 190  # where bars begin
WIDE: Final = 470  # the longest bar
ROW: Final = 30
PLOT: Final = (90, 60, 300, 170)  # left, top, width, height
APART: Final = 420  # from one plot to the next
COLORS: Final = ("#2f81c8", "#b35900", "#4d9a57", "#8a63b8", "#b0455f", "#6b7280", "#1f9a9a")


def performance_svg() -> str:
    """Return the CPU time of each process as bars, and latency and throughput beside their goals."""
    results = RESULTS.read_text()
    _, _, whole = results.partition("## The whole pipeline")
    costs = [(name, float(seconds)) for name, seconds in re.findall(r"^\| (\w+) \| ([0-9.]+) \|(?: [0-9]* \|)?$", whole, re.MULTILINE)]
    rate = int(matched(r"\*\*([0-9,]+) a second\*\*", whole).replace(",", ""))
    count = matched(r"^([0-9,]+) submissions in", whole)
    height = 60 + 26 * len(costs) + 158
    lines = opened(height, "What was measured on two cores")
    title = f"CPU seconds of each process for 100,000 submissions, measured over {count}, on two cores that all of them share"
    lines.append(f'  <text class="title" x="24" y="34">{title}</text>')
    scale = 560 / max(seconds for _, seconds in costs)
    for number, (name, seconds) in enumerate(costs):
        y = 52 + 26 * number
        lines.append(f'  <text x="120" y="{y + 15}" text-anchor="end">{name}</text>')
        lines.append(f'  <rect class="bar" x="130" y="{y}" width="{seconds * scale:.0f}" height="20" rx="3"/>')
        lines.append(f'  <text x="{138 + seconds * scale:.0f}" y="{y + 15}">{seconds:.1f}</text>')
    base = 60 + 26 * len(costs) + 18
    lines.extend(gauge(base, "submissions a second", (rate, 10_000), f"{rate:,}; goal 10,000 or more"))
    for number, (name, share, goal) in enumerate((("latency, median", "p50", 60), ("latency, p99", "p99", 150)), start=1):
        cold, warm = (int(value) for value in re.findall(rf"^Submission sent to message read.* {share} (\d+) ms", results, re.MULTILINE))
        says = f"{warm} ms after the backlog, {cold} ms before it; goal {goal} or less"
        lines.extend(gauge(base + 40 * number, name, (warm, goal), says))
    return "\n".join([*lines, "</svg>"]) + "\n"


def gauge(y: int, name: str, reached: tuple[int, int], says: str) -> Iterator[str]:
    """Draw one value as a bar, with its goal as a line."""
    value, goal = reached
    scale = 300 / max(value, goal)
    yield f'  <text x="160" y="{y + 15}" text-anchor="end">{name}</text>'
    yield f'  <rect class="bar" x="170" y="{y}" width="{value * scale:.0f}" height="20" rx="3"/>'
    yield f'  <line class="goal" x1="{170 + goal * scale:.0f}" y1="{y - 5}" x2="{170 + goal * scale:.0f}" y2="{y + 25}"/>'
    yield f'  <text x="490" y="{y + 15}">{says}</text>'


def matched(pattern: str, content: str) -> str:
    found = re.search(pattern, content, re.MULTILINE)
    assert found is not None, f"bench/results.md has nothing like {pattern}"
    return found[1]


def peers_svg() -> str:
    """Return what the job costs each system, and how many records a second it makes of the raw copy's, as bars."""
    _, _, table = RESULTS.read_text().partition("## The job that stream processors are compared by")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    right = [row for row in rows[1:] if row[-1] == "right"]
    costs, shares = [(row[0], float(row[5])) for row in right], [(row[0], float(row[3])) for row in right]
    half = ROW * len(right) + 40
    lines = opened(34 + 2 * half, "The same job by several stream processors")
    lines.extend(bars(34, "CPU seconds for 100,000 records, once warm: fewer is better", costs))
    lines.extend(bars(34 + half, "Records a second, as a share of a raw transactional copy: more is better", shares))
    return "\n".join([*lines, "</svg>"]) + "\n"


def bars(top: int, title: str, values: Sequence[tuple[str, float]]) -> Iterator[str]:
    yield f'  <text class="title" x="24" y="{top}">{title}</text>'
    scale = WIDE / max(value for _, value in values)
    for number, (name, value) in enumerate(values):
        y = top + 14 + ROW * number
        yield f'  <text x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{name}</text>'
        yield f'  <rect class="bar" x="{LEFT}" y="{y}" width="{max(1, value * scale):.0f}" height="22" rx="3"/>'
        yield f'  <text x="{LEFT + 8 + value * scale:.0f}" y="{y + 16}">{value:.2f}</text>'


def growth_svg() -> str:
    """Return what a submission costs, beside what it costs at the same time where nobody is known, and what an offender takes up."""
    points: list[dict[str, Any]] = json.loads(GROWTH.read_text())
    at = [point["offenders"] for point in points]
    costs = {"all stages": [point["submission"] for point in points], "empty stages": [point["empty"] for point in points]}
    first, later = points[0], points[1:]  # what is there before the first offender is not what an offender takes up
    sizes = {
        "store": [point["store"] / point["offenders"] / 1024 for point in later],
        "process": [(point["memory"] - first["memory"]) / (point["offenders"] - first["offenders"]) / 1024 for point in later],
    }
    lines = opened(330, "Growth: cost of a submission, and size of an offender")
    lines.extend(plot(0, "µs of CPU a submission", at, costs))
    lines.extend(plot(APART, "KiB an offender, every second one with a registration", at[1:], sizes))
    return "\n".join([*lines, "</svg>"]) + "\n"


def plot(shift: int, title: str, at: Sequence[int], series: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """Draw values against numbers of offenders, which are on a logarithmic scale."""
    left, top, width, height = PLOT
    left += shift
    most = max(value for values in series.values() for value in values) * 1.1
    form = ",.0f" if most >= 100 else ".3g"
    low, high = log10(at[0]), log10(at[-1]) if at[-1] > at[0] else log10(at[0]) + 1

    def x(value: int) -> float:
        return left + width * (log10(value) - low) / (high - low)

    def y(value: float) -> float:
        return top + height * (1 - value / most)

    yield f'  <text class="title" x="{left - 50}" y="{top - 24}">{title}</text>'
    for share in (0, 0.25, 0.5, 0.75, 1):
        yield f'  <line class="grid" x1="{left}" y1="{y(share * most):.0f}" x2="{left + width}" y2="{y(share * most):.0f}"/>'
        yield f'  <text class="note" x="{left - 6}" y="{y(share * most) + 4:.0f}" text-anchor="end">{share * most:{form}}</text>'
    yield from (text(round(x(value)), top + height + 18, short(value), "note") for value in at)
    for number, (name, values) in enumerate(series.items()):
        path = " L".join(f"{x(value):.0f} {y(reached):.0f}" for value, reached in zip(at, values, strict=True))
        color = COLORS[number % len(COLORS)]
        yield f'  <path d="M{path}" fill="none" stroke="{color}" stroke-width="2"/>'
        column, row = left - 50 + 110 * (number % 3), top + height + 42 + 18 * (number // 3)
        yield f'  <rect x="{column}" y="{row - 9}" width="14" height="4" fill="{color}"/>'
        yield f'  <text class="note" x="{column + 20}" y="{row - 3}">{name}</text>'


def short(number: int) -> str:
    """Return a number as 10k or 2M."""
    return f"{number / 1e6:g}M" if number >= 1_000_000 else f"{number / 1e3:g}k"


FIGURES: Final = {"images/performance.svg": performance_svg, "images/peers.svg": peers_svg, "images/growth.svg": growth_svg}
