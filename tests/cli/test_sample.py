"""`vn sample`: its output is dated now, and the pipeline notifies about it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from processors.pipeline import PIPELINE
from processors.rehearsal.samples import DESCRIPTIONS, EXAMPLES, sample, samples, sent_at
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver
from processors.runtime.errors import UserError
from tests.cli.given import Run

NOW = datetime(2027, 3, 15, 3, 20, 41, tzinfo=UTC)  # the evening of the 14th in New York


def test_every_file_of_examples_is_a_sample() -> None:
    files = {path.stem for folder in ("json", "xml") for path in Path(EXAMPLES, folder).iterdir()}
    assert files == set(DESCRIPTIONS) == {each.name for each in samples()}


def test_times_move_by_as_much_as_has_passed_since_the_sample_was_sent() -> None:
    moved = json.loads(sent_at(sample("jail-escape").text, NOW))
    assert moved["sent_at"] == "2027-03-15T03:20:00Z"
    assert moved["action_at"] == "2027-03-14T21:50:00-05:00"  # half an hour before
    assert moved["offenders"][0]["birth_date"] == "1979-01-25"


def test_dates_move_by_whole_days_of_the_agency() -> None:
    moved = sent_at(sample("icots-departure").text, NOW)
    assert "<nc:DateTime>2027-03-15T03:20:00Z</nc:DateTime>" in moved
    assert "<nc:ActivityDate><nc:Date>2027-03-14</nc:Date>" in moved
    assert "<vn-ext:ReportByDate><nc:Date>2027-03-21</nc:Date>" in moved
    assert "<nc:PersonBirthDate><nc:Date>1981-05-17</nc:Date>" in moved
    assert "<nc:IdentificationID>ICOTS-NOD-931</nc:IdentificationID>" in moved


def test_a_name_that_is_none_says_where_the_names_are() -> None:
    with pytest.raises(UserError, match="there is no sample nothing: `vn sample` lists those there are"):
        sample("nothing")


def test_the_samples_are_told_whenever_they_are_sent() -> None:
    driver = PipelineDriver(PIPELINE, load_rules(None), bytes(range(64)), NOW)
    driver.register(*(json.loads(sent_at(each.text, NOW)) for each in samples() if each.kind == "registration"))
    driver.submit(*(sent_at(sample(name).text, NOW) for name in ("icots-departure", "jail-escape", "jail-recapture")))
    driver.advance(timedelta(hours=12))  # a recapture is no emergency, and waits for the morning
    sent = sorted(
        (each.registrant_id, each.event.subtype, each.channel, each.language)
        for each in driver.outbound()
        if each.event and each.attempt == 1
    )
    assert sent == [
        ("R-1001", "Departure", "email", "en"),
        ("R-1001", "Departure", "sms", "en"),
        ("R-1001", "Departure", "voice", "en"),
        ("R-1002", "Departure", "email", "es"),
        ("R-1002", "Departure", "sms", "es"),
        ("R-6001", "Escape", "sms", "en"),
        ("R-6001", "Recapture", "sms", "en"),
    ]


def test_the_command_lists_names_and_prints_what_vn_submit_reads(vn: Run) -> None:
    assert vn("sample") == (0, "".join(f"{name}\n" for name in DESCRIPTIONS), "")
    code, out, err = vn("sample", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out.splitlines()[0])["kind"] == "registration"
    code, out, err = vn("sample", "registration")
    assert (code, err) == (0, "")
    assert json.loads(out)["registration_id"] == "IVINS-500123"
    code, out, err = vn("sample", "nothing")
    assert (code, out) == (2, "")
    assert err == "vn: there is no sample nothing: `vn sample` lists those there are\n"
