"""
Simulated offenders, each with a unique name, numbers and an alias.

As in ICOTS, every message names all of these, except for offenders whom two agencies know by one number each until a message names
both. Some messages also have fillers that are not numbers, or numbers that many people share.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal

from processors.simulation.geography import STATES
from processors.simulation.randomness import RandomStream

_GIVEN: Final = (
    "Aaron Albert Andrew Anthony Brandon Brian Carlos Charles Daniel David Dennis Derek Diego Donald Edward Eric Ernest Felix Francis Gary "
    "George Gerald Harold Henry Isaac Jacob James Jason Jerome Jesse Joel John Jorge Jose Joseph Keith Kevin Larry Leon Lewis Luis Manuel "
    "Marcus Martin Maurice Miguel Nathan Oscar Patrick Paul Peter Philip Ramon Raul Roberto Samuel Stephen Theodore Victor Wayne"
)
_SUR: Final = (
    "Abbott Aguilar Alvarado Avery Baldwin Barker Benson Bishop Blair Bowen Brady Bryant Calderon Carver Castro Chandler Clayton Cole "
    "Conway Cortez Dalton Delgado Dixon Doyle Duran Eaton Ellison Espinoza Farley Fields Fleming Fuentes Gaines Garrett Gibbs Gorman "
    "Guerrero Hale Harmon Hayden Herrera Hobbs Ingram Jarvis Jimenez Keller Kemp Landry Lawson Lozano Maddox Maldonado Marsh Mercer "
    "Montoya Navarro Nolan Ortega Osborne Pacheco Parrish Pruitt Quinn Ramsey Reyes Rhodes Salas Sawyer Sexton Solis Stokes Tate "
    "Trujillo Underwood Valdez Vance Walsh Weber Yates Zamora"
)
GIVEN: Final = tuple(_GIVEN.split())
SUR: Final = tuple(_SUR.split())
ALIASES: Final = ("Ashe", "Birch", "Crane", "Drake", "Finch", "Grove", "Heath", "Ivey", "Lark", "Moss")
Knowledge = Literal["all", "SID", "DOC"]
"""How a message or registration identifies the offender: by everything, or by one number only."""

FILLERS: Final = ("UNKNOWN", "NOT AVAILABLE", "999999999", "000-00-0000", "N/A", "PENDING", "XXXXXX", "123456789")
COUNTERS: Final = 7  # weak numbers that an agency gives to all
FIRST_BIRTHDAY: Final = date(1950, 1, 1)
BIRTHDAYS: Final = 18_000


@dataclass(frozen=True, slots=True)
class Offender:
    """
    One offender; `state` is where the case is.

    `met` is when a message first names both the SID and the DOC number, None if the first message does.
    """

    number: int
    state: str
    met: int | None = None

    def is_same_to(self, one: Knowledge, other: Knowledge, at: int) -> bool:
        """Whether the pipeline knows at `at` that both ways of identifying the offender mean the same person."""
        return self.met is None or at >= self.met or "all" in {one, other} or one == other

    @property
    def names(self) -> tuple[str, str]:
        return GIVEN[self.number % len(GIVEN)], SUR[self.number // len(GIVEN) % len(SUR)]

    @property
    def name(self) -> str:
        """The name as in notifications."""
        return " ".join(self.names)

    @property
    def birth_date(self) -> str:
        turn = self.number * 37 + self.number // (len(GIVEN) * len(SUR))
        return (FIRST_BIRTHDAY + timedelta(days=turn % BIRTHDAYS)).isoformat()

    @property
    def sid(self) -> dict[str, str]:
        return {"scheme": "SID", "value": f"{self.state}{3_000_000 + self.number}"}

    @property
    def alias(self) -> dict[str, str]:
        return {"given": self.names[0], "sur": ALIASES[self.number % len(ALIASES)]}

    def described_by(self, scheme: str) -> dict[str, Any]:
        """Return the person as an agency with numbers of that scheme describes them."""
        given, sur = self.names
        own = {"scheme": scheme, "value": f"{1_200_000 + self.number}"}
        return {
            "identifiers": [self.sid, own],
            "name": {"given": given, "sur": sur},
            "aliases": [self.alias],
            "birth_date": self.birth_date,
        }

    @property
    def doc(self) -> dict[str, str]:
        return {"scheme": "DOC", "value": f"{1_200_000 + self.number}", "issuer": self.state}

    def known_by(self, knowledge: Knowledge, scheme: str) -> dict[str, Any]:
        """Return the person as described by an agency with this knowledge."""
        described = self.described_by(scheme)
        if knowledge == "all":
            return described
        return {"identifiers": [self.sid if knowledge == "SID" else self.doc], "name": described["name"]}

    def described_for_registration(self, random: RandomStream) -> dict[str, Any]:
        """Return the person as a registration describes them: by number, by name or alias with birth date, or by all."""
        given, sur = self.names
        name, birth = {"given": given, "sur": sur}, self.birth_date
        return random.weighted_choice(
            (
                (5, {"identifiers": [self.sid], "name": name, "birth_date": birth}),
                (3, {"identifiers": [self.sid]}),
                (2, {"identifiers": [], "name": name, "birth_date": birth}),
                (1, {"identifiers": [], "name": self.alias, "birth_date": birth}),
            )
        )


def offender(number: int, random: RandomStream) -> Offender:
    return Offender(number, random.choice(STATES))


def with_disorder(person: dict[str, Any], offender: Offender, disorder: tuple[str, ...]) -> dict[str, Any]:
    """Return the description of the same person with typing errors, fillers and weak numbers added."""
    numbers = [dict(each) for each in person["identifiers"]]
    if "misspelt number" in disorder:
        numbers = [{**each, "value": misspelled(each["value"])} for each in numbers]
    if "filler" in disorder:
        numbers.append({"scheme": "FBI", "value": FILLERS[offender.number % len(FILLERS)]})
    if "weak number" in disorder:
        numbers.append({"scheme": "COUNTER", "value": f"{410 + offender.number % COUNTERS}"})
    return {**person, "identifiers": numbers}


def misspelled(number: str) -> str:
    """Return a number as a careless person types it: blanks, hyphens, small letters, an invisible character."""
    return f" {number[:2].lower()} {number[2:5]}-{number[5:]}\u200b"
