from typing import Any

import pytest

from processors.domain.inbound import Inbound
from processors.domain.registration import Verification, address_digest, verification_digest
from processors.ingest.identify.addresses import MAX_KNOWN_MESSAGES
from processors.ingest.identify.state import Address
from processors.topics import REGISTRANTS
from tests.ingest.identify.read_and_identify import Decided, ReadAndIdentify
from tests.ingest.records import SEAL

DIGEST = address_digest("+18045551007", SEAL)


def contacts(*addresses: str, channel: str = "sms") -> list[dict[str, Any]]:
    return [{"channel": channel, "address": each, "verified": True} for each in addresses]


def heard_by(decided: Decided) -> list[str | None]:
    return [output.key for output in decided.outputs if output.topic is REGISTRANTS and isinstance(output.value, Inbound)]


def test_a_code_goes_to_the_registrant_of_its_registration() -> None:
    ingest = ReadAndIdentify()
    ingest.register("IVINS-1")
    decided = ingest.verify("IVINS-1", "048210")
    (found,) = decided.of(Verification)
    assert (found.code, found.seq) == (verification_digest("048210", "IVINS-1", SEAL), 1)
    assert [output.key for output in decided.outputs] == ["R-1"]
    assert decided.reasons == [("noted", "verification")]


def test_a_code_for_no_registration_goes_nowhere() -> None:
    ingest = ReadAndIdentify()
    ingest.register("IVINS-1")
    ingest.remove("IVINS-1")
    for registration_id in ("IVINS-1", "IVINS-2"):
        decided = ingest.verify(registration_id)
        assert (decided.outputs, decided.reasons) == ((), [("noted", "unknown_registration")])


def test_an_answer_goes_to_every_registrant_who_has_the_address() -> None:
    ingest = ReadAndIdentify()
    ingest.register("V-1", registrant_id="R-1", contacts=contacts("8045551007"))
    ingest.register("V-2", registrant_id="R-2", contacts=contacts("+1 804 555 1007", channel="voice"))
    ingest.register("V-3", registrant_id="R-1", contacts=contacts("8045551007"))
    ingest.register("V-4", registrant_id="R-4", contacts=contacts("8045551008"))
    decided = ingest.answer("stop")
    assert heard_by(decided) == ["R-1", "R-2"]
    assert {(each.address, each.keyword, each.seq) for each in decided.of(Inbound)} == {(DIGEST, "stop", 4)}
    assert decided.reasons == [("noted", "inbound")]
    assert decided.verdicts[0].detail == "The address says stop; registrants who have it: 2."


def test_a_changed_or_removed_registration_has_the_address_no_more() -> None:
    ingest = ReadAndIdentify()
    ingest.register("V-1", registrant_id="R-1", contacts=contacts("8045551007"))
    ingest.register("V-2", registrant_id="R-2", contacts=contacts("8045551007"))
    ingest.register("V-1", registrant_id="R-1", contacts=contacts("8045551008"))
    assert heard_by(ingest.answer("hello")) == ["R-2"]
    ingest.remove("V-2")
    assert heard_by(ingest.answer("hello")) == []
    assert ingest.keys("wd") == [] or heard_by(ingest.answer("hello", "8045551008")) == ["R-1"]


def test_a_later_registration_with_a_silenced_address_says_so() -> None:
    ingest = ReadAndIdentify()
    ingest.answer("STOP")
    (found,) = ingest.register("V-1", contacts=contacts("8045551007", "8045551008")).reachable
    assert found.silenced == (f"sms:{DIGEST}",)
    ingest.answer("STOP", channel="voice")
    (found,) = ingest.register("V-2").reachable
    assert found.silenced == (f"sms:{DIGEST}", f"voice:{DIGEST}")


def test_a_message_that_comes_again_under_its_id_changes_nothing() -> None:
    ingest = ReadAndIdentify()
    ingest.register("V-1", contacts=contacts("8045551007"))
    ingest.answer("START", id="SM1")
    ingest.answer("STOP", id="SM2")
    again = ingest.answer("START", id="SM1")
    assert (again.outputs, again.reasons) == ((), [("noted", "repeated_inbound")])
    (found,) = ingest.register("V-2").reachable
    assert found.silenced == (f"sms:{DIGEST}",)
    assert heard_by(ingest.answer("START", id="SM3"))
    (found,) = ingest.register("V-3").reachable
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
    ingest = ReadAndIdentify()
    ingest.register("V-1", contacts=contacts("8045551007"))
    ingest.answer("STOP", occurred_at=stopped)
    late = ingest.answer("START", channel=channel, occurred_at=started)
    assert late.reasons == [("noted", "late_inbound" if silent and channel == "sms" else "inbound")]
    (found,) = ingest.register("V-2").reachable
    assert (found.silenced == (f"sms:{DIGEST}",)) is silent


def test_of_an_address_that_nobody_registered_only_stop_and_start_are_remembered() -> None:
    ingest = ReadAndIdentify()
    ingest.answer("hello", id="SM1")
    assert ingest.keys("d") == []
    ingest.answer("START", id="SM2")
    ingest.answer("STOP", id="SM3")
    ingest.answer("START", id="SM2")
    (found,) = ingest.register("V-1").reachable
    assert found.silenced == (f"sms:{DIGEST}",)


def test_the_ids_of_an_address_are_its_latest_twenty_and_those_of_two_providers_differ() -> None:
    ingest = ReadAndIdentify()
    for number in range(30):
        ingest.answer("STOP", id=f"SM{number}")
    (key,) = ingest.keys("d")
    found = ingest.state(key)
    assert isinstance(found, Address)
    assert len(found.heard) == MAX_KNOWN_MESSAGES
    assert ingest.answer("STOP", id="SM29").reasons == [("noted", "repeated_inbound")]
    assert ingest.answer("STOP", id="SM29", provider="another").reasons == [("noted", "inbound")]


def test_start_undoes_stop_of_its_own_channel() -> None:
    ingest = ReadAndIdentify()
    ingest.answer("STOP")
    ingest.answer("STOP", channel="voice")
    ingest.answer("UNSTOP")
    (found,) = ingest.register("V-1").reachable
    assert found.silenced == (f"voice:{DIGEST}",)
    ingest.answer("START", channel="voice")
    assert ingest.keys("d") == []


def test_help_and_other_words_change_nothing() -> None:
    ingest = ReadAndIdentify()
    for body in ("help", "who is this?"):
        ingest.answer(body)
    assert ingest.keys("d") == []
