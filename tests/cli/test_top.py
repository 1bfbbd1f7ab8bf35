"""`vn top`: a row shows a count, including 0; a value that could not be measured is a dash."""

from io import StringIO

from rich.console import Console

from processors.cli.top import table
from processors.watch import metrics
from processors.watch.metrics import MetricsPage, Sample


def shown(*samples: Sample) -> dict[str, str]:
    """Return the last section of the table: what it says by row."""
    page, out = MetricsPage(), StringIO()
    page.replace(frozenset(), list(samples))
    Console(file=out, width=120).print(table(page.registry))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.getvalue().splitlines() if "│" in line]
    return {row[0]: row[2] for row in rows if len(row) > 2 and not row[1]}


def test_nothing_open_is_0_once_the_topics_were_read() -> None:
    assert shown((metrics.TABLES_READ, (), 1.0), (metrics.BROKER_UP, (), 1.0), (metrics.STORE_UP, (), 0.0)) == {
        "Kafka answers": "yes",
        "Redis answers": "no",
        "Partitions short of replicas": "-",
        "Reviews open": "0",
        "Overdue clocks": "0",
        "Dead letters open": "0",
    }


def test_what_is_open_is_counted_over_its_labels() -> None:
    review = (metrics.REVIEWS_OPEN, ("surge", "VA", "false"), 2.0)
    other = (metrics.REVIEWS_OPEN, ("workflow", "NC", "true"), 1.0)
    assert shown((metrics.TABLES_READ, (), 1.0), review, other)["Reviews open"] == "3"


def test_what_could_not_be_read_is_a_dash() -> None:
    assert set(shown().values()) == {"-"}
