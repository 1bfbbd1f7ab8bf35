"""The 53 jurisdictions of the compact and the zones of their clocks: 50 states, DC, Puerto Rico, the Virgin Islands."""

from typing import Final

_ZONES: Final = {
    "America/New_York": "CT DC DE FL GA KY MA MD ME NC NH NJ NY OH PA RI SC VA VT WV",
    "America/Detroit": "MI",
    "America/Indiana/Indianapolis": "IN",
    "America/Chicago": "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI",
    "America/Denver": "CO MT NM UT WY",
    "America/Boise": "ID",
    "America/Phoenix": "AZ",
    "America/Los_Angeles": "CA NV OR WA",
    "America/Anchorage": "AK",
    "Pacific/Honolulu": "HI",
    "America/Puerto_Rico": "PR",
    "America/St_Thomas": "VI",
}

ZONES: Final[dict[str, str]] = {state: zone for zone, states in _ZONES.items() for state in states.split()}
STATES: Final = tuple(sorted(ZONES))
FEDERAL: Final = "America/New_York"  # of agencies that name no state
TOWNS: Final = ("Springfield", "Riverside", "Fairview", "Clinton", "Georgetown", "Salem", "Madison", "Franklin", "Arlington", "Ashland")
