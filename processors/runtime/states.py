"""The states of one batch on one partition: read in as few rounds as the stage's questions allow, changed in memory, written once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from processors.stage import Input, Stage

Read = Callable[[Sequence[bytes]], Sequence[bytes | None]]


class States:
    """
    What a batch knows of the stage's states, its own changes included.

    `read` returns stored fields as they are under the stamp that the batch builds on, or raises.
    """

    def __init__(self, stage: Stage[Any], read: Read, decode: Callable[[bytes], Any]) -> None:
        self._keys = stage.keys
        self._read = read
        self._decode = decode
        self._held: dict[str, Any] = {}
        self.changed: dict[str, Any] = {}

    def prefetch(self, inputs: Iterable[Input]) -> None:
        """Whatever the inputs ask for, as far as it can be told before the first is decided, is in memory."""
        asking: list[tuple[Input, dict[str, Any], set[str]]] = [(each, {}, set()) for each in inputs]
        while asking:
            for each, found, known in asking:
                known.update(self._keys(each, found))
            self._load({name: None for _, _, known in asking for name in known})
            asking = [(each, found, known) for each, found, known in asking if self._learn(found, known)]

    def of(self, each: Input) -> Mapping[str, Any]:
        """Return the states that the input asks for, those found."""
        found: dict[str, Any] = {}
        known: set[str] = set()
        while True:
            new = [name for name in self._keys(each, found) if name not in known]
            if not new:
                return found
            known.update(new)
            if any(name not in self._held for name in new):
                self._load(dict.fromkeys(new))
            if not self._learn(found, new):
                return found

    def set(self, name: str, value: Any) -> None:
        """The state has a new value; None forgets it."""
        self._held[name] = self.changed[name] = value

    def _learn(self, found: dict[str, Any], names: Iterable[str]) -> bool:
        """Whether `found` has grown, so that the stage may ask for more."""
        before = len(found)
        for name in names:
            value = self._held[name]
            if value is not None:
                found[name] = value
        return len(found) > before

    def _load(self, names: Mapping[str, None]) -> None:
        missing = [name for name in names if name not in self._held]
        if not missing:
            return
        for name, value in zip(missing, self._read([b"=" + name.encode() for name in missing]), strict=True):
            self._held[name] = None if value is None else self._decode(value)
