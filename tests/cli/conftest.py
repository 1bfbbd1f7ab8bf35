"""Runs commands in the process of the test."""

import os
import sys

import pytest
import structlog

from processors.cli import main
from tests.cli.given import Run


@pytest.fixture
def vn(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process, with no setting of the pipeline but those given; returns exit code, stdout and stderr."""
    for name in [name for name in os.environ if name.startswith(("VN_", "KAFKA_", "REDIS_URL", "SCHEMA_REGISTRY_URL"))]:
        monkeypatch.delenv(name)

    def run(*arguments: str, **settings: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["vn", *arguments])
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main.run()
        structlog.reset_defaults()  # a command may log to the captured output
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    return run
