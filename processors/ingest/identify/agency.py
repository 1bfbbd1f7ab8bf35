"""The jurisdiction whose rules apply to an agency."""

from processors.domain.states import STATES, state_code
from processors.domain.submission import Agency
from processors.rules.rule_set import Rules

NATIONAL = "US"


def jurisdiction(agency: Agency, rules: Rules) -> str:
    """Return the agency's state, otherwise the state that its ORI begins with, otherwise US."""
    for text in filter(None, (agency.state, agency.ori[:2])):
        code = state_code(text) or text.upper()
        if code in rules.jurisdictions or (text == agency.state and code in STATES):
            return code
    return NATIONAL
