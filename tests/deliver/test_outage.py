"""After an outage: due attempts leave in order of urgency, none is forgotten, and none leaves with an expired lease."""

import msgspec
import pytest

from processors.deliver.decide import STAGE
from processors.domain.event import Event
from processors.domain.notification import Notification, Outbound
from processors.domain.registration import Contact, Contacts, Reachable
from processors.domain.time import millis
from processors.runtime.decide.timers import NOT_URGENT_EVERY
from processors.topics import NOTIFICATIONS, REGISTRANTS
from tests.deliver.given import ALL_DAY, AT_ONCE, HOUR, ME, MINUTE, NOON, SECOND, SMS, VOICE, AtDeliver, escape, event, reachable, receipt
from tests.one_stage import SEAL, OneStage


def register(stage: OneStage, registrant: str) -> None:
    contacts = Contacts(contacts=(Contact("sms", f"+1804555{1000 + int(registrant[1:])}", verified=True),))
    sealed = SEAL.close(msgspec.json.encode(contacts), f"contacts:{registrant}")
    found = Reachable(registrant_id=registrant, seq=1, received_at=stage.now, registration_id=f"V-{registrant}", sealed=sealed)
    stage.put(REGISTRANTS, found, registrant)


def news(what: Event) -> Notification:
    return Notification(registrant_id=ME, registration_ids=("REG-1",), event=what)


def told(stage: OneStage) -> list[Outbound]:
    return [each.value for each in stage.outputs if isinstance(each.value, Outbound) and each.value.event is not None]


def tell_and_fail(stage: OneStage, registrant: str, what: Event) -> None:
    """Tell a registrant, whose provider refuses for the moment."""
    stage.put(NOTIFICATIONS, Notification(registrant_id=registrant, registration_ids=(f"V-{registrant}",), event=what), registrant)
    stage.put(REGISTRANTS, receipt(told(stage)[-1].reference, "temporary_failure"), registrant)


@pytest.fixture
def after_outage() -> tuple[OneStage, list[list[Outbound]]]:
    """What each timer led to after an outage of three hours: ninety attempts at hearings were open, then thirty at an escape."""
    stage = OneStage(STAGE, NOON, ALL_DAY)
    for number in range(90):
        register(stage, f"R{number}")
        tell_and_fail(stage, f"R{number}", event())
    for number in range(90, 120):
        register(stage, f"R{number}")
        tell_and_fail(stage, f"R{number}", escape())
    decisions = stage.advance(3 * HOUR)
    found = [[each.value for each in decision.outputs if isinstance(each.value, Outbound) and each.value.event] for decision in decisions]
    return stage, found


def test_emergencies_leave_first_after_an_outage_and_the_others_are_not_starved(
    after_outage: tuple[OneStage, list[list[Outbound]]],
) -> None:
    _, decisions = after_outage
    assert sorted(each.registrant_id for left in decisions for each in left) == sorted(f"R{number}" for number in range(120))
    places = [place for place, left in enumerate(decisions) if any(each.emergency for each in left)]
    assert places == [place for place in range(40) if (place + 1) % NOT_URGENT_EVERY][:30]


def test_every_attempt_after_an_outage_may_still_be_sent(after_outage: tuple[OneStage, list[list[Outbound]]]) -> None:
    stage, decisions = after_outage
    left = [each for found in decisions for each in found]
    assert {each.expires_at - stage.now for each in left} == {15 * MINUTE, 2 * MINUTE}
    assert {each.attempt for each in left} == {2}, "one for all that came due meanwhile"


def test_an_emergency_that_waited_through_an_outage_is_called_at_once() -> None:
    """Not at the next `voice.retry`, with a first attempt in between that nobody may begin to send any more."""
    stage = AtDeliver(answers=None).register(reachable(VOICE))
    stage.tell(escape())
    assert stage.sent == []
    stage.advance(HOUR)
    (call,) = stage.sent
    assert call.expires_at == stage.now + 2 * MINUTE


def test_an_attempt_that_was_open_when_the_outage_began_is_followed_by_one_when_it_ends() -> None:
    stage = AtDeliver(ALL_DAY, answers=None).register(reachable(VOICE))
    stage.tell(escape())
    stage.advance(5 * HOUR)
    first, second = stage.sent
    assert (first.attempt, second.attempt) == (1, 2)
    assert second.expires_at == stage.now + 2 * MINUTE


def test_a_record_that_is_decided_late_gives_its_attempt_the_whole_lease() -> None:
    """The record came an hour ago and its attempt leaves now: its provider has two minutes from now on."""
    stage = AtDeliver(ALL_DAY, answers=None).register(reachable(VOICE))
    stage.advance(HOUR)
    stage.put(NOTIFICATIONS, news(escape()), ME, late=HOUR)
    (call,) = stage.sent
    assert (call.created_at, call.expires_at) == (stage.now, stage.now + 2 * MINUTE)
    assert stage.attempts()[call.reference].sent_at == stage.now, "the next call is counted from it"


def test_a_record_that_is_decided_late_keeps_the_quiet_hours_in_which_it_is_decided() -> None:
    evening, night = millis("2026-11-03T01:30:00Z"), millis("2026-11-03T03:30:00Z")
    stage = AtDeliver(AT_ONCE, now=evening, answers=None).register(reachable(VOICE))
    stage.advance_to(night)
    stage.put(NOTIFICATIONS, news(event(received_at=evening)), ME, late=night - evening)
    assert stage.sent == []
    stage.advance_to(millis("2026-11-03T12:00:00Z"))
    assert len(stage.sent) == 1


def test_what_is_held_ends_by_the_time_of_the_records_however_late_they_are_decided() -> None:
    stage = AtDeliver(answers=None).register(reachable(VOICE))
    stage.advance(HOUR)
    stage.put(NOTIFICATIONS, news(escape()), ME, late=HOUR)
    assert stage.sent == [], "it may still be gathered with what came within the window"
    assert stage.timers[ME] == NOON + 5 * SECOND


def test_a_contact_that_comes_late_joins_what_is_under_way_with_the_whole_lease() -> None:
    stage = AtDeliver(ALL_DAY, answers=None).register(reachable(VOICE)).tell(escape())
    stage.now += MINUTE
    stage.put(REGISTRANTS, reachable(VOICE, SMS, seq=2), ME, late=MINUTE)
    assert [each.expires_at for each in stage.sent if each.channel == "sms"] == [stage.now + 2 * MINUTE]


def test_what_waited_through_an_outage_counts_as_late_and_not_as_held() -> None:
    stage = AtDeliver(answers=None).register(reachable(VOICE))
    stage.tell(escape())
    stage.advance(HOUR)
    (timing,) = [each.timing for each in stage.outputs if each.timing is not None]
    assert (timing.hold, timing.held) == ("merge_window", 5 * SECOND)
    assert timing.free_at == NOON + 5 * SECOND
    assert stage.now - timing.free_at > timing.within


def test_the_end_of_quiet_hours_in_an_outage_is_when_a_notification_was_free() -> None:
    night, morning = millis("2026-11-03T03:00:00Z"), millis("2026-11-03T12:00:00Z")
    stage = AtDeliver(AT_ONCE, now=night, answers=None).register(reachable(VOICE))
    stage.tell(event(received_at=night))
    stage.advance_to(morning + 2 * HOUR)
    (timing,) = [each.timing for each in stage.outputs if each.timing is not None]
    assert (timing.hold, timing.free_at) == ("quiet_hours", morning)
