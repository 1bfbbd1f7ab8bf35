"""Every alert, and every message with which a stage stops, is in the runbook; alerts use only existing metrics."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from processors.domain.reasons import REASONS
from processors.runtime.metrics import METRICS
from processors.watch.metrics import FAMILIES
from tests.cli.test_docs import resolved
from tests.docs.pages import ROOT
from tests.source import tree

RUNBOOK = (ROOT / "deploy" / "runbook.md").read_text()
EXACTLY_ONCE = ROOT / "docs" / "exactly-once.md"
PAGES = (ROOT / "README.md", ROOT / "deploy" / "runbook.md", *sorted((ROOT / "docs").glob("*.md")))
ALERTS = [
    rule
    for group in yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yml").read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
]
PLACE = re.compile(r"\b(PARTITION|OFFSET|N)\b")  # what must be a number
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
EXPOSED = {metric._name + suffix for metric in METRICS for suffix in SUFFIXES[metric._type]} | {family.name for family in FAMILIES}


def anchor(heading: str) -> str:
    """The name that a heading has in a link."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {anchor(found) for found in re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)}


def sentences() -> Iterator[str]:
    """What stages stop with, `…` for each value."""
    for path in sorted((ROOT / "processors" / "runtime").rglob("*.py")):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Stop":
                said = node.args[0]
                parts = said.values if isinstance(said, ast.JoinedStr) else [said]
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_every_alert_is_in_the_runbook_and_asks_for_metrics_that_there_are(alert: dict[str, Any]) -> None:
    assert f"\n### {alert['alert']}\n" in RUNBOOK
    assert alert["annotations"]["runbook_url"] == f"deploy/runbook.md#{anchor(alert['alert'])}"
    assert alert["labels"]["severity"] in {"page", "ticket", "none"}
    assert set(re.findall(r"\bvn_\w+", alert["expr"])) <= EXPOSED
    assert set(re.findall(r'reason!?="(\w+)"', alert["expr"])) <= set(REASONS)
    assert set(re.findall(r"\$labels\.(\w+)", alert["annotations"]["summary"])) <= labels_of(alert["expr"])


def labels_of(expression: str) -> set[str]:
    """The labels that are left of what an alert asks for."""
    kept = re.findall(r"(?:by|on) \(([\w, ]+)\)", expression)
    return {label.strip() for each in kept for label in each.split(",")}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_every_alert_says_what_it_means_how_to_look_what_to_do_and_when_it_is_over(alert: dict[str, Any]) -> None:
    (section,) = re.findall(rf"^### {alert['alert']}\n(.*?)(?=^##)", RUNBOOK, re.MULTILINE | re.DOTALL)
    assert re.findall(r"^- \*\*([\w ]+):\*\* \S", section, re.MULTILINE) == ["For registrants", "Look", "Do", "Over"]


def test_every_command_of_the_runbook_is_one() -> None:
    found = commands()
    assert len(found) > 30
    for command in found:
        path, known, arguments = resolved(shlex.split(PLACE.sub("2", command)))
        if arguments:  # otherwise the text names the command, and not how it is called
            known.make_context(" ".join(path), arguments)


def commands() -> list[str]:
    """Return the commands of the pipeline that the runbook names."""
    code = re.findall(r"```sh\n(.*?)```", RUNBOOK, re.DOTALL)
    lines = [line.partition("#")[0].strip() for block in code for line in block.splitlines()]
    said = [" ".join(each.split()) for each in re.findall(r"`(vn [^`]+)`", RUNBOOK)]
    return [each for each in (*lines, *said) if each.startswith("vn ")]


def test_a_command_that_is_none_would_be_found() -> None:
    with pytest.raises(KeyError):
        resolved(shlex.split("vn dead-letters burn ID"))
    path, known, arguments = resolved(shlex.split("vn review release ID --because x"))
    with pytest.raises(Exception, match="No such option: --because"):
        known.make_context(" ".join(path), arguments)


def test_the_runbook_has_no_alert_that_there_is_not() -> None:
    assert set(re.findall(r"^### (Vn\w+)$", RUNBOOK, re.MULTILINE)) == {alert["alert"] for alert in ALERTS}


def test_every_counter_of_trouble_has_its_alert() -> None:
    asked = {name for alert in ALERTS for name in re.findall(r"\bvn_\w+", alert["expr"])}
    trouble = (
        "group_oldest",
        "dead_letters_open",
        "stamp_ahead",
        "fenced",
        "restarts",
        "stale",
        "rebuilds",
        "ready",
        "beat",
        "late",
        "hidden",
        "broker_up",
        "store_up",
        "unreadable",
    )
    assert {name for name in EXPOSED if any(word in name for word in trouble)} <= asked


def test_every_sentence_that_a_stage_stops_with_is_in_the_runbook() -> None:
    whole = " ".join(RUNBOOK.split())
    said = list(sentences())
    assert len(said) > 10
    assert [each for each in said if f'"{" ".join(each.split())}"' not in whole] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        path, _, name = target.partition("#")
        file = page if not path else (page.parent / path).resolve()
        assert file.exists(), target
        if name:
            assert name in anchors(file), target


def test_every_test_that_a_page_names_is_there() -> None:
    for name, path in re.findall(r"\[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\)", EXACTLY_ONCE.read_text()):
        assert f"def {name}(" in (ROOT / path).read_text(), name
