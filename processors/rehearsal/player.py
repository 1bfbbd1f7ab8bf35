"""
Plays a feed to a running pipeline under `VN_CLOCK=topic`, and advances the time one step whenever all stages are idle.

The steps are those of the feed and the due times of timers. A rehearsal, the same feed through the same stages in memory, finds
out when timers are due.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from threading import Event
from time import monotonic
from typing import Final

from processors.domain.notification import Outbound
from processors.domain.tick import Tick
from processors.pipeline import PIPELINE
from processors.rehearsal.feed import Step
from processors.rehearsal.provider import RehearsalProvider
from processors.rules.rule_set import Rules
from processors.runtime.decide.driver import PipelineDriver
from processors.runtime.errors import Restart, UserError
from processors.runtime.kafka.clients import Broker
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.run.idle import PipelineProgress
from processors.topics import CLOCK, OUTBOUND

STEP_TIMEOUT: Final = 180.0  # seconds: in the first step all units start, and a killed broker needs ten seconds to restart
NO_CHANGES: Final[Mapping[int, Callable[[PipelineDriver], None]]] = {}
SHORTEST_PAUSE: Final = 0.005  # seconds between checks at first, then a share of the time waited: the stages need the CPU more
PAUSE_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The driver after a rehearsal, and the steps of everything that happened, in order of time."""

    driver: PipelineDriver
    moments: tuple[Step, ...]


def rehearse(
    steps: Iterable[Step], rules: Rules, key: bytes, changes: Mapping[int, Callable[[PipelineDriver], None]] = NO_CHANGES
) -> Rehearsal:
    """
    Run a feed in memory; its moments are the feed's steps, the due times of timers, and the receipts of what is sent.

    At the same time, timers come first, then receipts, then the feed. `changes`, such as the start and end of an outage, are made to
    the driver at their times.
    """
    run = _Run(PipelineDriver(PIPELINE, rules, key), changes)
    changed = (Step(at, ()) for at in sorted(changes))
    for step in merge(steps, changed, key=lambda each: each.at):
        run.provider.note(step.records)
        while (moment := run.next_before(step.at)) is not None:
            run.advance_to(moment)
        run.advance_to(step)
    return Rehearsal(run.driver, tuple(run.moments))


class _Run:
    """A rehearsal under way: the driver, what happened, and the receipts that are to come."""

    def __init__(self, driver: PipelineDriver, changes: Mapping[int, Callable[[PipelineDriver], None]]) -> None:
        self.driver = driver
        self._changes = dict(changes)
        self.driver.now = 0
        self.provider = RehearsalProvider()
        self.moments: list[Step] = []
        self._receipts: deque[Step] = deque()
        self._answered = dict.fromkeys(OUTBOUND, 0)

    def next_before(self, until: int) -> Step | None:
        """Return the next timer or receipts before a time."""
        timer = self.driver.next_due()
        receipts = self._receipts[0] if self._receipts else None
        if receipts is not None and receipts.at < until and (timer is None or receipts.at < timer):
            return self._receipts.popleft()
        return Step(timer, ()) if timer is not None and timer < until else None

    def advance_to(self, step: Step) -> None:
        """Advance the time to the step, send its records, and let the provider answer what is sent out."""
        self.driver.advance_to(step.at)
        self.moments.append(step)
        if (change := self._changes.pop(step.at, None)) is not None:
            change(self.driver)
        for record in step.records:
            self.driver.send(record.topic, record.value, record.key)
        if left := list(self._new_messages()):
            self._receipts.append(self.provider.answers(left, step.at))

    def _new_messages(self) -> Iterator[Outbound]:
        for channel, topic in OUTBOUND.items():
            entries = self.driver.entries(topic)
            new = entries[self._answered[channel] :]
            self._answered[channel] = len(entries)
            yield from (self.driver.codec.decode(entry.value) for entry in new if entry.value is not None)


def play(
    moments: Sequence[Step],
    client: UserClient,
    *,
    before: Callable[[int], None] = lambda _: None,
    meanwhile: Callable[[], None] = lambda: None,
    timeout: float = STEP_TIMEOUT,
) -> Iterator[int]:
    """
    Send each moment and wait until the pipeline is idle; yield the number of moments done.

    `before` is called with each moment's number; `meanwhile` is called while waiting and may raise to end it.
    """
    watch = PipelineProgress(Broker(client.settings), client.settings.topic_prefix, PIPELINE)
    for number, step in enumerate(moments):
        before(number)
        client.send(CLOCK, [(None, client.codec.encode(Tick(step.at)))])
        for topic, together in groupby(step.records, key=lambda record: record.topic):
            client.send(topic, ((record.key, record.value) for record in together))
        wait_until_idle(watch, meanwhile, timeout)
        yield number + 1


def wait_until_idle(watch: PipelineProgress, meanwhile: Callable[[], None], timeout: float) -> None:
    """Wait until every stage has read the last tick and has nothing left to do."""
    begun, pause = monotonic(), Event()
    while not pause.wait(max(SHORTEST_PAUSE, PAUSE_SHARE * (monotonic() - begun))):
        try:
            if watch.is_idle():
                return
        except Restart:
            pass  # the broker is restarting: check again until the deadline
        meanwhile()
        if monotonic() - begun > timeout:
            raise UserError(f"the pipeline is still at work on one step after {timeout:.0f} seconds: see its log")
