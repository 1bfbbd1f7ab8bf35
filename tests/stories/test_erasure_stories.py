"""A registrant is erased: their key is gone, and nobody can decrypt what is left, even with the key file."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from processors.domain.erasure import ErasureRequest, RegistrantKey
from processors.domain.seal import Seal, SealBroken
from processors.runtime.wire.codec import Codec
from processors.topics import ERASED, ERASURES, INBOUND, KEYS, REGISTRATION_STATUS, RESPONSES
from tests.stories.answered import AnsweredDriver
from tests.stories.builders import registration, submission
from tests.stories.conftest import KEY
from tests.stories.test_delivery_stories import DAY, MINUTE, PHONE, contact, write_from

PURPOSE = "contacts:R-1"


def erase(driver: AnsweredDriver, registrant_id: str = "R-1") -> None:
    driver.send(ERASURES, ErasureRequest(registrant_id=registrant_id, reason="asked by letter", requested_by="clerk"), registrant_id)


def sealed_values(documents: list[bytes]) -> list[bytes]:
    """Return the sealed contacts in documents of deliver."""
    found = [msgspec.json.decode(each) for each in documents]
    registrations = [each for document in found for each in document.get("registrations", {}).values()]
    return [msgspec.json.decode(msgspec.json.encode(each["sealed"]), type=bytes) for each in registrations if each.get("sealed")]


def held(driver: AnsweredDriver) -> dict[str, RegistrantKey]:
    return driver.latest(KEYS)


def test_contacts_are_sealed_by_a_key_of_the_registrants_own(driver: AnsweredDriver) -> None:
    driver.register(registration(), registration(contacts=[contact("email", "a@example.org")]), registration("R-2"))
    assert held(driver).keys() == {"R-1", "R-2"}
    own = held(driver)["R-1"].seal_for("R-1", Seal(KEY))
    sealed = [each for each in sealed_values(driver.documents("deliver")) if opens(own, each)]
    assert len(sealed) == 2, "the second registration's contacts are sealed by the first one's key"
    assert not any(opens(Seal(KEY), each) for each in sealed_values(driver.documents("deliver")))


def opens(seal: Seal, sealed: bytes, purpose: str = PURPOSE) -> bool:
    try:
        seal.open(sealed, purpose)
    except SealBroken:
        return False
    return True


def test_after_an_erasure_nothing_of_a_backup_opens_and_nobody_is_told(driver: AnsweredDriver) -> None:
    driver.register(registration(registration_id="V-1"), registration(registration_id="V-2"), registration("R-2", registration_id="V-3"))
    backup = sealed_values(driver.documents("deliver"))
    erase(driver)
    driver.submit(submission())
    driver.advance(MINUTE)
    assert {each.registrant_id for each in driver.outbound()} == {"R-2"}
    assert driver.latest(REGISTRATION_STATUS).keys() == {"V-3"}
    keys = [Seal(KEY), *(each.seal_for(name, Seal(KEY)) for name, each in held(driver).items())]
    assert len(backup) == 3
    assert sum(opens(key, each) for key in keys for each in backup) == 0
    assert [each.message_id for each in driver.verdicts() if each.reason == "erased"] == ["R-1", "V-1", "V-2"]
    erase(driver)
    assert sum(each.reason == "erased" for each in driver.verdicts()) == 4, "of what was erased before, the registrant alone is named again"
    assert [each.detail for each in driver.verdicts() if each.reason == "erasure"][:1] == ["Registrations that end: 2."]
    assert len(driver.latest(ERASED)) == 1
    assert driver.state("match", "R-1") is None


def test_what_waits_for_an_erased_registrant_is_told_to_nobody_and_its_agency_is_answered(unanswered: AnsweredDriver) -> None:
    driver = unanswered
    driver.register(registration(contacts=[contact("voice", PHONE)]))
    driver.submit(submission(message_id="M-E"))
    driver.advance(MINUTE)
    before = len(driver.outbound())
    write_from(driver, PHONE, "please ring somebody else")
    erase(driver)
    driver.advance(2 * DAY)
    assert len(driver.outbound()) == before
    assert [(each.message_id, each.event_subtype) for each in driver.records(RESPONSES)] == [("M-E", "Message Successfully Delivered")]
    assert driver.reviews() == []


def test_a_notification_on_its_way_when_its_registrant_was_erased_is_dropped_and_not_flagged(driver: AnsweredDriver) -> None:
    driver.register(registration())
    driver.hold("deliver")
    driver.submit(submission())
    erase(driver)
    driver.release("deliver")
    driver.advance(DAY)
    assert driver.outbound() == []
    assert driver.reviews() == []


def test_somebody_who_registers_again_gets_a_new_key_which_no_second_tombstone_takes_away(driver: AnsweredDriver) -> None:
    driver.register(registration(registration_id="V-1"))
    first = held(driver)["R-1"]
    erase(driver)
    driver.register(registration(registration_id="V-1"))
    driver.advance(timedelta(hours=1))
    driver.submit(submission())
    driver.advance(MINUTE)
    assert held(driver)["R-1"].sealed != first.sealed
    assert [each.registrant_id for each in driver.outbound()] == ["R-1"]


def test_something_is_appended_after_a_tombstone_so_that_its_segment_ends(driver: AnsweredDriver) -> None:
    driver.register(registration())
    erase(driver)
    driver.advance(timedelta(minutes=12))
    assert [each.value for each in driver.entries(KEYS)][1:] == [None, None]


def test_contacts_that_retention_forgets_take_the_key_with_them(driver: AnsweredDriver) -> None:
    driver.register(registration(registration_id="V-1"))
    driver.unregister("V-1")
    assert held(driver)
    driver.advance(31 * DAY)
    assert not held(driver)
    assert driver.latest(ERASED)


def test_an_opt_out_survives_an_erasure_since_it_is_of_the_address(driver: AnsweredDriver) -> None:
    driver.register(registration(contacts=[contact("sms", PHONE)]))
    write_from(driver, PHONE, "STOP")
    erase(driver)
    driver.register(registration("R-9", contacts=[contact("sms", PHONE)]))
    driver.submit(submission())
    driver.advance(MINUTE)
    assert driver.outbound() == []


def test_a_request_that_names_an_address_is_refused(driver: AnsweredDriver) -> None:
    erase(driver, "+18045551000")
    assert [each.reason for each in driver.verdicts() if each.outcome == "rejected"] == ["bad_id"]


@pytest.mark.parametrize("topic", [KEYS, ERASED, ERASURES, INBOUND])
def test_no_record_about_an_erasure_holds_an_address(driver: AnsweredDriver, topic: Any) -> None:
    driver.register(registration(contacts=[contact("sms", PHONE)]))
    erase(driver)
    assert isinstance(driver.codec, Codec)
    assert not any(PHONE.encode() in (each.value or b"") for each in driver.entries(topic))
