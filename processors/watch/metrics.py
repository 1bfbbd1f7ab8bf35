"""Every metric of `vn watch`, with its unit and meaning; docs/metrics.md lists them and a test compares."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily

MAX_AGENCIES: Final = 500  # agencies with a series of their own; the rest share the series `other`


@dataclass(frozen=True, slots=True)
class MetricFamily:
    """One metric: its name, meaning and labels."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()


LAST_MEASURED: Final = MetricFamily("vn_watch_look_timestamp_seconds", "When the watch last finished measuring, in Unix seconds")
STAGE_EXPECTED: Final = MetricFamily("vn_unit_info", "1 for every stage that must be running", ("unit",))
GROUP_LAG: Final = MetricFamily("vn_group_lag_records", "Records of an input that a stage has not committed yet", ("unit", "topic"))
GROUP_OLDEST: Final = MetricFamily(
    "vn_group_oldest_seconds", "Age in seconds of the oldest record that a stage has not read", ("unit", "topic")
)
HIDDEN: Final = MetricFamily("vn_hidden_seconds", "For how long records of a topic have been hidden behind an open transaction", ("topic",))
RETENTION_LEFT: Final = MetricFamily(
    "vn_retention_left_seconds", "Seconds until retention removes a record that its stage has not read", ("topic",)
)
OUTBOUND_UNREAD: Final = MetricFamily(
    "vn_outbound_unread_records", "Outbound records that the provider's group has not committed", ("topic",)
)
BROKER_UP: Final = MetricFamily("vn_broker_up", "1 while the broker answers")
BROKERS: Final = MetricFamily("vn_brokers", "Brokers in the cluster")
UNDER_MIN_ISR: Final = MetricFamily("vn_under_min_isr_partitions", "Partitions with fewer in-sync replicas than min.insync.replicas")
STORE_UP: Final = MetricFamily("vn_store_up", "1 while the store answers")
STORE_MEMORY: Final = MetricFamily("vn_store_memory_bytes", "Memory that the store uses")
STORE_MAXMEMORY: Final = MetricFamily("vn_store_maxmemory_bytes", "Memory that the store may use; absent if it is unlimited")
STORE_AOF: Final = MetricFamily("vn_store_aof_enabled", "1 while the store writes its append-only file")
STORE_NOEVICTION: Final = MetricFamily("vn_store_noeviction", "1 while the store refuses writes instead of evicting state")
TABLES_READ: Final = MetricFamily(
    "vn_tables_read_timestamp_seconds", "When reviews, expectations, agencies and dead letters were last read to the end, in Unix seconds"
)
REVIEWS_OPEN: Final = MetricFamily("vn_reviews_open", "Reviews that wait for a person", ("reason", "jurisdiction", "emergency"))
REVIEW_OLDEST: Final = MetricFamily(
    "vn_review_oldest_seconds", "Age in seconds of the oldest review that waits for a person", ("reason", "jurisdiction", "emergency")
)
EXPECTATIONS: Final = MetricFamily(
    "vn_expectations", "Expected events, by state, rule and the state that owes them", ("state", "rule", "owing_state")
)
AGENCY_HEARD: Final = MetricFamily("vn_agency_heard_timestamp_seconds", "When an agency was last heard, in Unix seconds", ("ori",))
AGENCY_LIMIT: Final = MetricFamily("vn_agency_silence_limit_seconds", "For how long the agency may be silent", ("ori",))
DEAD_LETTERS_OPEN: Final = MetricFamily("vn_dead_letters_open", "Dead letters neither replayed nor settled", ("stage", "reason"))
CERTIFICATE_END: Final = MetricFamily(
    "vn_certificate_end_timestamp_seconds", "When a certificate expires, in Unix seconds", ("certificate",)
)
CANARY_SENT: Final = MetricFamily(
    "vn_canary_sent_timestamp_seconds", "When the last canary was submitted, in Unix seconds; 0 if none could be"
)
CANARY_SUCCESS: Final = MetricFamily(
    "vn_canary_success_timestamp_seconds", "When the last canary came out of the pipeline, in Unix seconds"
)
CANARY_SECONDS: Final = MetricFamily("vn_canary_seconds", "Seconds that the last canary took from submission to outbound record")

FAMILIES: Final = (
    LAST_MEASURED,
    STAGE_EXPECTED,
    GROUP_LAG,
    GROUP_OLDEST,
    HIDDEN,
    RETENTION_LEFT,
    OUTBOUND_UNREAD,
    BROKER_UP,
    BROKERS,
    UNDER_MIN_ISR,
    STORE_UP,
    STORE_MEMORY,
    STORE_MAXMEMORY,
    STORE_AOF,
    STORE_NOEVICTION,
    TABLES_READ,
    REVIEWS_OPEN,
    REVIEW_OLDEST,
    EXPECTATIONS,
    AGENCY_HEARD,
    AGENCY_LIMIT,
    DEAD_LETTERS_OPEN,
    CERTIFICATE_END,
    CANARY_SENT,
    CANARY_SUCCESS,
    CANARY_SECONDS,
)

Sample = tuple[MetricFamily, tuple[str, ...], float]


class MetricsPage:
    """The gauges of one watch, in a registry of its own; each measurement replaces the samples of its families."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._shown: dict[MetricFamily, dict[tuple[str, ...], float]] = {}
        self.registry.register(self)

    def replace(self, families: frozenset[MetricFamily], samples: list[Sample]) -> None:
        """
        Replace the samples of `families`; a family without a sample is absent, since a stale value would be wrong.

        A concurrent reader sees the families as they were before or as they are after, never without their samples.
        """
        shown = {family: dict(values) for family, values in self._shown.items() if family not in families}
        for family, labels, value in samples:
            shown.setdefault(family, {})[labels] = value
        self._shown = shown

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the families for Prometheus."""
        for family, values in self._shown.items():
            gauge = GaugeMetricFamily(family.name, family.meaning, labels=family.labels)
            for labels, value in values.items():
                gauge.add_metric(labels, value)
            yield gauge
