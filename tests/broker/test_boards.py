"""
Every expression of every board and rule, asked of a real Prometheus that a running pipeline feeds, under load and faults.

With BOARD_PICTURES=FOLDER it also writes a picture of every board there: `make pictures`.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import yaml
from playwright.sync_api import sync_playwright
from redis import Redis

from processors.runtime.clock import wall_time
from processors.watch.boards import BOARDS
from tests.broker import board_load
from tests.broker.harness import until
from tests.broker.operations import DEPLOY, Operations

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
RULES = [rule for group in yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())["groups"] for rule in group["rules"]]
PANELS = {f"{board.title}: {panel.title}": panel for board in BOARDS for panel in board.panels}
SELECTOR = re.compile(r"\b(vn[_:][\w:]+)(?:\{([^}]*)\})?")
LABELS = re.compile(r"\b(?:by|on) \(([\w, ]+)\)")
MADE = {"le", "alertname", "severity"}  # of histograms and of Prometheus's own ALERTS

pytestmark = [
    pytest.mark.broker,
    pytest.mark.long,
    pytest.mark.timeout(580),
    pytest.mark.skipif(
        not (shutil.which("prometheus") and shutil.which("prometheus-alertmanager")), reason="Debian's prometheus is not installed"
    ),
]


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operations]:
    made = Operations(tmp_path_factory.mktemp("boards"), canary=True)
    made.start_provider()
    made.start_site()
    made.vn("policy", "set", "feed.silence", "30s", "--jurisdiction", board_load.SILENT[1])
    made.register()
    yield made
    made.close()


def test_every_expression_answers_and_only_what_may_be_empty_is_empty(operations: Operations, tmp_path: Path) -> None:
    with operations.load():
        filled(operations, {name for name, panel in PANELS.items() if not panel.empty_until})
        cause_troubles(operations)
        filled(operations, set(PANELS))
        for rule in RULES:
            operations.ask("query", query=rule["expr"])
        assert unknown_metrics(operations) == {}
        for name in ("run", "watch"):
            checked = subprocess.run(
                ["promtool", "check", "metrics"], input=operations.page(name), text=True, capture_output=True, check=False
            )
            assert checked.returncode == 0, checked.stderr
        pictures = Path(os.environ.get("BOARD_PICTURES", tmp_path))
        if "BOARD_PICTURES" in os.environ:
            Event().wait(120)  # so that they show more than the faults
    if CHROMIUM is not None:
        draw(operations, pictures)
        assert {path.stem for path in pictures.glob("*.png")} >= {board.slug for board in BOARDS}


def filled(operations: Operations, names: set[str]) -> None:
    """Wait until none of these panels is empty; fail with their names."""
    left = set(names)

    def none_left() -> bool:
        left.difference_update([name for name in left if operations.ask("query", query=PANELS[name].query)["result"]])
        return not left

    try:
        until("every panel shows something", none_left, 150)
    except AssertionError:
        raise AssertionError(f"empty: {sorted(left)}") from None


def cause_troubles(operations: Operations) -> None:
    """Cause the faults that fill the panels that are empty while nothing is wrong."""
    operations.submit(*board_load.troubles(wall_time()))
    with Redis.from_url(operations.local.addresses.redis_url) as store:
        store.config_set("maxmemory", "64mb")
    with operations.frozen("match"):
        until("the stage falls behind", lambda: value(operations, "max(vn_group_oldest_seconds)") > 30, 60)
    operations.vn("unregister", board_load.SLEEPER)
    stop = operations.folder / "stop.json"
    stop.write_text(json.dumps(board_load.opt_out(wall_time())))
    operations.vn("inbound", str(stop))
    (review,) = until("a review is open", operations.open_reviews)
    until("watch sees it", lambda: operations.ask("query", query="vn_reviews_open")["result"])
    operations.submit(board_load.emergency_for_review(wall_time(), 2))
    operations.vn("review", "discard", review, "--reason", "a test")


def value(operations: Operations, query: str) -> float:
    result = operations.ask("query", query=query)["result"]
    return float(result[0]["value"][1]) if result else 0.0


def unknown_metrics(operations: Operations) -> dict[str, str]:
    """Return the expressions with a selector that finds nothing, or with a label that none of their metrics has."""
    wrong = {}
    texts = {f"panel {name}": (panel.query, panel.legend) for name, panel in PANELS.items()}
    texts |= {f"rule {rule.get('alert', rule.get('record'))}": (rule["expr"], "") for rule in RULES}
    for name, (expression, legend) in texts.items():
        labels: set[str] = set()
        for metric, _ in SELECTOR.findall(expression):
            found = operations.ask("query", query=metric)["result"]
            if not found:
                wrong[name] = f"there is no {metric}"
            labels.update(*(each["metric"] for each in found))
        asked = {label.strip() for group in LABELS.findall(expression) for label in group.split(",")}
        asked |= set(re.findall(r"(\w+)(?:=~?|!=)\"", expression)) | set(re.findall(r"\{\{(\w+)\}\}", legend))
        if (missing := asked - labels - MADE) and "vn_" in expression:
            wrong[name] = f"no label {missing}"
    return wrong


def draw(operations: Operations, folder: Path) -> None:
    """Write a picture of every board, as it looked during the test."""
    module = importlib.util.spec_from_file_location("draw", DEPLOY / "grafana" / "draw.py")
    assert module is not None
    assert module.loader is not None
    drawing: Any = importlib.util.module_from_spec(module)
    module.loader.exec_module(drawing)
    folder.mkdir(parents=True, exist_ok=True)
    end = wall_time() / 1000
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": 1200, "height": 100})
            for board in BOARDS:
                dashboard = json.loads((DEPLOY / "grafana" / "dashboards" / f"{board.slug}.json").read_text())
                answers = {
                    panel.query: operations.ask("query_range", query=panel.query, start=end - 300, end=end, step=5)["result"]
                    for panel in board.panels
                }
                page.set_content(drawing.page(dashboard, answers))
                page.screenshot(path=folder / f"{board.slug}.png", full_page=True)
        finally:
            browser.close()
