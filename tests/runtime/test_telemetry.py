"""Logs and metrics hold no personal data, and every metric is documented."""

import ast
import io
import json
import logging
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from processors.domain.journal import Verdict
from processors.domain.notification import AttemptState
from processors.domain.reasons import RARE
from processors.domain.trace import trace_of
from processors.runtime import metrics
from processors.runtime.decide.batch import BatchResult
from processors.runtime.errors import Retry
from processors.runtime.metrics import METRICS
from processors.runtime.run import telemetry
from processors.runtime.run.telemetry import (
    FIELDS,
    PER_STAGE,
    STEPS,
    TRACES_LOGGED,
    RateLimit,
    Telemetry,
    configure,
    drop_unlisted,
    error_fields,
    report_attempts,
)
from processors.runtime.wire.changelog import Position
from processors.topics import OUTBOUND
from processors.watch.metrics import FAMILIES
from tests.source import tree

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "metrics.md"
PROCESSORS = ROOT / "processors"


def test_the_page_of_metrics_says_of_each_what_the_code_says_and_nothing_else() -> None:
    stages = [
        f"| `{metric._name}{'_total' if metric._type == 'counter' else ''}` | {metric._type} | {', '.join(metric._labelnames) or '-'} "
        f"| {metric._documentation} |"
        for metric in METRICS
    ]
    watch = [f"| `{family.name}` | {', '.join(family.labels) or '-'} | {family.meaning} |" for family in FAMILIES]
    documented = [line for line in DOCS.read_text().splitlines() if line.startswith("| `vn_")]
    assert documented == [*stages, *watch]


def test_every_metric_is_in_the_list() -> None:
    defined = {name for name, value in vars(metrics).items() if hasattr(value, "_labelnames")}
    assert {id(getattr(metrics, name)) for name in defined} == {id(metric) for metric in METRICS}


def test_labels_are_never_ids() -> None:
    assert {label for metric in METRICS for label in metric._labelnames} <= {
        "unit",
        "provider",
        "change",
        "topic",
        "table",
        "status",
        "vendor",
        "partition",
        "outcome",
        "reason",
        "channel",
        "emergency",
        "hold",
        "result",
        "step",
        "version",
    }


def test_fields_that_are_not_listed_are_not_written() -> None:
    assert drop_unlisted(None, "info", {"event": "x", "address": "canary", "records": 3}) == {"event": "x", "records": 3}
    assert not FIELDS & {"value", "key", "address", "to", "name", "contact"}


def test_every_field_that_the_code_logs_is_listed() -> None:
    """Otherwise its line is written without it: an operator would read that something is wrong, and not what."""
    logged = [(path.name, field) for path in sorted(PROCESSORS.rglob("*.py")) for field in fields_logged(tree(path))]
    assert len(logged) > 20
    assert [(path, field) for path, field in logged if field not in FIELDS] == []


def fields_logged(module: ast.Module) -> Iterator[str]:
    """Yield the fields that a module names when it logs, or binds to its log."""
    for node in ast.walk(module):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        of = ast.unparse(node.func.value)
        if node.func.attr in {"debug", "info", "warning", "error", "bind"} and (of.endswith(("log", "get_logger()"))):
            yield from (each.arg for each in node.keywords if each.arg is not None)


def test_an_exception_tells_where_and_never_what_unless_it_is_ours() -> None:
    def fail(error: Exception) -> None:
        raise error

    def raised(error: Exception) -> dict[str, str]:
        with pytest.raises(type(error)) as caught:
            fail(error)
        return error_fields(caught.value)

    assert "canary" not in json.dumps(raised(ValueError("canary")))
    assert raised(ValueError("canary"))["error"] == "ValueError"
    assert "test_telemetry.py" in raised(ValueError("canary"))["where"]
    assert raised(Retry("the store does not answer"))["why"] == "the store does not answer"


def test_a_broker_that_is_away_is_told_of_once_in_a_while() -> None:
    sparing, lines = (
        RateLimit(),
        [logging.makeLogRecord({"msg": f"FAIL [client-{number}] refused", "created": 1000 + number}) for number in range(25)],
    )
    assert [sparing.filter(line) for line in lines].count(True) == 3
    assert sparing.filter(logging.makeLogRecord({"msg": "SESSTMOUT [client]", "created": 1001}))
    assert not sparing.filter(logging.makeLogRecord({"msg": "CONFWARN [client]", "created": 1001}))


def test_foreign_log_lines_lose_their_tracebacks(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    configure("info", "json")
    try:
        logging.getLogger("some.library").error("it failed", exc_info=ValueError("canary"))
    finally:
        logging.basicConfig(force=True)
    assert "it failed" in out.getvalue()
    assert "canary" not in out.getvalue()


def test_every_counter_of_a_stage_starts_at_0() -> None:
    """An alert sees the first increase of those alone that were there before."""
    assert set(PER_STAGE) == {metric for metric in METRICS if metric._type == "counter" and metric._labelnames == ("unit",)}


def test_rare_verdicts_are_counted_from_0() -> None:
    Telemetry("deliver")
    assert metrics.DECISIONS.labels("deliver", "noted", "opted_out")._value.get() == 0
    counted = {sample.labels["reason"] for sample in next(iter(metrics.DECISIONS.collect())).samples if sample.labels["unit"] == "deliver"}
    assert {reason for _, reason in RARE["deliver"]} <= counted


def test_seconds_are_added_up_by_the_step_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    now, reached = iter([0.0, 1.0, 2.0, 5.0, 6.0, 7.0]), list[str]()
    monkeypatch.setattr(telemetry, "monotonic", lambda: next(now))
    at = Telemetry("stepping").time_steps(reached.append)
    for point in ("read", "decided", "begun"):
        at(point)
    assert reached == ["read", "decided", "begun"]
    spent = {step: metrics.STEP_SECONDS.labels("stepping", step)._value.get() for step in set(STEPS.values())}
    assert spent == {"decide": 1.0, "produce": 1.0, "flush": 0.0, "commit": 0.0, "apply": 0.0}


def test_the_log_line_of_a_batch_names_the_traces_of_its_first_messages() -> None:
    said: list[dict[str, Any]] = []
    of_read = Telemetry("read")
    of_read.log = SimpleNamespace(info=lambda _, **fields: said.append(fields))
    verdicts = [
        Verdict(stage="read", message_id=f"M-{number}", outcome="accepted", reason="accepted", detail="", at=1, ori="VA1", trace=sent)
        for number, sent in enumerate(["0af7651916cd43dd8448eb211c80319c", None, *[None] * 20])
    ]
    result = BatchResult(Position(0, {}), verdicts=verdicts, records=len(verdicts))
    of_read.batch([(SimpleNamespace(partition=0, timers=()), result)], 0.1, "r1")  # type: ignore[list-item]
    (line,) = said
    assert line["traces"][:2] == ["0af7651916cd43dd8448eb211c80319c", trace_of("VA1", "M-1")]
    assert len(line["traces"]) == TRACES_LOGGED
    assert set(line) <= FIELDS


def samples(metric: Any) -> dict[tuple[str, ...], float]:
    """The values of a counter by its labels."""
    return {tuple(each.labels.values()): each.value for each in metric.collect()[0].samples if each.name.endswith("_total")}


def test_deliver_and_answer_start_with_a_series_for_every_known_label() -> None:
    for unit in ("deliver", "answer"):
        Telemetry(unit)
    assert set(samples(metrics.OPT_OUTS)) >= set(product(OUTBOUND, ("out", "in")))
    assert set(samples(metrics.ATTEMPTS)) >= set(product(OUTBOUND, get_args(AttemptState)))
    assert set(samples(metrics.RESPONSES)) == {("delivered",), ("failed",)}


def reported(**more: Any) -> Verdict:
    given = {"stage": "deliver", "message_id": "M-1", "outcome": "receipt", "reason": "receipt", "detail": "d", "at": 0, **more}
    return Verdict(**given)


def test_a_receipt_is_counted_once_by_provider_and_an_opt_out_by_channel() -> None:
    about = {"reference": "R-1.a", "channel": "sms", "status": "delivered", "provider": "twilio"}
    before, out = samples(metrics.RECEIPTS).get(("sms", "delivered", "twilio"), 0), samples(metrics.OPT_OUTS).get(("sms", "out"), 0)
    report_attempts([reported(**about), reported(message_id="M-2", **about), reported(outcome="noted", reason="opted_out", channel="sms")])
    report_attempts([reported(outcome="noted", reason="opted_out")])  # of a contact of one delivery
    assert samples(metrics.RECEIPTS)["sms", "delivered", "twilio"] == before + 1
    assert samples(metrics.OPT_OUTS)["sms", "out"] == out + 1


def test_providers_beyond_the_first_twenty_are_one_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "PROVIDERS", set())
    labels = [telemetry.provider_label(f"provider-{number}") for number in range(1_000)]
    assert labels[:20] == [f"provider-{number}" for number in range(20)]
    assert set(labels[20:]) == {"other"}


def test_a_stage_that_starts_does_not_look_as_if_it_had_stood_still() -> None:
    Telemetry("beginning")
    assert metrics.BEAT.labels("beginning")._value.get() > 1_700_000_000
