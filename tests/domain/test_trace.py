"""A message's trace: the same for whoever knows agency and id; a trace context that is malformed is none."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from processors.domain.trace import HEADER, root_of, trace_of, traceparent, valid_traceparent
from processors.pipeline import PIPELINE
from processors.rehearsal.samples import sample, sent_at
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver
from processors.topics import OUTBOUND, RESPONSES

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
    assert valid_traceparent(traceparent(trace_of(None, ""), root_of("x"))) is not None


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
