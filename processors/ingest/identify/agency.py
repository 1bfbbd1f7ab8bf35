"""The jurisdiction whose rules apply to an agency."""

from processors.domain.submission import Agency
from processors.rules.book import Rules

NATIONAL = "US"


def jurisdiction(agency: Agency, rules: Rules) -> str:
    """Return the agency's state, else the one its ORI begins with, else US."""
    if agency.state:
        return agency.state.upper()
    prefix = agency.ori[:2].upper()
    return prefix if prefix in rules.jurisdictions else NATIONAL
