"""The timing of a first attempt for the metrics: how long it took, how long it was held on purpose, and when the last hold ended."""

from processors.deliver.dispatch.timing import timing
from processors.deliver.gathering import notice_of
from processors.deliver.situation import Situation
from processors.deliver.state import Pending
from processors.domain.notification import Notification
from tests.deliver.given import HOUR, ME, MINUTE, NOON, RULES, SECOND, escape, event
from tests.one_stage import SEAL


def pending(since: int, why: str, *, emergency: bool = True, held_until: int | None = None, held: int = 5 * SECOND) -> Pending:
    told = escape(held_until=held_until) if emergency else event(held_until=held_until)
    one = notice_of(Notification(registrant_id=ME, registration_ids=("IVINS-1",), event=told), emergency=emergency)
    return Pending(notices=(one,), since=since, due_at=since + held, why=why)


def at(moment: int) -> Situation:
    return Situation(ME, moment, moment, RULES, SEAL)


def test_what_nothing_held_counts_from_receipt() -> None:
    """Ten minutes late to deliver, then five seconds in the merge window: free since receipt and those five seconds."""
    found = timing(pending(NOON + 10 * MINUTE, "merge_window"), "sms", at(NOON + 10 * MINUTE + 5 * SECOND))
    assert (found.received_at, found.free_at, found.within) == (NOON, NOON + 5 * SECOND, 60 * SECOND)
    assert (found.hold, found.held, found.emergency) == ("merge_window", 5 * SECOND, True)


def test_an_earlier_stages_hold_is_no_lateness() -> None:
    passed_on = NOON + 15 * MINUTE
    found = timing(pending(passed_on, "merge_window", held_until=passed_on), "sms", at(passed_on + 5 * SECOND))
    assert (found.received_at, found.free_at) == (NOON, passed_on + 5 * SECOND)


def test_quiet_hours_are_no_lateness() -> None:
    morning = NOON + 19 * HOUR
    found = timing(pending(NOON + 9 * HOUR, "quiet_hours", emergency=False, held=10 * HOUR), "voice", at(morning))
    assert (found.free_at, found.within, found.held) == (morning, 15 * MINUTE, 10 * HOUR)
