"""The board about agencies: who is silent, refused, crowded out or overdue."""

from typing import Final

from processors.watch.boards.panel import Board, Panel

AGENCIES: Final = Board(
    "agencies",
    "Agencies and clocks",
    "Which agency is silent, refused or overdue?",
    (
        Panel(
            "Silence against its limit",
            "topk(20, (time() - max by (ori) (vn_agency_heard_timestamp_seconds))"
            " / on (ori) max by (ori) (vn_agency_silence_limit_seconds))",
            "below 100 %",
            "percentunit",
            legend="{{ori}}",
            alert="VnAgencySilent",
            bad_from=1,
        ),
        Panel(
            "Rejected by ingest, per hour",
            'sum by (reason) (increase(vn_decisions_total{unit="read",outcome="rejected"}[1h])) > 0',
            "none or few",
            legend="{{reason}}",
            alert="VnDeadLetterOpen",
            unlike_alert=True,
            empty_until="an agency sends something unreadable",
        ),
        Panel(
            "Duplicates, share of the last hour's records",
            '(sum(increase(vn_decisions_total{reason="duplicate"}[1h])) or 0 * sum(increase(vn_records_total{unit="dedupe"}[1h])))'
            ' / clamp_min(sum(increase(vn_records_total{unit="dedupe"}[1h])), 1)',
            "a few percent",
            "percentunit",
            legend="duplicates",
        ),
        Panel(
            "Crowded out, per hour",
            'sum by (unit, outcome) (increase(vn_decisions_total{reason="crowded_out"}[1h]))',
            "0",
            legend="{{unit}} {{outcome}}",
            alert="VnCrowdedOut",
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
            "Overdue by owing state",
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
