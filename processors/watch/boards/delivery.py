"""The board about delivery: what leaves, and whether it arrives."""

from typing import Final

from processors.watch.boards.panel import Board, Panel

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
            "depends on the events",
            "reqps",
            legend="{{topic}}",
        ),
        Panel(
            "Notifications, 95 %",
            "histogram_quantile(0.95, sum by (le, channel) (rate(vn_notification_seconds_bucket[1h])))",
            "includes holds, so hours at night",
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
            "Opt-outs and opt-ins, per hour",
            'sum by (reason) (increase(vn_decisions_total{unit="deliver",reason=~"opted_out|opted_in"}[1h])) > 0',
            "a few; many at once mean that registrants get too many messages",
            legend="{{reason}}",
            empty_until="an address replies STOP or START",
        ),
        Panel(
            "Answers to agencies",
            "sum by (status) (rate(vn_responses_total[5m]))",
            "as many as submissions, with a delay; mostly delivered",
            "reqps",
            legend="{{status}}",
        ),
        Panel(
            "Unread by our providers",
            "sum by (topic) (vn_outbound_unread_records)",
            "0, if `vn provider` runs",
            legend="{{topic}}",
            empty_until="`vn provider` runs",
        ),
        Panel(
            "Not sent, by reason, per hour",
            'sum by (reason) (increase(vn_decisions_total{unit="deliver",outcome="dropped"}[1h])) > 0',
            "superseded news and ended registrations",
            legend="{{reason}}",
            empty_until="a registration ends while its news waits",
        ),
        Panel(
            "Held before sending, per hour",
            'sum by (reason) (increase(vn_decisions_total{unit="deliver",outcome="gathered"}[1h])) > 0',
            "merge_window; quiet_hours at night",
            legend="{{reason}}",
            empty_until="a message waits",
        ),
    ),
)
