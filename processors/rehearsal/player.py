"""
Play a feed to a running pipeline under `VN_CLOCK=topic`, advancing the time one step whenever all stages are idle.

The steps are the feed's own and the due times of timers, which a rehearsal finds out: the same feed through the same
stages in memory.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from threading import Event
from time import monotonic
from typing import Final

from processors.domain.tick import Tick
from processors.pipeline import PIPELINE
from processors.rehearsal.feed import Step
from processors.rules.book import Rules
from processors.runtime.decide.driver import PipelineDriver
from processors.runtime.errors import Restart, UserError
from processors.runtime.kafka.clients import Broker
from processors.runtime.kafka.user_client import Client
from processors.runtime.run.idle import Progress
from processors.topics import CLOCK

STEP_TIMEOUT: Final = 180.0  # seconds a step may take: all units start in the first, and a killed broker takes ten to come back
SHORTEST_PAUSE: Final = 0.005  # seconds between checks at first, then a share of the time waited: the stages need the CPU more
PAUSE_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The driver after a rehearsal, and every moment at which something happened."""

    driver: PipelineDriver
    moments: tuple[Step, ...]


def rehearse(steps: Iterable[Step], rules: Rules, key: bytes) -> Rehearsal:
    """Run a feed in memory; its moments are the feed's steps and the due times of timers between them."""
    driver = PipelineDriver(PIPELINE, rules, key)
    driver.now = 0
    moments: list[Step] = []
    for step in steps:
        while (due := driver.next_due()) is not None and due < step.at:
            moments.append(Step(due, ()))
            driver.advance_to(due)
        driver.advance_to(step.at)
        moments.append(step)
        for sending in step.sendings:
            driver.send(sending.topic, sending.value, sending.key)
    return Rehearsal(driver, tuple(moments))


def play(
    moments: Sequence[Step],
    client: Client,
    *,
    before: Callable[[int], None] = lambda _: None,
    meanwhile: Callable[[], None] = lambda: None,
    timeout: float = STEP_TIMEOUT,
) -> Iterator[int]:
    """
    Send each moment and wait until the pipeline is idle; yield the number of moments done.

    `before` is called with each moment's number; `meanwhile` is called while waiting and may raise to end it.
    """
    watch = Progress(Broker(client.settings), client.settings.topic_prefix, PIPELINE)
    for number, step in enumerate(moments):
        before(number)
        client.send(CLOCK, [(None, client.codec.encode(Tick(step.at)))])
        for topic, together in groupby(step.sendings, key=lambda sending: sending.topic):
            client.send(topic, ((sending.key, sending.value) for sending in together))
        wait_until_idle(watch, meanwhile, timeout)
        yield number + 1


def wait_until_idle(watch: Progress, meanwhile: Callable[[], None], timeout: float) -> None:
    """Wait until every stage has read the last tick and has nothing left to do."""
    begun, pause = monotonic(), Event()
    while not pause.wait(max(SHORTEST_PAUSE, PAUSE_SHARE * (monotonic() - begun))):
        try:
            if watch.idle():
                return
        except Restart:
            pass  # the broker is restarting: check again until the deadline
        meanwhile()
        if monotonic() - begun > timeout:
            raise UserError(f"the pipeline is still at work on one step after {timeout:.0f} seconds: see its log")
