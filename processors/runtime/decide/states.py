"""The states of one batch: read in as few round trips as the stage's `keys` allow, changed in memory, written once at the end."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from processors.runtime.errors import Restart, Retry, UserError
from processors.stage import Input, Stage

ReadFields = Callable[[Sequence[bytes]], Sequence[bytes | None]]
NeededKeys = Callable[[Input, Mapping[str, Any]], Iterable[str]]


class States:
    """
    The stage's states as the batch sees them, including its own changes.

    `read` returns stored fields; it raises if the cache no longer has the stamp that the batch builds on.
    """

    def __init__(self, stage: Stage[Any], read: ReadFields, decode: Callable[[bytes], Any]) -> None:
        self._keys = stage.keys
        self._read = read
        self._decode = decode
        self._held: dict[str, Any] = {}
        self._requests: dict[int, _StateRequest] = {}
        self.changed: dict[str, Any] = {}

    def prefetch(self, inputs: Iterable[Input]) -> None:
        """Load the states of all inputs that can be named before the first is decided."""
        keys, held = self._keys, self._held
        try:
            requests = [_StateRequest(each, keys) for each in inputs]
            self._requests = {id(each.input): each for each in requests}
            while requests:
                self._load([name for each in requests for name in each.new])
                requests = [each for each in requests if each.needs_more(held, keys)]
        except (UserError, Retry, Restart):
            raise
        except Exception:  # noqa: BLE001  one input's states cannot be asked for or read: that input fails when it is decided
            self._requests.clear()

    def of(self, stage_input: Input) -> Mapping[str, Any]:
        """Return the states that the input needs, as far as they exist."""
        prefetched = self._requests.pop(id(stage_input), None)
        if prefetched is not None and (self.changed.keys().isdisjoint(prefetched.keys) or prefetched.is_current(self._keys, self.changed)):
            return prefetched.found
        request = _StateRequest(stage_input, self._keys)
        self._load(request.new)
        while request.needs_more(self._held, self._keys):
            self._load(request.new)
        return request.found

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


class _StateRequest:
    """The states that one input needs: the stage's `keys` is called with the states found so far until it names no new key."""

    __slots__ = ("found", "input", "keys", "last_answer", "new")

    def __init__(self, stage_input: Input, needed_keys: NeededKeys) -> None:
        self.input = stage_input
        self.found: dict[str, Any] = {}
        self.last_answer = needed_keys(stage_input, self.found)
        self.keys = self.new = tuple(self.last_answer)  # in the order in which they were named

    def needs_more(self, held: Mapping[str, Any], needed_keys: NeededKeys) -> bool:
        """Take the states of the `new` keys; if any exists, ask for more keys. Return whether there are any."""
        found, more = self.found, False
        for name in self.new:
            if (value := held[name]) is not None:
                found[name] = value
                more = True
        if not more:
            return False
        answer = needed_keys(self.input, found)
        if answer is self.last_answer or answer == self.keys:
            return False
        self.last_answer, known = answer, set(self.keys)
        self.new = tuple(dict.fromkeys([name for name in answer if name not in known]))
        self.keys += self.new
        return bool(self.new)

    def is_current(self, needed_keys: NeededKeys, changed: Mapping[str, Any]) -> bool:
        """Apply changes to `found`; return whether the input still needs the same keys."""
        for name in self.keys:
            if name not in changed:
                continue
            if (value := changed[name]) is not None:
                self.found[name] = value
            else:
                self.found.pop(name, None)
        answer = needed_keys(self.input, self.found)
        return answer is self.last_answer or set(self.keys) == set(answer)
