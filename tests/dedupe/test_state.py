"""What dedupe stores of an event, and for how long."""

import pytest

from processors.dedupe.state import (
    MAX_IDS,
    HeldCancel,
    KnownEvent,
    KnownEvents,
    WaitingMessage,
    append_id,
    message_key,
    rename_unheard_state,
    with_newest,
)
from tests.dedupe.scene import OFFENDER, Scene

CANCEL = Scene().event("c1", operation="Cancel")
FULL = tuple(f"m{number}" for number in range(MAX_IDS))


def seen(until: int = 0, *, held: int | None = None) -> KnownEvent:
    return KnownEvent(seq=1, ori="VA1", root="m1", forget_at=until, held=None if held is None else HeldCancel(held, CANCEL))


def waits(due: int, review_id: str | None = None) -> WaitingMessage:
    return WaitingMessage(seq=1, ori="VA1", message_id="u1", reference="m1", fingerprint="f", due=due, review_id=review_id)


def test_of_too_many_names_the_first_and_the_newest_are_kept() -> None:
    assert append_id((), "m1") == ("m1",)
    assert append_id(("m1", "m2"), "m1") == ("m1", "m2")
    assert append_id(FULL[:-1], "new") == (*FULL[:-1], "new")
    assert append_id(FULL, "new") == ("m0", *FULL[2:], "new")


def test_a_repeated_fingerprint_is_the_newest_and_expires_later() -> None:
    assert list(with_newest({"a": 1, "b": 2}, "a", 3).items()) == [("b", 2), ("a", 3)]
    assert list(with_newest({}, "a", 3).items()) == [("a", 3)]


def test_of_too_many_wordings_the_oldest_go() -> None:
    versions = dict.fromkeys(FULL, 1)
    assert list(with_newest(versions, "new", 2)) == [*FULL[1:], "new"]
    assert list(with_newest(versions, "m5", 2)) == [*(each for each in FULL if each != "m5"), "m5"]


def test_the_newest_wording_is_the_last() -> None:
    assert KnownEvent(seq=1, ori="VA1", root="m1", fingerprints={"a": 9, "b": 1}).newest == "b"
    assert seen().newest is None


def test_more_names_and_more_cancels_lengthen_each_their_own() -> None:
    one = KnownEvent(seq=1, ori="VA1", root="m1", message_ids=("m1",), cancel_ids=("c1",))
    assert (one.with_message_id("m2").message_ids, one.with_message_id("m2").cancel_ids) == (("m1", "m2"), ("c1",))
    assert (one.with_cancel_id("c2").message_ids, one.with_cancel_id("c2").cancel_ids) == (("m1",), ("c1", "c2"))


@pytest.mark.parametrize(
    ("events", "waiting", "deadline"),
    [
        ((), (), None),
        ((seen(5), seen(3)), (), 3),
        ((seen(3, held=7),), (), 7),  # a held Cancel outlives what it cancels
        ((seen(9),), (waits(4), waits(6)), 4),
        ((), (waits(4, "dedupe-1"),), None),  # a reviewer has all the time
        ((seen(9),), (waits(4, "dedupe-1"), waits(8)), 8),
    ],
)
def test_a_document_is_looked_at_again_when_the_first_of_its_times_comes(
    events: tuple[KnownEvent, ...], waiting: tuple[WaitingMessage, ...], deadline: int | None
) -> None:
    assert KnownEvents(events=events, waiting=waiting).deadline == deadline


def test_a_message_lies_under_its_offender_and_its_place() -> None:
    assert message_key(OFFENDER, 7) == f"{OFFENDER}/7"


def test_a_document_of_format_1_says_new_of_what_it_called_unheard() -> None:
    told = {"seq": 2, "standing": "told"}
    assert rename_unheard_state({"sightings": [{"seq": 1, "standing": "unheard"}, told], "waiting": [3]}) == {
        "sightings": [{"seq": 1, "standing": "new"}, told],
        "waiting": [3],
    }
    assert rename_unheard_state({"waiting": [3]}) == {"waiting": [3]}
