"""The board about Kafka, Redis and the exactly-once protocol."""

from typing import Final

from processors.watch.boards.panel import Board, Panel
from processors.watch.reading import Reading

PROTOCOL: Final = Board(
    "protocol",
    "Exactly once and stores",
    "Are Kafka, Redis and the protocol between them sound?",
    (
        Panel("Kafka answers", Reading("max", "vn_broker_up"), "yes", "bool_yes_no", "stat", alert="VnBrokerAway", good_above=1),
        Panel("Redis answers", Reading("max", "vn_store_up"), "yes", "bool_yes_no", "stat", alert="VnStoreAway", good_above=1),
        Panel(
            "Partitions short of replicas",
            Reading("max", "vn_under_min_isr_partitions"),
            "0",
            kind="stat",
            alert="VnUnderMinIsr",
            bad_from=1,
        ),
        Panel(
            "Batches retried, per hour",
            "sum by (unit) (increase(vn_restarts_total[1h]))",
            "0 except after restarts and rebalances",
            legend="{{unit}}",
            alert="VnRestarts",
        ),
        Panel(
            "Commits of old owners refused, per hour",
            "sum by (unit) (increase(vn_fenced_total[1h]))",
            "0 except when copies start or stop",
            legend="{{unit}}",
            alert="VnFenced",
        ),
        Panel("Caches rebuilt, per hour", "sum by (unit) (increase(vn_rebuilds_total[1h]))", "0", legend="{{unit}}", alert="VnRebuild"),
        Panel(
            "Caches that disagreed with Kafka, per hour",
            "sum by (unit) (increase(vn_stamp_ahead_total[1h]) + increase(vn_stale_cache_total[1h]))",
            "0",
            legend="{{unit}}",
            alert="VnStampAhead",
        ),
        Panel(
            "Records hidden behind an open transaction",
            "topk(5, max by (topic) (vn_hidden_seconds))",
            "0",
            "s",
            legend="{{topic}}",
            alert="VnRecordsHidden",
        ),
        Panel(
            "Time until retention removes unread records",
            "bottomk(5, min by (topic) (vn_retention_left_seconds))",
            "a week or more",
            "s",
            legend="{{topic}}",
            alert="VnRetentionShort",
            good_above=86_400,
        ),
        Panel(
            "Seconds per transaction, by step",
            "sum by (step) (rate(vn_step_seconds_total[5m])) / on () group_left () (sum(rate(vn_transactions_total[5m])) > 0)",
            "a few hundredths; commit and flush grow with a slow broker, apply with a slow store",
            "s",
            legend="{{step}}",
        ),
        Panel("Left to catch up", "sum by (unit) (vn_catch_up_left_records)", "0", legend="{{unit}}"),
        Panel("Redis memory", "vn_store_memory_bytes", "steady", "bytes", legend="used"),
        Panel(
            "Time until a certificate expires",
            "min by (certificate) (vn_certificate_end_timestamp_seconds - time())",
            "more than two weeks",
            "s",
            legend="{{certificate}}",
            alert="VnCertificateEnds",
            good_above=1_209_600,
            empty_until="connections are encrypted",
        ),
        Panel(
            "Redis memory, share of maxmemory",
            "vn_store_memory_bytes / vn_store_maxmemory_bytes",
            "below 80 %",
            "percentunit",
            legend="used",
            alert="VnStoreFull",
            empty_until="`maxmemory` is set",
        ),
    ),
)
