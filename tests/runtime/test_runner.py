"""The parts of the runner that need no broker."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from redis import ConnectionPool
from redis.connection import AbstractConnection
from redis.sentinel import SentinelConnectionPool

from processors.domain.journal import Verdict, Verdicts
from processors.domain.seal import Seal
from processors.pipeline import PIPELINE
from processors.rules.load import load_rules
from processors.runtime.errors import Restart, Retry, Stop, UserError
from processors.runtime.key_file import KeyFile
from processors.runtime.run.faults import Faults, InjectedFault
from processors.runtime.run.journal import JOURNAL_BYTES, split_journal
from processors.runtime.run.pace import LOADED_INPUTS, LOADED_LINGER, MAX_BATCH, MIN_BATCH, next_batch_size
from processors.runtime.run.partitions import check_topics, common_partitions
from processors.runtime.run.runner import Environment, Runner
from processors.runtime.run.slots import ProcessSlot
from processors.runtime.run.store import Store, _hosts, connector
from processors.runtime.settings import Settings
from processors.runtime.wire.codec import Codec


def test_batches_grow_with_the_backlog_and_shrink_if_they_take_long() -> None:
    assert next_batch_size(500, 500, 0.1) == 1000
    assert next_batch_size(500, 499, 0.1) == 500
    assert next_batch_size(500, 500, 0.5) == 500
    assert next_batch_size(500, 500, 2) == 250
    assert next_batch_size(MAX_BATCH, MAX_BATCH, 0.01) == MAX_BATCH
    assert next_batch_size(MIN_BATCH, 10, 5) == MIN_BATCH


def test_no_stage_on_the_way_to_a_registrant_waits_for_more_records_unless_under_load() -> None:
    assert [stage.name for stages in PIPELINE.values() for stage in stages if stage.linger] == ["answer"]


class Member:
    """A consumer that has fetched one record, and notes for how long it is to wait for more."""

    def __init__(self, *fetched: str) -> None:
        self.fetched = [*fetched]
        self.waits: list[float] = []

    def poll(self, _: float) -> str | None:
        return self.fetched.pop() if self.fetched else None

    def consume(self, _: int, wait: float) -> list[str]:
        self.waits.append(wait)
        return []

    def consumer_group_metadata(self) -> None:
        return None


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A stage without broker and store."""
    monkeypatch.setenv("VN_TOPIC_PREFIX", f"waits-{uuid4().hex[:8]}.")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    given = Environment(Settings(), Codec(), load_rules(None), KeyFile(tmp_path, lambda _: Seal(bytes(64))))
    made = Runner(PIPELINE["dedupe"][0], given)
    with closing(made._slot):
        yield made


def test_a_stage_waits_for_more_after_a_large_batch_until_there_was_nothing_to_read(runner: Any) -> None:
    runner._broadcasts = SimpleNamespace(topic_clock=None)
    runner._telemetry = SimpleNamespace(beat=lambda: None, batch=lambda *_: None)
    context: Any = SimpleNamespace(rules=SimpleNamespace(version="1"))

    def waits_after(inputs: int, *between: Member) -> list[float]:
        runner._report([(None, SimpleNamespace(records=inputs - 1, timers=1))], 0.1, context)
        after = Member("record")
        for member in (*between, after):
            runner._run_batch(member)
        return after.waits

    assert waits_after(LOADED_INPUTS - 1) == [0]
    assert waits_after(LOADED_INPUTS) == [LOADED_LINGER]
    assert waits_after(LOADED_INPUTS, Member()) == [0]


def test_the_inputs_of_a_partition_come_together_or_not_at_all() -> None:
    assert common_partitions([("a", 1), ("b", 1), ("a", 0), ("b", 0)], ["a", "b"]) == [0, 1]
    with pytest.raises(Restart):
        common_partitions([("a", 1), ("b", 0)], ["a", "b"])


class Counted:
    """A broker that has these topics; every other has four partitions."""

    def __init__(self, **counts: int) -> None:
        self._counts = {f"x.{name.replace('_', '.')}": count for name, count in counts.items()}

    def partition_counts(self, topics: Iterable[str]) -> dict[str, int]:
        return {name: self._counts.get(name, 4) for name in topics}


def test_topics_that_are_missing_or_unlike_end_a_stage_with_what_mends_it() -> None:
    (dedupe,) = PIPELINE["dedupe"]
    check_topics(Counted(decisions=1), dedupe, "x.")  # type: ignore[arg-type]
    with pytest.raises(Stop, match=r"there is no topic x.events, x.policies: run `vn topics create`"):
        check_topics(Counted(events=0, policies=0), dedupe, "x.")  # type: ignore[arg-type]
    with pytest.raises(Stop, match=r"the inputs and the changelog of dedupe must have the same number of partitions"):
        check_topics(Counted(dedupe_state=8), dedupe, "x.")  # type: ignore[arg-type]


def test_the_journal_of_a_batch_is_one_record_unless_it_were_too_large() -> None:
    codec = Codec()
    assert split_journal([], codec.encode) == []
    verdicts = [
        Verdict(stage="s", message_id=str(number), outcome="passed", reason="confirmed", detail="x" * 1000, at=0) for number in range(3000)
    ]
    assert len(split_journal(verdicts[:100], codec.encode)) == 1
    records = split_journal(verdicts, codec.encode)
    assert all(len(record) <= JOURNAL_BYTES for record in records)
    assert [each for record in records for each in codec.decode(record).verdicts] == verdicts
    assert (
        len(
            split_journal(
                [Verdict(stage="s", message_id="1", outcome="passed", reason="confirmed", detail="x" * JOURNAL_BYTES, at=0)], codec.encode
            )
        )
        == 1
    )
    assert isinstance(codec.decode(records[0]), Verdicts)


def test_a_fault_point_does_nothing_unless_armed_and_then_on_its_turn() -> None:
    Faults().point("read")("sent")
    reach = Faults(["read.sent=raise:now@2"]).point("read")
    reach("sent")
    reach("begun")
    with pytest.raises(InjectedFault, match="now"):
        reach("sent")
    reach("sent")
    Faults(["read.sent=raise"]).point("match")("sent")


@pytest.mark.parametrize("text", ["read.sent", "read.sent=explode", "read.nowhere=kill", "=kill"])
def test_a_fault_that_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="VN_FAULTS"):
        Faults([text])


def test_two_copies_on_one_machine_have_two_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "slots"
    with (
        closing(ProcessSlot("vn.match", folder)) as second_last,
        closing(ProcessSlot("vn.match", folder)) as last,
        closing(ProcessSlot("vn.deliver", folder)) as other,
    ):
        assert (second_last.number, last.number, other.number) == (0, 1, 0)
    with closing(ProcessSlot("vn.match", folder)) as next_one:
        assert next_one.number == 0


@pytest.mark.parametrize("url", ["http://x", "redis+other://x", "redis+sentinel://host:port/name", "nonsense"])
def test_a_store_url_that_is_none_is_one_sentence(url: str) -> None:
    with pytest.raises(UserError, match="REDIS_URL cannot be used"):
        Store(url)


@pytest.mark.parametrize(
    ("url", "kind", "given"),
    [
        ("redis+sentinel://:secret@a:1,b/main/2", SentinelConnectionPool, {"db": 2, "password": "secret"}),
        ("redis://a:1/3", ConnectionPool, {"host": "a", "port": 1, "db": 3}),
        ("rediss://:secret@a:1/0", ConnectionPool, {"host": "a", "port": 1, "password": "secret"}),
        ("unix:///run/redis.sock", ConnectionPool, {"path": "/run/redis.sock"}),
    ],
)
def test_every_kind_of_store_url_is_understood(url: str, kind: type, given: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AbstractConnection, "connect", lambda _: None)  # a plain one connects when it is made
    monkeypatch.setattr(AbstractConnection, "can_read", lambda *_: False)
    pool = connector(url)().connection_pool
    assert type(pool) is kind
    assert {name: pool.connection_kwargs.get(name) for name in given} == given


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/3", "rediss://:secret@127.0.0.1:1/0", "unix:///run/no.sock"])
def test_a_store_is_connected_to_by_its_first_command(url: str) -> None:
    store = Store(url)
    with pytest.raises(Retry, match="the store does not answer"):
        store.ping()


def test_the_url_of_a_cluster_names_several_hosts() -> None:
    assert _hosts("user:secret@a,b:2", 6379) == [("a", 6379), ("b", 2)]
    assert callable(connector("rediss+cluster://a,b:2"))  # connects at its first command


def test_stop_is_an_error_with_an_exit_code() -> None:
    assert Stop("x").exit_code == 1
