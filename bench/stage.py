"""One stage against the limit: `validate` under the real runner, and a raw copy of the same records, in turns."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Final

import msgspec

from bench.house import RUN, House, Site, until, used
from bench.memory import Lying
from processors.domain.event import Event
from processors.runtime.wire.codec import Codec
from processors.topics import CONFIRMED, DISTINCT

NAME: Final = "validate"


@dataclass(frozen=True, slots=True)
class Speed:
    """Records a second from the first commit seen to the last, and the CPU seconds of the process for 100,000."""

    rate: float
    cpu: float


def events(few: list[Lying], count: int) -> Iterator[tuple[str, bytes]]:
    """Yield `count` events made of a few: the same, of other offenders, in messages of other names."""
    codec = Codec()
    sample: list[Event] = [value for _, raw in few if raw and isinstance(value := codec.decode(raw), Event)]
    for number in range(count):
        turn, place = divmod(number, len(sample))
        each = sample[place]
        offender = f"o{turn:04x}{each.offender[5:]}"
        yield offender, codec.encode(msgspec.structs.replace(each, offender=offender, message_id=f"{each.message_id}-{turn}", seq=number))


def compared(house: House, few: list[Lying], count: int, rounds: int) -> tuple[list[Speed], list[Speed]]:
    """Return the speeds of the raw copy and of the stage, a pair a round."""
    records = list(events(few, count))
    copies, stages = [], []
    for turn in range(rounds):
        site = house.site(f"stage{turn}.")
        source, target = site.prefix + DISTINCT.name, site.prefix + CONFIRMED.name
        site.client.send(DISTINCT, records)
        copies.append(speed(site, "copy", count, sys.executable, "-m", "bench.copying", site.prefix + "copy", source, target))
        stages.append(speed(site, NAME, count, *RUN, NAME))
    return copies, stages


def speed(site: Site, group: str, count: int, *command: str) -> Speed:
    done = site.progress(group, DISTINCT.name)
    process = site.start(group, *command)
    until(f"{group} has begun", done, look=0.01)
    began, first, cpu = monotonic(), done(), used(process)
    until(f"{group} has read all", lambda: done() >= count)
    seconds, records = monotonic() - began, count - first
    spent = used(process) - cpu
    site.stop()
    return Speed(records / seconds, 1e5 * spent / records)
