"""
SIGTERM and SIGINT in processes whose main thread waits for other threads.

The kernel may deliver a signal to any thread, but Python runs its handler in the main thread, and a wait without a timeout keeps the
main thread from noticing. So it waits a moment at a time.
"""

import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
NOTICE_SECONDS: Final = 0.5  # at most, until a signal is noticed


@contextmanager
def on_stop_signal(stop: Callable[[], object]) -> Iterator[None]:
    """Call `stop` at each stop signal within the block."""
    before = {each: signal.signal(each, lambda *_: stop()) for each in STOP_SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that what was started in it is stopped."""
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def wait_for_stop_signal() -> None:
    """Return at the next stop signal."""
    stopped = Event()
    with on_stop_signal(stopped.set):
        while not stopped.wait(NOTICE_SECONDS):
            pass


def join_threads(threads: Iterable[Thread]) -> None:
    """Wait until the threads have ended; stop signals are handled meanwhile."""
    for thread in threads:
        while thread.is_alive():
            thread.join(NOTICE_SECONDS)
