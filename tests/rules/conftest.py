"""Rule files of one's own, written for a test."""

from collections.abc import Callable
from pathlib import Path

import pytest

from processors.rules.load import load_rules
from processors.rules.rule_set import Rules

Written = Callable[..., Path]


@pytest.fixture(scope="session")
def built_in() -> Rules:
    return load_rules()


@pytest.fixture
def rule_files(tmp_path: Path) -> Written:
    """Writes files given as `name="text"`; `VA="…"` is VA.toml."""

    def write(**files: str) -> Path:
        for name, text in files.items():
            (tmp_path / f"{name}.toml").write_text(text)
        return tmp_path

    return write
