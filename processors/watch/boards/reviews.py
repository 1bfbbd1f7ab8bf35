"""The board about what waits for a person."""

from typing import Final

from processors.watch.boards.panel import Board, Panel
from processors.watch.reading import Reading

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
            "below 15 minutes, except dates too far ahead; free-text replies below five days",
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
            "Decided by reviewers, per hour",
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
        Panel(
            "Unreadable rows of the site",
            "sum by (table) (vn_site_unreadable_total)",
            "0",
            legend="{{table}}",
            alert="VnSiteUnreadable",
            empty_until="`vn site` runs",
        ),
    ),
)
