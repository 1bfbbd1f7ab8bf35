"""The states of one batch: read in as few round trips as the stage's `keys` allow, changed in memory, written once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from processors.runtime.errors import Restart, Retry, UserError
from processors.stage import Input, Stage

Read = Callable[[Sequence[bytes]], Sequence[bytes | None]]
Keys = Callable[[Input, Mapping[str, Any]], Iterable[str]]


class States:
    """
    The stage's states as the batch sees them, its own changes included.

    `read` returns the stored fields under the stamp that the batch builds on, or raises.
    """

    def __init__(self, stage: Stage[Any], read: Read, decode: Callable[[bytes], Any]) -> None:
        self._keys = stage.keys
        self._read = read
        self._decode = decode
        self._held: dict[str, Any] = {}
        self._asked: dict[int, _Asking] = {}
        self.changed: dict[str, Any] = {}

    def prefetch(self, inputs: Iterable[Input]) -> None:
        """Load the states of all inputs, as far as they are known before the first is decided."""
        keys, held = self._keys, self._held
        try:
            asking = [_Asking(each, keys) for each in inputs]
            self._asked = {id(each.input): each for each in asking}
            while asking:
                self._load([name for each in asking for name in each.new])
                asking = [each for each in asking if each.asks_more(held, keys)]
        except (UserError, Retry, Restart):
            raise
        except Exception:  # noqa: BLE001  one input's states cannot be asked for or read: that input fails when it is decided
            self._asked.clear()

    def of(self, each: Input) -> Mapping[str, Any]:
        """Return the states that the input needs, as far as they exist."""
        asked = self._asked.pop(id(each), None)
        if asked is not None and (self.changed.keys().isdisjoint(asked.known) or asked.stands(self._keys, self.changed)):
            return asked.found
        asking = _Asking(each, self._keys)
        self._load(asking.new)
        while asking.asks_more(self._held, self._keys):
            self._load(asking.new)
        return asking.found

    def change(self, states: Mapping[str, Any]) -> None:
        """Replace states; None forgets one."""
        self._held |= states
        self.changed |= states

    def _load(self, names: Iterable[str]) -> None:
        held, decode = self._held, self._decode
        missing = dict.fromkeys([name for name in names if name not in held])
        if not missing:
            return
        for name, value in zip(missing, self._read([b"=" + name.encode() for name in missing]), strict=True):
            held[name] = None if value is None else decode(value)


class _Asking:
    """The states that one input needs: `keys` is called again with what was found, until it names nothing new."""

    __slots__ = ("asked", "found", "input", "known", "new")

    def __init__(self, given: Input, keys: Keys) -> None:
        self.input = given
        self.found: dict[str, Any] = {}
        self.asked = keys(given, self.found)  # the last answer
        self.known = self.new = tuple(self.asked)  # in the order of asking

    def asks_more(self, held: Mapping[str, Any], keys: Keys) -> bool:
        """Take the new keys' states; if any exists, ask for more keys, into `new`. Return whether there are any."""
        found, more = self.found, False
        for name in self.new:
            if (value := held[name]) is not None:
                found[name] = value
                more = True
        if not more:
            return False
        asked = keys(self.input, found)
        if asked is self.asked or asked == self.known:
            return False
        self.asked, known = asked, set(self.known)
        self.new = tuple(dict.fromkeys([name for name in asked if name not in known]))
        self.known += self.new
        return bool(self.new)

    def stands(self, keys: Keys, changed: Mapping[str, Any]) -> bool:
        """Apply changes to `found`; return whether the input still needs the same keys."""
        for name in self.known:
            if name not in changed:
                continue
            if (value := changed[name]) is not None:
                self.found[name] = value
            else:
                self.found.pop(name, None)
        asked = keys(self.input, self.found)
        return asked is self.asked or set(self.known) == set(asked)
