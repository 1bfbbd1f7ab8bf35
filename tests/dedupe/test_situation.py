"""Queries of an offender's known events."""

import pytest
from msgspec.structs import replace

from processors.dedupe.situation import Message, situation_of
from processors.dedupe.state import KnownEvent, State, WaitingMessage
from tests.dedupe.known import CANCEL, knowing, known, message, waiting
from tests.dedupe.scene import OFFENDER
from tests.dedupe.test_keys import DOCUMENT
from tests.one_stage import rules


def test_what_lies_under_a_messages_key_must_be_a_message() -> None:
    wrong: dict[str, State] = {f"{OFFENDER}/1": DOCUMENT}
    with pytest.raises(TypeError, match=f"no message is stored under {OFFENDER}/1"):
        situation_of(OFFENDER, 0, rules(), wrong).stored_message(1)


def test_a_message_without_a_reference_is_about_its_own_id() -> None:
    assert message(refers_to=None, message_id="x").reference == "x"
    assert message(refers_to="m", message_id="x").reference == "m"


def test_a_wording_is_recognized_to_the_millisecond_before_its_window_ends() -> None:
    for until, recognized in ((101, True), (100, False)):
        assert knowing().is_recognized(known(1, fingerprints={"f": until}), message()) is recognized
    assert not knowing().is_recognized(known(1, fingerprints={"g": 101}), message())


def test_the_same_event_is_the_newest_that_was_told_so_before_one_that_faded() -> None:
    add = message(operation="Add", refers_to=None)
    fresh, old = {"f": 101}, {"f": 100}
    one = knowing(known(1, fingerprints=fresh), known(2, fingerprints=fresh), known(3, fingerprints=old))
    assert one.event_with_same_content(add) == one.known.events[1]
    faded = knowing(known(1, fingerprints=old), known(2, fingerprints=old), known(3, fingerprints={"f": 100, "g": 101}))
    assert faded.event_with_same_content(add) == faded.known.events[1]
    held = knowing(known(1, fingerprints=old), known(2, state="held", fingerprints=old), known(3, state="cancelled", fingerprints=fresh))
    assert held.event_with_same_content(add) == held.known.events[1]
    assert knowing(known(1, state="cancelled", fingerprints=fresh)).event_with_same_content(add) is None
    assert knowing(known(1, ori="NC1", fingerprints=fresh)).event_with_same_content(add) is None
    before_faded = knowing(known(1, state="held", fingerprints=old), known(2, fingerprints=old))
    assert before_faded.event_with_same_content(add) == before_faded.known.events[0]
    older = knowing(known(1, state="held", fingerprints={"f": 101, "g": 101}))
    assert older.event_with_same_content(add) == older.known.events[0]
    assert knowing(known(1, state="held", fingerprints={"f": 100, "g": 101})).event_with_same_content(add) is None


def test_a_reference_means_the_newest_that_stands_and_else_the_newest() -> None:
    named = {"message_ids": ("m",)}
    both = knowing(known(1, **named), known(2, **named), known(3, state="cancelled", **named), known(4, ori="NC1", **named))
    assert both.event_referred_to(message()) == both.known.events[1]
    gone = knowing(known(1, state="cancelled", **named), known(2, state="cancelled", **named))
    assert gone.event_referred_to(message()) == gone.known.events[1]
    assert knowing(known(1)).event_referred_to(message()) is None


def test_a_judged_sighting_is_that_of_the_agency() -> None:
    found = knowing(known(1, ori="NC1", overtaken="c"), known(2, overtaken="other"), known(3, overtaken="c"))
    assert found.event_that_overtook(CANCEL) == found.known.events[2]
    assert knowing(known(1)).event_that_overtook(CANCEL) is None


@pytest.mark.parametrize(
    ("events", "waits", "one", "repeated"),
    [
        ((), (waiting(1, message_id="c"),), message(), True),
        ((), (waiting(1, message_id="c"),), message("g"), False),
        ((), (waiting(1, message_id="c", ori="NC1"),), message(), False),
        ((), (waiting(1, message_id="d"),), message(), False),
        ((known(1, cancel_ids=("c",)),), (), message(), True),
        ((known(1, cancel_ids=("c",), ori="NC1"),), (), message(), False),
        ((known(1, cancel_ids=("d",)),), (), message(), False),
        ((known(1, message_ids=("c",), fingerprints={"f": 1}),), (), message(), False),
        ((known(1, message_ids=("c",), fingerprints={"f": 1}),), (), message(operation="Update"), True),
        ((known(1, message_ids=("c",), fingerprints={"g": 1}),), (), message(operation="Update"), False),
        ((known(1, message_ids=("d",), fingerprints={"f": 1}),), (), message(operation="Update"), False),
        ((known(1, message_ids=("c",), fingerprints={"f": 1}, overtaken="c"),), (), message(operation="Update"), False),
        ((known(1, cancel_ids=("c",)),), (), message(operation="Update"), False),
        ((known(1, message_ids=("c",), fingerprints={"f": 1}),), (waiting(1, message_id="c"),), message(operation="Add"), False),
    ],
)
def test_the_very_same_cancel_or_update_is_a_repetition(
    events: tuple[KnownEvent, ...], waits: tuple[WaitingMessage, ...], one: Message, *, repeated: bool
) -> None:
    assert knowing(*events, waits=waits).is_repeated(one) is repeated


def test_what_waited_follows_in_an_order_in_which_each_follows_what_it_is_about() -> None:
    update = replace(CANCEL, operation="Update")
    line = (
        waiting(5, message_id="u5", reference="u4"),
        waiting(4, message_id="u4", reference="c"),
        waiting(6, message_id="u6", reference="c", review_id="r"),
        waiting(7, message_id="u7", reference="c", ori="NC1"),
        waiting(8, message_id="c8", reference="u4"),
        waiting(9, message_id="u9", reference="c8"),
    )
    stored = {seq: replace(update, message_id=f"u{seq}") for seq in (4, 5, 6, 7, 9)}
    found = knowing(waits=line, stored=stored | {8: replace(CANCEL, message_id="c8")})
    assert [each.event.message_id for each in found.messages_waiting_for(replace(update, message_id="c"))] == ["u4", "u5", "c8"]
    assert found.messages_waiting_for(replace(CANCEL, message_id="c")) == []
