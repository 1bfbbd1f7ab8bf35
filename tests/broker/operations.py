"""A pipeline of its own as operators see it: `vn watch`, Debian's Prometheus and Alertmanager with the files of deploy/, and a webhook."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any

import psutil
import yaml

from processors.pipeline import STAGES
from processors.runtime.clock import wall_time
from processors.runtime.errors import UserError
from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.local import LocalCluster
from processors.runtime.settings import Settings
from processors.topics import REGISTRATIONS, SUBMISSIONS
from tests.broker import board_load
from tests.broker.harness import environment, until
from tests.certificate import make_certificate

DEPLOY = Path(__file__).parents[2] / "deploy"
FIRES, CLEARS = 90.0, 120.0  # seconds that an alert may take
COMMAND = [sys.executable, "-c", "from processors.cli.main import run; run()"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class Webhook:
    """A receiver on loopback; `firing` holds the alerts that were notified and not yet resolved, `ever` all that were notified."""

    def __init__(self) -> None:
        self.firing: set[str] = set()
        self.ever: set[str] = set()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for alert in told["alerts"]:
                    name = alert["labels"]["alertname"]
                    if alert["status"] == "firing":
                        hook.firing.add(name)
                        hook.ever.add(name)
                    elif told["status"] == "resolved":  # every alert of the group is resolved
                        hook.firing.discard(name)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Log nothing: the tests assert what arrives."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Operations:
    """A pipeline of its own with watch, Prometheus, Alertmanager and a webhook."""

    def __init__(self, folder: Path, *, canary: bool = False) -> None:
        self.folder = folder
        self.local = LocalCluster(folder / "vn")
        self.environment = {**self.local.up().environment, "VN_PARTITIONS": "2"}
        with environment(self.environment):
            create_topics(Settings())
        self.hook = Webhook()
        self._ports = {name: free_port() for name in ("run", "watch", "providers", "site", "prometheus", "alertmanager")}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._sent = 0
        self.start_stages()
        self.start_watch(canary=canary)
        self._start_alertmanager()
        self._start_prometheus()

    # -- processes

    def start_stages(self) -> None:
        self.start("run", "all", VN_METRICS_PORT=str(self._ports["run"]))

    def start_watch(self, *, canary: bool = False) -> None:
        # nothing here is encrypted, but the file that a setting names must exist
        authorities = {"KAFKA_SSL_CA_LOCATION": str(make_certificate(self.folder, datetime.now(UTC) + timedelta(days=90)))}
        self.start("watch", *(() if canary else ("--no-canary",)), "--port", str(self._ports["watch"]), **authorities)

    def start_provider(self) -> None:
        self.start("provider", "console", VN_METRICS_PORT=str(self._ports["providers"]))

    def start_site(self) -> None:
        kept = {"VN_SITE_DB": f"sqlite:///{self.folder}/site.sqlite", "VN_SITE_KEY_FILE": f"{self.folder}/site.key"}
        self.start("site", VN_METRICS_PORT=str(self._ports["site"]), VN_VIEWS_DIR=str(self.folder / "views"), **kept)

    def start(self, *arguments: str, **variables: str) -> None:
        """Start a `vn` command that runs until it is stopped."""
        self._start(arguments[0], [*COMMAND, *arguments], {**os.environ, **self.environment, **variables})

    def vn(self, *arguments: str) -> str:
        """Run a `vn` command to its end and return what it printed."""
        variables = {**os.environ, **self.environment}
        return subprocess.run([*COMMAND, *arguments], env=variables, check=True, capture_output=True, text=True).stdout

    def _start_alertmanager(self) -> None:
        routes = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text())
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

    def _start_prometheus(self) -> None:
        """Start it on the file of deploy/, with the addresses of this pipeline."""
        configuration = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
        configuration["rule_files"] = [str(DEPLOY / "prometheus" / "rules.yml")]
        configuration["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [f"127.0.0.1:{self._ports['alertmanager']}"]}]}]
        configuration["scrape_configs"] = [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{self._ports[port]}"]}]}
            for job, port in (("vn", "run"), ("watch", "watch"), ("providers", "providers"), ("site", "site"))
        ]
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
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

    def stop(self, name: str) -> None:
        """Kill a process and those it started."""
        process = self.processes.pop(name)
        for each in (*psutil.Process(process.pid).children(recursive=True), process):
            each.kill()
        process.wait()

    def stage_pid(self, stage: str) -> int:
        """The process of one stage under `vn run all`."""
        children = psutil.Process(self.processes["run"].pid).children()
        return next(child.pid for child in children if stage in child.cmdline())

    @contextmanager
    def frozen(self, stage: str) -> Iterator[None]:
        pid = self.stage_pid(stage)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    # -- load

    def register(self) -> None:
        """Register everybody who is notified by the load."""
        with environment(self.environment):
            client = UserClient(Settings())
            client.send(REGISTRATIONS, [board_load.registration(number, wall_time()) for number in range(board_load.OFFENDERS)])

    def submit(self, *submissions: tuple[str, bytes]) -> None:
        with environment(self.environment):
            UserClient(Settings()).send(SUBMISSIONS, submissions)

    def submit_load(self, count: int) -> None:
        """Submit the next messages of the load."""
        self.submit(*(board_load.submission(self._sent + each, wall_time()) for each in range(count)))
        self._sent += count

    @contextmanager
    def load(self) -> Iterator[None]:
        """Submit messages continuously; if the broker is away, it gets them later."""
        stop = threading.Event()
        with environment(self.environment):
            settings = Settings()

        def go() -> None:
            client, waiting = None, 0
            while not stop.wait(1.0):
                waiting += 2
                client = client or UserClient(settings)
                try:
                    client.send(SUBMISSIONS, [board_load.submission(self._sent + each, wall_time()) for each in range(waiting)])
                except UserError:
                    client = None
                    continue
                self._sent, waiting = self._sent + waiting, 0

        thread = threading.Thread(target=go)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    # -- what is seen

    def fires(self, alert: str, since: float | None = None) -> float:
        """Wait until an alert is notified, and return after how many seconds; `since` is when its cause began, if not now."""
        return self._seconds_until(f"{alert} is notified", lambda: alert in self.hook.firing, FIRES, since)

    def clears(self, alert: str, since: float | None = None) -> float:
        """Wait until an alert is resolved, and return after how many seconds; `since` is when its cause was mended, if not now."""
        return self._seconds_until(f"{alert} is resolved", lambda: alert not in self.hook.firing, CLEARS, since)

    def _seconds_until(self, what: str, true: Callable[[], bool], most: float, since: float | None = None) -> float:
        begun = monotonic() if since is None else since
        try:
            until(what, true, most + begun - monotonic())
        except AssertionError as error:
            raise AssertionError(f"{error}; firing: {sorted(self.hook.firing)}") from None
        return monotonic() - begun

    def open_reviews(self) -> list[str]:
        """Return the ids of the open reviews."""
        return [json.loads(line)["review_id"] for line in self.vn("review", "list", "--json").splitlines()]

    def wait_until_ready(self) -> None:
        """Wait until every stage decides again; on a busy machine it takes them a while to start."""
        until("every stage decides", self._all_ready, 300)

    def _all_ready(self) -> bool:
        try:
            page = self.page("run")
        except OSError:
            return False  # nothing serves it yet
        return page.count("\nvn_ready{") == len(STAGES) == len(re.findall(r"^vn_ready\{.*\} 1\.0$", page, re.MULTILINE))

    def quiet(self) -> None:
        """Everything runs, and no alert fires but those that stay for a time: a cache that was built first, emergencies that were late."""
        stay = {"VnWatchdog", "VnRebuild", "VnNotificationLate", "VnEmergencyBudget"}
        self.wait_until_ready()
        until("nobody is woken", lambda: {"VnWatchdog"} <= self.hook.firing <= stay, 300)

    def ask(self, path: str, **arguments: str | float) -> Any:
        """Return what Prometheus answers; raises if it answers with an error."""
        url = f"http://127.0.0.1:{self._ports['prometheus']}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]

    def page(self, name: str) -> str:
        """Return the page of metrics of `run` or `watch`."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._ports[name]}/metrics", timeout=30) as answer:
            text: str = answer.read().decode()
            return text

    def close(self) -> None:
        for name in list(self.processes):
            self.stop(name)
        self.hook.close()
        self.local.down()
