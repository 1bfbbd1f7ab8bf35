"""`vn provider` shows its own metrics, if it is told where, and ends after the stop signal, whatever hangs."""

import os
import signal
from threading import Event

import pytest

from processors.cli import provider
from processors.runtime.settings import Settings


class Idle:
    """Stands in for a worker: it ends at once."""

    def __init__(self, *_: object) -> None: ...

    def run(self) -> None: ...


@pytest.mark.parametrize("port", [0, 9464])
def test_metrics_are_served_where_the_setting_says(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[int] = []
    monkeypatch.setattr(provider, "Worker", Idle)
    monkeypatch.setattr(provider, "configure", lambda *_: None)
    monkeypatch.setattr(provider, "serve_metrics", lambda settings, _: served.append(settings.metrics_port))
    monkeypatch.setenv("VN_METRICS_PORT", str(port))
    provider.run_workers(("sms",), list, Settings())
    assert served == ([port] if port else [])


class Hanging(Idle):
    """Stands in for a worker that goes on after it was told to stop, until the process would have exited."""

    def run(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        assert EXITED.wait(30)

    def stop(self) -> None: ...


EXITED = Event()


def test_a_worker_that_hangs_after_the_stop_signal_does_not_keep_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []

    def leave(code: int) -> None:
        codes.append(code)
        EXITED.set()

    monkeypatch.setattr(provider, "Worker", Hanging)
    monkeypatch.setattr(provider, "STOP_SECONDS", 0.01)
    monkeypatch.setattr(provider, "configure", lambda *_: None)
    monkeypatch.setattr(os, "_exit", leave)
    provider.run_workers(("sms",), list, Settings())
    assert codes == [0]
