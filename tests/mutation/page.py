"""The mutants that docs/mutation.md explains."""

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "mutation.md"


class Mutant(NamedTuple):
    """One change: `where` is module and function (`validate.window:date`), then the line as it is and as it was changed."""

    where: str
    before: str
    after: str


def explained() -> set[Mutant]:
    """Return the mutants of the page's tables, one a row: where, the line, the mutant."""
    if not PAGE.exists():
        return set()
    rows = (line.split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| `"))
    return {Mutant(*(code(cell) for cell in row)) for row in rows}


def code(cell: str) -> str:
    """Return the text between the back quotes of a table's cell."""
    return cell.strip("| ").strip("`").strip().replace("\\|", "|")
