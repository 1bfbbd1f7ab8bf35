"""Every input that fuzzing kept, and what each door begins with, is answered."""

import pytest

from tests.fuzz.doors import CORPUS, DOORS


@pytest.mark.parametrize("name", DOORS)
def test_what_fuzzing_found_is_answered(name: str) -> None:
    door, seeds = DOORS[name]
    kept = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
    assert kept
    for raw in (*seeds(), *kept):
        door(raw)


@pytest.mark.parametrize("name", DOORS)
def test_a_door_begins_with_what_it_accepts(name: str) -> None:
    assert DOORS[name][1]()
