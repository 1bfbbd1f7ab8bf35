"""The journal of the sample feed, a verdict a line: `python -m tests.stories.golden_journal` writes it, a test says that it is current."""

from pathlib import Path
from typing import Final

from processors.domain.time import iso
from processors.rehearsal.feed import read_feed
from processors.rehearsal.player import rehearse
from processors.rules.load import load_rules

FEED: Final = Path(__file__).parents[2] / "examples" / "feed.jsonl"
GOLDEN: Final = Path(__file__).parent / "golden" / "journal.txt"


def journal() -> str:
    """Return every verdict that the stages give on the sample feed, in the order they were given."""
    verdicts = rehearse(read_feed(FEED), load_rules(), bytes(64)).driver.verdicts()
    return "".join(f"{iso(each.at)} {each.message_id} {each.stage}: {each.outcome}, {each.reason}: {each.detail}\n" for each in verdicts)


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(journal())
