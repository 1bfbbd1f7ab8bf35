"""What `vn offender` shows and sends."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from processors.cli import offender
from processors.domain.review import OffenderAction
from processors.runtime.errors import UserError
from processors.runtime.wire.changelog import State
from processors.runtime.wire.codec import Codec
from processors.topics import IDENTIFY_STATE, REVIEW_ACTIONS, Topic
from tests.ingest.identify.read_and_identify import ReadAndIdentify
from tests.ingest.records import offender as person


class ChangelogClient:
    """A client whose records are the states of identify, instead of one of the broker."""

    def __init__(self, ingest: ReadAndIdentify) -> None:
        self.codec = Codec()
        self.sent: list[Any] = []
        self._ingest = ingest

    def table(self, topic: Topic) -> dict[str, Any]:
        if topic is not IDENTIFY_STATE:
            return {}
        return {f"={key}": State(msgspec.json.encode(self._ingest.state(key))) for key in self._ingest.documents}

    def send(self, topic: Topic, records: Iterable[tuple[str | None, bytes | None]]) -> None:
        assert topic is REVIEW_ACTIONS
        self.sent += [(key, self.codec.decode(value)) for key, value in records if value is not None]


@pytest.fixture
def ingest() -> ReadAndIdentify:
    return ReadAndIdentify()


@pytest.fixture
def client(ingest: ReadAndIdentify, monkeypatch: pytest.MonkeyPatch) -> ChangelogClient:
    made = ChangelogClient(ingest)
    monkeypatch.setattr(offender, "UserClient", lambda _: made)
    return made


def test_an_offender_is_shown_under_every_key_that_was_theirs(
    ingest: ReadAndIdentify, client: ChangelogClient, capsys: pytest.CaptureFixture[str]
) -> None:
    older, younger = (ingest.submit(offenders=[person(each)]).offender for each in ("SID:VA1", "FBI:551234AB1"))
    ingest.register(offender=person("SID:VA1"))
    ingest.submit(offenders=[person("SID:VA1", "FBI:551234AB1")])
    assert client.sent == []
    offender.show(younger, as_json=True)
    assert msgspec.json.decode(capsys.readouterr().out) == {
        "offender": older,
        "identifiers": ["SID:VA1", "FBI:551234AB1"],
        "names": [],
        "formerly": [younger],
        "kept_apart": [],
        "registrations": ["IVINS-1"],
        "reviews": [],
    }


def test_a_decision_is_sent_with_who_and_why(ingest: ReadAndIdentify, client: ChangelogClient) -> None:
    one, other = (ingest.submit(offenders=[person(*each)]).offender for each in (("SID:VA1", "FBI:1A"), ("SID:VA2",)))
    offender.merge(one, other, reason="one file", reviewer="ann")
    offender.split(one, ["FBI:1A"], reason="two files", reviewer="ann")
    assert client.sent == [
        (one, OffenderAction(action="merge", offenders=(one, other), reason="one file", reviewer="ann")),
        (one, OffenderAction(action="split", offenders=(one,), identifiers=("FBI:1A",), reason="two files", reviewer="ann")),
    ]


def test_a_decision_on_what_is_not_there_is_one_sentence(ingest: ReadAndIdentify, client: ChangelogClient) -> None:
    one = ingest.submit(offenders=[person("SID:VA1")]).offender
    with pytest.raises(UserError, match="no offender o1 is known"):
        offender.merge(one, "o1", reason="r")
    with pytest.raises(UserError, match="has no identifier FBI:1A"):
        offender.split(one, ["FBI:1A"], reason="r")
    with pytest.raises(UserError, match="without any identifier"):
        offender.split(one, ["SID:VA1"], reason="r")
    assert client.sent == []
