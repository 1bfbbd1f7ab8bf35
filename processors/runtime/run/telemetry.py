"""
Logs and metrics of a running stage: one log line per batch.

Only the fields listed here are ever logged. Of an exception only the type, where it was raised and, if it is one of ours, the
message: libraries quote values in their messages, and values hold personal data.
"""

import logging
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from itertools import islice, product
from time import monotonic
from typing import Any, Final, Literal, get_args

import structlog

from processors.domain.journal import Verdict
from processors.domain.notification import AttemptState
from processors.domain.reasons import RARE
from processors.domain.trace import trace_of
from processors.runtime import metrics
from processors.runtime.clock import wall_time
from processors.runtime.decide.batch import BatchResult
from processors.runtime.decide.task import Task
from processors.runtime.errors import Restart, Retry, UserError
from processors.runtime.run.faults import Point
from processors.stage import Timing
from processors.topics import OUTBOUND, RESPONSES

FIELDS: Final = frozenset(
    {
        "actions",
        "event",
        "level",
        "timestamp",
        "logger",
        "unit",
        "units",
        "partition",
        "partitions",
        "records",
        "wakes",
        "outputs",
        "seconds",
        "oldest",
        "position",
        "end",
        "why",
        "error",
        "where",
        "topic",
        "traces",
        "offset",
        "port",
        "status",
        "pid",
        "rules",
        "message",
        "input",
        "newest",
        "channel",
        "open_intents",
        "table",
        "rows",
        "do",
    }
)
PER_STAGE: Final = (
    metrics.RECORDS,
    metrics.WAKES,
    metrics.RESTARTS,
    metrics.FENCED,
    metrics.STORE_DOWN,
    metrics.BROKER_DOWN,
    metrics.REBUILDS,
    metrics.CATCH_UP_RECORDS,
    metrics.STAMP_AHEAD,
    metrics.STALE,
    metrics.REBALANCES,
    metrics.TIME_AHEAD,
)
Result = Literal["committed", "in_doubt"]
# The step of a batch that ends at each point of the protocol.
STEPS: Final[dict[Point, str]] = {
    "decided": "decide",
    "begun": "produce",
    "produced": "produce",
    "sent": "flush",
    "committed": "commit",
    "applied": "apply",
}
RESULTS: Final[tuple[Result, ...]] = ("committed", "in_doubt")
FLAGS: Final = ("true", "false")
DELIVER, ANSWER = "deliver", "answer"
OPT_CHANGES: Final = {"opted_out": "out", "opted_in": "in"}  # by reason code
CHANNEL_FLAGS: Final = tuple(product(OUTBOUND, FLAGS))
KNOWN_LABELS: Final[Mapping[str, Mapping[Any, Sequence[tuple[str, ...]]]]] = {  # by unit and metric
    DELIVER: {
        metrics.NOT_REACHED: tuple((flag,) for flag in FLAGS),
        metrics.NOTIFICATIONS_LATE: CHANNEL_FLAGS,
        metrics.NOTIFICATION_SECONDS: CHANNEL_FLAGS,
        metrics.ATTEMPTS: tuple(product(OUTBOUND, get_args(AttemptState))),
        metrics.OPT_OUTS: tuple(product(OUTBOUND, OPT_CHANGES.values())),
    },
    ANSWER: {metrics.RESPONSES: (("delivered",), ("failed",))},
}
MAX_PROVIDERS: Final = 20
PROVIDERS: Final[set[str]] = set()  # those that have a label so far
NOT_REACHED_EMERGENCY: Final = "not_reached_emergency"  # the reason code of an emergency that reached nobody
RATE_LIMIT_SECONDS: Final = 10.0
TRACES_LOGGED: Final = 10  # per batch
OWN_ERRORS: Final = (UserError, Retry, Restart)


def configure(level: str, form: str) -> None:
    """Send all logging to stderr, one line each, with the listed fields only."""
    shown: Any = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    shared: list[Any] = [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True), drop_unlisted]
    structlog.configure(
        processors=[*shared, shown],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, drop_unlisted, shown], foreign_pre_chain=shared
        )
    )
    handler.addFilter(RateLimit())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class RateLimit(logging.Filter):
    """Passes one line of a kind every ten seconds: each connection to an unavailable broker logs many per second."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        kind = str(record.msg).partition(" ")[0]
        if kind == "CONFWARN":  # a consumer property on a producer, or vice versa
            return False
        if record.created - self._last.get(kind, 0) < RATE_LIMIT_SECONDS:
            return False
        self._last[kind] = record.created
        return True


def drop_unlisted(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Return the event with the listed fields only."""
    return {name: value for name, value in event.items() if name in FIELDS or name.startswith("_")}


def error_fields(error: BaseException) -> dict[str, str]:
    """Return the fields to log for an exception: its type, where it was raised, and its message if it is one of ours."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames[-6:]))
    return {"error": type(error).__name__, "where": where} | ({"why": str(error)} if isinstance(error, OWN_ERRORS) else {})


def report_attempts(verdicts: Sequence[Verdict]) -> None:
    """Count attempts by state, receipts, opt-outs and emergencies that reached nobody; an attempt may have a verdict per message."""
    states = {(each.reference, each.channel, each.status) for each in verdicts if each.status is not None}
    for (channel, status), count in Counter((channel, status) for _, channel, status in states).items():
        metrics.ATTEMPTS.labels(channel, status).inc(count)
    reported = {(each.reference, each.channel, each.status, each.provider) for each in verdicts if each.provider is not None}
    for _, to, state, provider in reported:
        metrics.RECEIPTS.labels(to, state, provider_label(provider or "")).inc()
    for each in verdicts:
        if each.reason in OPT_CHANGES and each.outcome == "noted" and each.channel is not None:
            metrics.OPT_OUTS.labels(each.channel, OPT_CHANGES[each.reason]).inc()
    ends = {(each.notification_id, each.reason == NOT_REACHED_EMERGENCY) for each in verdicts if each.outcome == "undelivered"}
    for _, emergency in ends:
        metrics.NOT_REACHED.labels(str(emergency).lower()).inc()


def provider_label(provider: str) -> str:
    """Return a provider's name as a metric label; only the first twenty get one, the rest `other`: anybody may write a receipt."""
    if len(PROVIDERS) < MAX_PROVIDERS:
        PROVIDERS.add(provider)
    return provider if provider in PROVIDERS else "other"


def report_notification(timing: Timing, now: int) -> None:
    """Record how long a notification took, how long it was held on purpose, and whether it was late apart from that."""
    emergency = str(timing.emergency).lower()
    metrics.NOTIFICATION_SECONDS.labels(timing.channel, emergency).observe(max(0, now - timing.received_at) / 1000)
    metrics.HOLD_SECONDS.labels(timing.hold).observe(timing.held / 1000)
    if now - timing.free_at > timing.within:
        metrics.NOTIFICATIONS_LATE.labels(timing.channel, emergency).inc()


class Telemetry:
    """The metrics and log lines of one stage."""

    def __init__(self, stage: str) -> None:
        self.log = structlog.get_logger().bind(unit=stage)
        self._stage = stage
        self._batch_seconds = metrics.BATCH_SECONDS.labels(stage)
        self._batch_records = metrics.BATCH_RECORDS.labels(stage)
        self._end_to_end = metrics.END_TO_END_SECONDS.labels(stage)
        self._wakes = metrics.WAKES.labels(stage)
        self._oldest = metrics.OLDEST_SECONDS.labels(stage)
        self._overdue = metrics.TIMERS_OVERDUE_SECONDS.labels(stage)
        self._ready = metrics.READY.labels(stage)
        self._beat = metrics.BEAT.labels(stage)
        self._shown: set[tuple[str, int]] = set()
        metrics.BUILD.labels(stage, version("vn-pipeline")).set(1)
        self._start_at_zero()
        self.beat()  # otherwise a starting stage would look stuck since 1970

    def _start_at_zero(self) -> None:
        """Create the counters at 0: an alert does not see the first increase of a counter that did not exist before."""
        stage = self._stage
        for counter in PER_STAGE:
            counter.labels(stage)
        for result in RESULTS:
            metrics.TRANSACTIONS.labels(stage, result)
        for outcome, reason in RARE.get(stage, ()):
            metrics.DECISIONS.labels(stage, outcome, reason)
            if outcome == "rejected":
                metrics.DEAD_LETTERS.labels(stage, reason)
        for counter, labels in KNOWN_LABELS.get(stage, {}).items():
            for values in labels:
                counter.labels(*values)

    def beat(self) -> None:
        """Report that the loop began another round."""
        self._beat.set(wall_time() / 1000)

    def count_rebalance(self) -> None:
        """Report a rebalance; drop the series of all partitions, which return for those that are still ours."""
        metrics.REBALANCES.labels(self._stage).inc()
        for topic, partition in self._shown:
            metrics.LAG.remove(self._stage, topic, str(partition))
        for partition in {partition for _, partition in self._shown}:
            with suppress(KeyError):  # before the partition's first batch
                metrics.TIMERS.remove(self._stage, str(partition))
        self._shown.clear()

    def time_steps(self, reach: Callable[[Point], None]) -> Callable[[Point], None]:
        """Return a function to call at each point of a batch: it measures the seconds since the previous point, then calls `reach`."""
        seconds = {point: metrics.STEP_SECONDS.labels(self._stage, step) for point, step in STEPS.items()}
        before = monotonic()

        def at(point: Point) -> None:
            nonlocal before
            if point in seconds:
                seconds[point].inc(monotonic() - before)
            reach(point)
            before = monotonic()

        return at

    def transaction(self, result: Result) -> None:
        """Report how a transaction ended."""
        metrics.TRANSACTIONS.labels(self._stage, result).inc()

    def batch(self, results: Sequence[tuple[Task, BatchResult]], seconds: float, rules: str) -> None:
        """Report a committed batch; its log line names the first few traces."""
        stage = self._stage
        records, wakes, outputs, oldest = 0, 0, Counter[str](), None
        verdicts: Counter[tuple[str, str]] = Counter()
        dead: Counter[str] = Counter()
        for task, result in results:
            records += result.records
            wakes += result.timers
            outputs.update(each.topic.name for each in result.outputs)
            verdicts.update((each.outcome, each.reason) for each in result.verdicts)
            dead.update(each.reason for each in result.verdicts if each.outcome == "rejected")
            oldest = result.oldest if oldest is None or (result.oldest is not None and result.oldest < oldest) else oldest
            metrics.TIMERS.labels(stage, task.partition).set(len(task.timers))
        self._batch_seconds.observe(seconds)
        if records or wakes:
            self._batch_records.observe(records + wakes)
        self._wakes.inc(wakes)
        metrics.RECORDS.labels(stage).inc(records)
        for topic, count in outputs.items():
            metrics.OUTPUTS.labels(stage, topic).inc(count)
        for (outcome, reason), count in verdicts.items():
            metrics.DECISIONS.labels(stage, outcome, reason).inc(count)
        report_attempts([each for _, result in results for each in result.verdicts])
        for _, status in (each for _, result in results for each in result.counts if each[0] == RESPONSES.name):
            metrics.RESPONSES.labels(status).inc()
        for reason, count in dead.items():
            metrics.DEAD_LETTERS.labels(stage, reason).inc(count)
        now = wall_time()
        for timing in (timing for _, result in results for timing in result.timings):
            report_notification(timing, now)
        age = None if oldest is None else max(0.0, (wall_time() - oldest) / 1000)
        if age is not None:
            self._end_to_end.observe(age)
            self._oldest.set(age)
        if records or wakes:
            decided = islice((each for _, result in results for each in result.verdicts), TRACES_LOGGED)
            traces = list(dict.fromkeys(trace_of(each.ori, each.message_id, each.trace) for each in decided))
            self.log.info(
                "batch",
                records=records,
                wakes=wakes,
                outputs=outputs.total(),
                seconds=round(seconds, 4),
                oldest=age,
                rules=rules,
                traces=traces,
            )

    def oldest(self, seconds: float) -> None:
        """Report the age of the oldest record not yet decided; 0 when everything was read."""
        self._oldest.set(seconds)

    def overdue(self, seconds: float) -> None:
        """Report by how much the first timer is late."""
        self._overdue.set(seconds)

    def lag(self, topic: str, partition: int, records: int) -> None:
        self._shown.add((topic, partition))
        metrics.LAG.labels(self._stage, topic, partition).set(records)

    def ready(self, *, now: bool) -> None:
        self._ready.set(now)
