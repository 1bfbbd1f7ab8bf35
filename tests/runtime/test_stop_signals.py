"""A stop signal is handled whichever thread the kernel delivers it to."""

import signal
from collections.abc import Callable
from threading import Event, Thread, get_ident, main_thread

import pytest

from processors.runtime.stop_signals import STOP_SIGNALS, exit_on_sigterm, join_threads, on_stop_signal, wait_for_stop_signal


def signals_itself(number: int, then: Callable[[], object]) -> Thread:
    """Return a thread, begun, to which the signal is delivered."""

    def run() -> None:
        signal.pthread_kill(get_ident(), number)
        then()

    thread = Thread(target=run, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_it_is_handled_while_the_main_thread_joins_others(number: int) -> None:
    stopped = Event()
    handled_by = []
    with on_stop_signal(lambda: (handled_by.append(get_ident()), stopped.set())):
        join_threads([signals_itself(number, stopped.wait)])
    assert handled_by == [main_thread().ident]


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_the_main_thread_waits_for_nothing_else(number: int) -> None:
    waited = Event()

    def signal_until_waited() -> None:  # a signal may come before the wait begins
        while not waited.wait(0.05):
            signal.pthread_kill(get_ident(), number)

    sender = Thread(target=signal_until_waited, daemon=True)
    with on_stop_signal(lambda: None):
        sender.start()
        wait_for_stop_signal()
        waited.set()
        sender.join()  # its last signal must not meet the handlers of the test run


def test_sigterm_ends_a_block_as_an_exception_does() -> None:
    with pytest.raises(SystemExit) as ended, exit_on_sigterm():
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 128 + signal.SIGTERM


def test_the_handlers_of_before_are_put_back() -> None:
    before = [signal.getsignal(each) for each in STOP_SIGNALS]
    with on_stop_signal(lambda: None), exit_on_sigterm():
        pass
    assert [signal.getsignal(each) for each in STOP_SIGNALS] == before
