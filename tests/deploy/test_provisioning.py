"""The containers of docker-compose.yml find the files of deploy/, and one another."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
PROMETHEUS = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())


def inside(service: str, path: str) -> Path:
    """Return the file or folder here that the container has at that path."""
    for volume in SERVICES[service]["volumes"]:
        here, there, _ = volume.split(":")
        if path == there or path.startswith(there + "/"):
            return ROOT / here / path[len(there) :].lstrip("/")
    raise AssertionError(f"{service} has nothing at {path}")


def loaded(service: str, path: str) -> Any:
    return yaml.safe_load(inside(service, path).read_text())


def test_prometheus_reads_the_rules_and_asks_every_stage_the_site_and_the_watch() -> None:
    assert loaded("prometheus", "/etc/prometheus/prometheus.yml") == PROMETHEUS
    for name in PROMETHEUS["rule_files"]:
        assert inside("prometheus", f"/etc/prometheus/{name}").is_file()
    stages, providers, site, watch = PROMETHEUS["scrape_configs"]
    (found,) = stages["dns_sd_configs"]
    assert dict.fromkeys(found["names"], found["port"]) == {
        name: int(each["environment"]["VN_METRICS_PORT"]) for name, each in SERVICES.items() if each.get("command", [""])[0] == "run"
    }
    assert providers["dns_sd_configs"][0]["port"] == found["port"]
    assert site["dns_sd_configs"][0]["port"] == int(SERVICES["site"]["environment"]["VN_METRICS_PORT"])
    assert watch["static_configs"] == [{"targets": [f"watch:{SERVICES['watch']['command'][-1]}"]}]


def test_what_pages_within_90_seconds_is_judged_every_few_seconds() -> None:
    assert PROMETHEUS["global"] == {"scrape_interval": "5s", "evaluation_interval": "5s"}


def test_prometheus_tells_alertmanager_which_reads_its_routes() -> None:
    (manager,) = PROMETHEUS["alerting"]["alertmanagers"]
    assert manager["static_configs"] == [{"targets": ["alertmanager:9093"]}]
    assert SERVICES["alertmanager"]["ports"] == ["127.0.0.1:9093:9093"]
    assert loaded("alertmanager", "/etc/alertmanager/alertmanager.yml")["receivers"]


def test_grafana_finds_prometheus_and_every_board() -> None:
    (source,) = loaded("grafana", "/etc/grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert source["isDefault"]
    (provider,) = loaded("grafana", "/etc/grafana/provisioning/dashboards/vn.yml")["providers"]
    assert sorted(inside("grafana", provider["options"]["path"]).glob("*.json"))
    assert inside("grafana", SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).is_file()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool is not installed (Debian: prometheus-alertmanager)")
def test_alertmanager_and_prometheus_accept_their_files() -> None:
    subprocess.run(["amtool", "check-config", DEPLOY / "alertmanager" / "alertmanager.yml"], check=True, capture_output=True)
    subprocess.run(["promtool", "check", "config", DEPLOY / "prometheus" / "prometheus.yml"], check=True, capture_output=True)
