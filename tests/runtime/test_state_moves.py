"""Which partition a state belongs to, a partition's position after a move, and the file that states are exported to."""

from pathlib import Path

import pytest
from msgspec import Raw

from processors.dedupe.decide import STAGE as DEDUPE
from processors.dedupe.state import message_key
from processors.deliver.decide import STAGE as DELIVER
from processors.deliver.state import delivery_key
from processors.domain.merge import Merge
from processors.handover import handover_key, queue_key
from processors.match.decide import STAGE as MATCH
from processors.match.state import told_events_key, told_key_of
from processors.pipeline import STAGES
from processors.runtime.errors import UserError
from processors.runtime.run.grow import positions_after, shared_topics
from processors.runtime.run.state_file import Header, StateEntry, read_entries, read_header, write_state_file
from processors.runtime.run.state_log import Change, PartitionState, bounded_batches, partition_of
from processors.runtime.wire.changelog import Position
from processors.topics import TOPICS

OFFENDER = "o5f2c1a90e4b7"
MERGE = Merge(offender="o000000000001", into=OFFENDER, seq=1, received_at=1, detail="")
HEADER = Header(stage="match", exported_at="2026-11-02T12:00:00Z", cluster="c", prefix="vn.", logs={}, positions={}, ends={})


@pytest.mark.parametrize(
    ("stage", "keys"),
    [
        (DEDUPE, [OFFENDER, message_key(OFFENDER, 7), queue_key(OFFENDER, 0), handover_key(MERGE, 3)]),
        (MATCH, [OFFENDER, told_events_key(OFFENDER), told_key_of(OFFENDER, "VA0430000", "M/1 <a>")]),
    ],
    ids=["dedupe", "match"],
)
def test_every_state_of_an_offender_lies_where_the_offenders_records_do(stage: object, keys: list[str]) -> None:
    assert {stage.owner(key) for key in keys} == {OFFENDER}  # type: ignore[attr-defined]


def test_deliveries_lie_where_the_registrants_records_do() -> None:
    keys = ["R-1/#2", delivery_key("R-1/#2", "R-1/#2.0123456789abcdef")]
    assert {partition_of(DELIVER, key.encode(), 64) for key in keys} == {partition_of(DELIVER, b"R-1/#2", 64)}


def test_a_partition_that_was_added_starts_at_the_beginning_with_the_latest_time() -> None:
    old = PartitionState(Position(seq=4, positions={"a": 9}, time=50, settled="v1", partitions=1, read=12))
    after = positions_after([old, PartitionState()], ["a"], {("a", 0): 0}, 2)
    assert (after[0].seq, after[0].positions, after[0].read, after[0].partitions) == (5, {"a": 9}, 12, 2)
    assert (after[1].seq, after[1].positions, after[1].time, after[1].settled) == (1, {"a": 0}, 50, "v1")


def test_if_partitions_had_judged_by_different_rules_all_is_judged_once_more() -> None:
    held = [PartitionState(Position(seq=1, positions={"a": 1}, settled=each)) for each in ("v1", "v2")]
    assert {each.settled for each in positions_after(held, ["a"], {}, 2).values()} == {""}


def test_the_changes_of_one_state_are_never_divided() -> None:
    groups: list[list[Change]] = [[(0, b"=k", b"x"), (1, b"=k", None)] for _ in range(6_000)]
    found = list(bounded_batches(groups))
    assert len(found) == 3
    assert all(len(each) % 2 == 0 for each in found)


def test_a_file_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "match.jsonl"
    entries = [StateEntry("k1", Raw(b'{"a":1}'), 2, 17), StateEntry("k2", due_at=5), StateEntry("k3", Raw(b'"\xc3\xa9"'))]
    assert write_state_file(path, HEADER, entries) == 3
    assert read_header(path) == HEADER
    assert [(each.key, bytes(each.state), each.format, each.due_at) for each in read_entries(path)] == [
        ("k1", b'{"a":1}', 2, 17),
        ("k2", b"null", 1, 5),
        ("k3", b'"\xc3\xa9"', 1, None),
    ]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("part", [0.2, 0.5, 0.99])
def test_a_file_cut_short_is_refused(tmp_path: Path, part: float) -> None:
    path = tmp_path / "match.jsonl"
    write_state_file(path, HEADER, [StateEntry(f"k{number}", Raw(b"{}")) for number in range(50)])
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(UserError, match="use another copy"):
        read_header(path)


def test_a_file_with_a_line_less_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "match.jsonl"
    write_state_file(path, HEADER, [StateEntry(f"k{number}", Raw(b"{}")) for number in range(3)])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:1], *lines[2:]]))
    with pytest.raises(UserError, match="cut short or changed"):
        read_header(path)


def test_a_folder_without_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="vn state export"):
        read_header(tmp_path / "match.jsonl")


def test_topics_that_stages_read_get_more_partitions_and_no_others() -> None:
    read = shared_topics(STAGES)
    assert {topic.name for topic in TOPICS if topic.partitions == "shared" and topic.fixed == (topic in read)} == set()
