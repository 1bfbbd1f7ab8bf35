"""A real pipeline with the public's site beside it, and Chromium in front."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
from playwright.sync_api import Browser, sync_playwright

from processors.domain.notification import Outbound
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.local import LocalCluster
from processors.runtime.settings import Settings
from processors.topics import OUTBOUND, REGISTRATION_STATUS

CHROMIUM: Final = Path("/usr/bin/chromium")
T = TypeVar("T")


@dataclass(frozen=True)
class Running:
    """The pipeline and the site that run, and what a test does to them from outside."""

    url: str
    environment: Mapping[str, str]
    client: UserClient
    folder: Path

    def vn(self, *arguments: str, given: Any = None) -> str:
        """Run a command; documents that are given are its standard input."""
        text = None if given is None else json.dumps(given)
        done = subprocess.run(
            [sys.executable, "-m", "processors", *arguments],
            check=False,
            env=self.environment,
            input=text,
            text=True,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sent(self, to: str) -> list[Outbound]:
        """Return the text messages to a number."""
        return [each for each in self.client.values(OUTBOUND["sms"]) if each.to == to]

    def statuses(self) -> list[str]:
        """Return what has become of every registration."""
        return [each.status for each in self.client.table(REGISTRATION_STATUS).values()]


def eventually(look: Callable[[], T | None], seconds: float = 60.0) -> T:
    """Return what a look finds, once it finds anything."""
    until = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < until, "it has not come about"
        time.sleep(0.25)
    return found


@pytest.fixture(scope="session")
def running(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("ui")
    own = {
        "VN_TOPIC_PREFIX": "ui.",
        "VN_VIEWS_DIR": str(folder / "views"),
        "VN_SITE_DB": f"sqlite:///{folder / 'site.sqlite'}",
        "VN_SITE_KEY_FILE": str(folder / "site.key"),
        "VN_LOG_LEVEL": "warning",
    }
    environment = {**os.environ, **cluster.addresses.environment, **own}
    with pytest.MonkeyPatch.context() as patched:
        for name, value in (cluster.addresses.environment | own).items():
            patched.setenv(name, value)
        client = UserClient(Settings())
    preparing = Running("", environment, client, folder)
    preparing.vn("topics", "create")
    preparing.vn("policy", "set", "quiet.hours", "none")
    command = [sys.executable, "-m", "processors"]
    with (
        (folder / "stages.log").open("wb") as stages_log,
        (folder / "site.log").open("wb") as site_log,
        subprocess.Popen([*command, "run", "all"], env=environment, stdout=stages_log, stderr=stages_log) as stages,
        subprocess.Popen([*command, "site"], env=environment, stdout=subprocess.PIPE, stderr=site_log, text=True) as site,
    ):
        try:
            assert site.stdout is not None
            yield Running(site.stdout.readline().strip().rstrip("/"), environment, client, folder)
        finally:
            for process in (site, stages):
                process.terminate()
                process.wait(20)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield made
        made.close()
