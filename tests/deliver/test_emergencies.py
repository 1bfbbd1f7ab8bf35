"""Emergency calls repeat until the right PIN was given on any number (contract §5)."""

from typing import Any

import pytest

from processors.domain.registration import Contact
from tests.deliver.given import (
    ALL_DAY,
    DAY,
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
    reachable,
    receipt,
)
from tests.one_stage import SEAL

SECOND_PHONE = Contact("voice", "+18045569999", verified=True)
PIN = "4821"


def pin_digest(digits: str) -> str:
    return SEAL.fingerprint(digits, f"pin:{ME}")


def emergency_call(*contacts: Contact, pin: str | None = PIN, answers: Any = None) -> AtDeliver:
    """A registrant who is to be told of an escape by telephone."""
    found = AtDeliver(policies=ALL_DAY).register(reachable(*(contacts or (VOICE,)), pin=pin))
    found.answers = answers
    return found.tell(escape())


@pytest.mark.parametrize("outcome", ["busy", "voicemail", "no_answer", "unconfirmed", "delivered", "temporary_failure"])
def test_a_call_without_the_right_pin_is_made_again_every_two_hours_for_a_day(outcome: Any) -> None:
    told = emergency_call(answers=outcome).after(2 * DAY)
    assert [each.created_at for each in told.sent] == [NOON + 2 * HOUR * number for number in range(12)]
    assert told.reasons("undelivered") == ["not_reached_emergency"]


def test_a_day_of_calls_to_which_no_provider_says_anything() -> None:
    told = emergency_call().after(2 * DAY)
    assert len(told.sent) == 12
    assert all(each.expires_at - each.created_at == 2 * MINUTE for each in told.sent)


def test_the_right_pin_on_one_number_stops_every_other_at_once() -> None:
    told = emergency_call(VOICE, SECOND_PHONE, answers="no_answer").after(5 * HOUR)
    assert len(told.sent) == 6
    told.answers = None
    told.receive(receipt(told.sent[-1].reference, "confirmed", digits=pin_digest(PIN)))
    assert told.reasons("delivered") == ["reached"]
    assert len(told.after(SECOND).sent) == len(told.after(DAY).sent) == 6


def test_the_right_pin_stops_no_text_message_that_is_still_tried() -> None:
    told = emergency_call(VOICE, SMS)
    told.receive(receipt(told.sent[1].reference, "temporary_failure"), receipt(told.sent[0].reference, "confirmed", digits=pin_digest(PIN)))
    assert [each.channel for each in told.after(DAY).sent if each.attempt == 2] == ["sms"]


@pytest.mark.parametrize(("digits", "status"), [(PIN, "confirmed"), ("0000", "unconfirmed"), (None, "unconfirmed")])
def test_only_the_right_pin_confirms(digits: str | None, status: str) -> None:
    told = emergency_call()
    told.receive(receipt(told.sent[0].reference, "confirmed", digits=None if digits is None else pin_digest(digits)))
    assert told.attempts()[told.sent[0].reference].status == status


def test_a_call_takes_three_tries() -> None:
    wrong, right = pin_digest("0000"), pin_digest(PIN)
    told = emergency_call()
    reference = told.sent[0].reference
    told.receive(*[receipt(reference, "confirmed", digits=wrong)] * 2, receipt(reference, "confirmed", digits=right))
    assert told.reasons("receipt")[-3:] == ["wrong_pin", "wrong_pin", "receipt"]
    assert told.reasons("delivered") == ["reached"]

    told = emergency_call()
    reference = told.sent[0].reference
    told.receive(*[receipt(reference, "confirmed", digits=wrong)] * 3, receipt(reference, "confirmed", digits=right))
    assert told.reasons("delivered") == []
    assert len(told.after(2 * HOUR).sent) == 2


@pytest.mark.parametrize(("outcome", "calls"), [("confirmed", 1), ("unconfirmed", 1), ("delivered", 1), ("voicemail", 12), ("busy", 12)])
def test_without_a_pin_on_file_a_person_or_a_key_ends_it_and_a_machine_does_not(outcome: Any, calls: int) -> None:
    told = emergency_call(pin=None, answers=outcome).after(2 * DAY)
    assert len(told.sent) == calls
    assert not told.sent[0].confirm


def test_a_call_of_no_emergency_is_not_repeated_for_a_pin() -> None:
    told = AtDeliver(policies=ALL_DAY, answers="voicemail").register(reachable(VOICE, pin=PIN)).tell(event()).after(2 * DAY)
    assert len(told.sent) == 1
    assert told.reasons("delivered") == ["reached"]


def test_a_number_that_was_removed_in_a_running_series_is_not_called_again_and_the_new_one_is() -> None:
    told = emergency_call(answers="no_answer").after(3 * HOUR).register(reachable(SECOND_PHONE, pin=PIN, seq=2)).after(3 * HOUR)
    assert [each.to for each in told.sent] == [VOICE.address] * 2 + [SECOND_PHONE.address] * 2


def test_text_and_call_leave_at_once_and_a_delivered_text_does_not_end_the_calls() -> None:
    told = emergency_call(VOICE, SMS)
    told.receive(receipt(told.sent[1].reference, "delivered"))
    assert told.reasons("delivered") == ["reached"]
    assert [each.channel for each in told.after(2 * HOUR).sent] == ["voice", "sms", "voice"]
