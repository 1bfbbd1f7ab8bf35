"""The table of docs/alert-times.md: `make alerts` writes into it how soon each alert arrived and cleared."""

import os
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[2] / "docs" / "alert-times.md"


def record(what: str, traffic: str, alert: str, fired: float, cleared: float | None) -> None:
    """Write the row of one case, if the page is to be written; `cleared` is None for an alert that stays for a time on purpose."""
    if os.environ.get("ALERT_TIMES"):
        PAGE.write_text(with_row(PAGE.read_text(), f"| {what} | {traffic} | `{alert}` |", fired, cleared))


def with_row(page: str, case: str, fired: float, cleared: float | None) -> str:
    """Return the page with the row of this case replaced, or added at the end of the table."""
    row = f"{case} {fired:.0f} s | {'-' if cleared is None else f'{cleared:.0f} s'} |"
    lines = page.splitlines()
    found = [number for number, line in enumerate(lines) if line.startswith(case)]
    if found:
        lines[found[0]] = row
    else:
        lines.insert(max(number for number, line in enumerate(lines) if line.startswith("|")) + 1, row)
    return "\n".join(lines) + "\n"
