"""
Erasure and keys on a real broker and store: planted addresses and PINs are searched for on disk, and every sealed byte is tried.

A registrant leaves traces everywhere they can: registered, told by three channels, a PIN keyed in, an answer in words, a
registration refused; messages from their addresses, and registrations with them, that were refused without saying whose they
are; a registration that was quarantined in `read`, and one in a later stage. What a backup of the states holds is tried with every
key that is left.
"""

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType  # type: ignore[attr-defined]

from processors.domain.erasure import RegistrantKey
from processors.domain.seal import Seal, SealBroken, key_id, named_key
from processors.runtime.kafka.clients import Broker
from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.kafka.user_client import TopicRecord, UserClient
from processors.runtime.key_file import read_seal
from processors.runtime.local import LocalCluster
from processors.runtime.settings import Settings
from processors.topics import (
    DEAD_LETTER_KEYS,
    DEAD_LETTERS,
    DELIVER_STATE,
    INBOUND,
    INTAKE,
    KEYS,
    OUTBOUND,
    RECEIPTS,
    REGISTRATIONS,
    SUBMISSIONS,
    TOPICS,
)
from tests.broker.harness import SHORT_TIMEOUTS, TIMEOUT, environment, until
from tests.stories.builders import registration, submission

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600, method="signal")]

PHONE, EMAIL, PIN, REFUSED = "+18045559731", "planted.person@example.org", "7391", "planted.refused@example.org"
WRITTEN = "(804) 555-9731"  # the number as people write it
PLANTED = (
    PHONE.encode(),
    PHONE[2:].encode(),
    WRITTEN.encode(),
    EMAIL.encode(),
    REFUSED.encode(),
    f'"{PIN}"'.encode(),
    b"\x08" + PIN.encode(),
)
DEAD = 7  # letters: one registration and two messages refused, two registrations that name nobody, two set aside
PURPOSES = ("contacts:R-1", "contacts:R-2", "dead-letter", "inbound", "review-subject")


class Pipeline:
    """A pipeline in processes, under a prefix of its own."""

    def __init__(self, local: LocalCluster, folder: Path) -> None:
        self.folder = folder
        self.disk = local.folder
        key_file = folder / "key"
        key_file.touch(0o600)
        key_file.write_text(local.addresses.key_file.read_text())
        self.variables = {
            **local.addresses.environment,
            **SHORT_TIMEOUTS,
            "VN_KEY_FILE": str(key_file),
            "VN_TOPIC_PREFIX": f"e{os.getpid()}-{time.monotonic_ns()}.",
            "VN_PARTITIONS": "1",
            "VN_VIEWS_DIR": str(folder / "views"),
        }
        self.key_file = key_file
        with environment(self.variables):
            self.settings = Settings()
            create_topics(self.settings)
            self.client = UserClient(self.settings)
            self.hurry()
        self.processes: list[subprocess.Popen[bytes]] = []

    def hurry(self) -> None:
        """Have the broker roll, compact and delete segments within seconds instead of an hour."""
        closed = {"segment.ms": "200", "file.delete.delay.ms": "100"}
        compacted = closed | {"max.compaction.lag.ms": "500", "min.compaction.lag.ms": "0"}
        names = {topic.name: compacted if topic in {KEYS, DEAD_LETTER_KEYS} else closed for topic in TOPICS}
        changes = [
            ConfigResource(ResourceType.TOPIC, self.settings.topic_prefix + name, incremental_configs=entries(wanted))
            for name, wanted in names.items()
        ]
        admin = Broker(self.settings).admin()
        for answer in admin.incremental_alter_configs(changes).values():
            answer.result(30)

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        """Start a command; its log is kept, what a console shows is not."""
        variables = {**os.environ, **self.variables}
        full = [sys.executable, "-m", "processors", *command]
        with (self.folder / f"{len(self.processes)}.log").open("wb") as log:
            self.processes.append(subprocess.Popen(full, env=variables, stdout=subprocess.DEVNULL, stderr=log, stdin=subprocess.DEVNULL))
        return self.processes[-1]

    def vn(self, *command: str) -> str:
        """Run a command to its end and return what it prints; fails if it does."""
        variables = {**os.environ, **self.variables}
        done = subprocess.run(
            [sys.executable, "-m", "processors", *command], env=variables, capture_output=True, text=True, timeout=200, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def register(self, registrant: str, **fields: Any) -> None:
        found = registration(registrant, **fields)
        self.client.send(REGISTRATIONS, [(found["registration_id"], json.dumps(found).encode())])

    def outbound(self, registrant: str) -> Mapping[str, Any]:
        """Return what was sent to a registrant of an event, by channel."""
        found = [each for topic in OUTBOUND.values() for each in self.client.values(topic)]
        return {each.channel: each for each in found if each.registrant_id == registrant and each.kind == "notification"}

    def found_on_disk(self) -> dict[str, list[str]]:
        """Return where a planted text stands on disk, by file: broker, store, logs and views."""
        found: dict[str, list[str]] = {}
        for folder in (self.disk, self.folder):
            for file in folder.rglob("*"):
                if file.is_file() and (self.settings.topic_prefix in str(file) or "data" not in file.parts or folder == self.folder):
                    content = file.read_bytes() if file.exists() else b""
                    if hits := [each.decode(errors="replace") for each in PLANTED if each in content]:
                        found[str(file)] = hits
        return found

    def records(self) -> list[TopicRecord]:
        return [record for topic in TOPICS for record in self.client.read(topic)]

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def entries(wanted: Mapping[str, str]) -> list[ConfigEntry]:
    return [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in wanted.items()]


@pytest.fixture
def pipeline(cluster: LocalCluster, tmp_path: Path) -> Iterator[Pipeline]:
    made = Pipeline(cluster, tmp_path)
    yield made
    made.close()


def sealed_in(value: Any) -> Iterator[bytes]:
    """Yield every sealed value within a record's plain form."""
    if isinstance(value, dict):
        for each in value.values():
            yield from sealed_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from sealed_in(each)
    elif isinstance(value, bytes):
        if named_key(value) is not None:
            yield value
        elif value[:1] == b"{":
            yield from sealed_in(msgspec.json.decode(value))
    elif isinstance(value, str) and value[:3] in {"dms", "dmt", "dmu", "dmv"}:  # base64 of what a sealed value begins with
        yield from sealed_in(base64.b64decode(value + "=" * (-len(value) % 4), validate=False))


def opened(records: list[TopicRecord], client: UserClient, seal: Seal) -> list[bytes]:
    """Return the values in the records that open with the key file, or with the keys that it opens."""
    plain = [msgspec.to_builtins(client.codec.decode(each.value), builtin_types=(bytes,)) for each in records if own(each)]
    sealed = set(sealed_in(plain))
    keys = [seal]
    for each in records:
        if each.topic.endswith((KEYS.name, DEAD_LETTER_KEYS.name)) and each.value is not None:
            found = client.codec.decode(each.value)
            assert isinstance(found, RegistrantKey)
            keys.append(found.seal_for(each.key or "", seal))
    brought = [attempt(seal, value, f"registrant-key:{name}") for value in sealed for name in ("R-1", "R-2", "R-3")]
    keys += [Seal(key) for key in brought if key is not None]
    return [text for key in keys for value in sealed for purpose in PURPOSES if (text := attempt(key, value, purpose)) is not None]


def own(record: TopicRecord) -> bool:
    """Whether the pipeline wrote the record, as Avro of its own."""
    return record.value is not None and record.value[:2] == b"\xc3\x01" and not record.topic.endswith(("submissions", "erasures"))


def attempt(seal: Seal, value: bytes, purpose: str) -> bytes | None:
    try:
        return seal.open(value, purpose)
    except SealBroken:
        return None


def test_after_an_erasure_nothing_readable_is_left_anywhere(pipeline: Pipeline) -> None:
    client = pipeline.client
    set_aside(pipeline)
    pipeline.start("run", "all")
    pipeline.start("provider", "console")
    contacts = [{"channel": channel, "address": EMAIL if channel == "email" else PHONE, "verified": True} for channel in OUTBOUND]
    pipeline.register("R-1", contacts=contacts, pin=PIN, registration_id="V-1")
    pipeline.register("R-1", contacts=[{"channel": "email", "address": REFUSED, "verified": True}], source="FACEBOOK")
    others = [{**each, "address": "other@example.org" if each["channel"] == "email" else "+18045559000"} for each in contacts]
    pipeline.register("R-2", contacts=others, registration_id="V-2")
    until("the registrations taken", lambda: len(client.table(KEYS)) == 2)
    client.send(SUBMISSIONS, [(None, json.dumps(submission(action_at=now())).encode())])
    call = until("the call", lambda: pipeline.outbound("R-1").get("voice"))
    receipt = {"reference": call.reference, "status": "confirmed", "digits": PIN, "occurred_at": now(), "provider": "test"}
    answer = {"provider": "test", "channel": "sms", "from": PHONE, "to": "12345", "body": f"mail {EMAIL}", "occurred_at": now()}
    client.send(RECEIPTS, [(None, json.dumps(receipt).encode())])
    client.send(INBOUND, [(None, json.dumps(answer).encode())])
    strange = {**answer, "channel": "fax", "from": WRITTEN}
    client.send(
        INBOUND, [(None, json.dumps(strange).encode()), (None, json.dumps({**answer, "from": 5, "body": f"I am {EMAIL}"}).encode())]
    )
    nobody = {**registration("R-9", contacts=contacts), "registrant_id": EMAIL}
    client.send(REGISTRATIONS, [(None, json.dumps(nobody).encode()), (None, json.dumps(nobody).encode()[:-40])])
    until("every dead letter", lambda: len(list(client.values(DEAD_LETTERS))) == DEAD)
    assert not [each for each in client.values(DEAD_LETTERS) if each.is_anybodys], "each says whose it may be"
    until("the answer kept", lambda: any(b"replies" in (each.value or b"") for each in client.read(DELIVER_STATE)))
    before, backup = pipeline.records(), list(client.read(DELIVER_STATE))
    seal = read_seal(pipeline.key_file)
    assert pipeline.found_on_disk(), "the search finds what is there"
    readable = opened(before, client, seal)
    assert all(any(each.encode() in text for text in readable) for each in (PHONE, EMAIL, REFUSED)), "and every seal can be opened"

    pipeline.vn("erase", "R-1", "--reason", "asked by letter", "--wait")
    assert until("no planted text on disk", lambda: not pipeline.found_on_disk())
    left = opened([*pipeline.records(), *backup], client, seal)
    assert [text for text in left if any(each in text for each in PLANTED)] == []
    assert any(b"+18045559000" in text for text in left), "others' contacts open as before"
    assert "R-1" not in pipeline.vn("key", "list", "--json")


def set_aside(pipeline: Pipeline) -> None:
    """Have a registration of the registrant set aside by `read`, and one by `identify`, before these decide about them."""
    contacts = [{"channel": "sms", "address": WRITTEN, "verified": True}]
    for number in range(2):
        pipeline.register("R-1", contacts=contacts, registration_id=f"V-9{number}")
    pipeline.vn("quarantine", "registrations", "0", "0", "--reason", "a test")
    assert pipeline.start("run", "read", "--until-idle", "1").wait(TIMEOUT) == 0
    (intake,) = pipeline.client.read(INTAKE)
    pipeline.vn("quarantine", "intake", "0", str(intake.offset), "--reason", "a test")


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def test_a_key_is_rotated_under_load_with_a_kill_in_the_middle(pipeline: Pipeline) -> None:
    count = 400
    client = pipeline.client
    pipeline.start("run", "ingest", "dedupe", "validate", "match")
    deliver = pipeline.start("run", "deliver")
    for number in range(count // 2):
        pipeline.register(f"K-{number}", contacts=mobile(number))
    until("half of them registered", lambda: len(client.table(KEYS)) == count // 2)
    newest = pipeline.vn("key", "rotate").strip()
    for number in range(count // 2, count):
        pipeline.register(f"K-{number}", contacts=mobile(number))
        if number == count * 3 // 4:
            deliver.kill()
            deliver.wait()
            pipeline.start("run", "deliver")
    seal = read_seal(pipeline.key_file)
    assert newest == key_id(seal.key).hex()
    sealed = until("every key sealed by the newest", lambda: by_newest(client, newest, count))
    assert all(each.seal_for(name, Seal(seal.key)) for name, each in sealed.items())
    client.send(SUBMISSIONS, [(None, json.dumps(submission(action_at=now())).encode())])
    told = until("all of them told", lambda: notifications(client, count))
    assert len({each.registrant_id for each in told}) == count
    assert len({each.reference for each in told}) == len(told)


def mobile(number: int) -> list[dict[str, Any]]:
    """Return a contact for each of some thousand registrants."""
    return [{"channel": "sms", "address": f"+1804557{2000 + number}", "verified": True}]


def notifications(client: UserClient, count: int) -> list[Any]:
    """Return what was sent about the event once there is this much; nothing before."""
    found = [each for each in client.values(OUTBOUND["sms"]) if each.kind == "notification"]
    return found if len(found) >= count else []


def by_newest(client: UserClient, newest: str, count: int) -> dict[str, RegistrantKey]:
    """Return the keys once there are this many and each is sealed with the newest key; nothing before."""
    found = client.table(KEYS)
    done = len(found) == count and all((named_key(each.sealed) or b"").hex() == newest for each in found.values())
    return found if done else {}
