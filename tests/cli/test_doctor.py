"""`vn doctor` reports each problem once."""

from collections.abc import Iterator

import pytest

from processors.cli import doctor
from processors.cli.doctor import Finding, run_checks
from processors.runtime.errors import UsageError, UserError
from processors.runtime.kafka.topics_admin import TopicStatus
from processors.runtime.settings import Settings
from processors.topics import DISTINCT, EVENTS, INTAKE


def silent(_: Settings) -> Iterator[Finding]:
    raise UserError("it does not answer: start it")
    yield


def sound(_: Settings) -> Iterator[Finding]:
    yield Finding("sound", ok=True, found="it answers")


def test_what_stands_on_something_silent_is_not_asked_to_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CHECKS", {"broker": silent, "topics": silent, "rights": silent, "store": sound, "drift": silent})
    found = [(each.subject, each.ok, each.found, each.fix) for each in run_checks(Settings())]
    assert found == [
        ("broker", False, "it does not answer", "start it"),
        ("sound", True, "it answers", ""),
        ("drift", False, "it does not answer", "start it"),
    ]


def test_topics_with_other_partitions_are_one_finding_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [TopicStatus(EVENTS, "x.events", 8, 4), TopicStatus(DISTINCT, "x.other", 8, 4), TopicStatus(INTAKE, "x.intake", 1, 2)]
    monkeypatch.setattr(doctor, "topic_status", lambda _: there)
    monkeypatch.setattr(doctor, "topic_settings", lambda *_: ())
    monkeypatch.setattr(doctor, "replicas", lambda *_: ())
    assert list(doctor.topics(Settings())) == [
        Finding(
            "topics",
            ok=False,
            found="x.events has 4 partitions, not 8, and 1 more topics likewise",
            fix="export VN_PARTITIONS=4, or vn topics grow 8",
        ),
        Finding("topics", ok=False, found="x.intake has 2 partitions, not 1", fix="use another VN_TOPIC_PREFIX"),
    ]


def test_a_stage_is_named_as_it_is_run_or_by_its_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "stage_rights", lambda _, stage: [Finding("rights", ok=True, found=stage.name)])
    asked = {name: [each.found for each in doctor.checks_as(name)["rights"](Settings())] for name in ("ingest", "identify", "match")}
    assert asked == {"ingest": ["read", "identify"], "identify": ["identify"], "match": ["match"]}
    with pytest.raises(UsageError, match="the stages are ingest, dedupe, validate, match, deliver"):
        doctor.checks_as("nonsense")
