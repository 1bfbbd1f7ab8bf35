"""The postal codes of the states and territories of the United States, and other ways in which agencies write them."""

import re
from functools import lru_cache
from typing import Final

from processors.domain.names import APOSTROPHES

STATE_NAMES: Final = {
    "alabama": "AL", "alaska": "AK", "american samoa": "AS", "arizona": "AZ", "arkansas": "AR", "california": "CA", "colorado": "CO",
    "connecticut": "CT", "delaware": "DE", "district of columbia": "DC", "florida": "FL", "georgia": "GA", "guam": "GU", "hawaii": "HI",
    "idaho": "ID", "illinois": "IL", "indiana": "IN", "iowa": "IA", "kansas": "KS", "kentucky": "KY", "louisiana": "LA", "maine": "ME",
    "maryland": "MD", "massachusetts": "MA", "michigan": "MI", "minnesota": "MN", "mississippi": "MS", "missouri": "MO", "montana": "MT",
    "nebraska": "NE", "nevada": "NV", "new hampshire": "NH", "new jersey": "NJ", "new mexico": "NM", "new york": "NY",
    "north carolina": "NC", "north dakota": "ND", "northern mariana islands": "MP", "ohio": "OH", "oklahoma": "OK", "oregon": "OR",
    "pennsylvania": "PA", "puerto rico": "PR", "rhode island": "RI", "south carolina": "SC", "south dakota": "SD", "tennessee": "TN",
    "texas": "TX", "utah": "UT", "vermont": "VT", "virgin islands": "VI", "us virgin islands": "VI", "virginia": "VA",
    "washington": "WA", "washington dc": "DC", "west virginia": "WV", "wisconsin": "WI", "wyoming": "WY",
    "northern marianas": "MP", "cnmi": "MP",
}  # fmt: skip
STATES: Final = tuple(sorted(set(STATE_NAMES.values())))
NCIC_CODES: Final = {"GM": "GU", "NB": "NE"}  # state codes of the FBI, with which ORIs begin, that differ from the postal codes
CODES_BY_NAME: Final = (
    STATE_NAMES | {code.casefold(): code for code in STATES} | {police.casefold(): code for police, code in NCIC_CODES.items()}
)

_SILENT: Final = dict.fromkeys(map(ord, f".{APOSTROPHES}"))
_WORD: Final = re.compile(r"[^\W_]+")
_BEFORE: Final = re.compile(r"^(?:the )?(?:(?:state|commonwealth|territory) of (?:the )?)?")
_AGENCY: Final = re.compile(r"(?: (?:state|dept|department|division|bureau|doc|doj|dps|dcr)\b.*)?")


@lru_cache(1024)
def state_code(text: str) -> str | None:
    """
    Return the postal code of the state that a text names; None if it names none.

    The text may be the code ("va", "N.C.", "US-VA"), the name ("Commonwealth of Virginia"), or an ORI or agency name that begins
    with either ("VA0430000", "VADOC", "Virginia Department of Corrections"). NB is Nebraska, GM is Guam.
    """
    words = [each.upper() for each in _WORD.findall(text.translate(_SILENT))]
    joined = "".join(words)
    for each in (joined, joined.removeprefix("US"), joined.removesuffix("DOC")):
        if (code := NCIC_CODES.get(each, each)) in STATES:
            return code
    plain = _BEFORE.sub("", " ".join(words).casefold(), count=1)
    for name, code in CODES_BY_NAME.items():
        if plain.startswith(name) and _AGENCY.fullmatch(plain[len(name) :]):
            return code
    prefix = NCIC_CODES.get(joined[:2], joined[:2])
    return prefix if prefix in STATES and any(each.isdigit() for each in joined[2:]) else None
