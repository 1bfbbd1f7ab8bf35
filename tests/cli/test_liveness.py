"""How `vn doctor` interprets the answers of Prometheus."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml

from processors.cli.liveness import JOBS, prometheus_findings
from processors.runtime.errors import UserError
from tests.web_server import serving, url_of

ANSWERS: dict[str, Any] = {}


class Prometheus(BaseHTTPRequestHandler):
    """Answers as Prometheus's HTTP interface does."""

    def do_GET(self) -> None:
        body = json.dumps({"status": "success", "data": ANSWERS[self.path]}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def url() -> Iterator[str]:
    with serving(Prometheus) as server:
        yield f"{url_of(server)}/"


def target(health: str, job: str = "vn") -> dict[str, Any]:
    return {"labels": {"job": job}, "health": health, "scrapeUrl": "http://h:9100/metrics"}


def rule(name: str, state: str = "inactive", health: str = "ok") -> dict[str, str]:
    return {"name": name, "state": state, "health": health}


SOUND = [target("up"), target("up", "watch")]


@pytest.mark.parametrize(
    ("targets", "rules", "wrong"),
    [
        (SOUND, [rule("VnWatchGone"), rule("VnWatchdog", "firing")], []),
        ([target("up", "other")], [rule("VnWatchGone")], ["it scrapes no job vn and no job watch"]),
        ([target("up")], [rule("VnWatchGone")], ["it scrapes no job watch"]),
        ([*SOUND, target("down")], [rule("VnWatchGone")], ["it cannot scrape http://h:9100/metrics"]),
        (SOUND, [rule("Other")], ["it has none of the alerts"]),
        (SOUND, [rule("VnBrokerAway", "firing")], ["VnBrokerAway fires"]),
        (SOUND, [rule("VnBrokerAway", health="err")], ["it cannot evaluate VnBrokerAway"]),
    ],
    ids=["sound", "no job", "no watch", "down", "no rules", "fires", "broken"],
)
def test_what_prometheus_sees(url: str, targets: list[Any], rules: list[Any], wrong: list[str]) -> None:
    ANSWERS.update({"/api/v1/targets": {"activeTargets": targets}, "/api/v1/rules": {"groups": [{"rules": rules}]}})
    found = list(prometheus_findings(url))
    assert [each.found for each in found if not each.ok] == wrong
    assert all(each.fix for each in found if not each.ok)


def test_the_jobs_are_those_of_the_deployment() -> None:
    deployed = yaml.safe_load((Path(__file__).parents[2] / "deploy" / "prometheus" / "prometheus.yml").read_text())
    assert {each["job_name"] for each in deployed["scrape_configs"]} == JOBS | {"providers", "site"}


def test_an_address_where_no_prometheus_answers() -> None:
    with pytest.raises(UserError, match="name its address"):
        list(prometheus_findings("http://127.0.0.1:9"))
