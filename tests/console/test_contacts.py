"""Where a registrant is reached, as the staff sees it: opened with the registrant's own key, masked unless asked for."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from processors.console.contacts import ShownContact, contacts_of, reply_of
from processors.domain.seal import Seal
from processors.pipeline import PIPELINE
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver
from processors.runtime.errors import UserError
from processors.topics import DELIVER_STATE, ERASURES, INBOUND, KEYS, VERIFICATIONS, Topic
from tests.stories.builders import registration

RULES = load_rules()
KEY = bytes(range(64))


class StateClient:
    """Reads what a pipeline in memory keeps, in place of its topics."""

    codec = SimpleNamespace(states=lambda _: lambda raw: raw, decode=lambda value: value)

    def __init__(self, driver: PipelineDriver) -> None:
        self.driver = driver

    def last(self, topic: Topic, key: str, owner: str | None = None) -> Any:
        if topic is KEYS:
            return self.driver.latest(KEYS).get(key)
        assert topic is DELIVER_STATE
        assert key == f"={owner}"
        return self.driver.state("deliver", key[1:])


@pytest.fixture
def driver() -> PipelineDriver:
    made = PipelineDriver(PIPELINE, RULES, KEY)
    contacts = [{"channel": "sms", "address": "804-555-1007"}, {"channel": "email", "address": "jane@example.org", "verified": True}]
    made.register(registration("R-1", registration_id="IVINS-1", contacts=contacts))
    return made


def shown(driver: PipelineDriver, *, masked: bool, seal: Seal | None = None) -> tuple[ShownContact, ...]:
    return contacts_of(StateClient(driver), seal or Seal(KEY), RULES, "R-1", masked=masked)  # type: ignore[arg-type]


def test_contacts_are_masked_and_say_whether_they_count(driver: PipelineDriver) -> None:
    found = shown(driver, masked=True)
    assert {(each.channel, each.address, each.state) for each in found} == {
        ("sms", "… 07", "waits for its code"),
        ("email", "j…@e…", "confirmed"),
    }
    assert {each.registration_id for each in found} == {"IVINS-1"}


def test_whole_addresses_are_as_people_read_them(driver: PipelineDriver) -> None:
    assert {each.address for each in shown(driver, masked=False)} == {"+1 804-555-1007", "jane@example.org"}


def test_a_contact_that_gave_its_code_counts(driver: PipelineDriver) -> None:
    digits = re.search(r"\b\d{6}\b", driver.outbound("sms")[-1].body)
    assert digits is not None
    driver.send(VERIFICATIONS, {"registration_id": "IVINS-1", "code": digits[0], "at": "2026-11-02T18:20:00Z"}, "IVINS-1")
    assert {each.state for each in shown(driver, masked=True)} == {"confirmed"}


def test_nobody_has_contacts_who_is_not_registered_or_was_erased(driver: PipelineDriver) -> None:
    assert contacts_of(StateClient(driver), Seal(KEY), RULES, "R-2", masked=False) == ()  # type: ignore[arg-type]
    driver.send(ERASURES, {"registrant_id": "R-1", "reason": "asked", "requested_by": "ana"}, "R-1")
    assert shown(driver, masked=False) == ()


def test_another_key_opens_nothing(driver: PipelineDriver) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        shown(driver, masked=False, seal=Seal(bytes(64)))


def answer(driver: PipelineDriver, words: str) -> str:
    """Let the registrant answer in words of their own, and return the id of the review of it."""
    driver.send(
        INBOUND, {"provider": "p", "channel": "email", "from": "jane@example.org", "to": "vn", "body": words, "occurred_at": driver.now}
    )
    (review,) = driver.reviews()
    return str(review.review_id)


def test_what_a_registrant_answered_can_be_read_until_it_is_decided(driver: PipelineDriver) -> None:
    name = answer(driver, "please leave me alone")
    assert reply_of(StateClient(driver), Seal(KEY), RULES, name) == "please leave me alone"  # type: ignore[arg-type]
    driver.review("discard", name)
    assert reply_of(StateClient(driver), Seal(KEY), RULES, name) is None  # type: ignore[arg-type]


def test_an_answer_is_shown_to_nobody_without_the_key_and_after_an_erasure(driver: PipelineDriver) -> None:
    name = answer(driver, "please leave me alone")
    assert reply_of(StateClient(driver), Seal(bytes(64)), RULES, name) is None  # type: ignore[arg-type]
    assert reply_of(StateClient(driver), Seal(KEY), RULES, "validate-o1-0123456789ab") is None  # type: ignore[arg-type]
    driver.send(ERASURES, {"registrant_id": "R-1", "reason": "asked", "requested_by": "ana"}, "R-1")
    assert reply_of(StateClient(driver), Seal(KEY), RULES, name) is None  # type: ignore[arg-type]
