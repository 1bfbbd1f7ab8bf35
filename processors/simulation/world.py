"""A stretch of time at the agencies: the feed, and the key of what must come of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from processors.simulation.chance import Chance
from processors.simulation.course import new_case
from processors.simulation.markup import xml
from processors.simulation.message import Refused, Saying, moment
from processors.simulation.oracle import Oracle
from processors.simulation.pen import Pen
from processors.simulation.people import Offender, offender
from processors.simulation.rates import ACTIVE_CASES, ACTIVITIES, DAYS, SHARES, TRANSFER_REQUESTS
from processors.simulation.refused import refused
from processors.simulation.registrants import Registrant, Registration, registrant, registration
from processors.simulation.stories import together, told
from processors.simulation.times import DAY, HOUR, written

SETTLING: Final = 3 * DAY  # after the last message, so that everything that waits has left
SCENES: Final = 5  # of a story, on average
HERE: Final = "America/New_York"


@dataclass(frozen=True, slots=True)
class Scale:
    """How much happens in a stretch: the published figures of a year, times a factor."""

    days: int
    factor: float

    def of(self, yearly: int) -> int:
        return round(yearly * self.factor * self.days / DAYS)

    @property
    def cases(self) -> int:
        return max(round(ACTIVE_CASES * self.factor), 1)


@dataclass(frozen=True, slots=True)
class World:
    """What everybody sends, in order, and what must come of it."""

    start: int
    end: int
    registrations: tuple[Registration, ...]
    sayings: tuple[Saying, ...]

    def feed(self) -> Iterator[dict[str, Any]]:
        """Yield the lines of the feed, in order of time; the last is nothing but the passing of time."""
        lines = [*(line for each in self.registrations for line in enrolled(each)), *map(submitted, self.sayings)]
        lines.append((self.end + SETTLING, {}))
        for at, line in sorted(lines, key=lambda each: each[0]):
            yield {"at": written(at, "UTC"), **line}

    def key(self) -> dict[str, Any]:
        """Return what must come of it."""
        return Oracle(self.registrations).key(self.sayings)


def enrolled(each: Registration) -> Iterator[tuple[int, dict[str, Any]]]:
    for version in each.versions:
        yield version.at, {"unregister": each.registration_id} if version.ended else {"registration": each.document(version)}


def submitted(saying: Saying) -> tuple[int, dict[str, Any]]:
    if saying.message is None:
        return saying.at, {"raw": saying.raw, **({"pad": saying.pad} if saying.pad else {})}
    document = saying.message.document(saying.at)
    return saying.at, {"raw": xml(document)} if saying.message.form == "xml" else {"submission": document}


def simulate(start: int, days: int, seed: int, factor: float) -> World:
    """Return the world of a seed: the same arguments give the same world."""
    maker = Maker(Chance(seed), start, start + days * DAY, Scale(days, factor))
    maker.compact()
    maker.others()
    maker.bad()
    maker.register()
    sayings = tuple(sorted(maker.sayings, key=lambda each: each.at))
    return World(start, maker.end, tuple(maker.registrations), sayings)


class Maker:
    """A world in the making."""

    def __init__(self, chance: Chance, start: int, end: int, scale: Scale) -> None:
        self.chance = chance
        self.start = start
        self.end = end
        self.scale = scale
        self.first = start + HOUR  # when the first message comes: every registration of the first day is before it
        self.people: list[Offender] = []
        self.pairs: list[tuple[Offender, Offender]] = []
        self.sayings: list[Saying] = []
        self.registrations: list[Registration] = []

    def person(self) -> Offender:
        number = len(self.people)
        self.people.append(offender(number, self.chance.of("offender", number)))
        return self.people[-1]

    def pen(self, name: str) -> Pen:
        return Pen(name, self.chance.of("pen", name), self.end)

    def some_time(self, until: int) -> int:
        """Return when something begins that is to begin before `until`."""
        return self.first + self.chance.below(max(until - self.first, 1))

    def compact(self) -> None:
        """Cases begin, and active ones go on, until the activities of the stretch have been told."""
        wanted, taken, number = self.scale.of(ACTIVITIES), 0, 0
        for _ in range(self.scale.of(TRANSFER_REQUESTS)):
            taken += self.case(number, "new", 40)
            number += 1
        while taken < wanted and number < 10 * self.scale.cases + wanted:
            taken += self.case(number, "supervised", self.chance.between(1, 3))
            number += 1

    def case(self, number: int, place: str, steps: int) -> int:
        pen = self.pen(f"ICOTS-{number}")
        case = new_case(pen, self.person(), self.some_time(self.end) - 26 * HOUR, place)
        case.at = max(case.at, self.first - 26 * HOUR)
        taken = case.go(steps)
        self.sayings += pen.sayings
        return taken

    def others(self) -> None:
        """Other agencies tell of other people."""
        stories = round(self.scale.of(ACTIVITIES) * SHARES["other agencies"] / SCENES)
        for number in range(stories):
            pen = self.pen(f"CASE-{number}")
            at = self.some_time(self.end - DAY)
            if pen.chance.happens(0.12):
                one = self.person()
                other = Offender(self.person().number, one.state)
                self.people[-1] = other
                self.pairs.append((one, other))
                together(pen, (one, other), at)
            else:
                told(pen, self.person(), at, number)
            self.sayings += pen.sayings

    def bad(self) -> None:
        """Some of what comes is not to be let in."""
        models = [each.message for each in self.sayings if each.message is not None]
        for number in range(round(len(models) * SHARES["rejected"])):
            model = self.chance.one_of(models)
            at = self.some_time(self.end)
            document = model.document(at) | {"message_id": f"BAD-{number}", "action_at": moment(at, model.agency.zone).text}
            reason, raw, pad = refused(number, document)
            self.sayings.append(Saying(at, None, Refused(reason), raw, pad))

    def register(self) -> None:
        """About half the offenders are watched, some by several people; some people watch several offenders."""
        shared = dict(self.pairs)
        before: Registrant | None = None
        for each in self.people:
            chance = self.chance.of("watch", each.number)
            if not chance.happens(SHARES["watched"]) and each not in shared:
                continue
            for _ in range(chance.weighed(((7, 1), (2, 2), (1, 3)))):
                again = before is not None and chance.happens(SHARES["several offenders"])
                number = len(self.registrations)
                who = before if again and before is not None else registrant(number, each, chance)
                self.watch(who, each, chance)
                if each in shared and chance.happens(0.8):
                    self.watch(who, shared[each], chance)
                before = who

    def watch(self, who: Registrant, whom: Offender, chance: Chance) -> None:
        number = len(self.registrations)
        self.registrations.append(registration(number, who, whom, (self.start, self.end), chance))
