"""
The operators' boards, once: Grafana's dashboards, `vn top` and the console's overview are made from these definitions.

A panel names its query, its unit, what normal looks like, and the alert whose threshold it draws and whose runbook heading
it links to. A panel with `empty_until` shows nothing while nothing is wrong: tests/broker/test_boards.py sees it fill when
that happens, and every other panel filled by the load alone.
"""

from dataclasses import dataclass
from typing import Final, Literal

from processors.watch.reading import Reading

Unit = Literal["short", "s", "reqps", "percentunit", "bytes", "bool_yes_no"]
Kind = Literal["stat", "timeseries", "table"]


@dataclass(frozen=True, slots=True)
class Panel:
    """
    One panel; `legend` is Grafana's legend format, `alert` a rule of deploy/prometheus/rules.yml.

    `source` is what it shows: a query, or a reading, which `vn top` and the console take from a watch of their own. Readings say
    themselves from which value they are bad; a test holds that against their alerts.
    """

    title: str
    source: str | Reading
    normal: str
    unit: Unit = "short"
    kind: Kind = "timeseries"
    legend: str = ""
    alert: str | None = None
    empty_until: str = ""
    good_above: float | None = None  # for panels that are good when high: the value below which they are drawn red
    bad_from: float | None = None  # the value from which it is drawn red, if it is a reading or its alert compares two series
    unlike_alert: bool = False  # the panel's unit is not the alert's: no threshold is drawn

    @property
    def query(self) -> str:
        """What Prometheus is asked."""
        return self.source if isinstance(self.source, str) else self.source.query

    @property
    def reading(self) -> Reading | None:
        """What is read without Prometheus, if it can be."""
        return None if isinstance(self.source, str) else self.source

    def is_bad(self, value: float | None) -> bool:
        """Whether a value is drawn red; one that is not known is not."""
        if value is None:
            return False
        if self.good_above is not None:
            return value < self.good_above
        return self.bad_from is not None and value >= self.bad_from


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard."""

    slug: str
    title: str
    question: str
    panels: tuple[Panel, ...]


DUTY: Final = Board(
    "duty",
    "Duty",
    "Who has not been told yet, and why?",
    (
        Panel(
            "Alerts that fire",
            'sum by (alertname, severity) (ALERTS{alertstate="firing",severity!="none"})',
            "none",
            kind="table",
            empty_until="an alert fires",
        ),
        Panel(
            "Emergencies late, 24 h",
            'sum(increase(vn_notifications_late_total{emergency="true"}[24h]))',
            "0",
            kind="stat",
            alert="VnNotificationLate",
        ),
        Panel(
            "Emergencies within a minute, 30 days",
            'sum(increase(vn_notification_seconds_bucket{emergency="true",le="60.0"}[30d]))'
            ' / sum(increase(vn_notification_seconds_count{emergency="true"}[30d]))',
            "above 99.9 %",
            "percentunit",
            "stat",
            alert="VnEmergencyBudget",
            good_above=0.999,
        ),
        Panel(
            "Since the last canary came out",
            "time() - vn_canary_success_timestamp_seconds",
            "below 310 s",
            "s",
            "stat",
            alert="VnCanaryLate",
        ),
        Panel(
            "Silent agencies",
            "count((time() - vn_agency_heard_timestamp_seconds) > on (ori) vn_agency_silence_limit_seconds) or vector(0)",
            "0",
            kind="stat",
            alert="VnAgencySilent",
            bad_from=1,
        ),
        Panel(
            "Overdue clocks",
            Reading("sum", "vn_expectations", where=(("state", "overdue"),), or_zero=True),
            "0",
            kind="stat",
            alert="VnExpectationsOverdue",
            bad_from=1,
        ),
        Panel(
            "Dead letters open",
            Reading("sum", "vn_dead_letters_open", or_zero=True),
            "0",
            kind="stat",
            alert="VnDeadLetterOpen",
            bad_from=1,
        ),
        Panel(
            "Oldest unread record, by stage",
            Reading("max", "vn_group_oldest_seconds", by="unit"),
            "below 2 s at every stage",
            "s",
            legend="{{unit}}",
            alert="VnWorkStands",
            bad_from=60,
        ),
        Panel(
            "Receipt to outbound, emergencies, 99 %",
            'histogram_quantile(0.99, sum by (le, channel) (rate(vn_notification_seconds_bucket{emergency="true"}[5m])))',
            "below 6 s: the merge window and half a second",
            "s",
            legend="{{channel}}",
        ),
        Panel("A canary's way", "vn_canary_seconds", "5 to 7 s: the merge window of emergencies", "s", legend="submission to outbound"),
        Panel(
            "Waiting for a person",
            "sum by (reason, emergency) (vn_reviews_open)",
            "few; none of an emergency",
            legend="{{reason}} emergency={{emergency}}",
            alert="VnEmergencyInReview",
            empty_until="a message is flagged for review",
        ),
    ),
)

PIPELINE: Final = Board(
    "pipeline",
    "Pipeline",
    "Does every stage decide, and how far behind is it?",
    (
        Panel(
            "Copies that decide",
            "count by (unit) (vn_ready == 1)",
            "at least 1 of each stage",
            legend="{{unit}}",
            alert="VnStageGone",
            good_above=1,
        ),
        Panel(
            "Since the stage last made a pass",
            "time() - max by (unit) (vn_beat_timestamp_seconds)",
            "below 1 s",
            "s",
            legend="{{unit}}",
            alert="VnLoopStands",
        ),
        Panel("Records a second", "sum by (unit) (rate(vn_records_total[1m]))", "as the agencies send", "reqps", legend="{{unit}}"),
        Panel(
            "Decisions", "sum by (unit, outcome) (rate(vn_decisions_total[5m]))", "mostly passed", "reqps", legend="{{unit}} {{outcome}}"
        ),
        Panel(
            "Unread records",
            Reading("sum", "vn_group_lag_records", by="unit"),
            "0, or falling after a backlog",
            legend="{{unit}}",
            alert="VnWorkStands",
            unlike_alert=True,
        ),
        Panel(
            "Batch, 99 %",
            "histogram_quantile(0.99, sum by (unit, le) (rate(vn_batch_seconds_bucket[5m])))",
            "below 0.1 s",
            "s",
            legend="{{unit}}",
            alert="VnSlowBatches",
        ),
        Panel(
            "Receipt to decision, 99 %",
            "histogram_quantile(0.99, sum by (unit, le) (rate(vn_end_to_end_seconds_bucket[5m])))",
            "below 0.5 s up to match",
            "s",
            legend="{{unit}}",
        ),
        Panel(
            "Held on purpose, median",
            "histogram_quantile(0.5, sum by (hold, le) (rate(vn_hold_seconds_bucket[1h])))",
            "as the settings say",
            "s",
            legend="{{hold}}",
        ),
        Panel("Timers not due yet", "sum by (unit) (vn_timers_pending)", "steady", legend="{{unit}}"),
    ),
)

AGENCIES: Final = Board(
    "agencies",
    "Agencies and clocks",
    "Which agency is silent, refused or overdue?",
    (
        Panel(
            "Silence against its limit",
            "topk(20, (time() - vn_agency_heard_timestamp_seconds) / on (ori) vn_agency_silence_limit_seconds)",
            "below 100 %",
            "percentunit",
            legend="{{ori}}",
            alert="VnAgencySilent",
            bad_from=1,
        ),
        Panel(
            "Refused at the door, an hour",
            'sum by (reason) (increase(vn_decisions_total{unit="read",outcome="rejected"}[1h])) > 0',
            "none, or few",
            legend="{{reason}}",
            alert="VnDeadLetterOpen",
            unlike_alert=True,
            empty_until="an agency sends what cannot be read",
        ),
        Panel(
            "Duplicates, of the last hour's records",
            'sum(increase(vn_decisions_total{reason="duplicate"}[1h])) / (sum(increase(vn_records_total{unit="dedupe"}[1h])) > 0)'
            " or vector(0)",
            "a few in a hundred",
            "percentunit",
            legend="duplicates",
        ),
        Panel(
            "Overdue by rule",
            'sum by (rule) (vn_expectations{state="overdue"})',
            "0",
            legend="{{rule}}",
            alert="VnExpectationsOverdue",
            empty_until="an agency is silent, or a state misses a deadline",
        ),
        Panel(
            "Overdue by the state that owes",
            'label_replace(sum by (owing_state) (vn_expectations{state="overdue"}), "owing_state", "no state: silence", "owing_state", "")',
            "0",
            legend="{{owing_state}}",
            alert="VnExpectationsOverdue",
            empty_until="an agency is silent, or a state misses a deadline",
        ),
        Panel(
            "Open clocks",
            'sum by (rule) (vn_expectations{state="open"})',
            "steady",
            legend="{{rule}}",
            empty_until="a message opens a deadline",
        ),
    ),
)

DELIVERY: Final = Board(
    "delivery",
    "Delivery",
    "Do messages leave, and do they arrive?",
    (
        Panel(
            "Emergencies that reached nobody, 24 h",
            'sum(increase(vn_not_reached_total{emergency="true"}[24h]))',
            "0",
            kind="stat",
            alert="VnEmergencyNotReached",
        ),
        Panel(
            "Outbound records",
            'sum by (topic) (rate(vn_outputs_total{unit="deliver",topic=~"outbound.*"}[5m]))',
            "as events come",
            "reqps",
            legend="{{topic}}",
        ),
        Panel(
            "Notifications, 95 %",
            "histogram_quantile(0.95, sum by (le, channel) (rate(vn_notification_seconds_bucket[1h])))",
            "holds included: hours at night",
            "s",
            legend="{{channel}}",
        ),
        Panel(
            "Late, by channel",
            "sum by (channel, emergency) (increase(vn_notifications_late_total[1h]))",
            "0",
            legend="{{channel}} emergency={{emergency}}",
            alert="VnNotificationLate",
        ),
        Panel(
            "States of attempts",
            "sum by (channel, status) (rate(vn_attempts_total[5m]))",
            "mostly accepted, then delivered",
            "reqps",
            legend="{{channel}} {{status}}",
        ),
        Panel(
            "Handed to vendors",
            "sum by (channel, vendor, status) (rate(vn_provider_sends_total[5m]))",
            "accepted or delivered",
            "reqps",
            legend="{{channel}} {{vendor}} {{status}}",
            empty_until="`vn provider` runs",
        ),
        Panel(
            "Opt-outs and opt-ins, an hour",
            'sum by (reason) (increase(vn_decisions_total{unit="deliver",reason=~"opted_out|opted_in"}[1h])) > 0',
            "a few; many at once say that somebody is told too much",
            legend="{{reason}}",
            empty_until="an address answers STOP or START",
        ),
        Panel(
            "Answers to agencies",
            'sum(rate(vn_outputs_total{topic="responses"}[5m])) or vector(0)',
            "as many as submissions, later",
            "reqps",
            legend="responses",
        ),
        Panel(
            "Unread by our providers",
            "sum by (topic) (vn_outbound_unread_records)",
            "0, if `vn provider` runs",
            legend="{{topic}}",
            empty_until="`vn provider` runs",
        ),
        Panel(
            "Why nothing left, an hour",
            'sum by (reason) (increase(vn_decisions_total{unit="deliver",outcome="dropped"}[1h])) > 0',
            "superseded and ended registrations",
            legend="{{reason}}",
            empty_until="a registration ends while its news waits",
        ),
        Panel(
            "Held before they leave, an hour",
            'sum by (reason) (increase(vn_decisions_total{unit="deliver",outcome="gathered"}[1h])) > 0',
            "merge_window; quiet_hours at night",
            legend="{{reason}}",
            empty_until="a message waits",
        ),
    ),
)

REVIEWS: Final = Board(
    "reviews",
    "Reviews and dead letters",
    "What waits for a person?",
    (
        Panel("Reviews open", Reading("sum", "vn_reviews_open", or_zero=True), "few", kind="stat"),
        Panel(
            "Open, by reason",
            "sum by (reason) (vn_reviews_open)",
            "few",
            legend="{{reason}}",
            alert="VnReviewWaits",
            empty_until="a message is flagged for review",
        ),
        Panel(
            "Oldest open review",
            "max by (reason) (vn_review_oldest_seconds)",
            "below a quarter of an hour",
            "s",
            legend="{{reason}}",
            alert="VnReviewWaits",
            empty_until="a message is flagged for review",
        ),
        Panel(
            "Open, by jurisdiction",
            "sum by (jurisdiction, emergency) (vn_reviews_open)",
            "few",
            legend="{{jurisdiction}} emergency={{emergency}}",
            alert="VnEmergencyInReview",
            empty_until="a message is flagged for review",
        ),
        Panel(
            "Decided by people, an hour",
            'sum by (reason) (increase(vn_decisions_total{reason=~"released|discarded"}[1h])) > 0',
            "as many as are opened",
            legend="{{reason}}",
            empty_until="a reviewer decides",
        ),
        Panel(
            "Dead letters open",
            "sum by (stage, reason) (vn_dead_letters_open)",
            "0",
            legend="{{stage}} {{reason}}",
            alert="VnDeadLetterOpen",
            empty_until="a record is refused",
        ),
    ),
)

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
            "Batches done again, an hour",
            "sum by (unit) (increase(vn_restarts_total[1h]))",
            "0 but for restarts and rebalances",
            legend="{{unit}}",
            alert="VnRestarts",
        ),
        Panel(
            "Commits refused to an old owner, an hour",
            "sum by (unit) (increase(vn_fenced_total[1h]))",
            "0 but when copies come and go",
            legend="{{unit}}",
            alert="VnFenced",
        ),
        Panel("Caches rebuilt, an hour", "sum by (unit) (increase(vn_rebuilds_total[1h]))", "0", legend="{{unit}}", alert="VnRebuild"),
        Panel(
            "Caches that did not agree with Kafka, an hour",
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
            "Until retention removes something unread",
            "bottomk(5, min by (topic) (vn_retention_left_seconds))",
            "a week or more",
            "s",
            legend="{{topic}}",
            alert="VnRetentionShort",
            good_above=86_400,
        ),
        Panel(
            "Seconds of a transaction, by step",
            "sum by (step) (rate(vn_step_seconds_total[5m])) / on () group_left () (sum(rate(vn_transactions_total[5m])) > 0)",
            "a few hundredths; commit and flush grow with a slow broker, apply with a slow store",
            "s",
            legend="{{step}}",
        ),
        Panel("Left to catch up", "sum by (unit) (vn_catch_up_left_records)", "0", legend="{{unit}}"),
        Panel("Redis memory", "vn_store_memory_bytes", "steady", "bytes", legend="used"),
        Panel(
            "Until a certificate ends",
            "min by (certificate) (vn_certificate_end_timestamp_seconds - time())",
            "more than a fortnight",
            "s",
            legend="{{certificate}}",
            alert="VnCertificateEnds",
            good_above=1_209_600,
            empty_until="connections are encrypted",
        ),
        Panel(
            "Redis memory, of what it may use",
            "vn_store_memory_bytes / vn_store_maxmemory_bytes",
            "below 80 %",
            "percentunit",
            legend="used",
            alert="VnStoreFull",
            empty_until="`maxmemory` is set",
        ),
    ),
)

# What `vn top` and the console show of each stage, and beside them.
OF_STAGES: Final = tuple(
    each for board in (PIPELINE, DUTY) for each in board.panels if each.reading is not None and each.reading.by == "unit"
)
OF_ALL: Final = tuple(
    each for board in (PROTOCOL, REVIEWS, DUTY) for each in board.panels if each.reading is not None and each.kind == "stat"
)

BOARDS: Final = (DUTY, PIPELINE, AGENCIES, DELIVERY, REVIEWS, PROTOCOL)
