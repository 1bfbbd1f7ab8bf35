"""
Every metric, with its meaning; docs/metrics.md lists them and a test compares.

The label `unit` is the stage. Labels are stages, outcomes, reasons and the like: never an id, a name or an address.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

SECONDS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
LONG_SECONDS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 1, 2, 5, 10, 30, 60, 300, 900, 3600)
NOTIFICATION_BUCKETS: Final = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 43_200, 86_400)
SIZES: Final = (1, 2, 5, 10, 50, 100, 500, 1000, 2000, 5000)

RECORDS: Final = Counter("vn_records", "Input records decided and committed", ["unit"])
DECISIONS: Final = Counter("vn_decisions", "Verdicts, by outcome and reason code", ["unit", "outcome", "reason"])
OUTPUTS: Final = Counter("vn_outputs", "Records written and committed", ["unit", "topic"])
WAKES: Final = Counter("vn_wakes", "Timers that came due and were decided", ["unit"])
BATCH_SECONDS: Final = Histogram(
    "vn_batch_seconds", "Seconds from taking a batch's first record to writing its state to the store", ["unit"], buckets=SECONDS
)
BATCH_RECORDS: Final = Histogram("vn_batch_records", "Records and timers in a batch", ["unit"], buckets=SIZES)
END_TO_END_SECONDS: Final = Histogram(
    "vn_end_to_end_seconds",
    "Seconds from the receipt of a batch's oldest message to the commit of this stage's decision on it",
    ["unit"],
    buckets=LONG_SECONDS,
)
LAG: Final = Gauge("vn_lag_records", "Offsets between the committed position and the end of the input", ["unit", "topic", "partition"])
OLDEST_SECONDS: Final = Gauge(
    "vn_oldest_unprocessed_seconds", "Age in seconds of the oldest record not yet decided; 0 when caught up", ["unit"]
)
TIMERS: Final = Gauge("vn_timers_pending", "Timers that are not due yet", ["unit", "partition"])
TIMERS_OVERDUE_SECONDS: Final = Gauge(
    "vn_timers_overdue_seconds", "Seconds by which the first timer is overdue: it waits for earlier stages to catch up", ["unit"]
)
READY: Final = Gauge("vn_ready", "1 while the unit decides, 0 while it catches up or waits for broker or store", ["unit"])
BEAT: Final = Gauge("vn_beat_timestamp_seconds", "When the stage's loop began its latest round, in Unix seconds", ["unit"])
BUILD: Final = Gauge("vn_build_info", "1, with the version that runs", ["unit", "version"])
TRANSACTIONS: Final = Counter("vn_transactions", "Transactions, by result: committed, or in_doubt and repeated", ["unit", "result"])
STEP_SECONDS: Final = Counter(
    "vn_step_seconds", "Seconds that batches spent in each step: decide, produce, flush, commit, apply", ["unit", "step"]
)
REBALANCES: Final = Counter("vn_rebalances", "Rebalances: times partitions were reassigned", ["unit"])
NOTIFICATION_SECONDS: Final = Histogram(
    "vn_notification_seconds",
    "Seconds from the receipt of the submission to the commit of the first outbound record, holds included",
    ["channel", "emergency"],
    buckets=NOTIFICATION_BUCKETS,
)
NOTIFICATIONS_LATE: Final = Counter(
    "vn_notifications_late",
    "First outbound records committed later than notify.within after their last hold ended",
    ["channel", "emergency"],
)
HOLD_SECONDS: Final = Histogram(
    "vn_hold_seconds", "Seconds for which deliver held a notification on purpose, by reason", ["hold"], buckets=NOTIFICATION_BUCKETS
)
DEAD_LETTERS: Final = Counter("vn_dead_letters", "Dead letters, by reason code", ["unit", "reason"])
TIME_AHEAD: Final = Counter("vn_time_ahead", "Records whose time was more than a minute ahead of the clock, and counted as now", ["unit"])
RESTARTS: Final = Counter("vn_restarts", "Batches discarded because their outcome was in doubt", ["unit"])
FENCED: Final = Counter("vn_fenced", "Commits that Kafka refused because another member or producer has taken over", ["unit"])
STORE_DOWN: Final = Counter("vn_store_down", "Times the store did not answer", ["unit"])
BROKER_DOWN: Final = Counter("vn_broker_down", "Times the broker did not answer", ["unit"])
REBUILDS: Final = Counter("vn_rebuilds", "Cached partitions rebuilt from the beginning of the changelog", ["unit"])
CATCH_UP_RECORDS: Final = Counter("vn_catch_up_records", "Changes written to the store from the changelog", ["unit"])
CATCH_UP_LEFT: Final = Gauge(
    "vn_catch_up_left_records", "Changelog records not yet applied to the cache that is catching up; 0 once it has caught up", ["unit"]
)
STAMP_AHEAD: Final = Counter(
    "vn_stamp_ahead", "Cached partitions whose stamp was past the end of the changelog; dropped and rebuilt", ["unit"]
)
STALE: Final = Counter("vn_stale_cache", "Batches discarded because a state's stamp was not the expected one", ["unit"])
ATTEMPTS: Final = Counter("vn_attempts", "States that attempts entered, by a receipt or by a timeout", ["channel", "status"])
RECEIPTS: Final = Counter(
    "vn_receipts", "Receipts that changed an attempt, by its new state and the provider", ["channel", "status", "provider"]
)
OPT_OUTS: Final = Counter("vn_opt_outs", "Opt-outs of registrants' addresses, and opt-ins after them", ["channel", "change"])
RESPONSES: Final = Counter("vn_responses", "Message Responses to agencies, by status", ["status"])
NOT_REACHED: Final = Counter("vn_not_reached", "Notifications that reached no contact", ["emergency"])
PROVIDER_SENDS: Final = Counter("vn_provider_sends", "Messages handed to vendors, by the status reported", ["channel", "vendor", "status"])
AMBIGUOUS_SENDS: Final = Counter("vn_ambiguous_sends", "Messages that the vendor may or may not have accepted", ["channel", "vendor"])
PROVIDER_SWITCHES: Final = Counter("vn_provider_switches", "Failovers from one vendor to another", ["vendor"])
UNKNOWN_CODES: Final = Counter("vn_provider_unknown_codes", "Error codes of a vendor that are in no table", ["vendor"])
SITE_UNREADABLE: Final = Counter(
    "vn_site_unreadable", "Rows of the site's database that no key in its key file decrypts, by table; they block no other rows", ["table"]
)

METRICS: Final = (
    RECORDS,
    DECISIONS,
    OUTPUTS,
    WAKES,
    BATCH_SECONDS,
    BATCH_RECORDS,
    END_TO_END_SECONDS,
    LAG,
    OLDEST_SECONDS,
    TIMERS,
    TIMERS_OVERDUE_SECONDS,
    READY,
    BEAT,
    BUILD,
    TRANSACTIONS,
    STEP_SECONDS,
    REBALANCES,
    NOTIFICATION_SECONDS,
    NOTIFICATIONS_LATE,
    HOLD_SECONDS,
    DEAD_LETTERS,
    TIME_AHEAD,
    RESTARTS,
    FENCED,
    STORE_DOWN,
    BROKER_DOWN,
    REBUILDS,
    CATCH_UP_RECORDS,
    CATCH_UP_LEFT,
    STAMP_AHEAD,
    STALE,
    ATTEMPTS,
    RECEIPTS,
    OPT_OUTS,
    RESPONSES,
    NOT_REACHED,
    PROVIDER_SENDS,
    AMBIGUOUS_SENDS,
    PROVIDER_SWITCHES,
    UNKNOWN_CODES,
    SITE_UNREADABLE,
)
