"""What every copy of a stage reads between batches, outside its consumer group: settings, quarantine, clock, key file."""

import secrets
from time import monotonic
from typing import Final

from processors.rules.rule_set import Rules
from processors.runtime.clock import Clock, WallClock
from processors.runtime.kafka.broadcast import ClockReader, PolicyReader, QuarantineReader
from processors.runtime.kafka.clients import Broker
from processors.runtime.key_file import KEY_BYTES, KeyFile
from processors.runtime.run.pace import POLL_TIMEOUT
from processors.runtime.run.telemetry import Telemetry
from processors.runtime.wire.codec import Codec
from processors.stage import Context

CLOCK_ADVICE: Final = "with VN_CLOCK=topic set, `vn simulate --play` writes it; to use the system clock, start the stage without VN_CLOCK"


class Broadcasts:
    """
    Reads settings and quarantine to their ends on construction, then follows them.

    `topic_clock` is None if the stage runs by the system clock. `by_hand` maps the records that operators quarantined to reasons.
    """

    def __init__(  # noqa: PLR0913, PLR0917  all that a stage runs with
        self, broker: Broker, codec: Codec, rules: Rules, keys: KeyFile, prefix: str, telemetry: Telemetry, *, by_topic: bool
    ) -> None:
        self._policies = PolicyReader(broker, codec, rules, prefix)
        self._quarantine = QuarantineReader(broker, codec, prefix)
        self.topic_clock = ClockReader(broker, codec, prefix) if by_topic else None
        self.by_hand = self._quarantine.reasons
        self._keys = keys
        self._telemetry = telemetry
        self._last = monotonic()
        self._reported_unset_clock = False

    @property
    def clock(self) -> Clock:
        return WallClock() if self.topic_clock is None else self.topic_clock.clock

    def context(self) -> Context:
        """Return the context for decisions, as of the last refresh."""
        return Context(self._policies.rules, self._keys.seal, draw=lambda _: secrets.token_bytes(KEY_BYTES))

    def refresh(self, *, to_the_end: bool = True) -> None:
        """Read pending settings and clock ticks (with `to_the_end`, all ticks written before the call); only between batches."""
        if self.topic_clock is not None:
            self.topic_clock.refresh(to_the_end=to_the_end)
        if monotonic() - self._last < POLL_TIMEOUT:
            return
        self._last = monotonic()
        if self._keys.refresh():
            self._telemetry.log.info("keys", newest=self._keys.seal.key_id)
        self._quarantine.refresh()
        if self._policies.refresh():
            self._telemetry.log.info("settings", rules=self._policies.rules.version)

    def report_unset_clock(self) -> None:
        """Log once that the stage waits for the first time on the clock's topic."""
        if self.topic_clock is None or self._reported_unset_clock:
            return
        self._reported_unset_clock = True
        topic, _ = self.topic_clock.topic_partition
        self._telemetry.log.warning("waits_for_clock", topic=topic, why=f"no time is on {topic} yet: {CLOCK_ADVICE}")

    def close(self) -> None:
        for each in (self._policies, self._quarantine, self.topic_clock):
            if each is not None:
                each.close()
