"""The simulated agencies: one of each kind in every state, and two federal ones."""

from typing import Final

from processors.simulation.geography import FEDERAL, ZONES
from processors.simulation.message import Agency

# Suffix of the ORI, name, and the scheme of its offender numbers.
KINDS: Final = {
    "Interstate Compact": ("ICOTS01", "Interstate Compact Office", "ICOTS"),
    "Jail": ("JAIL001", "Regional Jail", "BOOKING"),
    "Corrections": ("DOC0001", "Department of Corrections", "DOC"),
    "Court": ("COURT01", "Circuit Court", "BOOKING"),
    "Prosecution": ("PROS001", "Prosecuting Attorney", "BOOKING"),
    "Attorney General": ("AG00001", "Attorney General", "DOC"),
    "Parole Board": ("PAROLE1", "Parole Board", "DOC"),
    "State Hospital": ("HOSP001", "State Hospital", "DOC"),
    "Supervision": ("SUPV001", "Probation and Parole", "DOC"),
    "Law Enforcement": ("SHERIFF", "Sheriff", "BOOKING"),
}
NATIONAL: Final = {
    "Federal Justice": Agency("USDOJ0001", "United States Attorney", FEDERAL, "FBI"),
    "Immigration Enforcement": Agency("USICE0001", "Immigration Enforcement", FEDERAL, "FBI"),
}


def agency(event_type: str, state: str) -> Agency:
    """Return the agency of a kind in a state."""
    if event_type in NATIONAL:
        return NATIONAL[event_type]
    code, name, scheme = KINDS[event_type]
    return Agency(f"{state}{code}", f"{state} {name}", ZONES[state], scheme, state)
