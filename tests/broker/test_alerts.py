"""
Operators are woken: faults on a real pipeline, seen by a real Prometheus and Alertmanager, arrive at a webhook and clear.

One test of these runs in the whole suite; `make alerts` runs all, some twenty minutes.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.kafka.user_client import Client
from processors.runtime.local import Local
from processors.runtime.settings import Settings
from processors.topics import DEAD_LETTERS, SUBMISSIONS
from tests.broker.harness import environment, until

DEPLOY = Path(__file__).parents[2] / "deploy"
FIRES, CLEARS = 90.0, 120.0  # seconds that an alert may take

pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        not (shutil.which("prometheus") and shutil.which("prometheus-alertmanager")), reason="Debian's prometheus is not installed"
    ),
]
long = pytest.mark.skipif("VN_TEST_ALERTS" not in os.environ, reason="minutes long: make alerts")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class Webhook:
    """A receiver on loopback; `firing` are the alerts that were notified and not resolved since."""

    def __init__(self) -> None:
        self.firing: set[str] = set()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                for alert in json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"]:
                    change = hook.firing.add if alert["status"] == "firing" else hook.firing.discard
                    change(alert["labels"]["alertname"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing: what arrives is asserted."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"


class Operations:
    """A pipeline of its own with watch, Prometheus, Alertmanager and a webhook."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.local = Local(folder / "vn")
        self.environment = {**self.local.up().environment, "VN_PARTITIONS": "2"}
        with environment(self.environment):
            create_topics(Settings())
        self.hook = Webhook()
        self._ports = {name: free_port() for name in ("run", "watch", "prometheus", "alertmanager")}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.start_stages()
        self.start_watch()
        self._start_prometheus()

    def start_stages(self) -> None:
        self.vn("run", "all", VN_METRICS_PORT=str(self._ports["run"]))

    def start_watch(self) -> None:
        self.vn("watch", "--no-canary", "--port", str(self._ports["watch"]))

    def vn(self, *arguments: str, **variables: str) -> None:
        command = [sys.executable, "-c", "from processors.cli.main import run; run()", *arguments]
        self._start(arguments[0], command, {**os.environ, **self.environment, **variables})

    def _start_prometheus(self) -> None:
        configuration = {
            "global": {"scrape_interval": "2s", "evaluation_interval": "2s"},
            "rule_files": [str(DEPLOY / "prometheus" / "rules.yml")],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{self._ports['alertmanager']}"]}]}]},
            "scrape_configs": [
                {"job_name": "vn", "static_configs": [{"targets": [f"127.0.0.1:{self._ports['run']}"]}]},
                {"job_name": "watch", "static_configs": [{"targets": [f"127.0.0.1:{self._ports['watch']}"]}]},
            ],
        }
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        routes = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text())
        routes["route"] |= {"group_wait": "1s", "group_interval": "2s"}
        for receiver in routes["receivers"]:
            receiver["webhook_configs"][0]["url"] = self.hook.url
        (self.folder / "alertmanager.yml").write_text(yaml.safe_dump(routes))
        self._start(
            "alertmanager",
            [
                "prometheus-alertmanager",
                f"--config.file={self.folder}/alertmanager.yml",
                f"--storage.path={self.folder}/alertmanager",
                f"--web.listen-address=127.0.0.1:{self._ports['alertmanager']}",
                "--cluster.listen-address=",
            ],
            dict(os.environ),
        )
        self._start(
            "prometheus",
            [
                "prometheus",
                f"--config.file={self.folder}/prometheus.yml",
                f"--storage.tsdb.path={self.folder}/prometheus",
                f"--web.listen-address=127.0.0.1:{self._ports['prometheus']}",
            ],
            dict(os.environ),
        )

    def _start(self, name: str, command: list[str], variables: dict[str, str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(command, env=variables, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def stage_pid(self, stage: str) -> int:
        """The process of one stage under `vn run all`."""
        children = psutil.Process(self.processes["run"].pid).children()
        return next(child.pid for child in children if stage in child.cmdline())

    def submit(self, document: dict[str, Any] | bytes) -> None:
        with environment(self.environment):
            value = document if isinstance(document, bytes) else json.dumps(document).encode()
            Client(Settings()).send(SUBMISSIONS, [("VA0430000", value)])

    def fires(self, alert: str, seconds: float = FIRES) -> None:
        until(f"{alert} is notified", lambda: alert in self.hook.firing, seconds)

    def clears(self, alert: str) -> None:
        until(f"{alert} is resolved", lambda: alert not in self.hook.firing, CLEARS)

    def quiet(self) -> None:
        """Everything runs, and nobody is woken; that the first caches were built is no secret."""
        until("nobody is woken", lambda: {"VnWatchdog"} <= self.hook.firing <= {"VnWatchdog", "VnRebuild"}, 180)

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.hook.server.shutdown()
        self.hook.server.server_close()
        self.local.down()


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operations]:
    made = Operations(tmp_path_factory.mktemp("operations"))
    yield made
    made.close()


def test_a_frozen_stage_and_a_dead_letter_each_arrive_and_clear(operations: Operations) -> None:
    operations.quiet()
    frozen = operations.stage_pid("dedupe")
    os.kill(frozen, signal.SIGSTOP)
    operations.submit(b"<not well-formed")
    operations.fires("VnDeadLetterOpen")
    operations.fires("VnStageGone")
    os.kill(frozen, signal.SIGCONT)
    operations.clears("VnStageGone")
    with environment(operations.environment):
        (letter,) = Client(Settings()).values(DEAD_LETTERS)
    command = [
        sys.executable,
        "-c",
        "from processors.cli.main import run; run()",
        "dead-letters",
        "settle",
        letter.dead_letter_id,
        "--reason",
        "a test",
    ]
    subprocess.run(command, env={**os.environ, **operations.environment}, check=True, capture_output=True)
    operations.clears("VnDeadLetterOpen")


@long
@pytest.mark.parametrize("service", ["kafka", "redis"])
def test_broker_or_store_away_on_a_quiet_pipeline(operations: Operations, service: str) -> None:
    operations.quiet()
    alert = "VnBrokerAway" if service == "kafka" else "VnStoreAway"
    (operations.local.kill_broker if service == "kafka" else operations.local.kill_store)()
    operations.fires(alert)
    operations.local.up()
    operations.clears(alert)
    operations.quiet()


@long
def test_a_stage_that_crashes_again_and_again(operations: Operations) -> None:
    operations.quiet()
    stop = threading.Event()

    def crash() -> None:
        while not stop.wait(0.5):
            try:
                os.kill(operations.stage_pid("match"), signal.SIGKILL)
            except (StopIteration, ProcessLookupError):
                continue

    thread = threading.Thread(target=crash)
    thread.start()
    try:
        operations.fires("VnStageGone", 2 * FIRES)
    finally:
        stop.set()
        thread.join()
    operations.clears("VnStageGone")


@long
def test_an_emergency_in_review(operations: Operations) -> None:
    operations.quiet()
    operations.submit(
        {
            "message_id": "E-1",
            "agency": {"ori": "VA0430000", "state": "VA"},
            "event_type": "Jail",
            "event_subtype": "Escape",
            "notification_type": "Status Update",
            "notification_subtypes": [{"subtype": "Validate", "validations": ["Status"]}],
            "action_at": "2030-01-01T00:00:00Z",
            "offenders": [{"identifiers": [{"scheme": "SID", "value": "VA1234567"}]}],
        }
    )
    operations.fires("VnEmergencyInReview", 300 + FIRES)


@long
def test_the_watch_is_gone(operations: Operations) -> None:
    operations.quiet()
    operations.processes["watch"].kill()
    operations.fires("VnWatchGone", 60 + FIRES)
    operations.start_watch()
    operations.clears("VnWatchGone")
