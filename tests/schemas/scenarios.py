"""Pipelines in memory whose recorded states contain every state type and field."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from processors.deliver import pages as deliver_pages
from processors.domain.erasure import ErasureRequest
from processors.domain.merge import Merge
from processors.domain.review import ReviewAction
from processors.domain.time import iso, millis
from processors.ingest.identify import pages as identify_pages
from processors.ingest.identify import surge
from processors.match import pages as match_pages
from processors.pipeline import PIPELINE
from processors.rehearsal.feed import read_feed
from processors.rehearsal.player import rehearse
from processors.rules.load import load_rules
from processors.rules.rule_set import Rules
from processors.runtime.decide.driver import PipelineDriver, RunningStage
from processors.simulation.world import simulate
from processors.stage import Record
from processors.topics import ERASURES, EVENTS, INBOUND, SUBMISSIONS
from processors.validate import timeline
from tests.merge.given import DAY, A, B, Given
from tests.stories.builders import hearing, registration, submission
from tests.two_partitions import CODEC, Partition

EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "feed.jsonl"


class Ran(Protocol):
    """What has lived through something."""

    def documents(self, stage: str) -> list[bytes]:
        """Return the state documents that a stage left behind."""


def drivers() -> Iterator[Ran]:
    """Yield pipelines that have lived through something."""
    rules = load_rules(None)
    yield rehearse(read_feed(EXAMPLES), rules, bytes(64)).driver
    with tempfile.TemporaryDirectory() as folder:
        feed = Path(folder) / "feed.jsonl"
        world = simulate(millis("2026-03-01T00:00:00-05:00"), 30, 7, 0.001)
        feed.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in world.feed()), encoding="utf-8")
        yield rehearse(read_feed(feed), rules, bytes(64)).driver
    yield crowded(rules)
    yield questioned(rules)
    yield overtaken()


class Observed(PipelineDriver):
    """A pipeline of which every state document is kept that it ever had, by stage: some are there for a moment only."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.seen: dict[str, dict[bytes, None]] = {}

    def _decide(self, running: RunningStage, records: list[Record], watermark: int | None) -> None:
        super()._decide(running, records, watermark)
        kept = (value for name, value in running.states.fields.items() if name.startswith(b"="))
        self.seen.setdefault(running.stage.name, {}).update(dict.fromkeys(kept))

    def documents(self, stage: str) -> list[bytes]:
        return [self.codec.decode(value).state for value in self.seen[stage]]


@contextmanager
def small_pages() -> Iterator[None]:
    """Pages have so few entries that every list is in several."""
    sizes: list[tuple[Any, str, int]] = [
        (match_pages, "REGISTRATIONS_PER_PAGE", 2),
        (match_pages, "REGISTRANTS_PER_PAGE", 2),
        (identify_pages, "PAGE", 2),
        (deliver_pages, "NOTICES_PER_PAGE", 1),
        (surge, "BLOCK", 2),
        (timeline, "MAX_HISTORY", 4),
    ]
    before = [(module, name, getattr(module, name)) for module, name, _ in sizes]
    try:
        for module, name, size in sizes:
            setattr(module, name, size)
        yield
    finally:
        for module, name, size in before:
            setattr(module, name, size)


NUMBERS: Final = {"SID": "VA5512340", "FBI": "123456AB7"}


def numbers(offenders: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
    """Yield all numbers of these offenders, who are one person."""
    for each in offenders:
        yield from each["identifiers"]


def crowded(rules: Rules) -> PipelineDriver:
    """Return a pipeline in which every list is in pages, a group is settled page by page, and two offenders are merged under way."""
    with small_pages():
        driver = Observed(PIPELINE, rules, bytes(64))
        by_number = [{"identifiers": [{"scheme": scheme, "value": value}]} for scheme, value in NUMBERS.items()]
        for each in range(12):
            driver.register(registration(f"R-{each}", expires_at="2027-10-01T12:00:00Z", offender=by_number[each % 2]))
        driver.advance(timedelta(hours=12))  # into the night, in which what is no emergency waits
        for each in range(5):
            for offender in by_number:
                driver.submit(hearing(action_at=f"2026-12-1{each}T10:00:00-05:00", offenders=[offender]))
        driver.submit(hearing(action_at="2026-12-10T10:00:00-05:00", message_id="BOTH", offenders=[{"identifiers": [*numbers(by_number)]}]))
        driver.submit(hearing(operation="Cancel", refers_to="BOTH", offenders=[by_number[0]]))
        driver.set_policy("review.four_eyes", "3")
        driver.set_policy("surge.limit", "1/10m")
        for each in range(8):
            driver.submit(hearing(action_at=f"2027-01-1{each}T10:00:00-05:00", offenders=[by_number[0]]))
        group = driver.reviews()[-1].group
        for reviewer in ("ann", "ben"):
            driver.review("release", group=group, reviewer=reviewer)
        driver.advance(timedelta(hours=12))  # into the morning
    return driver


def questioned(rules: Rules) -> PipelineDriver:
    """Return a pipeline with what people are asked, say and take back."""
    with small_pages():
        driver = Observed(PIPELINE, rules, bytes(64))
        carl = described("Carl", "Muster", "1988-01-09", "SID:VA1", "FBI:551234AB1")
        dana = described("Dana", "Other", "1965-07-30", "SID:VA2", "FBI:551234AB1")
        nearly = described("Carl", "Muster", "1988-09-01")  # day and month swapped
        phones = [{"channel": "sms", "address": f"+1804555{number}", "verified": True} for number in (1000, 1001, 1002)]
        driver.set_policy("response.hold", "1h")
        driver.set_policy("surge.limit", "3/1h")
        for number, phone in enumerate(phones):
            driver.register(registration(f"R-{number}", offender=carl, contacts=[phone]))
        driver.register(registration("R-NEARLY", offender=nearly))
        for person in (carl, dana, carl, dana):
            document = submission(action_at=iso(driver.now - 3_600_000), offenders=[person])
            driver.send(SUBMISSIONS, document, headers=(("traceparent", f"00-{'ab' * 16}-{'cd' * 8}-01".encode()),))
            driver.advance(timedelta(minutes=20))
        for number, (phone, said) in enumerate(zip(phones, ("STOP", "please leave me alone", "HELP"), strict=True)):
            sent = {"provider": "test", "channel": "sms", "from": phone["address"], "to": "12345", "body": said, "id": f"SM{number}"}
            driver.send(INBOUND, sent | {"occurred_at": iso(driver.now + number)})
        for review in driver.reviews():
            driver.review("discard" if review.reason == "identity_conflict" else "release", review.review_id)
        driver.submit(hearing(message_id="HEARING", offenders=[carl]))
        driver.advance(timedelta(hours=1))
        changed = hearing(operation="Update", refers_to="HEARING", action_at="2028-12-14T10:00:00-05:00", offenders=[carl])
        driver.submit(changed)  # too far ahead, so that nobody is told
        for day in range(10, 20):
            driver.submit(hearing(action_at=f"2026-12-{day}T09:00:00-05:00", offenders=[carl]))
            driver.advance(timedelta(hours=2))
        driver.send(ERASURES, ErasureRequest(registrant_id="R-2", reason="asked by letter", requested_by="clerk"), "R-2")
    return driver


def described(given: str, sur: str, birth_date: str, *identifiers: str) -> dict[str, Any]:
    """Return somebody with identifiers such as "SID:VA1"."""
    numbers = [dict(zip(("scheme", "value"), each.split(":"), strict=True)) for each in identifiers]
    return {"identifiers": numbers, "name": {"given": given, "sur": sur}, "birth_date": birth_date}


C: Final = "o000000000000000c"


class Overtaken(Given):
    """Partitions of which one is ahead of the other; every state document is kept that a stage ever had."""

    def __init__(self) -> None:
        super().__init__()
        self.homes = {A: 0, B: 1, C: 1}
        self.seen: dict[str, dict[bytes, None]] = {}

    def decide(self, each: Partition, records: list[Record], watermark: int | None = None) -> None:
        super().decide(each, records, watermark)
        kept = (value for name, value in each.fields.items() if name.startswith(b"="))
        self.seen.setdefault(each.stage.name, {}).update(dict.fromkeys(kept))

    def documents(self, stage: str) -> list[bytes]:
        return [CODEC.decode(value).state for value in self.seen.get(stage, ())]


def overtaken() -> Overtaken:
    """Return stages in which the older of two offenders waits for the states of the younger, and in which much comes meanwhile."""
    with small_pages():
        world = Overtaken()
        for number in range(5):
            world.enrol(f"r{number}", f"p{number}", A, expires_at=world.now + 30 * DAY)
        world.enrol("other", "bob", B)
        world.message(A, "m1")
        world.message(B, "m2")
        world.run()
        world.merge()
        world.message(A, "m3", case_number="CR-2")
        world.enrol("late", "ann", A)
        world.put(EVENTS, A, ReviewAction(action="release", reason="checked", reviewer="ann", review_id="none"))
        for key in (C, A):
            world.put(EVENTS, key, Merge(offender=C, into=A, seq=1_000, received_at=world.now, detail="SID VA1 agrees"))
        older, younger = ([each for each in world.partitions if each.number == number] for number in (0, 1))
        for ahead in (None, *younger):
            for each in (*([] if ahead is None else [ahead]), *older):
                world.read_all(each)
        world.run()
        world.advance(2 * DAY)
    return world
