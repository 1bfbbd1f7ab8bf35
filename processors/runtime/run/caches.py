"""The Redis caches of the partitions that a stage owns, with the stamps that they must have."""

from collections.abc import Callable, Mapping, Sequence

from processors.runtime import metrics
from processors.runtime.errors import Restart
from processors.runtime.kafka.clients import Broker, TopicAndPartition
from processors.runtime.run.catchup import Changelog, RestoredPartition
from processors.runtime.run.store import Store
from processors.runtime.wire.changelog import Position
from processors.runtime.wire.codec import Codec


class Caches:
    """One stage's caches; `topic` is the name of its changelog."""

    def __init__(self, broker: Broker, url: str, codec: Codec, topic: str, stage: str) -> None:
        self.topic = topic
        self._store = Store(url)
        self._broker = broker
        self._codec = codec
        self._stage = stage
        self._changelog: Changelog | None = None
        self._stamps: dict[int, bytes] = {}

    def restore(
        self, committed: Mapping[TopicAndPartition, int | None], partitions: list[int], keep_alive: Callable[[], None]
    ) -> dict[int, RestoredPartition]:
        """Catch the partitions' caches up to the changelog."""
        restored = self._log().restore(committed, partitions, keep_alive)
        self._stamps = {partition: each.stamp for partition, each in restored.items()}
        return restored

    def read(self, partition: int, fields: Sequence[bytes]) -> Sequence[bytes | None]:
        """Return fields as the last batch left them; raises Restart if the cache does not have the last batch's stamp."""
        stamp, values = self._store.read(self._log().key(partition), fields)
        if stamp != self._stamps[partition]:
            metrics.STALE.labels(self._stage).inc()
            raise Restart(f"the cache of partition {partition} is not the one that the last batch left")
        return values

    def apply(self, partition: int, position: Position, offset: int, changes: Mapping[bytes, bytes | None]) -> None:
        """Apply a committed batch, whose position is at `offset` of the changelog; raises Restart if the cache's stamp has changed."""
        log = self._log()
        stamp = log.stamp(position, offset)
        if not self._store.swap(log.key(partition), self._stamps[partition], stamp, changes):
            metrics.STALE.labels(self._stage).inc()
            raise Restart(f"the cache of partition {partition} is not the one that the batch was decided on")
        self._stamps[partition] = stamp

    def close(self) -> None:
        self._store.close()

    def _log(self) -> Changelog:
        """Return the changelog; its topic must exist at the first call."""
        if self._changelog is None:
            self._changelog = Changelog(self._broker, self._store, self._codec, self.topic, self._stage)
        return self._changelog
