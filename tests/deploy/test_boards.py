"""The committed dashboards are those generated from the definitions; rules, boards and metrics match."""

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY, generate_latest

from processors.runtime.metrics import METRICS
from processors.watch.boards import BOARDS
from processors.watch.boards.panel import Board
from processors.watch.metrics import FAMILIES, MetricsPage

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = [rule for group in yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())["groups"] for rule in group["rules"]]
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
EXPOSED = {metric._name + suffix for metric in METRICS for suffix in SUFFIXES[metric._type]} | {family.name for family in FAMILIES}
PANELS = [(board, panel) for board in BOARDS for panel in board.panels]
every_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.slug)
promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")


def builder() -> Any:
    spec = importlib.util.spec_from_file_location("build", DEPLOY / "grafana" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@every_board
def test_the_committed_dashboard_is_current(board: Board) -> None:
    committed = (DEPLOY / "grafana" / "dashboards" / f"{board.slug}.json").read_text()
    assert committed == builder().document(board), "python deploy/grafana/build.py"
    assert len(json.loads(committed)["panels"]) == len(board.panels)


def test_the_page_about_the_boards_is_current() -> None:
    assert (DEPLOY.parent / "docs" / "dashboards.md").read_text() == builder().guide(), "make dashboards"


def test_no_two_panels_have_one_title_on_a_board() -> None:
    for board in BOARDS:
        assert len({panel.title for panel in board.panels}) == len(board.panels)


def test_a_threshold_is_drawn_in_the_panels_unit_and_direction() -> None:
    panels = {panel.title: builder().steps(panel) for _, panel in PANELS}
    colors = {title: [(step.value, step.color) for step in steps] for title, steps in panels.items()}
    assert colors["Oldest unread record, by stage"] == [(None, "green"), (60, "red")]
    assert colors["Overdue clocks"] == [(None, "green"), (1, "red")]
    assert colors["Kafka answers"] == [(None, "red"), (1, "green")]
    assert colors["Unread records"] == []


def test_a_panel_asks_for_metrics_that_there_are_and_names_an_alert_that_there_is() -> None:
    for board, panel in PANELS:
        assert set(re.findall(r"\bvn_\w+", panel.query)) <= EXPOSED, panel
        assert panel.alert is None or panel.alert in {rule.get("alert") for rule in RULES}, panel
        assert panel.normal, panel
        assert board.question.endswith("?"), board


def test_no_panel_says_0_of_what_nobody_measures() -> None:
    assert [panel.title for _, panel in PANELS if "vector(" in panel.query] == []


def test_a_threshold_is_the_alerts() -> None:
    assert builder().threshold("VnWorkStands") == 60
    assert builder().threshold("VnDeadLetterOpen") == 0
    assert builder().threshold("VnBrokerAway") is None


def test_a_reading_is_bad_if_its_alert_fires() -> None:
    for _, panel in PANELS:
        if panel.reading is not None and panel.alert is not None and not panel.unlike_alert and panel.good_above is None:
            assert panel.bad_from == (builder().threshold(panel.alert) or 1), panel


@pytest.mark.slow
@promtool
def test_every_alert_fires_and_clears_as_its_test_says() -> None:
    subprocess.run(["promtool", "test", "rules", "rules.test.yml"], cwd=DEPLOY / "prometheus", check=True, capture_output=True)


def test_every_alert_has_a_test_in_which_it_fires() -> None:
    tests = yaml.safe_load((DEPLOY / "prometheus" / "rules.test.yml").read_text())["tests"]
    fires = {check["alertname"] for each in tests for check in each["alert_rule_test"] if check["exp_alerts"]}
    assert fires == {rule["alert"] for rule in RULES if "alert" in rule}


@pytest.mark.slow
@promtool
def test_every_query_of_a_board_parses(tmp_path: Path) -> None:
    rules = [{"record": f"board:panel{number}", "expr": panel.query} for number, (_, panel) in enumerate(PANELS)]
    (tmp_path / "boards.yml").write_text(yaml.safe_dump({"groups": [{"name": "boards", "rules": rules}]}))
    subprocess.run(["promtool", "check", "rules", tmp_path / "boards.yml"], check=True, capture_output=True)


@pytest.mark.slow
@promtool
def test_promtool_finds_nothing_to_say_of_the_metrics() -> None:
    page = MetricsPage()
    page.replace(frozenset(), [(family, tuple("x" for _ in family.labels), 1.0) for family in FAMILIES])
    for registry in (REGISTRY, page.registry):
        checked = subprocess.run(["promtool", "check", "metrics"], input=generate_latest(registry), check=False, capture_output=True)
        assert (checked.returncode, checked.stderr) == (0, b"")
