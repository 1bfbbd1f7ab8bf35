"""
Plays a feed to a running pipeline under `VN_CLOCK=topic`: the time moves on whenever all units are idle, a step at a time.

The steps are the feed's own and the times at which a timer comes due; these a rehearsal tells, the same feed through
the same stages in memory.
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
from processors.runtime.run.idle import Watch
from processors.topics import CLOCK

STEP_TIMEOUT: Final = 180.0  # seconds for one step; of the first all units start, and a broker that was killed takes some ten to come back
SHORTEST_PAUSE: Final = 0.005  # seconds between looks at first, then a part of what was waited: the units need the processor more
PAUSE_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What the feed comes to in memory, and the moments at which something happens, in milliseconds."""

    driver: PipelineDriver
    moments: tuple[Step, ...]


def rehearse(steps: Iterable[Step], rules: Rules, key: bytes) -> Rehearsal:
    """Return the feed's steps with those between at which a timer comes due."""
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
    moments: Sequence[Step], client: Client, *, before: Callable[[int], None] = lambda _: None, meanwhile: Callable[[], None] = lambda: None
) -> Iterator[int]:
    """
    Every moment is sent and settled in its turn; yields how many are done.

    `before` is told the number of each that begins; `meanwhile` is called while it is waited for, and raises to end it.
    """
    watch = Watch(Broker(client.settings), client.settings.topic_prefix, PIPELINE)
    for number, step in enumerate(moments):
        before(number)
        client.send(CLOCK, [(None, client.codec.encode(Tick(step.at)))])
        for topic, together in groupby(step.sendings, key=lambda sending: sending.topic):
            client.send(topic, ((sending.key, sending.value) for sending in together))
        wait_until_idle(watch, meanwhile)
        yield number + 1


def wait_until_idle(watch: Watch, meanwhile: Callable[[], None]) -> None:
    """Every unit has seen the last tick and has nothing left to do."""
    begun, pause = monotonic(), Event()
    while not pause.wait(max(SHORTEST_PAUSE, PAUSE_SHARE * (monotonic() - begun))):
        try:
            if watch.idle():
                return
        except Restart:
            pass  # the broker is being restarted: ask again, until the deadline
        meanwhile()
        if monotonic() - begun > STEP_TIMEOUT:
            raise UserError(f"the pipeline is still at work on one step after {STEP_TIMEOUT:.0f} seconds: see its log")
