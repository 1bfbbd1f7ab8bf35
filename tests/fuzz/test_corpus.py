"""Every input in the corpus, and every seed input of each target, is answered."""

import pytest

from tests.fuzz.targets import CORPUS, TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_what_fuzzing_found_is_answered(name: str) -> None:
    target, seeds = TARGETS[name]
    kept = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
    assert kept
    for raw in (*seeds(), *kept):
        target(raw)


@pytest.mark.parametrize("name", TARGETS)
def test_a_door_begins_with_what_it_accepts(name: str) -> None:
    assert TARGETS[name][1]()
