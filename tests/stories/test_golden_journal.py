"""Every sentence of the journal, as an operator reads it in `vn explain`; a changed one must be intended."""

from tests.stories.golden_journal import GOLDEN, journal


def test_the_journal_of_the_sample_feed_is_as_it_was() -> None:
    assert journal().splitlines() == GOLDEN.read_text().splitlines(), "see the difference; python -m tests.stories.golden_journal"
