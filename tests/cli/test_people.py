"""What `vn people` sends."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from processors.cli import people
from processors.domain.offender import HiddenPerson
from processors.domain.review import OffenderAction
from processors.runtime.errors import UsageError, UserError
from processors.runtime.wire.changelog import State
from processors.runtime.wire.codec import Codec
from processors.topics import CONSOLE_LOG, IDENTIFY_STATE, PEOPLE_HIDDEN, REVIEW_ACTIONS, Topic
from tests.ingest.identify.read_and_identify import ReadAndIdentify
from tests.ingest.records import offender as person


class TableClient:
    """A client whose topics are lists, in place of one of the broker."""

    def __init__(self) -> None:
        self.codec = Codec()
        self.sent: dict[str, list[tuple[str | None, Any]]] = {PEOPLE_HIDDEN.name: [], CONSOLE_LOG.name: []}

    def table(self, topic: Topic) -> dict[str | None, Any]:
        return {key: value for key, value in dict(self.sent[topic.name]).items() if value is not None}

    def send(self, topic: Topic, records: Iterable[tuple[str | None, bytes | None]]) -> None:
        self.sent[topic.name] += [(key, None if value is None else self.codec.decode(value)) for key, value in records]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> TableClient:
    made = TableClient()
    monkeypatch.setattr(people, "UserClient", lambda _: made)
    return made


@pytest.mark.parametrize(
    ("text", "known_as"),
    [("sid:va-770 0123", "SID:VA7700123"), ("DOC@NC:0733210", "DOC@NC:0733210"), ("BOOKING:7712", "BOOKING:7712")],
)
def test_a_person_is_hidden_by_a_number_as_it_compares(client: TableClient, text: str, known_as: str) -> None:
    people.hide(text, reason="a protected witness", person="ann")
    ((key, hidden),) = client.sent[PEOPLE_HIDDEN.name]
    assert key == known_as
    assert isinstance(hidden, HiddenPerson)
    assert (hidden.identifier, hidden.reason, hidden.hidden_by) == (known_as, "a protected witness", "ann")


def test_hiding_and_showing_again_are_in_the_log_of_the_staff(client: TableClient) -> None:
    people.hide("SID:VA7700123", reason="a protected witness", person="ann")
    people.unhide("SID:VA7700123", reason="no longer", person="bob")
    assert client.table(PEOPLE_HIDDEN) == {}
    assert [(each.person, each.action, each.subject, each.reason) for _, each in client.sent[CONSOLE_LOG.name]] == [
        ("ann", "person_hidden", "SID:VA7700123", "a protected witness"),
        ("bob", "person_shown", "SID:VA7700123", "no longer"),
    ]


def test_who_is_not_hidden_cannot_be_shown_again(client: TableClient) -> None:
    with pytest.raises(UserError, match="vn people hidden"):
        people.unhide("SID:VA7700123", reason="no longer", person="bob")
    assert client.sent[CONSOLE_LOG.name] == []


@pytest.mark.parametrize("text", ["VA7700123", "SID:", "SID:none", ":5"])
@pytest.mark.usefixtures("client")
def test_what_is_no_identifier_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="is no identifier"):
        people.hide(text, reason="r", person="ann")


def test_whoever_is_known_and_not_published_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ingest = ReadAndIdentify()
    published, missing = (ingest.submit(offenders=[person(f"SID:VA{number}")]).offender for number in (1, 2))
    sent: list[OffenderAction] = []

    class Changelog(TableClient):
        def table(self, topic: Topic) -> dict[str | None, Any]:
            if topic is IDENTIFY_STATE:
                return {f"={key}": State(msgspec.json.encode(ingest.state(key))) for key in ingest.documents}
            return {published: None}

        def send(self, topic: Topic, records: Iterable[tuple[str | None, bytes | None]]) -> None:
            assert topic is REVIEW_ACTIONS
            sent.extend(self.codec.decode(value) for _, value in records if value is not None)

    monkeypatch.setattr(people, "UserClient", lambda _: Changelog())
    people.publish(reason="an upgrade", person="ann")
    assert sent == [OffenderAction(action="publish", offenders=(missing,), reason="an upgrade", reviewer="ann")]
