"""The registrations of one registrant have at most a thousand contacts together, since deliver keeps them in one document."""

import msgspec
import pytest

from processors.domain.erasure import Erasure
from processors.domain.intake import Intake
from processors.domain.journal import DeadLetter
from processors.domain.registration import Reachable
from processors.ingest.identify import contact_limit
from processors.ingest.identify.state import ListHead
from processors.runtime.wire.states import latest_format
from processors.topics import INTAKE, REGISTRATIONS
from tests.ingest.identify.read_and_identify import Decided, ReadAndIdentify
from tests.ingest.records import REGISTRATION, accepted_record, offender, with_changes
from tests.one_stage import CODEC

LISTED = contact_limit.list_key("R-1")


@pytest.fixture
def ingest(monkeypatch: pytest.MonkeyPatch) -> ReadAndIdentify:
    monkeypatch.setattr(contact_limit, "MAX_REGISTRANT_CONTACTS", 3)
    return ReadAndIdentify()


def register(ingest: ReadAndIdentify, number: int, contacts: int = 1, **changes: object) -> Decided:
    addresses = [{"channel": "email", "address": f"r{number}-{each}@example.org", "verified": True} for each in range(contacts)]
    return ingest.register(f"IVINS-{number}", offender=offender(f"SID:VA{number % 5 + 1}"), contacts=addresses, **changes)


def is_refused(decided: Decided) -> bool:
    return decided.reasons == [("rejected", "too_many_contacts")]


def test_what_there_is_no_room_for_is_a_dead_letter_and_its_site_hears_so(ingest: ReadAndIdentify) -> None:
    for number in range(3):
        assert not is_refused(register(ingest, number))
    passed = register(ingest, 3)
    assert is_refused(passed)
    (letter,), (reachable,) = passed.of(DeadLetter), passed.reachable
    assert (letter.reason, letter.stage, letter.original) == ("too_many_contacts", "identify", None)
    assert "IVINS-3" in letter.detail
    assert (letter.topic, letter.offset) == ("registrations", 3), "the site's own record"
    assert reachable == Reachable(
        registrant_id="R-1", seq=3, received_at=ingest.now, registration_id="IVINS-3", source="IVINS", refused=True
    )
    assert passed.enrolled == []
    assert ingest.submit(offenders=[offender("SID:VA4")]).enrolled == [], "nothing of it is kept"
    assert not is_refused(register(ingest, 3, registrant_id="R-2")), "others have room of their own"


def test_an_intake_record_of_an_earlier_version_is_named_itself(ingest: ReadAndIdentify) -> None:
    for number in range(3):
        register(ingest, number)
    intake = accepted_record(with_changes(REGISTRATION, registration_id="IVINS-3", registrant_id="R-1"), REGISTRATIONS, key="IVINS-3")
    (letter,) = Decided(ingest.put(INTAKE, msgspec.structs.replace(intake, origin=b""))).of(DeadLetter)
    assert (letter.reason, letter.topic) == ("too_many_contacts", "intake")


def test_contacts_count_and_not_registrations(ingest: ReadAndIdentify) -> None:
    assert not is_refused(register(ingest, 0, contacts=2))
    assert is_refused(register(ingest, 1, contacts=2))
    assert not is_refused(register(ingest, 1, contacts=1))


def test_a_change_that_has_no_room_leaves_the_registration_as_it_was(ingest: ReadAndIdentify) -> None:
    known = ingest.submit(offenders=[offender("SID:VA1")]).offender
    register(ingest, 0, contacts=2)
    passed = register(ingest, 0, contacts=4)
    assert is_refused(passed)
    assert (passed.reachable, passed.enrolled) == ([], [])
    assert "stays in force" in passed.verdicts[0].detail
    assert ingest.remove("IVINS-0").enrolled == [("IVINS-0", known, True)]


def test_a_change_takes_the_room_of_what_it_replaces_and_a_removal_frees_it(ingest: ReadAndIdentify) -> None:
    register(ingest, 0, contacts=3)
    assert not is_refused(register(ingest, 0, contacts=3))
    assert not is_refused(register(ingest, 0, contacts=2))
    assert not is_refused(register(ingest, 1))
    assert is_refused(register(ingest, 2))
    ingest.remove("IVINS-0")
    assert not is_refused(register(ingest, 2, contacts=2))
    assert is_refused(register(ingest, 3))


def test_a_registration_that_passes_to_another_registrant_takes_its_contacts_along(ingest: ReadAndIdentify) -> None:
    register(ingest, 0, contacts=3)
    register(ingest, 0, contacts=3, registrant_id="R-2")
    assert not is_refused(register(ingest, 1, contacts=3))
    assert is_refused(register(ingest, 1, contacts=3, registrant_id="R-2")), "and is refused where there is no room"
    assert is_refused(register(ingest, 2)), "so that it stays where it was"


def test_an_erasure_frees_all_room(ingest: ReadAndIdentify) -> None:
    register(ingest, 0, contacts=3)
    erasure = Erasure(registrant_id="R-1", reason="asked for", requested_by="kim")
    ingest.put(INTAKE, Intake(kind="erasure", message_id="R-1", received_at=ingest.now, body=msgspec.json.encode(erasure)))
    assert not is_refused(register(ingest, 1, contacts=3))


def test_whoever_is_beyond_it_already_may_still_change_and_remove(ingest: ReadAndIdentify, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        register(ingest, number)
    monkeypatch.setattr(contact_limit, "MAX_REGISTRANT_CONTACTS", 1)
    assert not is_refused(register(ingest, 0))
    assert is_refused(register(ingest, 3))
    for number in range(3):
        assert ingest.remove(f"IVINS-{number}").reasons == [("noted", "registration_removed")]
    assert not is_refused(register(ingest, 3))


def test_a_list_of_a_version_that_did_not_count_is_counted_by_the_next_registration(ingest: ReadAndIdentify) -> None:
    for number in range(3):
        register(ingest, number)
    head = ingest.state(LISTED)
    assert isinstance(head, ListHead)
    assert head.contacts == 3
    ingest.documents[LISTED] = CODEC.encode_state(ListHead(head.pages, head.first), latest_format("identify"))
    ingest.remove("IVINS-2")
    assert is_refused(register(ingest, 3, contacts=2))
    assert not is_refused(register(ingest, 3))
    assert ingest.state(LISTED) == ListHead(head.pages, head.first, 3)
