"""`vn provider` shows its own metrics, if it is told where."""

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
    monkeypatch.setattr(provider.signal, "signal", lambda *_: None)
    monkeypatch.setattr(provider, "serve_metrics", lambda settings, _: served.append(settings.metrics_port))
    monkeypatch.setenv("VN_METRICS_PORT", str(port))
    provider.start(("sms",), list, Settings())
    assert served == ([port] if port else [])
