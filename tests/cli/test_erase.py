"""`vn erase`: which topics it deletes from, how long their segments are, and what it says cannot be reached."""

from typing import Any, cast

import pytest

from processors.cli import erase
from processors.cli.erase import READERS, report_unowned
from processors.deliver.state import KnownRegistration, Registrant
from processors.domain.erasure import Erased
from processors.domain.journal import DeadLetter
from processors.runtime.errors import UserError
from processors.runtime.kafka.topics_admin import properties
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.runtime.wire.codec import Codec
from processors.topics import DAY, DEAD_LETTERS, ERASED, ERASURES, OUTBOUND, TOPICS, Topic
from tests.cli.given import Run

DIGEST = "d" * 64
ENDED = KnownRegistration(registration_id="V-1", seq=1, ended=True)


def test_what_is_personal_is_deleted_by_the_command_but_for_dead_letters_which_have_keys_of_their_own() -> None:
    assert {each for each in TOPICS if each.personal} == {*READERS, *OUTBOUND.values(), DEAD_LETTERS}


@pytest.mark.parametrize("topic", [each for each in TOPICS if each.personal], ids=lambda each: each.name)
def test_a_segment_of_a_personal_topic_is_as_short_as_the_contract_says(topic: Any) -> None:
    assert int(properties(topic)["segment.ms"]) <= DAY // 4


class Letters:
    """Dead letters in the place of a broker."""

    def __init__(self, *letters: DeadLetter) -> None:
        self.letters = letters

    def values(self, _: object) -> tuple[DeadLetter, ...]:
        return self.letters


def letter(owner: str | None, received_at: int, *, encrypted: bool = True) -> DeadLetter:
    return DeadLetter(
        dead_letter_id=f"inbound-0-{received_at}",
        reason="bad_inbound",
        detail="",
        stage="read",
        topic="inbound",
        partition=0,
        offset=0,
        received_at=received_at,
        sha256="",
        encrypted=encrypted,
        original=b"",
        key=None,
        owner=owner,
    )


def test_it_says_how_many_dead_letters_name_nobody_and_until_when_they_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    report_unowned(
        cast("UserClient", Letters(letter("a", 9 * DAY), letter(None, 0), letter(None, DAY), letter(None, 5 * DAY, encrypted=False)))
    )
    said = capsys.readouterr().out
    assert "say whose they are: 2," in said
    assert "until 1970-04-02T06:00:00Z" in said, "91 days and a segment after the last"


def test_it_says_nothing_of_them_if_each_has_a_key_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    report_unowned(cast("UserClient", Letters(letter("a", 0))))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("address", ["ann@example.org", "+18045550107", "804-555-0107"])
def test_an_address_names_no_registrant_and_is_not_sent(vn: Run, address: str) -> None:
    code, _, error = vn("erase", address, "--reason", "r")
    assert (code, error) == (
        2,
        "vn: that looks like an address, which is no registrant's id: name the registrant as the registration site does\n",
    )


class ErasureClient:
    """A client of a pipeline that decides on erasures, or of one that is stopped, in place of one of the broker."""

    codec = Codec()

    def __init__(self, *, decides: bool) -> None:
        self.decides, self.sent = decides, False
        self.registrant: Registrant | None = Registrant(registrant_id="R-1", registrations={"V-1": ENDED})

    def table(self, topic: Topic) -> dict[str, Any]:
        assert topic is ERASED
        return {DIGEST: Erased(at=1, seq=1)} if self.decides and self.sent else {}

    def send(self, topic: Topic, _records: object) -> None:
        self.sent = topic is ERASURES

    def values(self, _topic: Topic) -> tuple[DeadLetter, ...]:
        return ()


@pytest.fixture
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ErasureClient:
    made = ErasureClient(decides=request.param)
    monkeypatch.setattr(erase, "UserClient", lambda _: made)
    monkeypatch.setattr(Settings, "seal", lambda _: None)
    monkeypatch.setattr(erase, "registrant_digest", lambda *_: DIGEST)
    monkeypatch.setattr(erase, "read_registrant", lambda *_: made.registrant)
    monkeypatch.setattr(erase, "destroy_keys", lambda *_: ())
    monkeypatch.setattr(erase, "DECISION_SECONDS", 0.0)
    monkeypatch.setattr(erase, "POLL", 0.0)
    return made


@pytest.mark.parametrize("client", [True], indirect=True)
def test_it_says_what_is_erased_once_the_pipeline_has_decided(client: ErasureClient, capsys: pytest.CaptureFixture[str]) -> None:
    erase.erase("R-1", reason="r")
    assert client.sent
    assert "the registrant's key: destroyed" in capsys.readouterr().out


@pytest.mark.parametrize("client", [True], indirect=True)
@pytest.mark.parametrize("registrant", [None, Registrant(registrant_id="R-1")], ids=["never known", "asked about before"])
def test_an_id_that_no_registration_ever_named_is_nobody_s(
    client: ErasureClient, registrant: Registrant | None, capsys: pytest.CaptureFixture[str]
) -> None:
    client.registrant = registrant
    with pytest.raises(UserError, match="nobody has the ID R-1"):
        erase.erase("R-1", reason="r")
    assert client.sent, "a registration may be on its way"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("client", [True], indirect=True)
def test_whoever_is_named_by_a_dead_letter_alone_is_erased(
    client: ErasureClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client.registrant = None
    monkeypatch.setattr(erase, "destroy_keys", lambda *_: ("registrations-0-1",))
    erase.erase("R-1", reason="r")
    assert "the registrant's key: destroyed" in capsys.readouterr().out


@pytest.mark.parametrize("client", [False], indirect=True)
def test_nothing_is_said_to_be_erased_while_the_pipeline_is_stopped(client: ErasureClient, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="is `vn run all` running"):
        erase.erase("R-1", reason="r")
    assert client.sent
    assert capsys.readouterr().out == ""
