"""The oracle against keys worked out by hand: merging, quiet hours, cancellations, registrations that begin and end."""

from typing import Any

import pytest

from processors.domain.time import millis
from processors.simulation.agencies import agency
from processors.simulation.message import FeedItem, Message, Notified, action_time
from processors.simulation.oracle import Oracle, end_of_quiet_hours
from processors.simulation.people import Offender
from processors.simulation.registrants import Registrant, Registration, Version

EAST = "America/New_York"
ONE, OTHER = Offender(1, "VA"), Offender(2, "VA")
JAIL = agency("Jail", "VA")
ANNE = Registrant("R-1", EAST, "en", (("sms", "+18045551001", True),))
LONG_AGO = millis("2026-03-01T12:00:00-05:00")
NOON = millis("2026-03-03T12:00:00-05:00")
NIGHT = millis("2026-03-03T22:00:00-05:00")
MINUTE = 60_000


def registered(number: int = 1, offender: Offender = ONE, **version: Any) -> Registration:
    first = Version(**{"at": LONG_AGO, "contacts": ANNE.contacts, **version})
    return Registration(f"REG-{number}", ANNE, offender, {}, "VINE", [first])


def item(message_id: str, came: int, subtype: str = "Furlough", *offenders: Offender, **outcome: Any) -> FeedItem:
    message = Message(message_id, JAIL, "Jail", subtype, "Status Update", action_time(NOON, EAST), offenders or (ONE,))
    return FeedItem(came, message, Notified(**{"at": came, **outcome}))


def notified(*feed_items: FeedItem, registrations: tuple[Registration, ...] = (registered(),)) -> list[tuple[str, list[str], list[str]]]:
    found = Oracle(registrations).key(feed_items)["told"].get("R-1", [])
    return [(each["kind"], each["message_ids"], each["offenders"]) for each in found if each["kind"] != "confirmation"]


def confirmed(registration: Registration) -> list[list[str]]:
    """The channels by which a registration is confirmed."""
    found = Oracle((registration,)).key(())["told"].get("R-1", [])
    return [each["channels"] for each in found if each["kind"] == "confirmation"]


def test_a_registration_is_confirmed_once_if_it_has_a_verified_contact() -> None:
    assert confirmed(registered()) == [["sms"]]
    removed_in_the_night = registered(at=NOON + 11 * 3_600_000)
    removed_in_the_night.versions.append(Version(removed_in_the_night.versions[0].at + 1, ended=True))
    assert confirmed(removed_in_the_night) == []


def test_news_is_told_to_who_is_registered() -> None:
    assert notified(item("A", NOON)) == [("notification", ["A"], [ONE.name])]


def test_a_registration_that_came_later_hears_nothing() -> None:
    assert notified(item("A", NOON), registrations=(registered(at=NOON + 1),)) == []


def test_two_offenders_of_one_event_are_one_notification() -> None:
    both = (registered(), registered(2, OTHER))
    names = sorted((ONE.name, OTHER.name))
    assert notified(item("A", NOON, "Furlough", ONE, OTHER), registrations=both) == [("notification", ["A"], names)]
    separate = (item("A", NOON), item("B", NOON + 20_000, "Furlough", OTHER))
    assert notified(*separate, registrations=both) == [("notification", ["A", "B"], names)]


def test_what_comes_after_the_window_is_told_by_itself() -> None:
    later = (item("A", NOON), item("B", NOON + 31_000, "Furlough", OTHER))
    assert len(notified(*later, registrations=(registered(), registered(2, OTHER)))) == 2


def test_a_cancellation_at_night_takes_back_what_has_not_left() -> None:
    cancel = item("C", NIGHT + 5 * MINUTE, at=NIGHT + 20 * MINUTE, kind="cancellation", root="A")
    assert notified(item("A", NIGHT), cancel) == []


def test_an_emergency_has_left_and_its_cancellation_waits_for_nobody() -> None:
    cancel = item("C", NIGHT + 5 * MINUTE, "Escape", at=NIGHT + 20 * MINUTE, kind="cancellation", root="A")
    assert notified(item("A", NIGHT, "Escape"), cancel) == [("notification", ["A"], [ONE.name]), ("correction", ["C"], [ONE.name])]


def test_a_change_at_night_is_told_in_the_place_of_what_it_changes() -> None:
    change = item("U", NIGHT + 5 * MINUTE, kind="change", root="A")
    assert notified(item("A", NIGHT), change) == [("notification", ["U"], [ONE.name])]


def test_a_change_by_day_is_told_as_one() -> None:
    change = item("U", NOON + 5 * MINUTE, kind="change", root="A")
    assert notified(item("A", NOON), change) == [("notification", ["A"], [ONE.name]), ("correction", ["U"], [ONE.name])]


def test_what_waits_at_night_is_not_told_to_who_left_meanwhile() -> None:
    gone = registered()
    gone.versions.append(Version(NIGHT + MINUTE, ended=True))
    assert notified(item("A", NIGHT), registrations=(gone,)) == []
    assert notified(item("A", NIGHT, "Escape"), registrations=(gone,)) == [("notification", ["A"], [ONE.name])]


def test_what_was_let_go_when_nobody_was_registered_any_more_is_unmatched() -> None:
    removed, expired = registered(), registered(expires_at=NOON + MINUTE)
    removed.versions.append(Version(NOON + MINUTE, ended=True))
    for gone in (removed, expired):
        held = Oracle((gone,)).key((item("A", NOON, at=NOON + 10 * MINUTE),))["held"]
        assert [(each["message_id"], each["reason"]) for each in held] == [("A", "no_registration")]


def test_what_waited_asks_for_what_was_chosen_when_it_came() -> None:
    narrowed = registered()
    narrowed.versions.append(Version(NOON + MINUTE, ("Escape",), contacts=ANNE.contacts))
    assert notified(item("A", NOON, at=NOON + 10 * MINUTE), registrations=(narrowed,)) == [("notification", ["A"], [ONE.name])]
    assert notified(item("A", NOON + 2 * MINUTE), registrations=(narrowed,)) == []


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-03-03T12:00:00-05:00", "2026-03-03T12:00:00-05:00"),
        ("2026-03-03T20:59:59-05:00", "2026-03-03T20:59:59-05:00"),
        ("2026-03-03T21:00:00-05:00", "2026-03-04T07:00:00-05:00"),
        ("2026-03-04T06:59:59-05:00", "2026-03-04T07:00:00-05:00"),
        ("2026-03-07T23:00:00-05:00", "2026-03-08T07:00:00-04:00"),
        ("2026-10-31T23:00:00-04:00", "2026-11-01T07:00:00-05:00"),
    ],
)
def test_the_night_ends_at_seven_also_when_clocks_move(at: str, until: str) -> None:
    assert end_of_quiet_hours(millis(at), EAST) == millis(until)
