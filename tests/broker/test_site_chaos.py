"""
A thousand registrations while the site is killed again and again (`make site-chaos`): none lost, none doubled, none unverified.

The site must keep its promise: once the page asks for the code, one request to verify goes to the contact, and once
the code is given the registration is active. Nobody whose code was not given is notified of anything.
"""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from threading import Event, Thread
from typing import Final

import httpx2
import pytest

from processors.domain.notification import Outbound
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.local import LocalCluster
from processors.runtime.settings import Settings
from processors.topics import OUTBOUND, REGISTRATION_STATUS

pytestmark = [pytest.mark.broker, pytest.mark.long, pytest.mark.timeout(3_000)]

REGISTRATIONS: Final = int(os.environ.get("REGISTRATIONS") or 1_000)
PEOPLE: Final = 8  # who register at once
WITHOUT_CODE: Final = 7  # every seventh never gives the code
KILL_EVERY: Final = (0.5, 1.5)  # times as long as it took to start, so that a slow machine has as much time in between
PATIENCE: Final = 300.0


class SiteProcess:
    """`vn site` on one port, killed and started again until `stop`."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.environment = environment
        self.folder = folder
        self.kills = 0
        self.port = 0
        self.url = ""
        self.start_seconds = 0.0
        self._stopped = Event()
        self.process = self.start()

    def start(self) -> "subprocess.Popen[str]":
        began = time.monotonic()
        command = [sys.executable, "-m", "processors", "site", "--port", str(self.port)]
        with (self.folder / "site.log").open("ab") as log:
            process = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        self.url = process.stdout.readline().strip().rstrip("/")
        self.port = int(self.url.rpartition(":")[2])
        self.start_seconds = time.monotonic() - began
        return process

    def kill_again_and_again(self) -> None:
        chance = random.Random(12)
        while not self._stopped.wait(chance.uniform(*KILL_EVERY) * self.start_seconds):
            self.kill()
            self.kills += 1
            self.process = self.start()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def stop(self) -> None:
        self._stopped.set()


@contextmanager
def pipeline(cluster: LocalCluster, folder: Path) -> Iterator[tuple[UserClient, Mapping[str, str]]]:
    """All stages, without quiet hours."""
    own = {
        "VN_TOPIC_PREFIX": "chaos.",
        "VN_VIEWS_DIR": str(folder / "views"),
        "VN_SITE_DB": f"sqlite:///{folder / 'site.sqlite'}",
        "VN_SITE_KEY_FILE": str(folder / "site.key"),
        "VN_SITE_PROXIES": "127.0.0.1",
        "VN_LOG_LEVEL": "warning",
    }
    environment = {**os.environ, **cluster.addresses.environment, **own}
    with pytest.MonkeyPatch.context() as patched:
        for name, value in (cluster.addresses.environment | own).items():
            patched.setenv(name, value)
        client = UserClient(Settings())
    command = [sys.executable, "-m", "processors"]
    for arguments in (["topics", "create"], ["policy", "set", "quiet.hours", "none"]):
        subprocess.run([*command, *arguments], env=environment, check=True, capture_output=True, timeout=60)
    with (
        (folder / "stages.log").open("wb") as log,
        subprocess.Popen([*command, "run", "all"], env=environment, stdout=log, stderr=log) as stages,
    ):
        try:
            yield client, environment
        finally:
            stages.terminate()
            stages.wait(20)


class Registrant:
    """Somebody who registers, and tries again if the site does not answer."""

    def __init__(self, number: int, site: SiteProcess) -> None:
        self.number = number
        self.site = site
        self.phone = f"+1804{2 + number // 1_000_000}{number % 1_000_000 + 345_000:06}"
        self.awaiting = ""

    def post(self, **form: str) -> str:
        """Send a form until it is answered, as a person does who gets no answer."""
        until = time.monotonic() + PATIENCE
        headers = {"x-forwarded-for": f"198.51.{self.number // 250}.{self.number % 250}"}
        while time.monotonic() < until:
            try:
                answer = httpx2.post(f"{self.site.url}/en/register", data=form, headers=headers, timeout=30)
            except httpx2.TransportError:
                time.sleep(0.1)
                continue
            if answer.status_code == 200:
                return str(answer.text)
            assert answer.status_code == 503, answer.text
        raise AssertionError("the site has not answered")

    def register(self) -> None:
        page = self.post(step="who", given="Thomas", sur="Walker", birth_date="1979-02-11")
        page = self.post(step="what", draft=carried(page, "draft"), **{"about Movement": "1"})
        page = self.post(step="how", draft=carried(page, "draft"), channel0="sms", address0=self.phone)
        self.awaiting = carried(self.post(step="pin", draft=carried(page, "draft"), pin=""), "awaiting")

    def give(self, code: str) -> None:
        self.post(step="code", awaiting=self.awaiting, code=code)


def carried(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', page)
    assert found is not None, page
    return unescape(found[1])


def requests_to_verify(client: UserClient) -> dict[str, Outbound]:
    """Return the request to verify of each number; there is never a second one."""
    sent = [each for each in client.values(OUTBOUND["sms"]) if each.kind == "verification"]
    twice = [to for to, times in Counter(each.to for each in sent).items() if times > 1]
    assert not twice, f"{len(twice)} were asked twice"
    return {each.to: each for each in sent}


def test_registrations_survive_a_site_that_is_killed(cluster: LocalCluster, tmp_path: Path) -> None:
    with pipeline(cluster, tmp_path) as (client, environment):
        site = SiteProcess({**environment}, tmp_path)
        killing = Thread(target=site.kill_again_and_again, daemon=True)
        people = [Registrant(number, site) for number in range(REGISTRATIONS)]
        try:
            killing.start()
            with ThreadPoolExecutor(PEOPLE) as pool:
                list(pool.map(Registrant.register, people))
            until = time.monotonic() + PATIENCE
            while len(asked := requests_to_verify(client)) < REGISTRATIONS and time.monotonic() < until:
                time.sleep(1)
            assert set(asked) == {each.phone for each in people}
            proving = [each for each in people if each.number % WITHOUT_CODE]
            codes = {to: re.findall(r"\b\d{6}\b", each.body)[0] for to, each in asked.items()}
            with ThreadPoolExecutor(PEOPLE * 4) as pool:
                list(pool.map(lambda each: each.give(codes[each.phone]), proving))
            until = time.monotonic() + PATIENCE
            while active(client) < len(proving) and time.monotonic() < until:
                time.sleep(1)
            assert Counter(each.status for each in client.table(REGISTRATION_STATUS).values()) == {
                "active": len(proving),
                "awaiting_verification": REGISTRATIONS - len(proving),
            }
            requests_to_verify(client)
            confirmed = Counter(each.to for each in client.values(OUTBOUND["sms"]) if each.kind == "confirmation")
            assert confirmed == {each.phone: 1 for each in proving}
            assert site.kills > 0
            sys.stdout.write(f"{REGISTRATIONS} registrations, the site killed {site.kills} times\n")
        finally:
            site.stop()
            killing.join(30)
            site.kill()


def active(client: UserClient) -> int:
    return sum(each.status == "active" for each in client.table(REGISTRATION_STATUS).values())
