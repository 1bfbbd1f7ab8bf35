"""Every stage is killed at every point of the protocol while keys in two partitions turn out to be one person (docs/merging.md)."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from processors.rehearsal.feed import read_feed
from processors.rehearsal.player import rehearse
from processors.rules.load import load_rules
from processors.runtime.local import LocalCluster
from tests.broker.fault_matrix import GROUPS, strike
from tests.stories.builders import registration, submission

pytestmark = [pytest.mark.long, pytest.mark.broker, pytest.mark.timeout(900, method="signal")]

START = datetime(2026, 11, 2, 14, tzinfo=UTC)
PEOPLE = range(6)
JAIL = {"ori": "VA0430000", "name": "Riverside Jail", "state": "VA"}
PRISON = {"ori": "VADOC0001", "name": "Virginia DOC", "state": "VA"}


def feed(folder: Path) -> Path:
    """
    Write what a jail and a prison report about six people whom each knows by a number of its own, until a message names both.

    Every merge has a moment of its own, with news under the older and the younger key before and after it.
    """
    lines: list[dict[str, Any]] = []

    def add(minutes: int, **line: Any) -> None:
        lines.append({"at": (START + timedelta(minutes=minutes)).isoformat(), **line})

    def say(minutes: int, message_id: str, agency: dict[str, str], subtype: str, numbers: list[dict[str, str]]) -> None:
        sent = submission(
            message_id=message_id,
            agency=agency,
            event_subtype=subtype,
            action_at=(START + timedelta(minutes=minutes - 20)).isoformat(),
            notification_subtypes=[{"subtype": "Do Not Validate", "validations": []}],
            offenders=[{"identifiers": numbers}],
        )
        add(minutes, submission=sent)

    for person in PEOPLE:
        sid, doc = numbers_of(person)
        for index, number in enumerate((sid, doc)):
            known = registration(f"R-{person}-{index}", registration_id=f"REG-{person}-{index}", offender={"identifiers": [number]})
            add(0, registration=known | {"contacts": [{"channel": "email", "address": f"r{person}{index}@example.org", "verified": True}]})
        say(10 + person, f"JAIL-{person}", JAIL, "Escape", [sid])
        say(20 + person, f"DOC-{person}", PRISON, "Release", [doc])
        say(40 + 10 * person, f"BOTH-{person}", PRISON, "Recapture", [sid, doc])
        say(43 + 10 * person, f"AFTER-{person}", JAIL, "Escape", [doc])
    add(180)
    path = folder / "merges.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in sorted(lines, key=lambda each: each["at"])), encoding="utf-8")
    return path


def numbers_of(person: int) -> list[dict[str, str]]:
    return [{"scheme": "SID", "value": f"VA77005{person}1"}, {"scheme": "DOC", "value": f"07332{person}4", "issuer": "VA"}]


def test_everybody_hears_of_one_agency_before_the_numbers_met_and_of_both_after(tmp_path: Path) -> None:
    driver = rehearse(read_feed(feed(tmp_path)), load_rules(), bytes(64)).driver
    told = sorted({(each.registrant_id, *each.message_ids) for each in driver.outbound() if each.kind == "notification"})
    assert told == sorted(
        (f"R-{person}-{index}", f"{message}-{person}")
        for person in PEOPLE
        for index, first in enumerate(("JAIL", "DOC"))
        for message in (first, "BOTH", "AFTER")
    )


@pytest.mark.parametrize("group", GROUPS)
def test_killed_wherever_it_stands_a_stage_merges_two_keys_once(cluster: LocalCluster, tmp_path: Path, group: str) -> None:
    strike(cluster.addresses.environment, tmp_path, feed(tmp_path), group, "kill")
