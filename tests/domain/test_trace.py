"""A message's trace: the same for everybody who knows agency and id; a malformed trace context is ignored."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from processors.domain.time import iso
from processors.domain.trace import HEADER, root_of, trace_of, traceparent, valid_traceparent
from processors.pipeline import PIPELINE
from processors.rehearsal.samples import sample, sent_at
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver
from processors.topics import (
    CONFIRMED,
    DISTINCT,
    EVENTS,
    INTAKE,
    NOTIFICATIONS,
    OUTBOUND,
    RECEIPTS,
    REGISTRANTS,
    RESPONSES,
    SUBMISSIONS,
    TALLY,
)

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOW = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize("given", [GIVEN, GIVEN.encode(), GIVEN.replace("00-", "cc-", 1), GIVEN.removesuffix("01") + "00"])
def test_a_well_formed_context_is_kept(given: str | bytes) -> None:
    assert valid_traceparent(given) == (given.decode() if isinstance(given, bytes) else given)


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        b"\xff\x00",
        GIVEN.upper(),
        GIVEN + "-more",
        GIVEN.replace("00-", "ff-", 1),
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
    ],
)
def test_a_malformed_context_is_none(given: str | bytes | None) -> None:
    assert valid_traceparent(given) is None


def test_a_messages_trace_is_its_agencys_own() -> None:
    assert trace_of("VA0430000", "M-1") == trace_of("VA0430000", "M-1")
    assert len({trace_of("VA0430000", "M-1"), trace_of("VA0430000", "M-2"), trace_of("VA0440000", "M-1"), trace_of(None, "M-1")}) == 4
    assert valid_traceparent(traceparent(trace_of(None, ""), root_of(None, "x"))) is not None


def test_what_leaves_and_what_is_answered_name_the_messages_trace() -> None:
    driver = PipelineDriver(PIPELINE, load_rules(), bytes(range(64)), NOW)
    driver.register(json.loads(sent_at(sample("registration").text, NOW)))
    driver.submit(sent_at(sample("icots-departure").text, NOW))
    driver.advance(timedelta(minutes=1))
    (message,) = {(each.agency.ori, each.message_ids[0]) for each in driver.outbound() if each.agency is not None and each.message_ids}
    driver.advance(timedelta(days=5))
    left = [entry for topic in (*OUTBOUND.values(), RESPONSES) for entry in driver.entries(topic)]
    traced = {dict(entry.headers)[HEADER].split("-")[1] for entry in left if entry.value is not None}
    assert trace_of(*message) in traced
    assert [dict(entry.headers)[HEADER].split("-")[1] for entry in driver.entries(RESPONSES)] == [trace_of(*message)]


WAYS = (INTAKE, EVENTS, DISTINCT, CONFIRMED, NOTIFICATIONS, TALLY, RESPONSES, *OUTBOUND.values())


def traces_on_the_way(context: str | None) -> tuple[dict[str, set[str]], PipelineDriver]:
    """Return the traces in the headers of every record about a submission that came with this context, by topic; "" where there is none."""
    driver = PipelineDriver(PIPELINE, load_rules(), bytes(range(64)), NOW)
    driver.register(json.loads(sent_at(sample("registration").text, NOW)))
    before = {topic: len(driver.entries(topic)) for topic in WAYS}
    headers = () if context is None else ((HEADER, context),)
    driver.send(SUBMISSIONS, sent_at(sample("icots-departure").text, NOW), headers=headers)
    driver.advance(timedelta(seconds=30))
    (sms,) = driver.entries(OUTBOUND["sms"])[before[OUTBOUND["sms"]] :]
    receipt = {"reference": driver.outbound("sms")[-1].reference, "status": "delivered", "occurred_at": iso(driver.now), "provider": "test"}
    driver.send(RECEIPTS, receipt, headers=((HEADER, dict(sms.headers)[HEADER]),))
    entries = {topic.name: driver.entries(topic)[before[topic] :] for topic in WAYS}
    entries["registrants"] = driver.entries(REGISTRANTS)[-1:]
    traces = {name: {dict(each.headers).get(HEADER, "--").split("-")[1] for each in found} for name, found in entries.items()}
    return traces, driver


def test_the_trace_that_an_agency_sent_is_in_every_record_up_to_the_response_and_in_the_journal() -> None:
    sent = GIVEN.split("-")[1]
    traces, driver = traces_on_the_way(GIVEN)
    assert traces == {name: {sent} for name in (*(topic.name for topic in WAYS), "registrants")}
    told = [each for each in driver.verdicts() if each.ori == "VAICOTS01" and each.stage != "identify"]
    assert {each.stage for each in told} == {"read", "dedupe", "validate", "match", "deliver"}
    assert {each.trace for each in told} == {sent}
    assert "receipt" in {each.outcome for each in told}


def test_a_malformed_context_is_replaced_by_a_new_one_and_refuses_nothing() -> None:
    traces, _ = traces_on_the_way("00-nonsense")
    assert traces == {name: {trace_of("VAICOTS01", "ICOTS-NOD-931")} for name in (*(topic.name for topic in WAYS), "registrants")}


def test_without_a_context_only_what_leaves_bears_one() -> None:
    traces, driver = traces_on_the_way(None)
    own = trace_of("VAICOTS01", "ICOTS-NOD-931")
    left = {topic.name for topic in OUTBOUND.values()} | {"responses"}
    assert {name: found for name, found in traces.items() if name in left} == {name: {own} for name in left}
    assert traces["events"] == traces["notifications"] == {""}
    assert {each.trace for each in driver.verdicts("ICOTS-NOD-931")} == {None}


def test_each_message_keeps_its_own_trace_while_another_lets_it_go() -> None:
    """A message that waits in a state is passed on by another record: it bears the trace with which it came."""
    driver = PipelineDriver(PIPELINE, load_rules(), bytes(range(64)), NOW)
    far = json.dumps(submission("M-1", NOW + timedelta(days=400)))
    driver.send(SUBMISSIONS, far, headers=((HEADER, GIVEN),))
    (review,) = driver.reviews()
    driver.review("release", review.review_id)
    assert [dict(each.headers)[HEADER].split("-")[1] for each in driver.entries(CONFIRMED)] == [GIVEN.split("-")[1]]


def submission(message_id: str, at: datetime) -> dict[str, object]:
    return {
        "message_id": message_id,
        "agency": {"ori": "VA0430000", "state": "VA"},
        "event_type": "Jail",
        "event_subtype": "Escape",
        "notification_type": "Status Update",
        "notification_subtypes": [{"subtype": "Validate", "validations": ["Date"]}],
        "action_at": at.isoformat(),
        "offenders": [{"identifiers": [{"scheme": "SID", "value": "VA7000001"}], "name": {"given": "Ann", "sur": "Walker"}}],
    }
