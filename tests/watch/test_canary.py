"""A canary passes the whole pipeline, on a topic that no provider reads, and one receipt ends it."""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from processors.pipeline import PIPELINE
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver
from processors.topics import OUTBOUND_CANARY, RECEIPTS, REGISTRATIONS, SUBMISSIONS, Topic
from processors.watch import canary, metrics
from processors.watch.loop import Canary


def test_a_canary_leaves_on_its_own_topic_alone_and_its_receipt_ends_it() -> None:
    driver = PipelineDriver(PIPELINE, load_rules(None), bytes(64))
    registration_id, registration = canary.registration(driver.now)
    driver.send(REGISTRATIONS, registration, registration_id)
    driver.advance(timedelta(seconds=30))
    for _ in range(3):
        message_id, submission = canary.submission(driver.now)
        driver.send(SUBMISSIONS, submission, canary.ORI)
        driver.advance(timedelta(seconds=10))
        (outbound,) = [each for each in driver.records(OUTBOUND_CANARY) if message_id in each.message_ids]
        assert outbound.emergency
        driver.send(RECEIPTS, canary.receipt(outbound.reference, driver.now), outbound.registrant_id)
        driver.advance(timedelta(minutes=5))
    driver.advance(timedelta(hours=12))
    told = [each for each in driver.records(OUTBOUND_CANARY) if each.message_ids]
    assert len({each.notification_id for each in told}) == len(told) == 3
    assert driver.outbound() == []
    assert driver.reviews() == []


class Driven(Canary):
    """Canaries through the pipeline in memory, which reads a submission before the registrations that were sent just before it."""

    def __init__(self) -> None:
        self.driver = PipelineDriver(PIPELINE, load_rules(None), bytes(64))
        self.submitted: list[int] = []  # when
        self._held: list[tuple[str, bytes]] = []
        self._read = 0
        super().__init__(SimpleNamespace(send=self._send, codec=SimpleNamespace(decode=lambda value: value)), SimpleNamespace())  # type: ignore[arg-type]

    def _send(self, topic: Topic, records: list[tuple[str, bytes]]) -> None:
        if topic is REGISTRATIONS:
            self._held += records
            return
        if topic is SUBMISSIONS:
            self.submitted.append(self.driver.now)
        held, self._held = self._held, []
        for to, each in (*((topic, each) for each in records), *((REGISTRATIONS, each) for each in held)):
            self.driver.send(to, each[1], each[0])

    def _arrivals(self) -> Iterator[Any]:
        came = self.driver.records(OUTBOUND_CANARY)[self._read :]
        self._read += len(came)
        for each in came:
            yield SimpleNamespace(value=lambda each=each: each, offset=lambda: 0, timestamp=lambda: (1, self.driver.now))

    def look_for(self, span: timedelta, every: timedelta = timedelta(seconds=5)) -> set[str]:
        """Look so often, and return which metrics there were at the last look."""
        end, seen = self.driver.now + span // timedelta(milliseconds=1), set[str]()
        while self.driver.now < end:
            seen = {family.name for family, _, _ in self.measure(self.driver.now)}
            self.driver.advance(every)
        return seen


def test_a_first_canary_that_is_read_before_its_registration_is_followed_by_another_a_minute_later() -> None:
    canaries = Driven()
    assert metrics.CANARY_SUCCESS.name not in canaries.look_for(timedelta(seconds=55))
    assert metrics.CANARY_SUCCESS.name in canaries.look_for(timedelta(seconds=25))
    canaries.look_for(timedelta(minutes=10))
    assert [after - before for before, after in zip(canaries.submitted, canaries.submitted[1:], strict=False)] == [60_000, 300_000, 300_000]


@pytest.mark.slow
def test_the_first_canary_of_a_day_comes_out_whatever_is_read_first() -> None:
    canaries = Driven()
    canaries.look_for(timedelta(hours=25), every=timedelta(minutes=5))
    came = {message_id for each in canaries.driver.records(OUTBOUND_CANARY) for message_id in each.message_ids}
    assert {f"canary-{at}" for at in canaries.submitted[1:-1]} <= came
