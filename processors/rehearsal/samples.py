"""Samples: the submissions and registrations of `examples/`, with times moved as if they were sent now."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from processors.domain.time import millis
from processors.runtime.errors import UsageError

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
ZONE: Final = ZoneInfo("America/New_York")  # of the agencies of the examples: a date moves by the days that passed there

# What each file of `examples/` shows.
DESCRIPTIONS: Final = {
    "registration": "somebody to be told of John Q Sample by text message, email and telephone, with a PIN",
    "registration-es": "the same in Spanish, by text message and email",
    "registration-jail": "somebody to be told of Eric Stone by text message",
    "icots-departure": "Interstate Compact, Departure: John Q Sample leaves Virginia for North Carolina today",
    "jail-escape": "Jail, Escape: Eric Stone escaped this morning; as JSON",
    "jail-recapture": "Jail, Recapture: Eric Stone is back in custody; it needs the escape before it",
    "corrections-intake": "Corrections, Intake: Marcus Dell is taken into a state prison",
    "bad-dangling-reference": "refused: an association refers to an element that is not there",
    "bad-orphan-validation": "refused: a validation is tied to no notification subtype",
    "bad-two-event-types": "refused: two event types",
}

_TIME: Final = r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d))?"
_SENT: Final = re.compile(rf'(?:DocumentCreationDate><nc:DateTime>|"(?:sent|created)_at": ")({_TIME})')
_BIRTH_OR_TIME: Final = re.compile(rf'BirthDate>.*?</|"birth_date": "[^"]*"|(?<![\w-])(?P<time>{_TIME})(?![\w-])')


class Sample(NamedTuple):
    """One file of `examples/`: what it is, what it shows, and its text."""

    name: str
    kind: Literal["registration", "submission"]
    about: str
    text: str


def samples() -> tuple[Sample, ...]:
    """Return every sample, registrations first."""
    files = {path.stem: path for folder in ("json", "xml") for path in (EXAMPLES / folder).iterdir()}
    return tuple(
        Sample(name, "registration" if name.startswith("registration") else "submission", about, files[name].read_text("utf-8"))
        for name, about in DESCRIPTIONS.items()
    )


def sample(name: str) -> Sample:
    """Return the sample of that name; raises UsageError if there is none."""
    for each in samples():
        if each.name == name:
            return each
    raise UsageError(f"there is no sample {name}: `vn sample` lists those there are")


def sent_at(text: str, now: datetime) -> str:
    """Return the document as if it had been sent at `now`: every time and date except birth dates is moved accordingly."""
    if (sent := _SENT.search(text)) is None:
        raise ValueError("the sample does not say when it was sent")
    then = datetime.fromtimestamp(millis(sent[1]) / 1000, UTC)
    passed = now.replace(second=0, microsecond=0) - then
    days = now.astimezone(ZONE).date() - then.astimezone(ZONE).date()
    return _BIRTH_OR_TIME.sub(lambda found: _moved_time(found["time"], passed, days) if found["time"] else found[0], text)


def _moved_time(time: str, passed: timedelta, days: timedelta) -> str:
    if "T" not in time:
        return (date.fromisoformat(time) + days).isoformat()
    moved = datetime.fromisoformat(time) + passed
    return moved.isoformat().replace("+00:00", "Z")
