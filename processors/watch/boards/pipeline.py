"""The board about stages: whether each decides, and how far behind it is."""

from typing import Final

from processors.watch.boards.panel import Board, Panel
from processors.watch.reading import Reading

PIPELINE: Final = Board(
    "pipeline",
    "Pipeline",
    "Does every stage decide, and how far behind is it?",
    (
        Panel(
            "Ready copies",
            "count by (unit) (vn_ready == 1)",
            "at least 1 per stage",
            legend="{{unit}}",
            alert="VnStageGone",
            good_above=1,
        ),
        Panel(
            "Since a copy last made a pass",
            "time() - max by (unit, instance) (vn_beat_timestamp_seconds)",
            "below 1 s for every copy",
            "s",
            legend="{{unit}} {{instance}}",
            alert="VnLoopStands",
        ),
        Panel(
            "Records per second", "sum by (unit) (rate(vn_records_total[1m]))", "depends on what agencies send", "reqps", legend="{{unit}}"
        ),
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
            "as configured",
            "s",
            legend="{{hold}}",
        ),
        Panel("Timers not due yet", "sum by (unit) (vn_timers_pending)", "steady", legend="{{unit}}"),
    ),
)
