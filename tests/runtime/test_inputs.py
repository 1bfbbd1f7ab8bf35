"""Committed offsets name the log they belong to; another log of the same name is detected."""

import pytest

from processors.runtime.errors import Stop
from processors.runtime.run.inputs import Bookmark, Origin, check_identities, check_not_lost

MARK = Bookmark(offset=41, epoch=3, timestamp=1_790_000_000_000)
PLACE = ("vn.events", 0)


@pytest.mark.parametrize("origin", [Origin("cluster/topic", MARK), Origin("cluster/topic")])
def test_an_origin_is_the_metadata_of_an_offset_and_back(origin: Origin) -> None:
    assert Origin.parse(origin.metadata()) == origin
    assert Origin.parse(f"next_timer=17 {origin.metadata()}") == origin
    assert len(origin.metadata()) < 200, "a broker takes 4096 bytes"


@pytest.mark.parametrize("metadata", ["", None, "something else", "next_timer=17", "last=1,2,3"])
def test_metadata_of_an_earlier_version_or_of_a_tool_says_nothing(metadata: str | None) -> None:
    assert Origin.parse(metadata) is None


@pytest.mark.parametrize("words", ["topic=c/t", "topic=c/t last=1", "topic=c/t last=a,b,c", "topic=c/t last=1,2,3,4"])
def test_a_bookmark_that_is_none_is_left_out(words: str) -> None:
    assert Origin.parse(words) == Origin("c/t")


def test_the_same_topic_is_recognized_and_what_says_nothing_is_let_pass() -> None:
    check_identities({PLACE: Origin("c/t", MARK), ("vn.other", 0): None}, {"vn.events": "c/t", "vn.other": "c/o"})


def test_a_recreated_topic_and_another_cluster_stop_a_stage_with_what_happened() -> None:
    with pytest.raises(Stop, match=r"^vn\.events was deleted and created again since its offsets were committed"):
        check_identities({PLACE: Origin("c/old", MARK)}, {"vn.events": "c/new"})
    with pytest.raises(Stop, match=r"^the offsets of vn\.events\[0\] were committed on cluster a, and this is cluster b"):
        check_identities({PLACE: Origin("a/t", MARK)}, {"vn.events": "b/t"})


def test_a_stage_without_a_changelog_that_has_written_does_not_start_over() -> None:
    check_not_lost("read", [0, 0], committed=False)
    check_not_lost("read", [7, 0], committed=True)
    with pytest.raises(Stop, match=r"^the committed offsets of read are lost"):
        check_not_lost("read", [7, 0], committed=False)
