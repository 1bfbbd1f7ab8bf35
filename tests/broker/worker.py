"""
Runs the probe stage as a process, as `vn run` runs a stage.

Its arguments name guards of the protocol to remove, for the negative controls.
"""

import faulthandler
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from processors.domain.seal import Seal
from processors.runtime.key_file import KeyFile
from processors.runtime.run import restore, runner, store
from processors.runtime.run.caches import Caches
from processors.runtime.run.runner import Environment, Runner
from processors.runtime.run.telemetry import configure
from processors.runtime.run.transaction import DecidedBatch, Transactions
from processors.runtime.settings import Settings
from processors.runtime.wire.codec import Codec
from tests.broker.probe import PROBE, NoRules


def no_compare() -> None:
    """Writes to the store do not compare the stamp."""
    script = store.SWAP.replace("~= ARGV[1]", "== 'never'")
    store.SWAP = script  # type: ignore[misc]
    store.SWAP_SHA = "0" * 40  # type: ignore[misc]


def no_stamp() -> None:
    """Reads from the store do not compare the stamp."""
    Caches.read = lambda self, partition, fields: self._store.read(self._log().key(partition), fields)[1]  # type: ignore[method-assign]


def no_fence() -> None:
    """A batch of timers alone sends no offsets."""
    commit = Transactions.commit

    def unfenced(self: Transactions, batch: DecidedBatch, *others: Any) -> None:
        if any(result.records for _, result in batch.results):
            commit(self, batch, *others)
            return
        real = self._producer

        class Unfenced:
            def __getattr__(self, name: str) -> Any:
                return getattr(real, name)

            def send_offsets_to_transaction(self, *_: Any) -> None:
                """Send nothing."""

        self._producer = Unfenced()  # type: ignore[assignment]
        try:
            commit(self, batch, *others)
        finally:
            self._producer = real

    Transactions.commit = unfenced  # type: ignore[method-assign]


def no_origin() -> None:
    """Committed offsets are used on whatever log has the topic's name."""
    for check in ("check_identities", "check_bookmarks"):
        setattr(restore, check, lambda *_: None)


def no_key_check() -> None:
    """A key file is used whatever key it ends with."""
    runner.check_digest_key = lambda *_: None


GUARDS: Final[Mapping[str, Callable[[], None]]] = {
    "compare": no_compare,
    "stamp": no_stamp,
    "fence": no_fence,
    "origin": no_origin,
    "keys": no_key_check,
}

if __name__ == "__main__":
    for guard in sys.argv[1:]:
        GUARDS[guard]()
    faulthandler.register(signal.SIGUSR1)
    settings = Settings()
    configure(settings.log_level, settings.log_format)
    copy = Runner(PROBE, Environment(settings, Codec(), NoRules(), KeyFile(Path("none"), lambda _: Seal(bytes(64)))))
    signal.signal(signal.SIGTERM, lambda *_: copy.stop())
    copy.run()
    sys.exit(0)
