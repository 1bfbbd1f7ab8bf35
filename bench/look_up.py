"""
The view of the public's site: how long it takes to build, and how long a look-up takes (`python -m bench.look_up`).

The records are decoded and applied in batches as by the follower; only reading them from a broker is left out. Times are CPU
times, so that other programs on the machine do not count.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from processors.domain.offender import KnownPerson, OffenderStanding
from processors.domain.person import Identifier, Name
from processors.runtime.wire.codec import Codec
from processors.topics import PEOPLE, STANDINGS, Topic
from processors.views.database import View
from processors.views.follower import MAX_RECORDS
from processors.views.model import Row
from processors.views.public import PUBLIC_MODEL, PersonQuery, PublicScope, look_up

PEOPLE_COUNT: Final = 1_000_000
LOOK_UPS: Final = 5_000
SURNAMES: Final = 20_000
CODEC: Final = Codec()


def surname(number: int) -> str:
    """Return a surname; the first ones are as frequent as the most frequent ones in the United States."""
    letters = []
    number += 26**3
    while number:
        number, letter = divmod(number, 26)
        letters.append(chr(ord("a") + letter))
    return "".join(letters).capitalize()


def records(count: int, chance: random.Random) -> Iterator[tuple[Topic, str, bytes]]:
    """Yield each person and their standing as in the topics; every third may be shown to the public."""
    for number in range(count):
        offender = f"o{number:016x}"
        name = Name(chance.choice("ABCDEFGHJKLMNPRSTW") + "ndrew", None, surname(int(SURNAMES ** chance.random())))
        year = str(chance.randrange(1940, 2006))
        identifiers = (Identifier("SID", f"VA{number:07}"), Identifier("ICOTS", str(10_000_000 + number)))
        person = KnownPerson(offender=offender, names=(name,), identifiers=identifiers, birth_years=(year,))
        yield PEOPLE, offender, CODEC.encode(person)
        standing = OffenderStanding(
            offender=offender, status="Supervised", sending_state="VA", receiving_state="NC", transferred=number % 3 == 0
        )
        yield STANDINGS, offender, CODEC.encode(standing)


def build(view: View, count: int) -> float:
    """Build the view and return the seconds that decoding and applying took."""
    took, batch = 0.0, list[tuple[Topic, str, bytes]]()
    for each in records(count, random.Random(7)):
        batch.append(each)
        if len(batch) == MAX_RECORDS:
            took += apply(view, batch)
            batch.clear()
    return took + apply(view, batch)


def apply(view: View, batch: list[tuple[Topic, str, bytes]]) -> float:
    began = time.process_time()
    with view.writing() as database:
        for topic, key, raw in batch:
            view.model.apply[topic](database, Row(0, 0, 0, key, CODEC.decode(raw)))
    return time.process_time() - began


def look_up_times(view: View, count: int) -> list[float]:
    """Return the durations of look-ups, the slowest last; each name is looked up as often as it is frequent."""
    chance, times = random.Random(8), list[float]()
    for number in range(count):
        last = surname(int(SURNAMES ** chance.random()))
        asked = [
            PersonQuery(last_name=last, initial=chance.choice("abct")),
            PersonQuery(last_name=last, year="1985"),
            PersonQuery(number=f"VA{number:07}"),
        ]
        began = time.process_time()
        with view.reading() as database:
            look_up(database, asked[number % 3], PublicScope(), 11)
        times.append(time.process_time() - began)
    return sorted(times)


def main() -> None:
    """Measure and print the results."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE_COUNT
    with tempfile.TemporaryDirectory() as folder:
        view = View(Path(folder) / "site.sqlite", PUBLIC_MODEL)
        view.open({})
        took, times = build(view, count), look_up_times(view, LOOK_UPS)
        size = view.path.stat().st_size
    memory = psutil.Process().memory_info().rss
    print(f"{count:,} people: view built in {took:.0f} s, {size / 2**20:.0f} MiB; process {memory / 2**20:.0f} MiB")
    shown = (times[len(times) // 2], times[len(times) * 99 // 100], times[-1])
    print("look-up: median {:.2f} ms, p99 {:.2f} ms, most {:.2f} ms".format(*(1000 * each for each in shown)))


if __name__ == "__main__":
    main()
