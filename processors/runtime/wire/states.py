"""
Formats of state documents: the one that a stage writes, and how it reads earlier ones.

`schemas/states/<n>/<stage>.json` describes format n of one stage's states: the JSON schema of its types, and sample documents.
The number is written with every state. A stage reads every earlier format, with its migrations if a field was renamed or
removed; a later format stops it, since it would lose unknown fields.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import msgspec

from processors.runtime.errors import Stop
from processors.runtime.wire.schemas import SCHEMAS
from processors.stage import Stage

FOLDER: Final = SCHEMAS / "states"


@dataclass(frozen=True, slots=True)
class StateFormat:
    """The format of one stage's states: its type, its number, and the functions from format n to n + 1, by n."""

    type: Any
    number: int = 1
    migrations: Mapping[int, Callable[[Any], Any]] = field(default_factory=dict)

    def check(self, number: int) -> None:
        """Raise Stop for a format that this version does not know."""
        if number > self.number:
            raise Stop(
                f"a state in the changelog has format {number} and this version reads formats up to {self.number}: a later version wrote "
                "it; run that version"
            )

    def migrate(self, document: bytes, number: int) -> bytes:
        """Return a document of an earlier format in the current one."""
        steps = [self.migrations[each] for each in range(number, self.number) if each in self.migrations]
        if not steps:
            return document
        value = msgspec.json.decode(document)
        for step in steps:
            value = step(value)
        return msgspec.json.encode(value)


def state_format(stage: Stage[Any]) -> StateFormat:
    """Return the format in which a stage writes its states."""
    return StateFormat(stage.state, latest_format(stage.name), stage.migrations)


@cache
def latest_format(stage: str) -> int:
    """Return the number of a stage's latest recorded format; 1 if none is recorded."""
    return max((int(file.parent.name) for file in FOLDER.glob(f"*/{stage}.json")), default=1)
