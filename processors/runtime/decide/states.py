"""The states of one batch: read in as few round trips as the stage's `keys` allow, changed in memory, written once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from processors.runtime.errors import Restart, Retry, UserError
from processors.stage import Input, Stage

Read = Callable[[Sequence[bytes]], Sequence[bytes | None]]


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
        asking = [_Asking(each) for each in inputs]
        self._asked = {id(each.input): each for each in asking}
        try:
            while asking:
                asking = [each for each in asking if each.wants(self._keys)]
                self._load({name: None for each in asking for name in each.new})
                asking = [each for each in asking if each.learns(self._held)]
        except (UserError, Retry, Restart):
            raise
        except Exception:  # noqa: BLE001  one input's states cannot be asked for or read: that input fails when it is decided
            self._asked.clear()

    def of(self, each: Input) -> Mapping[str, Any]:
        """Return the states that the input needs, as far as they exist."""
        asked = self._asked.pop(id(each), None)
        if asked is not None and asked.stands(self._keys, self.changed):
            return asked.found
        asking = _Asking(each)
        while asking.wants(self._keys):
            self._load(dict.fromkeys(asking.new))
            if not asking.learns(self._held):
                break
        return asking.found

    def change(self, states: Mapping[str, Any]) -> None:
        """Replace states; None forgets one."""
        self._held |= states
        self.changed |= states

    def _load(self, names: Mapping[str, None]) -> None:
        missing = [name for name in names if name not in self._held]
        if not missing:
            return
        for name, value in zip(missing, self._read([b"=" + name.encode() for name in missing]), strict=True):
            self._held[name] = None if value is None else self._decode(value)


class _Asking:
    """The states that one input needs: `keys` is called again with what was found, until it names nothing new."""

    __slots__ = ("asked", "found", "input", "known", "new")

    def __init__(self, given: Input) -> None:
        self.input = given
        self.known: dict[str, None] = {}  # in the order of asking
        self.found: dict[str, Any] = {}
        self.asked: Iterable[str] = ()  # the last answer
        self.new: list[str] = []

    def wants(self, keys: Callable[[Input, Mapping[str, Any]], Iterable[str]]) -> bool:
        """Ask for more keys, into `new`; return whether there are any."""
        asked, known = keys(self.input, self.found), self.known
        if asked is self.asked:
            return False
        if known:
            self.new = [name for name in asked if name not in known]
            known.update(dict.fromkeys(self.new))
        else:
            self.known = known = dict.fromkeys(asked)
            self.new = [*known]
        self.asked = asked
        return bool(self.new)

    def learns(self, held: Mapping[str, Any]) -> bool:
        """Take the new keys' states; return whether any exists, so that there may be more to ask for."""
        found, before = self.found, len(self.found)
        for name in self.new:
            if (value := held[name]) is not None:
                found[name] = value
        return len(found) > before

    def stands(self, keys: Callable[[Input, Mapping[str, Any]], Iterable[str]], changed: Mapping[str, Any]) -> bool:
        """Apply changes to `found`; return whether the input still needs the same keys."""
        if changed.keys().isdisjoint(self.known):
            return True
        stale = [name for name in self.known if name in changed]
        for name in stale:
            if (value := changed[name]) is not None:
                self.found[name] = value
            else:
                self.found.pop(name, None)
        asked = keys(self.input, self.found)
        return asked is self.asked or self.known.keys() == set(asked)
