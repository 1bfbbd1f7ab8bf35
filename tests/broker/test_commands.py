"""The `vn` command as an agency, a registration site, a provider, a reviewer and an operator use it, on the real broker and store."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType  # type: ignore[attr-defined]

from processors.domain.journal import Verdict
from processors.runtime.kafka.clients import Broker
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.local import LocalCluster
from processors.runtime.settings import Settings
from processors.topics import DECISIONS, TOPICS
from processors.views.database import View
from processors.views.follower import Follower
from processors.views.tables import STAFF_MODEL
from processors.views.view_reader import CONSOLE_VIEW
from tests.broker.harness import environment, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400, method="signal")]

ROOT: Final = Path(__file__).parents[2]
TIMEOUT: Final = 120.0


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


class Office:
    """Everybody who uses one pipeline from the command line."""

    def __init__(self, addresses: Mapping[str, str], folder: Path) -> None:
        self.folder = folder
        self.variables = {**addresses, "VN_TOPIC_PREFIX": f"o{os.getpid()}-{time.monotonic_ns()}.", "VN_PARTITIONS": "2"}
        with environment(self.variables):
            self.settings = Settings()
        self._pipeline: subprocess.Popen[bytes] | None = None

    def view(self) -> Path:
        """Return the folder of a view of everything so far, like the console's."""
        folder = self.folder / "views"
        with environment(self.variables):
            view = View(folder / CONSOLE_VIEW, STAFF_MODEL)
            Follower(Broker(self.settings), UserClient(self.settings).codec, self.settings.topic_prefix, view).catch_up(30)
        return folder

    @property
    def prefix(self) -> str:
        return self.variables["VN_TOPIC_PREFIX"]

    def vn(self, *arguments: str, stdin: bytes = b"", code: int = 0, **variables: str) -> Done:
        """Run the command and assert that it ends as it should."""
        done = subprocess.run(
            [sys.executable, "-m", "processors", *arguments],
            input=stdin,
            env={**os.environ, **self.variables, **variables},
            cwd=ROOT,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
        result = Done(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert result.code == code, f"vn {' '.join(arguments)}: {result.code}\n{result.out[-2000:]}\n{result.err[-2000:]}"
        assert code or not result.err, f"vn {' '.join(arguments)} said on stderr: {result.err}"
        return result

    def refuses(self, *arguments: str, code: int = 1, **variables: str) -> str:
        """Assert that the command fails with nothing on stdout and one line on stderr, and return that line."""
        done = self.vn(*arguments, code=code, **variables)
        assert done.out == ""
        assert len(done.err.splitlines()) == 1, done.err
        assert done.err.startswith("vn: ")
        return done.err

    def file(self, name: str, *documents: Mapping[str, Any]) -> str:
        """Return the path of a file with the documents, one a line."""
        path = self.folder / name
        path.write_text("".join(json.dumps(each) + "\n" for each in documents), encoding="utf-8")
        return str(path)

    def submit(self, *submissions: Mapping[str, Any]) -> list[str]:
        return self.vn("submit", self.file("submissions.jsonl", *submissions)).lines

    def register(self, *registrations: Mapping[str, Any]) -> None:
        """Register, and wait until the registrations are in force."""
        self.vn("register", self.file("registrations.jsonl", *registrations))
        for each in registrations:
            self.decided(each["registration_id"], stage="identify")

    def verdicts(self) -> list[Verdict]:
        with environment(self.variables):
            return list(UserClient(self.settings).verdicts(DECISIONS))

    def decided(self, message_id: str, **fields: str) -> list[Verdict]:
        """Return the decisions about a message that have these fields, once there are any."""

        def found() -> list[Verdict]:
            mine = [each for each in self.verdicts() if each.message_id == message_id]
            return [each for each in mine if all(getattr(each, name) == value for name, value in fields.items())]

        return until(f"{message_id} is decided: {fields}", found, TIMEOUT)  # type: ignore[no-any-return]

    def tail(self, topic: str, *options: str) -> list[dict[str, Any]]:
        return self.vn("tail", topic, "--from-beginning", "--timeout", "0.5", "--json", *options).rows

    def run(self) -> None:
        """Start all stages."""
        with (self.folder / "stages.log").open("wb") as log:
            command = [sys.executable, "-m", "processors", "run", "all"]
            self._pipeline = subprocess.Popen(command, env={**os.environ, **self.variables}, stdout=log, stderr=log, cwd=ROOT)

    def stop(self) -> float:
        """Stop the stages cleanly; return how many seconds that took."""
        assert self._pipeline is not None
        began = time.monotonic()
        self._pipeline.send_signal(signal.SIGTERM)
        assert self._pipeline.wait(30) == 0
        return time.monotonic() - began

    def close(self) -> None:
        if self._pipeline is not None:
            self._pipeline.kill()
            self._pipeline.wait()


@pytest.fixture(scope="module")
def office(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Stages running on topics of their own; whatever the time of day, no message is held for quiet hours or for merging."""
    made = Office(cluster.addresses.environment, tmp_path_factory.mktemp("office"))
    made.vn("topics", "create")
    for key, value in (("quiet.hours", "none"), ("merge.window", "0s"), ("responses", "false")):
        made.vn("policy", "set", key, value)
    made.run()
    yield made
    made.close()


def hearing(message_id: str, sid: str, case: str, days: int = 10, **fields: Any) -> dict[str, Any]:
    """Return the announcement of a hearing in this many days."""
    return {
        "message_id": message_id,
        "agency": {"ori": "VA043013A", "name": "Henrico Commonwealth's Attorney", "state": "VA"},
        "event_type": "Prosecution",
        "event_subtype": "Court Hearing",
        "notification_type": "Hearing Notice",
        "notification_subtypes": [{"subtype": "Validate", "validations": ["Date"]}],
        "action_at": (datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)).isoformat(),
        "offenders": [
            {"identifiers": [{"scheme": "SID", "value": sid}], "name": {"given": "Dean", "sur": "Colton"}, "birth_date": "1986-03-19"}
        ],
        "case": {"number": case, "court": "Henrico Circuit Court"},
        **fields,
    }


def registration(registration_id: str, sid: str, **fields: Any) -> dict[str, Any]:
    """Return a registration for the offender, by text message."""
    return {
        "registration_id": registration_id,
        "registrant_id": f"R-{registration_id}",
        "source": "VINE",
        "offender": {"identifiers": [{"scheme": "SID", "value": sid}]},
        "language": "en",
        "time_zone": "America/New_York",
        "contacts": [{"channel": "sms", "address": "+18045550107", "verified": True}],
        "created_at": "2026-01-01T00:00:00Z",
        **fields,
    }


# -- the operator sets up


def test_topics_are_made_once_and_never_with_other_partitions(office: Office) -> None:
    own = {"VN_TOPIC_PREFIX": f"t{office.prefix}"}
    made = office.vn("topics", "create", **own).lines
    assert len(made) == len(TOPICS)
    assert f"{own['VN_TOPIC_PREFIX']}submissions: created, 2 partitions" in made
    assert office.vn("topics", "create", **own).out == ""
    assert "set VN_PARTITIONS=2" in office.refuses("topics", "create", VN_PARTITIONS="3", **own)
    rows = office.vn("topics", "list", "--json", **own).rows
    assert {row["topic"] for row in rows} == {own["VN_TOPIC_PREFIX"] + topic.name for topic in TOPICS}
    assert {row["state"] for row in rows} == {"ok"}


def test_a_stage_runs_until_nothing_is_in_flight(office: Office) -> None:
    own = {"VN_TOPIC_PREFIX": f"u{office.prefix}"}
    office.vn("topics", "create", **own)
    office.vn("submit", "-", stdin=json.dumps(hearing("IDLE-1", "VA0000001", "C-1")).encode(), **own)
    done = subprocess.run(
        [sys.executable, "-m", "processors", "run", "ingest", "--until-idle", "0.5"],
        env={**os.environ, **office.variables, **own},
        cwd=ROOT,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0
    decisions = office.vn("explain", "IDLE-1", "--json", **own).rows[0]["decisions"]
    assert [(each["stage"], each["outcome"]) for each in decisions] == [("read", "accepted"), ("identify", "passed")]
    done = office.vn("audit", "--json", code=1, **own)
    assert done.err == "vn: 1 offenders' parts of submissions lack a decision: audit again once all stages run and are idle\n"
    sums = done.rows[0]
    assert (sums["submissions"], sums["read"], sums["missing"]) == (1, 1, 1)  # dedupe has not decided yet


def test_what_no_stage_could_run_without_is_said_at_once(office: Office) -> None:
    nowhere = {"VN_TOPIC_PREFIX": f"n{office.prefix}"}
    assert "run `vn topics create`" in office.refuses("run", "all", **nowhere)
    assert f"there is no topic {nowhere['VN_TOPIC_PREFIX']}submissions" in office.refuses(
        "submit", str(ROOT / "examples" / "xml" / "icots-departure.xml"), **nowhere
    )


def test_the_local_broker_and_store_are_up_already(office: Office, cluster: LocalCluster) -> None:
    done = office.vn("local", "up", "--dir", str(cluster.folder))
    assert done.lines == [f"export {name}={value}" for name, value in cluster.addresses.environment.items()]
    assert "answers" in office.vn("local", "status", "--dir", str(cluster.folder)).out
    nothing = office.folder / "nothing"
    assert "does not run" in office.vn("local", "status", "--dir", str(nothing), code=1).out
    assert not nothing.exists()


def test_the_doctor_finds_what_is_to_be_mended(office: Office) -> None:
    assert all(each["ok"] or each["fix"] for each in office.vn("doctor", "--json").rows)
    own = {"VN_TOPIC_PREFIX": f"d{office.prefix}"}
    office.vn("topics", "create", **own)
    with environment(office.variables):
        admin = Broker(office.settings).admin()
        change = ConfigEntry("message.timestamp.type", "CreateTime", incremental_operation=AlterConfigOpType.SET)
        submissions = ConfigResource(ResourceType.TOPIC, f"{own['VN_TOPIC_PREFIX']}submissions", incremental_configs=[change])
        for answer in admin.incremental_alter_configs([submissions]).values():
            answer.result(TIMEOUT)
    (changed,) = [each for each in office.vn("doctor", "--json", code=1, **own).rows if not each["ok"]]
    assert changed["fix"] == "vn topics create --apply"
    assert "message.timestamp.type=CreateTime, not LogAppendTime" in changed["found"]
    office.vn("topics", "create", "--apply", **own)
    office.vn("doctor", **own)
    missing = office.vn("doctor", "--json", code=1, VN_TOPIC_PREFIX=f"none{office.prefix}").rows
    assert any("vn topics create" in each["fix"] for each in missing if not each["ok"])


def test_rules_are_checked_and_shown(office: Office) -> None:
    assert office.vn("rules", "check").out.startswith("The rules are sound")
    office.vn("policy", "set", "date.past", "36h", "--jurisdiction", "VA")
    shown = office.vn("rules", "show", "VA").out
    assert "Virginia" in shown
    assert re.search(r"date\.past.*36h", shown), "the settings in force are part of the rules shown"
    office.vn("policy", "unset", "date.past", "--jurisdiction", "VA")
    assert "write one of" in office.refuses("rules", "show", "XX", code=2)
    folder = office.folder / "rules"
    folder.mkdir()
    (folder / "ours.toml").write_text('[[event]]\nsubtype = "Escape"\nnonsense = 1\n', encoding="utf-8")
    assert "ours.toml" in office.refuses("rules", "check", VN_RULES_DIR=str(folder))


# -- agencies and registration sites send


def test_submit_prints_an_id_a_message(office: Office) -> None:
    two = office.file("two.jsonl", hearing("SUB-1", "VA0000010", "C-1"), hearing("SUB-2", "VA0000010", "C-2"))
    xml = ROOT / "examples" / "xml" / "icots-departure.xml"
    pretty = office.folder / "pretty.json"
    pretty.write_text(json.dumps(hearing("SUB-3", "VA0000010", "C-3"), indent=2), encoding="utf-8")
    done = office.vn("submit", two, str(xml), str(pretty), "-", stdin=b"\x00\x01 nobody can read this")
    assert done.lines == ["SUB-1", "SUB-2", "ICOTS-NOD-931", "SUB-3", "-"]
    assert office.vn("submit", "--raw", two).lines == ["-"]
    assert "cannot be read" in office.refuses("submit", str(office.folder / "absent.json"))
    for message_id in ("SUB-1", "SUB-2", "SUB-3"):
        assert office.decided(message_id, stage="match")[0].reason == "no_registration"
    keys = {(each["key"], each["value"]["message_id"]) for each in office.tail("submissions") if isinstance(each["value"], dict)}
    assert keys == {("VA043013A", message_id) for message_id in ("SUB-1", "SUB-2", "SUB-3")}


def test_registrations_by_json_and_csv_are_told_until_they_are_removed(office: Office) -> None:
    office.register(registration("REG-1", "VA0000020"))
    sheet = office.folder / "sheet.csv"
    sheet.write_text(
        "registration_id,registrant_id,source,sid,given,sur,birth_date,language,time_zone,email,verified,case_numbers,created_at\n"
        "REG-2,R-REG-2,VINE,VA0000020,Dean,Colton,1986-03-19,es,America/New_York,"
        '"a@example.org; b@example.org",yes,C-1;C-2,2026-01-01T00:00:00Z\n',
        encoding="utf-8",
    )
    assert office.vn("register", str(sheet)).lines == ["REG-2"]
    office.decided("REG-2", stage="identify")
    assert office.submit(hearing("REG-M-1", "VA0000020", "C-1")) == ["REG-M-1"]
    until("both are told", lambda: len(office.decided("REG-M-1", outcome="sent")) == 3)
    told = {
        (each["value"]["registrant_id"], each["value"]["to"]) for channel in ("sms", "email") for each in office.tail(f"outbound.{channel}")
    }
    assert {("R-REG-1", "+18045550107"), ("R-REG-2", "a@example.org"), ("R-REG-2", "b@example.org")} <= told
    assert office.vn("unregister", "REG-1", "REG-2").lines == ["REG-1", "REG-2"]
    until("both have ended", lambda: all(len(office.decided(each, stage="identify")) == 2 for each in ("REG-1", "REG-2")))
    office.submit(hearing("REG-M-2", "VA0000020", "C-1", days=11))
    assert office.decided("REG-M-2", stage="match")[0].outcome == "unmatched"
    bad = office.folder / "bad.csv"
    bad.write_text("registration_id,phone\nREG-3,1\n", encoding="utf-8")
    assert "phone" in office.refuses("register", str(bad))


# -- everybody looks


def test_tail_shows_records_as_the_contract_says(office: Office) -> None:
    office.register(registration("TAIL-1", "VA0000030"))
    before = datetime.now(UTC).timestamp() * 1000
    office.submit(hearing("TAIL-M-1", "VA0000030", "C-1"), hearing("TAIL-M-2", "VA0000030", "C-2"))
    for message_id in ("TAIL-M-1", "TAIL-M-2"):
        office.decided(message_id, outcome="sent")
    rows = [each for each in office.tail("outbound.sms") if each["key"] == "R-TAIL-1" and each["value"]["kind"] == "notification"]
    assert [each["value"]["message_ids"] for each in rows] == [["TAIL-M-1"], ["TAIL-M-2"]]
    for each in rows:
        assert list(each) == ["topic", "partition", "offset", "timestamp", "key", "headers", "value"]
        assert each["topic"] == f"{office.prefix}outbound.sms"
        assert each["partition"] in {0, 1}
        assert isinstance(each["offset"], int)
        assert before - 60_000 < each["timestamp"] < before + 3_600_000
        assert each["headers"]["ce_id"] == each["value"]["reference"]
        assert datetime.fromisoformat(each["value"]["created_at"]).utcoffset() == timedelta(0)
    assert len(office.tail(f"{office.prefix}outbound.sms", "--max", "1")) == 1
    assert office.vn("tail", "outbound.sms", "--timeout", "0.3", "--json").out == "", "without --from-beginning only what comes now"
    office.vn("unregister", "TAIL-1")
    removed = until("the removal is seen", lambda: [each for each in office.tail("registrations") if each["value"] is None])
    assert "TAIL-1" in {each["key"] for each in removed}
    stages = {each["value"]["stage"] for each in office.tail("decisions") if each["value"]["message_id"] == "TAIL-M-1"}
    assert stages == {"read", "identify", "dedupe", "validate", "match", "deliver"}, "the journal is shown a decision at a time"
    assert "R-TAIL-1" in office.vn("tail", "outbound.sms", "--from-beginning", "--timeout", "0.3").out
    assert "vn topics list" in office.refuses("tail", "nonsense", code=2)


def test_explain_tells_a_messages_life_and_its_receipts(office: Office) -> None:
    office.register(registration("LIFE-1", "VA0000040"))
    office.submit(hearing("LIFE-M-1", "VA0000040", "C-1"))
    reference = office.decided("LIFE-M-1", outcome="sent")[0].reference
    assert reference is not None
    now = datetime.now(UTC).isoformat()
    said = {"reference": reference, "status": "delivered", "occurred_at": now, "provider": "carrier"}
    unknown = {**said, "reference": "R-LIFE-1.00000000000000000000"}
    assert office.vn("receipt", office.file("receipts.jsonl", said, unknown)).lines == [reference, unknown["reference"]]
    until("the receipt is read", lambda: [each for each in office.verdicts() if each.outcome == "receipt" and each.reference == reference])
    life = office.vn("explain", "LIFE-M-1", "--json").rows[0]
    assert [each["stage"] for each in life["decisions"]][:5] == ["read", "identify", "dedupe", "validate", "match"]
    assert all(each["reason"] and "detail" in each for each in life["decisions"])
    attempts = [attempt for each in life["notifications"] for attempt in each["attempts"]]
    assert [(each["reference"], each["channel"], len(each["receipts"])) for each in attempts] == [(reference, "sms", 1)]
    assert reference in office.vn("explain", "LIFE-M-1").out
    assert "nothing is known of message ABSENT" in office.refuses("explain", "ABSENT")
    assert "(from the whole topic" in office.vn("explain", "LIFE-M-1").out
    indexed = {"VN_VIEWS_DIR": str(office.view())}
    office.submit(hearing("LIFE-M-2", "VA0000040", "C-2"))
    office.decided("LIFE-M-2", outcome="sent")
    assert office.vn("explain", "LIFE-M-1", "--json", **indexed).rows == [life]
    assert "console.sqlite and what was written since" in office.vn("explain", "LIFE-M-2", **indexed).out
    assert "nothing is known of message ABSENT" in office.refuses("explain", "ABSENT", **indexed)
    letters = until("the unknown reference is dead-lettered", lambda: dead(office, "unknown_receipt"))
    assert len(letters) == 1
    (own,) = [each for each in office.tail("receipts") if each["value"]["reference"] == unknown["reference"]]
    assert (letters[0]["topic"], letters[0]["partition"], letters[0]["offset"]) == ("receipts", own["partition"], own["offset"])
    assert letters[0]["sha256"] == sha256(json.dumps(unknown).encode()).hexdigest()


def dead(office: Office, reason: str) -> list[dict[str, Any]]:
    return [each for each in office.vn("dead-letters", "list", "--json").rows if each["reason"] == reason]


def test_dead_letters_are_listed_and_sent_again(office: Office) -> None:
    bad = hearing("DEAD-1", "VA0000050", "C-1", event_subtype="Coronation")
    office.submit(bad)
    first = until("it is a dead letter", lambda: dead(office, "unknown_code"))
    assert len(first) == 1
    assert re.fullmatch("[0-9a-f]{64}", first[0]["sha256"])
    assert "original" not in first[0]
    assert first[0]["dead_letter_id"] in office.vn("dead-letters", "list").out
    assert office.vn("dead-letters", "replay", first[0]["dead_letter_id"]).lines == [first[0]["dead_letter_id"]]
    again = until("nothing was fixed", lambda: len(found := dead(office, "unknown_code")) == 2 and found)
    assert len({each["sha256"] for each in again}) == 1, "byte for byte"
    assert "no dead letter ABSENT" in office.refuses("dead-letters", "replay", "ABSENT")
    office.refuses("dead-letters", "replay", code=2)


# -- reviewers judge, administrators set


def test_reviews_are_released_and_discarded(office: Office) -> None:
    office.register(registration("REV-1", "VA0000060"))
    office.submit(hearing("REV-M-1", "VA0000060", "C-1", days=200), hearing("REV-M-2", "VA0000060", "C-2", days=201))
    for message_id in ("REV-M-1", "REV-M-2"):
        office.decided(message_id, outcome="flagged")
    rows = {each["message_id"]: each for each in office.vn("review", "list", "--json").rows}
    first, second = rows["REV-M-1"], rows["REV-M-2"]
    assert {"review_id", "message_id", "state", "reason", "detail", "since"} <= first.keys()
    assert (first["state"], first["reason"]) == ("open", "too_far_ahead")
    assert first["review_id"] in office.vn("review", "list").out
    indexed = {"VN_VIEWS_DIR": str(office.view())}
    assert office.vn("review", "list", "--json", **indexed).rows == office.vn("review", "list", "--json").rows
    assert "too_far_ahead" in office.vn("review", "show", first["review_id"]).out
    office.refuses("review", "release", first["review_id"], code=2)
    release = ("review", "release", first["review_id"], "--reason", "date confirmed", "--as", "reviewer-1")
    assert office.vn(*release).lines == [first["review_id"]]
    assert office.vn("review", "discard", second["review_id"], "--reason", "typing error").lines == [second["review_id"]]
    office.decided("REV-M-1", outcome="sent")
    until(
        "both are settled", lambda: not {"REV-M-1", "REV-M-2"} & {each["message_id"] for each in office.vn("review", "list", "--json").rows}
    )
    settled = office.vn("review", "show", first["review_id"], "--json").rows[0]
    assert (settled["state"], settled["reviewer"], settled["comment"]) == ("released", "reviewer-1", "date confirmed")
    settled = office.vn("review", "list", "--all", "--json", **indexed)
    assert {each["state"] for each in settled.rows} >= {"released", "discarded"}, "what was written after the view is there too"
    assert settled.rows == office.vn("review", "list", "--all", "--json").rows
    assert not [each for each in office.verdicts() if each.message_id == "REV-M-2" and each.outcome == "sent"]
    assert "is released already" in office.refuses(*release)
    for action in ("show", "release", "discard"):
        options = () if action == "show" else ("--reason", "r")
        assert "there is no review ABSENT" in office.refuses("review", action, "ABSENT", *options)
    assert "no open review belongs to group G" in office.refuses("review", "release", "--group", "G", "--reason", "r")


def test_a_setting_takes_effect_within_five_seconds(office: Office) -> None:
    scope = ("--notification-type", "Hearing Notice", "--jurisdiction", "VA")
    sent = iter(range(1_000))

    def decided_as(reason: str) -> Verdict | None:
        """Announce one more hearing; return the first decision of this kind."""
        office.decided(office.submit(hearing(name := f"SET-{reason}-{next(sent)}", "VA0000070", name))[0], stage="validate")
        mine = (each for each in office.verdicts() if each.message_id.startswith(f"SET-{reason}-") and each.stage == "validate")
        return next((each for each in mine if each.reason == reason), None)

    assert office.vn("policy", "set", "date.future", "1d", *scope).lines == ["date.future = 1d (VA, Hearing Notice)"]
    since = time.time_ns() // 1_000_000
    flagged: Verdict = until("it is flagged", lambda: decided_as("too_far_ahead"))
    assert flagged.at - since <= 5_000
    shown = office.vn("policy", "show", "--jurisdiction", "VA", "--json").rows
    assert ("date.future", "1d", "VA, Hearing Notice") in {(each["key"], each["value"], each["scope"]) for each in shown}
    assert not [each for each in office.vn("policy", "show", "--jurisdiction", "NC", "--json").rows if each["scope"].startswith("VA")]
    assert office.vn("policy", "unset", "date.future", *scope).lines == ["date.future unset (VA, Hearing Notice)"]
    since = time.time_ns() // 1_000_000
    passed: Verdict = until("it is let go", lambda: decided_as("confirmed"))
    assert passed.at - since <= 5_000
    assert passed.rules != flagged.rules, "the journal says which settings decided"
    assert "was not set" in office.vn("policy", "unset", "date.future", *scope).out
    office.refuses("policy", "set", "date.future", "soon", code=2)
    office.refuses("policy", "set", "no.such.setting", "1d", code=2)
    office.refuses("policy", "set", "date.future", code=2)


def test_expected_events_are_listed(office: Office) -> None:
    subtypes = [{"subtype": "Validate", "validations": ["Date"]}, {"subtype": "Expect Subsequent Event", "validations": []}]
    office.submit(hearing("EXP-1", "VA0000080", "C-1", notification_subtypes=subtypes))

    def owed(*options: str) -> list[dict[str, Any]]:
        return [each for each in office.vn("expected", "list", "--json", *options).rows if each["message_id"] == "EXP-1"]

    rows = until("it is expected", owed)
    assert {each["state"] for each in rows} == {"open"}
    assert not owed("--overdue")
    assert owed("--all") == rows
    assert "EXP-1" in office.vn("expected", "list").out
    indexed = {"VN_VIEWS_DIR": str(office.view())}
    assert office.vn("expected", "list", "--json", **indexed).rows == office.vn("expected", "list", "--json").rows
    assert "console.sqlite" in office.vn("expected", "list", **indexed).out


# -- the operator closes


def test_everything_adds_up(office: Office) -> None:
    sums = until("nothing is under way", lambda: (found := office.vn("audit", "--json").rows[0])["missing"] == 0 and found)
    assert sums["submissions"] == sums["read"] > 0
    assert re.search(r"^missing +0$", office.vn("audit").out, re.MULTILINE)


def test_submissions_that_retention_removed_are_not_missing(office: Office) -> None:
    before = office.vn("audit", "--json").rows[0]
    name, broker = f"{office.prefix}submissions", Broker(office.settings)
    topic_partition = TopicPartition(name, 0, broker.end_offsets([(name, 0)])[name, 0])
    admin = broker.admin()
    admin.delete_records([topic_partition])[topic_partition].result(TIMEOUT)
    after = office.vn("audit", "--json").rows[0]
    assert after["submissions"] < before["submissions"]
    assert after == before | {"submissions": after["submissions"]}


def test_a_record_of_a_partition_that_does_not_exist_is_not_quarantined(office: Office) -> None:
    assert "has no partition 7: its partitions are 0 to" in office.refuses("quarantine", "submissions", "7", "0", "--reason", "a test")


def test_the_stages_stop_cleanly_when_told(office: Office) -> None:
    assert office.stop() < 10
