"""The public's pages over a pipeline in memory: their records are sent to it, and its output is in their view."""

import re
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import httpx2
from starlette.testclient import TestClient

from processors.domain.notification import Outbound
from processors.domain.seal import Seal
from processors.pipeline import PIPELINE
from processors.rules.load import load_rules
from processors.rules.rule_set import Rules
from processors.runtime.clock import wall_time
from processors.runtime.decide.driver import PipelineDriver
from processors.site.app import create_app
from processors.site.challenge import Challenges
from processors.site.languages import read_languages
from processors.site.limits import RateLimits
from processors.site.outbox import Outbox
from processors.site.page import Site
from processors.site.sender import TOPICS
from processors.topics import PEOPLE, REGISTRATION_STATUS, STANDINGS
from processors.views.database import View
from processors.views.public import PUBLIC_MODEL, PublicScope
from tests.stories.builders import WALKER, submission, tagged
from tests.views.given import put
from tests.web_client import client_of

RULES: Final = load_rules()
WORDS: Final = read_languages(None)
SEAL: Final = Seal(bytes(range(64)))
PHONE: Final = "+18045550142"
CODE: Final = re.compile(r"\b\d{3} ?-?\d{3}\b")


@dataclass
class SiteUnderTest:
    """The pages with a client, their database, their view, and the pipeline behind them."""

    site: Site
    client: TestClient
    driver: PipelineDriver
    view: View
    outbox: Outbox
    shown: dict[str, int] = field(default_factory=dict)

    def post(self, path: str, **form: str) -> httpx2.Response:
        answer: httpx2.Response = self.client.post(path, data=form, follow_redirects=False)
        return answer

    def send(self) -> None:
        """What the site keeps reaches the pipeline, and what the pipeline says is in the view."""
        records = self.outbox.to_send(10_000)
        for each in records:
            self.driver.send(TOPICS[each.kind], each.value, each.key)
        self.outbox.mark_sent([each.id for each in records], wall_time())
        for topic in (PEOPLE, STANDINGS, REGISTRATION_STATUS):
            entries = self.driver.entries(topic)
            for entry in entries[self.shown.get(topic.name, 0) :]:
                put(self.view, topic, entry.key or "", None if entry.value is None else self.driver.codec.decode(entry.value), entry.offset)
            self.shown[topic.name] = len(entries)

    def code(self, to: str = PHONE) -> str:
        """Return the digits of the last code that was sent to an address."""
        found = [each for each in self.driver.outbound() if each.kind == "verification" and each.to == to]
        assert isinstance(found[-1], Outbound)
        digits = re.search(r"\b\d{6}\b", found[-1].body)
        assert digits is not None, found[-1].body
        return digits[0]


def site_over(folder: Path, url: str | None = None, source: str = "IVINS", rules: Rules = RULES) -> SiteUnderTest:
    driver = PipelineDriver(PIPELINE, rules, bytes(range(64)))
    view = View(folder / "site.sqlite", PUBLIC_MODEL)
    view.open({topic.name: "log" for topic in PUBLIC_MODEL.apply})
    outbox = Outbox(url or f"sqlite:///{folder / 'outbox.sqlite'}", SEAL)
    follower: Any = SimpleNamespace(view=view, as_of=wall_time() + 10**9, applied=1, total=1, start=lambda: None, stop=lambda: None)
    site = Site(
        follower=follower,
        outbox=outbox,
        seal=SEAL,
        rules=rules,
        languages=WORDS,
        source=source,
        shown=PublicScope(),
        limits=RateLimits(),
        challenges=Challenges(),
        proxies=frozenset({"testclient"}),
        wait_seconds=0.0,
    )
    sender: Any = SimpleNamespace(start=lambda: None, stop=lambda: None)
    client = client_of(create_app(site, sender), raises=False)
    return SiteUnderTest(site, client, driver, view, outbox)


def transferred(driver: PipelineDriver, person: dict[str, Any] | None = None, message_id: str = "ARRIVAL-1") -> None:
    """The person has arrived in North Carolina from Virginia."""
    driver.submit(
        submission(
            message_id=message_id,
            event_type="Interstate Compact",
            event_subtype="Arrival",
            notification_type="Movement",
            notification_subtypes=[tagged("Validate", "Date")],
            agency={"ori": "VAICOTS01", "name": "Virginia Interstate Compact", "state": "VA"},
            compact={"sending_state": "VA", "receiving_state": "NC", "case_number": "77"},
            offenders=[person or WALKER],
        )
    )


def carried(page: str, name: str) -> str:
    """Return what a page's form carries under a name."""
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', page)
    assert found is not None, page
    return unescape(found[1])


def registered(site: SiteUnderTest, contact: str = PHONE, language: str = "en", **form: str) -> str:
    """Go through the steps, and return the page that asks for the code."""
    path = f"/{language}/register"
    who = {"given": "Thomas", "sur": "Walker", "birth_date": "1979-02-11"}
    page = site.post(path, step="who", **(who | form)).text
    page = site.post(path, step="what", draft=carried(page, "draft"), **{"about Movement": "1", "about Status Update": "1"}).text
    page = site.post(path, step="how", draft=carried(page, "draft"), channel0="sms", address0=contact).text
    return site.post(path, step="pin", draft=carried(page, "draft"), pin="").text
