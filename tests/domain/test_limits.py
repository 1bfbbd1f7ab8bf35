"""What is dropped if there is more than the limit: the oldest items of the agency that has the most."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from processors.domain.limits import crowded_out


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50), st.integers(1, 5)), unique_by=lambda each: each[:2]), st.integers(0, 60)
)
def test_the_rest_fits_and_no_agency_loses_to_one_that_has_less(kept: list[tuple[str, int, int]], room: int) -> None:
    gone = crowded_out(kept, room, lambda each: each[0], lambda each: each[1], lambda each: each[2])
    left = [each for each in kept if each not in gone]
    assert sum(size for *_, size in left) <= room or not left
    sizes = Counter[str]()
    for name, _, size in left:
        sizes[name] += size
    for name, age, size in reversed(gone):
        assert all(other[1] > age for other in left if other[0] == name), "the oldest went"
        sizes[name] += size
        assert sizes[name] == max(sizes.values()), "it was of the agency that had most"


def test_nothing_goes_while_there_is_room() -> None:
    assert crowded_out(range(10), 10, lambda _: "a", lambda each: each) == []
