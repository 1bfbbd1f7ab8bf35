"""A simulated period: the feed of all agencies and registration sites, and the key with the expected results."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from processors.simulation.case_log import CaseLog
from processors.simulation.compact_case import new_case
from processors.simulation.markup import xml
from processors.simulation.message import FeedItem, Rejected, action_time
from processors.simulation.oracle import Oracle
from processors.simulation.people import Offender, offender
from processors.simulation.randomness import RandomStream
from processors.simulation.rates import ACTIVE_CASES, ACTIVITIES, DAYS, SHARES, TRANSFER_REQUESTS
from processors.simulation.registrants import Registrant, Registration, registrant, registration
from processors.simulation.rejected import rejected_content
from processors.simulation.stories import add_joint_hearing, add_late_meeting, add_story
from processors.simulation.times import DAY, HOUR, iso_in_zone

DRAIN: Final = 3 * DAY  # after the last message, so that everything that waits is sent
EVENTS_PER_STORY: Final = 5  # on average
EAST_COAST: Final = "America/New_York"


@dataclass(frozen=True, slots=True)
class Scale:
    """The published yearly figures, scaled to the period."""

    days: int
    factor: float

    def of(self, yearly: int) -> int:
        return round(yearly * self.factor * self.days / DAYS)

    @property
    def cases(self) -> int:
        return max(round(ACTIVE_CASES * self.factor), 1)


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is sent, in order."""

    start: int
    end: int
    registrations: tuple[Registration, ...]
    feed_items: tuple[FeedItem, ...]

    def feed(self) -> Iterator[dict[str, Any]]:
        """Yield the lines of the feed in order of time; the last one only lets time pass."""
        lines = [*(line for each in self.registrations for line in registration_lines(each)), *map(submission_line, self.feed_items)]
        lines.append((self.end + DRAIN, {}))
        for at, line in sorted(lines, key=lambda each: each[0]):
            yield {"at": iso_in_zone(at, "UTC"), **line}

    def key(self) -> dict[str, Any]:
        """Return the expected results."""
        return Oracle(self.registrations).key(self.feed_items)


def registration_lines(each: Registration) -> Iterator[tuple[int, dict[str, Any]]]:
    for version in each.versions:
        yield version.at, {"unregister": each.registration_id} if version.ended else {"registration": each.document(version)}


def submission_line(item: FeedItem) -> tuple[int, dict[str, Any]]:
    if item.message is None:
        return item.at, {"raw": item.raw, **({"pad": item.pad} if item.pad else {})}
    document = item.message.document(item.at)
    return item.at, {"raw": xml(document)} if item.message.form == "xml" else {"submission": document}


def simulate(start: int, days: int, seed: int, factor: float) -> World:
    """Return the world of a seed; equal arguments give equal worlds."""
    builder = WorldBuilder(RandomStream(seed), start, start + days * DAY, Scale(days, factor))
    builder.add_compact_cases()
    builder.add_stories()
    builder.add_rejected()
    builder.add_registrations()
    feed_items = tuple(sorted(builder.feed_items, key=lambda each: each.at))
    return World(start, builder.end, tuple(builder.registrations), feed_items)


class WorldBuilder:
    """Builds a World."""

    def __init__(self, random: RandomStream, start: int, end: int, scale: Scale) -> None:
        self.random = random
        self.start = start
        self.end = end
        self.scale = scale
        self.first = start + HOUR  # of the first message: all registrations of the first day come before
        self.people: list[Offender] = []
        self.pairs: list[tuple[Offender, Offender]] = []
        self.feed_items: list[FeedItem] = []
        self.registrations: list[Registration] = []

    def person(self) -> Offender:
        number = len(self.people)
        self.people.append(offender(number, self.random.child("offender", number)))
        return self.people[-1]

    def new_log(self, name: str) -> CaseLog:
        return CaseLog(name, self.random.child("pen", name), self.end)

    def some_time(self, until: int) -> int:
        """Return a random time between the first message and `until`."""
        return self.first + self.random.below(max(until - self.first, 1))

    def add_compact_cases(self) -> None:
        """Add new cases, then active ones, until the number of activities is reached."""
        wanted, taken, number = self.scale.of(ACTIVITIES), 0, 0
        for _ in range(self.scale.of(TRANSFER_REQUESTS)):
            taken += self.add_case(number, "new", 40)
            number += 1
        while taken < wanted and number < 10 * self.scale.cases + wanted:
            taken += self.add_case(number, "supervised", self.random.between(1, 3))
            number += 1

    def add_case(self, number: int, state: str, steps: int) -> int:
        log = self.new_log(f"ICOTS-{number}")
        case = new_case(log, self.person(), self.some_time(self.end) - 26 * HOUR, state)
        case.at = max(case.at, self.first - 26 * HOUR)
        taken = case.advance(steps)
        self.feed_items += log.feed_items
        return taken

    def add_stories(self) -> None:
        """Add the stories of other agencies about other offenders."""
        stories = round(self.scale.of(ACTIVITIES) * SHARES["other agencies"] / EVENTS_PER_STORY)
        for number in range(stories):
            log = self.new_log(f"CASE-{number}")
            at = self.some_time(self.end - DAY)
            if log.random.happens(0.12):
                one = self.person()
                other = Offender(self.person().number, one.state)
                self.people[-1] = other
                self.pairs.append((one, other))
                add_joint_hearing(log, (one, other), at)
            elif log.random.child("meet").happens(SHARES["numbers meet late"]):
                self.people[-1] = add_late_meeting(log, self.person(), at)
            else:
                add_story(log, self.person(), at, number)
            self.feed_items += log.feed_items

    def add_rejected(self) -> None:
        """Add submissions that ingest must reject."""
        models = [each.message for each in self.feed_items if each.message is not None]
        for number in range(round(len(models) * SHARES["rejected"])):
            model = self.random.choice(models)
            at = self.some_time(self.end)
            document = model.document(at) | {"message_id": f"BAD-{number}", "action_at": action_time(at, model.agency.zone).text}
            reason, raw, pad = rejected_content(number, document)
            self.feed_items.append(FeedItem(at, None, Rejected(reason), raw, pad))

    def add_registrations(self) -> None:
        """Add registrations for about half the offenders; some have several registrants, some registrants several offenders."""
        shared = dict(self.pairs)
        before: Registrant | None = None
        for each in self.people:
            random = self.random.child("watch", each.number)
            if not random.happens(SHARES["watched"]) and each not in shared:
                continue
            for _ in range(random.weighted_choice(((7, 1), (2, 2), (1, 3)))):
                again = before is not None and random.happens(SHARES["several offenders"])
                number = len(self.registrations)
                who = before if again and before is not None else registrant(number, each, random)
                self.add_registration(who, each, random)
                if each in shared and random.happens(0.8):
                    self.add_registration(who, shared[each], random)
                before = who

    def add_registration(self, who: Registrant, whom: Offender, random: RandomStream) -> None:
        number = len(self.registrations)
        self.registrations.append(registration(number, who, whom, (self.start, self.end), random))
