"""
What a running unit says of itself: one log line a batch, and the metrics.

Only the fields listed here are ever written, and of an exception only where it was raised and, if it is one of ours, its
sentence: libraries quote values in their messages, and values hold what nobody may read.
"""

import logging
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Final

import structlog

from processors.runtime import metrics
from processors.runtime.clock import wall
from processors.runtime.decide.task import Task, Work
from processors.runtime.errors import Restart, Retry, UserError

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
        "offset",
        "port",
        "status",
        "pid",
        "rules",
        "message",
    }
)
ONCE_IN: Final = 10.0  # seconds
OURS: Final = (UserError, Retry, Restart)


def configure(level: str, form: str) -> None:
    """Everything that is logged goes to stderr, a line each, and shows nothing but the fields that may be shown."""
    shown: Any = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    shared: list[Any] = [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True), allowed]
    structlog.configure(
        processors=[*shared, shown],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, allowed, shown], foreign_pre_chain=shared
        )
    )
    handler.addFilter(Sparing())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class Sparing(logging.Filter):
    """Lets through one line of a kind in a while: a broker that is away is told of by every connection, many times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        kind = str(record.msg).partition(" ")[0]
        if kind == "CONFWARN":  # a property of consumers, told to a producer, or the other way round
            return False
        if record.created - self._last.get(kind, 0) < ONCE_IN:
            return False
        self._last[kind] = record.created
        return True


def allowed(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Return the event with the fields of the list only."""
    return {name: value for name, value in event.items() if name in FIELDS or name.startswith("_")}


def told(error: BaseException) -> dict[str, str]:
    """Return what a log line may say of an exception: its kind, where it was raised, and its sentence if it is ours."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames[-6:]))
    return {"error": type(error).__name__, "where": where} | ({"why": str(error)} if isinstance(error, OURS) else {})


class Telemetry:
    """The metrics and the batch lines of one unit."""

    def __init__(self, unit: str) -> None:
        self.log = structlog.get_logger().bind(unit=unit)
        self._unit = unit
        self._batch_seconds = metrics.BATCH_SECONDS.labels(unit)
        self._batch_records = metrics.BATCH_RECORDS.labels(unit)
        self._end_to_end = metrics.END_TO_END_SECONDS.labels(unit)
        self._wakes = metrics.WAKES.labels(unit)
        self._oldest = metrics.OLDEST_SECONDS.labels(unit)
        self._ready = metrics.READY.labels(unit)

    def batch(self, works: Iterable[tuple[Task, Work]], seconds: float, rules: str) -> None:
        """The batch was committed and applied."""
        unit = self._unit
        records, wakes, outputs, oldest = 0, 0, Counter[str](), None
        verdicts: Counter[tuple[str, str]] = Counter()
        dead: Counter[str] = Counter()
        for task, work in works:
            records += work.records
            wakes += work.wakes
            outputs.update(topic.name for topic, _, _ in work.outputs)
            verdicts.update((each.outcome, each.reason) for each in work.verdicts)
            dead.update(each.reason for each in work.verdicts if each.outcome == "rejected")
            oldest = work.oldest if oldest is None or (work.oldest is not None and work.oldest < oldest) else oldest
            metrics.TIMERS.labels(unit, task.partition).set(len(task.timers))
        self._batch_seconds.observe(seconds)
        if records or wakes:
            self._batch_records.observe(records + wakes)
        self._wakes.inc(wakes)
        metrics.RECORDS.labels(unit).inc(records)
        for topic, count in outputs.items():
            metrics.OUTPUTS.labels(unit, topic).inc(count)
        for (outcome, reason), count in verdicts.items():
            metrics.DECISIONS.labels(unit, outcome, reason).inc(count)
        for reason, count in dead.items():
            metrics.DEAD_LETTERS.labels(unit, reason).inc(count)
        age = None if oldest is None else max(0.0, (wall() - oldest) / 1000)
        if age is not None:
            self._end_to_end.observe(age)
            self._oldest.set(age)
        if records or wakes:
            self.log.info(
                "batch", records=records, wakes=wakes, outputs=outputs.total(), seconds=round(seconds, 4), oldest=age, rules=rules
            )

    def oldest(self, seconds: float) -> None:
        """The oldest record not decided yet has this age; 0 when all was read."""
        self._oldest.set(seconds)

    def lag(self, topic: str, partition: int, records: int) -> None:
        metrics.LAG.labels(self._unit, topic, partition).set(records)

    def ready(self, *, now: bool) -> None:
        self._ready.set(now)
