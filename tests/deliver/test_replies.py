"""STOP, START, HELP and other words; opt-outs by receipt and key press (contract §5)."""

from typing import Any

import msgspec
import pytest

from processors.deliver.inputs import replies
from processors.domain.inbound import PURPOSE, Inbound
from processors.domain.notification import Receipt
from processors.domain.registration import Contact, address_digest
from processors.domain.review import Review, ReviewAction
from processors.domain.time import millis
from processors.topics import REGISTRANTS, REVIEWS
from tests.deliver.given import (
    ALL_DAY,
    AT_ONCE,
    DAY,
    EMAIL,
    HOUR,
    ME,
    MINUTE,
    NOON,
    SECOND,
    SMS,
    VOICE,
    AtDeliver,
    escape,
    event,
    policy,
    reachable,
    receipt,
)
from tests.one_stage import SEAL

PHONE = Contact("voice", SMS.address, verified=True)  # calls to the number that has the text messages
UNVERIFIED = Contact("sms", "+18045551008", verified=False)
NIGHT = millis("2026-11-03T03:00:00Z")  # 22:00 in Virginia
MORNING = millis("2026-11-03T12:00:00Z")  # 7:00


def inbound(keyword: Any, contact: Contact = SMS, **more: Any) -> Inbound:
    address = address_digest(contact.address, SEAL)
    return Inbound(provider="example", channel=contact.channel, address=address, keyword=keyword, occurred_at=NOON, **more)


def registered(*contacts: Contact, policies: Any = ALL_DAY, now: int = NOON, **more: Any) -> AtDeliver:
    return AtDeliver(policies=policies, now=now).register(reachable(*(contacts or (SMS, EMAIL)), **more))


def kinds(told: AtDeliver) -> list[tuple[str, str]]:
    return [(each.kind, each.channel) for each in told.messages[1:]]  # the first confirms the registration


def test_stop_silences_the_address_at_once_and_other_channels_go_on() -> None:
    """Case B21."""
    told = registered().receive(inbound("stop"))
    assert kinds(told) == [("confirmation", "sms")]
    assert "no more messages" in told.messages[-1].body
    assert [each.channel for each in told.tell(escape()).sent] == ["email"]


def test_stop_twice_is_confirmed_once() -> None:
    assert kinds(registered().receive(inbound("stop"), inbound("stop"))) == [("confirmation", "sms")]


def test_a_stop_that_somebody_else_answers_is_not_answered() -> None:
    told = registered().receive(inbound("stop", answered=True))
    assert kinds(told) == []
    assert told.reasons("noted")[-1] == "opted_out"


@pytest.mark.parametrize(
    ("keyword", "status"), [("stop", None), ("stop", "temporary_failure"), ("help", None), ("help", "temporary_failure")]
)
def test_what_was_not_delivered_within_five_minutes_is_no_answer_any_more(keyword: str, status: str | None) -> None:
    """One confirmation of an opt-out may be sent, within five minutes; help is tried again, but at night no more."""
    told = AtDeliver(AT_ONCE, now=NIGHT - 12 * HOUR, answers=None).register(reachable(SMS, received_at=NIGHT - 12 * HOUR))
    told.receive(receipt(told.messages[0].reference, "delivered")).until(NIGHT).receive(inbound(keyword))
    (answer,) = told.messages[1:]
    assert answer.expires_at == NIGHT + 5 * MINUTE
    if status is not None:
        told.receive(receipt(answer.reference, status))
    told.until(NIGHT + DAY)
    later = [each.created_at for each in told.messages[2:]]
    assert (later == []) if keyword == "stop" else min(later) == MORNING


def test_a_stop_that_is_heard_an_hour_late_is_not_confirmed() -> None:
    told = registered(SMS).after(HOUR)
    told.put(REGISTRANTS, inbound("stop"), ME, late=HOUR)
    assert kinds(told) == []
    assert told.reasons("noted")[-1] == "opted_out"


def test_a_stop_at_night_is_answered_at_night() -> None:
    told = registered(policies=AT_ONCE, now=NIGHT - 12 * HOUR, received_at=NIGHT - 12 * HOUR).until(NIGHT).receive(inbound("stop"))
    (answer,) = told.messages[1:]
    assert answer.created_at == NIGHT
    assert answer.expires_at > NIGHT


def test_start_undoes_it() -> None:
    told = registered().receive(inbound("stop"), inbound("start"))
    assert kinds(told) == [("confirmation", "sms")] * 2
    assert told.reasons("noted")[-1] == "opted_in"
    assert [each.channel for each in told.tell(escape()).sent] == ["sms", "email"]
    assert told.statuses == ["active"]


def test_help_asked_twice_in_one_moment_is_answered_once() -> None:
    """Two answers of one moment would be two attempts under one reference."""
    told = AtDeliver(policies=ALL_DAY, answers=None).register(reachable(SMS, EMAIL)).receive(inbound("help"), inbound("help"))
    assert kinds(told) == [("confirmation", "sms")]


def test_help_is_answered_and_changes_nothing() -> None:
    told = registered().receive(inbound("help"))
    assert kinds(told) == [("confirmation", "sms")]
    assert told.reasons("noted")[-1] == "help"
    assert len(told.tell(escape()).sent) == 2


def test_who_opted_out_of_all_is_told_nothing_and_the_site_hears_it() -> None:
    told = registered(SMS).receive(inbound("stop")).tell(escape())
    assert told.sent == []
    assert told.reasons("dropped") == ["opted_out"]
    assert told.statuses == ["active", "opted_out"]


@pytest.mark.parametrize(("scope", "channels"), [("channel", ["voice"]), ("phone", [])])
def test_opt_out_scope_says_whether_a_number_that_stops_texts_is_still_called(scope: str, channels: list[str]) -> None:
    told = registered(SMS, PHONE, policies=(*ALL_DAY, policy("opt_out.scope", scope))).receive(inbound("stop")).tell(escape())
    assert [each.channel for each in told.sent] == channels


def test_a_stop_ends_a_series_that_is_running() -> None:
    told = registered(SMS, EMAIL)
    told.answers = None
    told.tell(event())
    told.receive(receipt(told.sent[0].reference, "temporary_failure"), receipt(told.sent[1].reference, "delivered"), inbound("stop"))
    assert len(told.after(DAY).sent) == 2


@pytest.mark.parametrize(
    ("contact", "how"), [(SMS, "stop"), (VOICE, "stop"), (EMAIL, "opted_out"), (VOICE, "opted_out"), (UNVERIFIED, "stop")]
)
def test_an_opt_out_ends_confirmation_and_request_to_verify_too(contact: Contact, how: str) -> None:
    """Case B21: nothing is tried again there, not even what tells of no event."""
    told = AtDeliver(policies=ALL_DAY, answers=None).register(reachable(contact))
    (first,) = told.messages
    told.receive(receipt(first.reference, "temporary_failure"))
    told.receive(inbound("stop", contact) if how == "stop" else receipt(first.reference, "opted_out"))
    told.until(NOON + 2 * DAY)
    assert [each.reference for each in told.messages if each.notification_id == first.notification_id] == [first.reference]


@pytest.mark.parametrize("words", [("stop", "help"), ("help", "stop")])
def test_help_is_answered_after_a_stop_too_but_not_tried_again(words: tuple[str, str]) -> None:
    told = registered(SMS)
    told.answers = None
    told.receive(*map(inbound, words)).after(DAY)
    assert len([each for each in told.messages if "you get these messages" in each.body]) == 1


def test_a_registration_that_comes_after_the_stop_is_silent_too() -> None:
    name = f"sms:{address_digest(SMS.address, SEAL)}"
    told = registered(SMS, silenced=(name,)).tell(escape())
    assert told.outbound == []
    assert told.statuses == ["opted_out"]


# --- by receipt and by key ---


def test_an_opt_out_that_the_carrier_reports_is_told_to_identify_and_not_answered_again() -> None:
    told = registered(SMS, EMAIL)
    told.answers = None
    told.tell(escape())
    told.receive(receipt(told.sent[0].reference, "opted_out"))
    assert kinds(told) == []
    (intake,) = told.to_identify("inbound")
    passed_on = msgspec.json.decode(intake.body, type=Inbound)
    assert (passed_on.keyword, passed_on.channel, passed_on.answered) == ("stop", "sms", True)
    assert passed_on.address == address_digest(SMS.address, SEAL)
    told.tell(escape(message_id="M-2", action_at=NOON))
    assert [each.channel for each in told.sent] == ["sms", "email", "email"]


def stops(told: AtDeliver) -> int:
    return len(told.to_identify("inbound"))


@pytest.mark.parametrize("final", ["delivered", "permanent_failure"])
def test_who_opts_out_after_the_message_was_delivered_is_sent_no_more_there_and_may_begin_again(final: str) -> None:
    """Found as a variant of case B21: the receipt came after the final one, and was taken for a late one."""
    told = registered(SMS, EMAIL)
    told.answers = None
    told.tell(escape())
    reference = told.sent[0].reference
    told.receive(receipt(reference, final), receipt(reference, "opted_out"))
    assert told.attempts()[reference].status == final
    assert stops(told) == 1
    told.tell(escape(message_id="M-2", action_at=NOON))
    assert [each.channel for each in told.sent] == ["sms", "email", "email"]
    told.receive(inbound("start"), receipt(reference, "opted_out"))
    assert stops(told) == 1, "the same receipt again"
    told.tell(escape(message_id="M-3", action_at=NOON + 1))
    assert "sms" in {each.channel for each in told.sent if "M-3" in each.message_ids}


def test_an_opt_out_reported_after_the_start_that_undid_it_only_delays_the_message() -> None:
    told = registered(SMS)
    told.answers = None
    told.receive(inbound("stop"), inbound("start", received_at=NOON))
    told.tell(escape())
    (first,) = told.sent
    stale = Receipt(reference=first.reference, status="opted_out", occurred_at=NOON - SECOND, provider="example")
    told.receive(stale)
    assert stops(told) == 0
    _, again, *_ = told.after(HOUR).sent
    assert (again.channel, again.message_ids) == ("sms", first.message_ids)
    told.receive(receipt(again.reference, "opted_out"))
    assert stops(told) == 1, "the address opted out after it"


def test_a_key_pressed_in_a_call_is_an_opt_out_of_calls_with_one_confirmation() -> None:
    told = registered(VOICE, EMAIL)
    told.answers = None
    told.tell(escape())
    told.receive(receipt(told.sent[0].reference, "opted_out"), receipt(told.sent[0].reference, "opted_out"))
    assert kinds(told) == [("confirmation", "voice")]
    assert len(told.to_identify("inbound")) == 1
    assert [each.channel for each in told.after(DAY).sent if each.attempt > 1] == ["email"] * sum(each.attempt > 1 for each in told.sent)


# --- other words ---


def act(told: AtDeliver, action: Any) -> Any:
    (review,) = told.latest(REVIEWS).values()
    told.receive(ReviewAction(action=action, reason="read", reviewer="jo", review_id=review.review_id))
    return told.latest(REVIEWS)[review.review_id]


def test_other_words_go_to_a_reviewer_within_ten_business_days_and_silence_nothing() -> None:
    """47 CFR 64.1200(a)(10); the tenth business day after November 2, with Veterans Day between."""
    told = registered().receive(inbound("other", sealed=SEAL.close(b"words", PURPOSE), seq=7))
    (review,) = told.written(REVIEWS)
    assert isinstance(review, Review)
    assert (review.reason, review.state) == ("unclear_reply", "open")
    assert "until 2026-11-17" in review.detail
    assert ME not in review.review_id
    assert len(told.tell(escape()).sent) == 2


def test_other_words_that_a_reviewer_releases_are_an_opt_out_for_everybody_who_has_the_address() -> None:
    told = registered().receive(inbound("other", seq=7))
    assert act(told, "release").state == "released"
    assert msgspec.json.decode(told.to_identify("inbound")[-1].body, type=Inbound).keyword == "stop"


def test_other_words_that_a_reviewer_discards_are_none() -> None:
    told = registered().receive(inbound("other", seq=7))
    assert act(told, "discard").state == "discarded"
    assert told.to_identify("inbound") == []
    assert told.registrant.replies == ()


def test_of_what_somebody_writes_the_latest_wait_for_a_reviewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "MAX_UNREAD", 2)
    told = registered()
    for seq in range(5):
        told.receive(inbound("other", sealed=SEAL.close(b"words", PURPOSE), seq=seq))
        assert len(told.registrant.replies) <= 2
    states = [each.state for each in told.latest(REVIEWS).values()]
    assert states == ["superseded", "superseded", "superseded", "open", "open"]
    assert told.reasons("noted").count("superseded") == 3
    assert [each.review_id for each in told.registrant.replies] == list(told.latest(REVIEWS))[-2:]


def test_other_words_of_an_address_of_two_registrants_have_one_review() -> None:
    told = registered().receive(inbound("other", seq=7, answered=True))
    assert told.written(REVIEWS) == []
    assert told.reasons("noted")[-1] == "unclear_reply"
