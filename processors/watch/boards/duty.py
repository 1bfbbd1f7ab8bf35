"""The board for the person on duty: who has not been notified yet."""

from typing import Final

from processors.watch.boards.panel import Board, Panel
from processors.watch.reading import NONE_IF_READ, Reading

DUTY: Final = Board(
    "duty",
    "Duty",
    "Who has not been notified yet, and why?",
    (
        Panel(
            "Firing alerts",
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
            "count((time() - max by (ori) (vn_agency_heard_timestamp_seconds)) > on (ori) max by (ori) (vn_agency_silence_limit_seconds))"
            f" or {NONE_IF_READ}",
            "0",
            kind="stat",
            alert="VnAgencySilent",
            bad_from=1,
        ),
        Panel(
            "Overdue clocks",
            Reading("sum", "vn_expectations", where=(("state", "overdue"),), without=(("rule", "feed.silence"),), or_zero=True),
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
            "below 6 s: the merge window plus half a second",
            "s",
            legend="{{channel}}",
        ),
        Panel(
            "Canary, submission to outbound",
            "vn_canary_seconds",
            "5 to 7 s: the merge window of emergencies",
            "s",
            legend="submission to outbound",
        ),
        Panel(
            "Waiting for a reviewer",
            "sum by (reason, emergency) (vn_reviews_open)",
            "few, and no emergencies",
            legend="{{reason}} emergency={{emergency}}",
            alert="VnEmergencyInReview",
            empty_until="a message is flagged for review",
        ),
    ),
)
