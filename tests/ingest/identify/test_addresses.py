from typing import Any

import pytest

from processors.domain.inbound import Inbound
from processors.domain.registration import Verification, address_digest, verification_digest
from processors.ingest.identify.addresses import MAX_KNOWN_MESSAGES
from processors.ingest.identify.state import Address
from processors.topics import REGISTRANTS
from tests.ingest.identify.front_door import Decided, FrontDoor
from tests.ingest.records import SEAL

DIGEST = address_digest("+18045551007", SEAL)


def contacts(*addresses: str, channel: str = "sms") -> list[dict[str, Any]]:
    return [{"channel": channel, "address": each, "verified": True} for each in addresses]


def heard_by(decided: Decided) -> list[str | None]:
    return [output.key for output in decided.outputs if output.topic is REGISTRANTS and isinstance(output.value, Inbound)]


def test_a_code_goes_to_the_registrant_of_its_registration() -> None:
    door = FrontDoor()
    door.register("IVINS-1")
    decided = door.verify("IVINS-1", "048210")
    (found,) = decided.of(Verification)
    assert (found.code, found.seq) == (verification_digest("048210", "IVINS-1", SEAL), 1)
    assert [output.key for output in decided.outputs] == ["R-1"]
    assert decided.reasons == [("noted", "verification")]


def test_a_code_for_no_registration_goes_nowhere() -> None:
    door = FrontDoor()
    door.register("IVINS-1")
    door.remove("IVINS-1")
    for registration_id in ("IVINS-1", "IVINS-2"):
        decided = door.verify(registration_id)
        assert (decided.outputs, decided.reasons) == ((), [("noted", "unknown_registration")])


def test_an_answer_goes_to_every_registrant_who_has_the_address() -> None:
    door = FrontDoor()
    door.register("V-1", registrant_id="R-1", contacts=contacts("8045551007"))
    door.register("V-2", registrant_id="R-2", contacts=contacts("+1 804 555 1007", channel="voice"))
    door.register("V-3", registrant_id="R-1", contacts=contacts("8045551007"))
    door.register("V-4", registrant_id="R-4", contacts=contacts("8045551008"))
    decided = door.answer("stop")
    assert heard_by(decided) == ["R-1", "R-2"]
    assert {(each.address, each.keyword, each.seq) for each in decided.of(Inbound)} == {(DIGEST, "stop", 4)}
    assert decided.reasons == [("noted", "inbound")]
    assert decided.verdicts[0].detail == "The address says stop; registrants who have it: 2."


def test_a_changed_or_removed_registration_has_the_address_no_more() -> None:
    door = FrontDoor()
    door.register("V-1", registrant_id="R-1", contacts=contacts("8045551007"))
    door.register("V-2", registrant_id="R-2", contacts=contacts("8045551007"))
    door.register("V-1", registrant_id="R-1", contacts=contacts("8045551008"))
    assert heard_by(door.answer("hello")) == ["R-2"]
    door.remove("V-2")
    assert heard_by(door.answer("hello")) == []
    assert door.keys("wd") == [] or heard_by(door.answer("hello", "8045551008")) == ["R-1"]


def test_a_later_registration_with_a_silenced_address_says_so() -> None:
    door = FrontDoor()
    door.answer("STOP")
    (found,) = door.register("V-1", contacts=contacts("8045551007", "8045551008")).reachable
    assert found.silenced == (f"sms:{DIGEST}",)
    door.answer("STOP", channel="voice")
    (found,) = door.register("V-2").reachable
    assert found.silenced == (f"sms:{DIGEST}", f"voice:{DIGEST}")


def test_a_message_that_comes_again_under_its_id_changes_nothing() -> None:
    door = FrontDoor()
    door.register("V-1", contacts=contacts("8045551007"))
    door.answer("START", id="SM1")
    door.answer("STOP", id="SM2")
    again = door.answer("START", id="SM1")
    assert (again.outputs, again.reasons) == ((), [("noted", "repeated_inbound")])
    (found,) = door.register("V-2").reachable
    assert found.silenced == (f"sms:{DIGEST}",)
    assert heard_by(door.answer("START", id="SM3"))
    (found,) = door.register("V-3").reachable
    assert found.silenced == ()


@pytest.mark.parametrize(
    ("stopped", "started", "channel", "silent"),
    [
        ("2026-11-02T18:20:00Z", "2026-11-02T18:19:59Z", "sms", True),
        ("2026-11-02T18:20:00Z", "2026-11-02T18:20:00Z", "sms", False),
        ("2026-11-02T18:20:00Z", "2026-11-02T18:21:00Z", "sms", False),
        ("2999-01-01T00:00:00Z", "2998-01-01T00:00:00Z", "sms", False),  # a provider's clock is wrong
        ("2026-11-02T18:20:00Z", "2026-11-02T18:19:00Z", "voice", True),  # which silences nothing there, and undoes nothing here
    ],
)
def test_a_start_that_was_sent_before_the_stop_does_not_undo_it(stopped: str, started: str, channel: str, *, silent: bool) -> None:
    """Cases B20 and B21: messages come in any order."""
    door = FrontDoor()
    door.register("V-1", contacts=contacts("8045551007"))
    door.answer("STOP", occurred_at=stopped)
    late = door.answer("START", channel=channel, occurred_at=started)
    assert late.reasons == [("noted", "late_inbound" if silent and channel == "sms" else "inbound")]
    (found,) = door.register("V-2").reachable
    assert (found.silenced == (f"sms:{DIGEST}",)) is silent


def test_of_an_address_that_nobody_registered_only_stop_and_start_are_remembered() -> None:
    door = FrontDoor()
    door.answer("hello", id="SM1")
    assert door.keys("d") == []
    door.answer("START", id="SM2")
    door.answer("STOP", id="SM3")
    door.answer("START", id="SM2")
    (found,) = door.register("V-1").reachable
    assert found.silenced == (f"sms:{DIGEST}",)


def test_the_ids_of_an_address_are_its_latest_twenty_and_those_of_two_providers_differ() -> None:
    door = FrontDoor()
    for number in range(30):
        door.answer("STOP", id=f"SM{number}")
    (key,) = door.keys("d")
    found = door.state(key)
    assert isinstance(found, Address)
    assert len(found.heard) == MAX_KNOWN_MESSAGES
    assert door.answer("STOP", id="SM29").reasons == [("noted", "repeated_inbound")]
    assert door.answer("STOP", id="SM29", provider="another").reasons == [("noted", "inbound")]


def test_start_undoes_stop_of_its_own_channel() -> None:
    door = FrontDoor()
    door.answer("STOP")
    door.answer("STOP", channel="voice")
    door.answer("UNSTOP")
    (found,) = door.register("V-1").reachable
    assert found.silenced == (f"voice:{DIGEST}",)
    door.answer("START", channel="voice")
    assert door.keys("d") == []


def test_help_and_other_words_change_nothing() -> None:
    door = FrontDoor()
    for body in ("help", "who is this?"):
        door.answer(body)
    assert door.keys("d") == []
