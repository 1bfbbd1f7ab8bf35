"""In = told + nobody registered + suppressed + flagged + dead-lettered + waiting; a missing verdict counts as missing."""

from collections.abc import Iterator
from typing import Final

import msgspec
import pytest
from msgspec import structs

from processors.cli import audit as audit_module
from processors.cli.audit import ENDS, End, audit, count_attempts, count_ends, count_responses, differences
from processors.domain.journal import Outcome, Verdict
from processors.domain.notification import Response
from processors.runtime.kafka.user_client import TopicRecord
from processors.topics import Topic
from tests.cli.given import verdict

READ = verdict("read", "accepted", "accepted", offender=None)


def ends(*journal: Verdict) -> dict[str, int]:
    """Return the ends that are not zero."""
    return {name: count for name, count in count_ends(journal).items() if count}


@pytest.mark.parametrize(
    ("stage", "outcome", "end"),
    [
        ("identify", "passed", "missing"),
        ("dedupe", "suppressed", "suppressed"),
        ("dedupe", "waiting", "waiting"),
        ("validate", "passed", "missing"),
        ("validate", "flagged", "flagged"),
        ("match", "matched", "missing"),
        ("match", "unmatched", "nobody_registered"),
        ("deliver", "sent", "told"),
        ("deliver", "delivered", "told"),
        ("deliver", "undelivered", "told"),
        ("deliver", "gathered", "waiting"),
        ("deliver", "dropped", "suppressed"),
    ],
)
def test_the_last_word_of_the_furthest_stage_counts(stage: str, outcome: Outcome, end: End) -> None:
    earlier = [] if stage == "identify" else [verdict("identify", "passed")]
    assert ends(READ, *earlier, verdict(stage, outcome)) == {"read": 1, end: 1}
    assert ends(READ, verdict(stage, outcome), *earlier) == {"read": 1, end: 1}, "in whatever order the partitions are read"


def test_a_later_word_of_the_same_stage_replaces_the_earlier() -> None:
    assert ends(READ, verdict("validate", "flagged"), verdict("validate", "passed"), verdict("match", "unmatched")) == {
        "read": 1,
        "nobody_registered": 1,
    }


def test_one_registrant_told_is_told() -> None:
    journal = [verdict("deliver", "dropped", registrant_id="R-1"), verdict("deliver", "sent", registrant_id="R-2")]
    assert ends(READ, *journal) == {"read": 1, "told": 1}
    assert ends(READ, verdict("deliver", "waiting", registrant_id="R-3"), journal[0]) == {"read": 1, "waiting": 1}


def test_every_offender_of_a_message_ends_by_itself() -> None:
    assert ends(READ, verdict("match", "unmatched"), verdict("validate", "flagged", offender="o2")) == {
        "read": 1,
        "nobody_registered": 1,
        "flagged": 1,
    }


def test_a_message_goes_on_under_the_key_that_its_offender_was_merged_into() -> None:
    merged = structs.replace(verdict("identify", "noted", "merged", offender="o1"), formerly="o2")
    before = verdict("identify", "passed", offender="o2"), verdict("validate", "waiting", offender="o2")
    after = verdict("match", "unmatched", offender="o1")
    assert ends(READ, *before, merged, after) == {"read": 1, "nobody_registered": 1}
    assert ends(READ, merged, after, *before) == {"read": 1, "nobody_registered": 1}


def test_what_read_refuses_is_dead_lettered() -> None:
    assert ends(verdict("read", "rejected", "unknown_code", offender=None)) == {"read": 1, "dead_lettered": 1}


class TombstoneClient:
    """A client of a pipeline that was sent one submission without a value, in place of one of the broker."""

    def start_offsets(self, _topic: Topic) -> dict[int, int]:
        return {0: 0}

    def read(self, topic: Topic) -> Iterator[TopicRecord]:
        yield TopicRecord(topic.name, 0, 0, 0, "k", {}, None)

    def verdicts(self, _topic: Topic) -> Iterator[Verdict]:
        yield verdict("read", "rejected", "unknown_format", offender=None, message_id="-", ori="-")

    def values(self, _topic: Topic) -> Iterator[Response]:
        return iter(())


def test_a_submission_without_a_value_is_read_and_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(audit_module, "UserClient", lambda _: TombstoneClient())
    audit(as_json=True)
    counted = msgspec.json.decode(capsys.readouterr().out)
    assert (counted["submissions"], counted["read"], counted["dead_lettered"]) == (1, 1, 1)


def test_registrations_receipts_and_notes_are_no_submissions() -> None:
    assert (
        ends(
            verdict("read", "accepted", "accepted", ori=None, offender=None),
            verdict("identify", "noted", "registered", ori=None),
            verdict("match", "noted"),
            verdict("deliver", "receipt"),
        )
        == {}
    )


def test_every_end_is_told_even_at_none() -> None:
    assert list(count_ends([])) == ["read", *ENDS]


def answer(message_id: str = "M", subtype: str = "Message Successfully Delivered") -> Response:
    return Response(
        message_id=message_id,
        ori=READ.ori or "",
        event_type="Message Response",
        event_subtype=subtype,
        notification_type="Internal",
        responded_at=0,
    )


def test_submissions_are_answered_or_open() -> None:
    nameless = verdict("read", "rejected", "malformed", offender=None, message_id="-")
    other = verdict("read", "accepted", "accepted", offender=None, message_id="N")
    assert count_responses([READ, other, nameless], [answer(READ.message_id)]) == {"answered": 1, "open": 1, "answered_twice": 0}


def test_one_answer_too_many_is_found() -> None:
    assert count_responses([READ], [answer(READ.message_id)] * 2)["answered_twice"] == 1
    assert count_responses([READ, READ], [answer(READ.message_id)] * 2)["answered_twice"] == 0


def test_attempts_have_ended_or_are_under_way() -> None:
    def attempt(reference: str, outcome: Outcome, status: str) -> Verdict:
        return verdict("deliver", outcome, reference=reference, status=status)

    journal = [
        attempt("a", "sent", "sent"),
        attempt("b", "sent", "sent"),
        attempt("b", "receipt", "accepted"),
        attempt("c", "sent", "sent"),
        attempt("c", "sent", "sent"),
        attempt("c", "receipt", "delivered"),
        attempt("d", "noted", "expired"),
    ]
    assert count_attempts(journal) == {"attempts": 3, "attempts_ended": 1, "attempts_under_way": 2, "attempts_unknown": 1}


MATCHING: Final = {"submissions": 5, "read": 5, "missing": 0, "answered_twice": 0, "attempts_unknown": 0}


@pytest.mark.parametrize("complete", [True, False])
def test_sums_that_match_have_no_differences(*, complete: bool) -> None:
    assert differences(MATCHING, complete=complete) == []


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"read": 3}, "2 submissions were not read"),
        ({"read": 6}, "1 submissions were read more than once"),
        ({"missing": 4}, "4 offenders' parts of submissions lack a decision"),
        ({"answered_twice": 1}, "1 responses are too many"),
        ({"attempts_unknown": 1}, "1 attempts have a status but were never sent"),
    ],
)
def test_each_difference_is_named(changed: dict[str, int], difference: str) -> None:
    assert differences(MATCHING | changed, complete=True) == [difference]


def test_submissions_that_retention_has_removed_were_not_read_twice() -> None:
    assert differences(MATCHING | {"submissions": 2}, complete=False) == []
    assert differences(MATCHING | {"submissions": 6}, complete=False) == ["1 submissions were not read"]
