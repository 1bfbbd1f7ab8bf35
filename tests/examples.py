"""How many examples a test tries: all of them in `make test`, a quarter in `make check`."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import settings


def examples(usual: int) -> int:
    """Scale the usual number by the profile in force; Hypothesis's own default is 100."""
    return max(1, usual * settings.default.max_examples // 100)


def quarter(cases: Iterable[Any]) -> list[Any]:
    """Return the cases of one test for `parametrize`, of which `make check` runs every fourth."""
    return [each if number % 4 == 0 else pytest.param(each, marks=pytest.mark.slow) for number, each in enumerate(cases)]


def fourth(cases: list[Any], turn: int) -> list[Any]:
    """Return the cases that one turn of a loop tries: all of them, in `make check` every fourth, others in the next turn."""
    return cases if settings.default.max_examples >= 100 else cases[turn % 4 :: 4]
