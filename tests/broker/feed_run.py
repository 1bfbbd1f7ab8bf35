"""Runs the sample feed on a real broker and store, and compares the output record by record with a rehearsal in memory."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil

from processors.domain.intake import Intake
from processors.domain.registration import PresentStanding
from processors.pipeline import PIPELINE
from processors.rehearsal.feed import Step, read_feed
from processors.rehearsal.player import STEP_TIMEOUT, Rehearsal, play, rehearse
from processors.rules.load import load_rules
from processors.rules.rule_set import Rules
from processors.runtime.decide.driver import PipelineDriver
from processors.runtime.kafka.clients import Broker, committed_offsets
from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.kafka.user_client import TopicRecord, UserClient
from processors.runtime.key_file import KEY_BYTES
from processors.runtime.run.catchup import Stamp
from processors.runtime.run.store import Store
from processors.runtime.settings import Settings
from processors.runtime.wire.changelog import Position
from processors.stage import Stage
from processors.topics import DEAD_LETTER_KEYS, DEAD_LETTERS, DECISIONS, ERASED, INTAKE, KEYS, NOTIFICATIONS, RESPONSES, TALLY, Topic
from tests.broker.harness import SHORT_TIMEOUTS, TIMEOUT, environment

ROOT: Final = Path(__file__).parents[2]
UNITS: Final[tuple[Stage[Any], ...]] = tuple(unit for units in PIPELINE.values() for unit in units)
NAMES: Final = tuple(unit.name for unit in UNITS)
WRITTEN: Final[tuple[Topic, ...]] = tuple(dict.fromkeys([*(topic for unit in UNITS for topic in unit.outputs), DECISIONS]))

SAME_KEYS: Final = ROOT / "tests" / "broker" / "same_keys"
EXAMPLES: Final = ROOT / "examples" / "feed.jsonl"
SHOWN: Final = 20  # differing keys in a failure message
CONTROL_RECORD: Final = b"a transaction marker"
SUBMISSION_OFFSET: Final = re.compile(rb"submissions-\d+-\d+")


class FeedRun:
    """The sample feed played on one topic prefix of a broker, or its second part, after another run of the `earlier` one."""

    def __init__(
        self,
        addresses: Mapping[str, str],
        folder: Path,
        partitions: int = 2,
        feed: Path = EXAMPLES,
        earlier: "FeedRun | None" = None,
    ) -> None:
        self.prefix = f"d{os.getpid()}-{time.monotonic_ns()}."
        self.environment = {
            **addresses,
            **SHORT_TIMEOUTS,
            "VN_TOPIC_PREFIX": self.prefix,
            "VN_PARTITIONS": str(partitions),
            "VN_CLOCK": "topic",
            "PYTHONPATH": str(SAME_KEYS),
        }
        self.folder = folder
        self.partitions = partitions
        self.earlier = earlier
        with environment(self.environment):
            self.settings = Settings()
            create_topics(self.settings)
            self.client = UserClient(self.settings)
            self.broker = Broker(self.settings)
        self.rehearsal: Rehearsal = rehearse(read_feed(feed), load_rules(None), self.settings.seal().key)
        self._runs = 0

    @property
    def moments(self) -> Sequence[Step]:
        return self.rehearsal.moments

    # -- at work

    @contextmanager
    def running(self, *faults: str) -> Iterator["Run"]:
        """Run all stages with these faults armed; stop them cleanly at the end."""
        self._runs += 1
        log = self.folder / f"run-{self._runs}.log"
        command = [sys.executable, "-c", "from processors.cli.main import run; run()", "run", "all"]
        variables = {**os.environ, **self.environment, "VN_FAULTS": ",".join(faults), "VN_LOG_LEVEL": "info"}
        with log.open("wb") as file, subprocess.Popen(command, env=variables, stderr=file, stdout=file, cwd=ROOT) as process:
            run = Run(process, log)
            try:
                yield run
                assert process.poll() is None, f"the stages ended by themselves:\n{run.log[-3000:]}"
                process.send_signal(signal.SIGTERM)
                assert process.wait(20) == 0
            finally:
                process.kill()

    def play(
        self,
        moments: Sequence[Step],
        before: Callable[[int], None] = lambda _: None,
        meanwhile: Callable[[], None] = lambda: None,
        timeout: float = STEP_TIMEOUT,
    ) -> None:
        """Send each moment and wait until the pipeline is idle."""
        with environment(self.environment):
            for _ in play(moments, self.client, before=before, meanwhile=meanwhile, timeout=timeout):
                pass

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Return how a `vn` command ended."""
        return subprocess.run(
            [sys.executable, "-m", "processors", *command],
            env={**os.environ, **self.environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    # -- what came of it

    def verify(self) -> None:
        """
        Assert that every topic equals the rehearsal's, key by key and in order, every cache equals its changelog, and
        every changelog the states of the rehearsal's stages.
        """
        with environment(self.environment):
            intake = [(record.offset, record.value) for record in self._records(INTAKE)]
            driver = DriverByIntakeOffset(self.rehearsal, intake, load_rules(None), self.settings.seal().key)
            for topic in WRITTEN:
                records = self._records(topic)
                written = [(record.key, record.value) for record in records]
                expected = [(entry.key, entry.value) for entry in driver.entries(topic) if entry.value != CONTROL_RECORD]
                if topic in {KEYS, ERASED} and (self.earlier is not None or any(each.partition >= self.partitions for each in records)):
                    assert driver.latest(topic) == self.client.table(topic), f"what is left of {topic.name} differs"
                    written, expected = each_once(written), each_once(expected)
                assert_same(topic.name, self._by_key(topic, expected), self._by_key(topic, written))
            for unit in driver._stages:
                if unit.stage.changelog is not None:
                    got = self._verify_state(unit.stage)
                    assert_same(f"what {unit.stage.name} remembers", without_offsets(unit.states.fields), without_offsets(got))

    def _records(self, topic: Topic) -> Sequence[TopicRecord]:
        """Return the records of a topic after those of the run before; those of partitions that were added come later."""
        before = [] if self.earlier is None else self.earlier._records(topic)
        return [*before, *sorted(self.client.read(topic), key=lambda record: record.partition >= self.partitions)]

    def _by_key(self, topic: Topic, records: Iterable[tuple[str | None, bytes | None]]) -> dict[Any, list[Any]]:
        decode = self.client.codec.decode
        return group_by_key(topic, [(key, None if value is None else decode(value)) for key, value in records])

    def _verify_state(self, unit: Stage[Any]) -> dict[bytes, bytes]:
        """Assert that cache, changelog and committed offsets agree on every partition; return the states."""
        assert unit.changelog is not None
        fields: dict[int, dict[bytes, bytes]] = {}
        positions: dict[int, Position] = {}
        for record in self.client.read(unit.changelog):
            mine = fields.setdefault(record.partition, {})
            name = (record.key or "").encode()
            if name == b"__pos":
                positions[record.partition] = self.client.codec.decode(record.value or b"")
            elif record.value is None:
                mine.pop(name, None)
            else:
                mine[name] = record.value
        store = Store(self.settings.redis())
        places = [(self.prefix + topic.name, partition) for topic in unit.inputs for partition in positions]
        offsets = committed_offsets(self.broker.offsets_consumer(f"{self.prefix}{unit.name}"), places)
        for partition, position in positions.items():
            cache: dict[bytes, bytes] = store.call("HGETALL", f"vn:{{{self.prefix}{unit.name}:{partition}}}")
            assert msgspec.json.decode(cache.pop(b"__pos"), type=Stamp).position == position, unit.name
            assert_same(f"the cache of {unit.name}[{partition}]", fields[partition], cache)
            assert position.positions == {topic: offset for (topic, place), offset in offsets.items() if place == partition}, unit.name
        store.close()
        return {name: value for mine in fields.values() for name, value in mine.items()}


class Run:
    """A running `vn run all`."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def killed(self) -> Counter[str]:
        """Count how often each stage was ended by SIGKILL."""
        return Counter(re.findall(r'"unit": "(\w+)", "pid": \d+, "status": -9, "event": "ended"', self.log))

    def kill(self, number: int) -> None:
        """Kill one of the running stages by `kill -9`."""
        units = sorted(psutil.Process(self.process.pid).children(), key=lambda each: each.pid)
        if units:
            units[number % len(units)].kill()


class DriverByIntakeOffset(PipelineDriver):
    """
    The rehearsal, with every record of the intake at the offset that the broker gave it.

    All later stages keep the order of these offsets, and ids derive from them. On the broker they have gaps (transaction
    markers), and what `read` passes on in one moment and what `deliver` asks `identify` meanwhile arrive in any order:
    `identify` waits at an offset whose record has not been written yet. The origins in them are the broker's too.
    """

    def __init__(self, rehearsal: Rehearsal, intake: Iterable[tuple[int, bytes | None]], rules: Rules, key: bytes) -> None:
        super().__init__(PIPELINE, rules, key)
        self._context = replace(self._context, draw=lambda _: bytes(KEY_BYTES))
        self.now = 0
        self._unplaced: dict[Intake, deque[tuple[int, bytes]]] = {}  # offset and value, by what the value says besides its origin
        self._unwritten: set[int] = set()
        self._sending = False
        for offset, value in intake:
            assert value is not None
            self._unplaced.setdefault(self._without_origin(value), deque()).append((offset, value))
            self._unwritten.add(offset)
        for step in rehearsal.moments:
            self.advance_to(step.at)
            self._sending = True
            for record in step.records:
                self.send(record.topic, record.value, record.key)
            self._sending = False
            self._run()
        missing = Counter({intake.kind: len(left) for intake, left in self._unplaced.items() if left})
        assert not missing, f"the intake holds what nobody sent: {dict(missing)}"

    def _without_origin(self, value: bytes) -> Intake:
        intake: Intake = self.codec.decode(value)
        return msgspec.structs.replace(intake, origin=b"")

    def _append(self, topic: Topic, key: str | None, value: bytes | None, headers: tuple[tuple[str, str], ...] = ()) -> None:
        if topic is not INTAKE:
            super()._append(topic, key, value, headers)
            return
        intake = self._without_origin(value or b"")
        assert self._unplaced.get(intake), f"the intake lacks a {intake.kind}"
        (place, value), entries = self._unplaced[intake].popleft(), self._topics.setdefault(topic.name, [])
        while len(entries) <= place:
            super()._append(topic, None, CONTROL_RECORD)
        entries[place] = replace(entries[place], key=key, timestamp=self.now, value=value, headers=headers)
        self._unwritten.remove(place)

    def _step(self) -> bool:
        """Hold `identify` while this moment is still being sent, or the record that it would read next is not written yet."""
        positions, entries = self._stage_named("identify").task.positions, self._topics.get(INTAKE.name, ())
        while (
            (offset := positions[INTAKE.name]) < len(entries) and entries[offset].value == CONTROL_RECORD and offset not in self._unwritten
        ):
            positions[INTAKE.name] += 1
        (self._on_hold.add if self._sending or offset in self._unwritten else self._on_hold.discard)("identify")
        return super()._step()


def each_once(records: Iterable[tuple[str | None, bytes | None]]) -> list[tuple[str | None, bytes | None]]:
    """Return what was written: records that were moved or mirrored are there a second time, and deleted in the old place."""
    return [(key, value) for key, value in dict.fromkeys(records) if value is not None]


def group_by_key(topic: Topic, records: Iterable[tuple[str | None, Any]]) -> dict[Any, list[Any]]:
    """
    Return the records of each key in order.

    Journal entries are grouped by message, stage and offender, whatever batches they were written in, without the entries about
    waiting for a handover, which depend on which partition is ahead (docs/merging.md). The original's offset is removed from dead
    letters and from parts of submissions that `read` refused. Notifications are also grouped by offender, and present standings by
    registration, since they come from several partitions; parts of submissions come from several too, and are compared in any
    order; responses are grouped by message.
    """
    found: dict[Any, list[Any]] = {}
    for key, value in records:
        if topic is DECISIONS:
            for each in filter(lambda verdict: verdict.reason != "merging", value.verdicts):
                found.setdefault((each.message_id, each.ori, each.stage, each.offender, each.registrant_id), []).append(each)
        elif topic is DEAD_LETTERS:
            assert key == value.dead_letter_id
            bare = msgspec.structs.replace(value, dead_letter_id="", partition=0, offset=0)
            found.setdefault((value.sha256, value.reason), []).append(bare)
        elif topic is DEAD_LETTER_KEYS:
            found.setdefault("sealed for an id that is an offset", []).append(len(value.sealed))
        elif topic is TALLY:
            part = value if value.submission.isdecimal() else msgspec.structs.replace(value, submission="")
            found.setdefault(part, []).append(part)
        elif topic is RESPONSES:
            found.setdefault((key, value.message_id), []).append(value)
        elif topic is NOTIFICATIONS:
            about = value.registration_id if isinstance(value, PresentStanding) else value.event.offender
            found.setdefault((key, about), []).append(value)
        else:
            found.setdefault(key, []).append(value)
    return found


def without_offsets(fields: Mapping[bytes, bytes]) -> dict[bytes, list[bytes]]:
    """Return a stage's states; those of submissions that are named by their offset are grouped."""
    found: dict[bytes, list[bytes]] = {}
    for name, value in fields.items():
        found.setdefault(SUBMISSION_OFFSET.sub(b"refused", name), []).append(SUBMISSION_OFFSET.sub(b"refused", value))
    return {name: sorted(values) for name, values in found.items()}


def assert_same(what: str, want: Mapping[Any, Any], got: Mapping[Any, Any]) -> None:
    """Assert equality; a failure names differing keys and fields, never their contents."""
    wrong = [
        f"{key}: {describe_difference(want.get(key), got.get(key))}" for key in want.keys() | got.keys() if want.get(key) != got.get(key)
    ]
    assert not wrong, f"{what} differs under {len(wrong)} keys: " + "; ".join(sorted(wrong)[:SHOWN])


def describe_difference(want: Any, got: Any) -> str:
    """Describe how two values differ, without their contents."""
    if want is None or got is None:
        return "it is missing" if got is None else "it should not be there"
    if not isinstance(want, list):
        return f"{len(got)} bytes instead of {len(want)}" if len(got) != len(want) else "the same size, other bytes"
    if len(got) != len(want):
        return f"{len(got)} records instead of {len(want)}"
    if all(each in want for each in got):
        return f"its records in the order {[want.index(each) for each in got]}"
    number = next(number for number, pair in enumerate(zip(want, got, strict=True)) if pair[0] != pair[1])
    one, other = want[number], got[number]
    if type(one) is not type(other):
        return f"record {number} is a {type(other).__name__} instead of a {type(one).__name__}"
    return f"record {number} differs in {[name for name in one.__struct_fields__ if getattr(one, name) != getattr(other, name)]}"
