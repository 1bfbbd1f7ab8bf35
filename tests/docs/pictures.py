"""
The pictures of the README, drawn from what they show: `python -m tests.docs.pages` writes them, a test says that they are current.

The pipeline is drawn from `pipeline.py` and `topics.py`, the end of the demo from the sample feed run in memory. What was
measured is drawn in `tests/docs/figures.py`.
"""

import io
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from processors.cli import demo
from processors.domain.journal import DeadLetter, Verdict
from processors.domain.notification import Outbound
from processors.pipeline import PIPELINE
from processors.rehearsal.answer_key import differences
from processors.rehearsal.feed import read_feed, read_key
from processors.rehearsal.player import rehearse
from processors.rules.load import load_rules
from processors.stage import Stage
from processors.topics import DEAD_LETTERS, DECISIONS, Topic

ROOT: Final = Path(__file__).parents[2]
PREFIX: Final = "vn."

# Both themes are legible on the picture's own background, whatever is behind it.
STYLE: Final = """
  <style>
    .paper { fill: #ffffff; stroke: #d0d7de; }
    .unit { fill: #0b5cad; }
    .topic { fill: #eaf2fb; stroke: #7aa7d6; }
    .outside { fill: #f3f0e6; stroke: #b9a76a; }
    .state { fill: #eef7ee; stroke: #79b380; }
    .group { fill: none; stroke: #8c959f; stroke-dasharray: 5 4; }
    .line { stroke: #57606a; stroke-width: 1.6; fill: none; }
    .head { fill: #57606a; }
    .bar { fill: #2f81c8; }
    .grid { stroke: #d0d7de; stroke-width: 1; }
    .goal { stroke: #b35900; stroke-width: 2; stroke-dasharray: 5 4; }
    text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
    .name { font-weight: 600; fill: #ffffff; font-size: 15px; }
    .does { fill: #dbe9f8; font-size: 12px; }
    .code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 12px; }
    .note { fill: #57606a; font-size: 12px; }
    .title { font-weight: 600; }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #0d1117; stroke: #30363d; }
      .unit { fill: #1b5fa7; }
      .topic { fill: #12243a; stroke: #3d6ea5; }
      .outside { fill: #2b2616; stroke: #7d6d35; }
      .state { fill: #12261a; stroke: #3f7d4c; }
      .line { stroke: #9aa4af; }
      .head { fill: #9aa4af; }
      .bar { fill: #4493d8; }
      .grid { stroke: #30363d; }
      text { fill: #e6edf3; }
      .name { fill: #ffffff; }
      .does { fill: #d3e4f7; }
      .note { fill: #9aa4af; }
    }
  </style>"""

DOES: Final = {
    "read": "reads, checks, refuses",
    "identify": "finds who the offender is",
    "dedupe": "lets each event pass once",
    "validate": "checks date, order, status, location",
    "match": "finds who registered",
    "deliver": "gathers, words and sends",
    "answer": "answers each agency once",
}
WRITERS: Final = {
    "submissions": "agencies",
    "registrations": "registration sites",
    "verifications": "registration sites",
    "receipts": "providers",
    "inbound": "providers",
    "erasures": "operators",
    "review.actions": "reviewers",
}
EVERYWHERE: Final = (DECISIONS.name, DEAD_LETTERS.name)  # every unit writes these, whether it names them or not

WIDTH: Final = 1140
TOP: Final = 56
PILL: Final = 26
BOX: Final = 54
ROW: Final = 122
CENTRE: Final = 560
HALF: Final = 135
RIGHT: Final = 780
PEOPLE: Final = 1036
LANE: Final = 92  # between the topics that pass units by
APART: Final = 9  # between the lines of different lanes at one unit


def units() -> list[tuple[str, Stage[Any]]]:
    """Return each unit with the stage that it belongs to, in order."""
    return [(stage, unit) for stage, members in PIPELINE.items() for unit in members]


def pipeline_svg() -> str:
    road = sorted((unit for _, unit in units()), key=lambda unit: any(map(sent, unit.outputs)))  # who sends comes last
    begin = TOP + PILL + 60
    tops = {unit.name: begin + number * ROW for number, unit in enumerate(road)}
    height = begin + len(road) * ROW + 84
    lines = [
        *opened(height, "The pipeline: what each stage reads, keeps and writes"),
        *inputs(road[0], tops[road[0].name]),
        *grouped(tops),
        note(RIGHT + 12, begin + 4, "its state"),
        text(PEOPLE, begin - 14, "also written", "note"),
        *(line for each, after in pairwise(road) for line in between(each, after, tops)),
        *(line for each in road for line in unit_drawn(each, road, tops[each.name])),
        *round_about(road, tops),
        *out(road[-1], tops[road[-1].name]),
        note(24, height - 34, f"Every stage also writes {PREFIX}decisions, and {PREFIX}dead-letters for what it cannot read."),
        note(24, height - 16, "Outputs, state and offsets of a batch are one Kafka transaction; Redis holds a stamped copy of each state."),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def opened(height: int, title: str) -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        f"  <title>{escape(title)}</title>{STYLE}",
        '  <defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">',
        '    <path class="head" d="M0 0 L8 4 L0 8 z"/>',
        "  </marker></defs>",
        f'  <rect class="paper" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
    ]


def inputs(first: Stage[Any], top: int) -> Iterator[str]:
    """Draw what outsiders write, above the first unit."""
    width = (WIDTH - 48) // len(first.inputs)
    for number, topic in enumerate(first.inputs):
        middle = 24 + number * width + width // 2
        yield text(middle, TOP - 12, WRITERS[topic.name], "note")
        yield from pill(middle, TOP, topic, "outside", width - 10)
        yield arrow([(middle, TOP + PILL), (CENTRE + (number * 2 - len(first.inputs) + 1) * 26, top)])


def grouped(tops: dict[str, int]) -> Iterator[str]:
    """Draw a frame about the units of a stage that has several."""
    for stage, members in PIPELINE.items():
        if len(members) > 1:
            drawn = [tops[unit.name] for unit in members]
            top, bottom = min(drawn) - 14, max(drawn) + BOX + 14
            yield f'  <rect class="group" x="{CENTRE - HALF - 18}" y="{top}" width="{2 * HALF + 36}" height="{bottom - top}" rx="10"/>'
            yield note(CENTRE - HALF - 6, (top + bottom) // 2 + 4, stage)


def between(one: Stage[Any], after: Stage[Any], tops: dict[str, int]) -> Iterator[str]:
    """Draw the topics that lead from one unit to the next one."""
    shared = [topic for topic in one.outputs if topic in after.inputs]
    from_y, to_y = tops[one.name] + BOX, tops[after.name]
    for number, topic in enumerate(shared):
        middle = CENTRE + (number * 2 - len(shared) + 1) * 90
        y = (from_y + to_y - PILL) // 2
        yield arrow([(middle, from_y), (middle, y)])
        yield from pill(middle, y, topic, "topic")
        yield arrow([(middle, y + PILL), (middle, to_y)])
        yield note(middle + pill_width(topic) // 2 + 8, y + 17, f"by {topic.key}" if topic.key != "none: one order" else "one order")


def unit_drawn(unit: Stage[Any], road: Sequence[Stage[Any]], top: int) -> Iterator[str]:
    """Draw a unit with its state and what it writes for people."""
    yield f'  <rect class="unit" x="{CENTRE - HALF}" y="{top}" width="{2 * HALF}" height="{BOX}" rx="8"/>'
    yield text(CENTRE, top + 23, unit.name, "name")
    yield text(CENTRE, top + 42, DOES[unit.name], "does")
    side = top + (BOX - PILL) // 2
    own = [(topic, "topic") for topic in unit.outputs if topic in unit.inputs]
    kept = [*([(unit.changelog, "state")] if unit.changelog is not None else []), *own]
    for number, (topic, kind) in enumerate(kept):
        y = side + (number * 2 - len(kept) + 1) * 17
        yield from pill(RIGHT + pill_width(topic) // 2, y, topic, kind)
        yield arrow([(CENTRE + HALF, y + 13), (RIGHT, y + 13)], both=True)
    if not kept:
        yield note(RIGHT, side + 22, "none")
    read_on = {topic for other in road for topic in other.inputs}
    people = [topic for topic in unit.outputs if topic not in read_on and topic.name not in EVERYWHERE and not sent(topic)]
    for number, topic in enumerate(people):
        yield from pill(PEOPLE, side + (number * 2 - len(people) + 1) * 17, topic, "outside", 176)


def round_about(road: Sequence[Stage[Any]], tops: dict[str, int]) -> Iterator[str]:
    """Draw topics that pass units by or lead back, each in a lane of its own: from all units that write it to all that read it."""
    edge, lanes, pills = CENTRE - HALF, 0, []
    for topic in dict.fromkeys(topic for unit in road for topic in unit.outputs):
        writers = [number for number, unit in enumerate(road) if topic in unit.outputs]
        readers = [number for number, unit in enumerate(road) if topic in unit.inputs]
        if not readers or writers == readers or all(reader == writer + 1 for writer in writers for reader in readers):
            continue
        lane, shift = edge - 66 - lanes * LANE, (lanes - 1) * APART
        rows = {number: tops[road[number].name] + BOX // 2 + shift for number in (*writers, *readers)}
        yield f'  <path class="line" d="M{lane} {min(rows.values())} L{lane} {max(rows.values())}"/>'
        for number in writers:
            yield f'  <path class="line" d="M{edge} {rows[number]} L{lane} {rows[number]}"/>'
        for number in readers:
            yield arrow([(lane, rows[number]), (edge, rows[number])])
        gap = min((min(rows) + max(rows)) // 2 + lanes % 2, max(rows) - 1)
        y = tops[road[gap].name] + BOX + (ROW - BOX - PILL) // 2
        pills += [
            *pill(lane, y, topic, "topic"),
            note(lane + 8, y - 6, f"by {topic.key}" if topic.key != "none: one order" else "one order"),
        ]
        lanes += 1
    yield from pills  # above every line


def out(last: Stage[Any], top: int) -> Iterator[str]:
    """Draw what leaves for the providers."""
    leaving = [topic for topic in last.outputs if sent(topic)]
    width = 172
    for number, topic in enumerate(leaving):
        middle = CENTRE + (number * 2 - len(leaving) + 1) * width // 2
        yield arrow([(CENTRE + (number * 2 - len(leaving) + 1) * 40, top + BOX), (middle, top + BOX + 34)])
        yield from pill(middle, top + BOX + 34, topic, "outside", width - 10)
    yield note(CENTRE + len(leaving) * width // 2 + 6, top + BOX + 51, "to delivery providers")


def sent(topic: Topic) -> bool:
    return topic.name.startswith("outbound.")


def pill_width(topic: Topic) -> int:
    return 7 * len(PREFIX + topic.name) + 24


def pill(middle: int, y: int, topic: Topic, kind: str, width: int | None = None) -> Iterator[str]:
    wide = width or pill_width(topic)
    yield f'  <rect class="{kind}" x="{middle - wide // 2}" y="{y}" width="{wide}" height="{PILL}" rx="{PILL // 2}"/>'
    yield text(middle, y + 17, PREFIX + topic.name, "code")


def text(x: int, y: int, content: str, kind: str) -> str:
    return f'  <text class="{kind}" x="{x}" y="{y}" text-anchor="middle">{escape(content)}</text>'


def note(x: int, y: int, content: str) -> str:
    return f'  <text class="note" x="{x}" y="{y}">{escape(content)}</text>'


def arrow(points: Sequence[tuple[int, int]], *, both: bool = False) -> str:
    path = " L".join(f"{x} {y}" for x, y in points)
    back = ' marker-start="url(#head)"' if both else ""
    return f'  <path class="line"{back} marker-end="url(#head)" d="M{path}"/>'


SHOWN: Final = "R-1001"
THEME: Final = TerminalTheme(
    (22, 27, 34),
    (230, 237, 243),
    [(72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34), (88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)],
)


def demo_svg() -> str:
    """Return the end of `make demo` as a terminal shows it: the stages, one registrant's messages, the refused, the verdict."""
    examples = ROOT / "examples"
    driver = rehearse(read_feed(examples / "feed.jsonl"), load_rules(), bytes(64)).driver
    journal: list[Verdict] = driver.verdicts()
    outbound: list[Outbound] = driver.outbound()
    dead: list[DeadLetter] = driver.records(DEAD_LETTERS)
    key = read_key(examples / "key.json")
    mine = sorted((each for each in outbound if each.registrant_id == SHOWN), key=lambda each: each.created_at)
    console = Console(record=True, width=126, file=io.StringIO(), highlight=False, force_terminal=True)
    console.print(demo._stage_table(journal))
    console.print(demo._messages(SHOWN, mine))
    console.print("…  and so on for every registrant, then every message that was held back, and why", style="dim")
    console.print(demo._dead_table(dead))
    console.print(demo._verdict(differences(key, outbound, journal, dead), sum(len(each) for each in key["told"].values()), demo.FOLDER))
    svg = re.sub(r"\s*@font-face \{.*?\}", "", console.export_svg(title="make demo", theme=THEME, unique_id="demo"), flags=re.DOTALL)
    assert 'url("http' not in svg, "a picture fetches nothing"
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


PICTURES: Final = {"images/pipeline.svg": pipeline_svg, "images/demo.svg": demo_svg}
