"""How often a stage failed on single inputs, and which of them are to be set aside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn, Protocol

from processors.domain.seal import KeyMissing
from processors.runtime.decide.dead_letters import describe_failure
from processors.runtime.errors import Poison, Restart, Retry, UserError

ATTEMPTS: Final = 3  # after that many failures on one input it is set aside
ENDED: Final = "the process ended while it was being decided"


class InWork(Protocol):
    """Keeps the name of the input being decided in a place that outlives the process."""

    def put(self, name: str) -> None: ...


class Nowhere:
    """Keeps nothing: for a pipeline in memory."""

    def put(self, name: str) -> None:
        """Do nothing."""


@dataclass(slots=True)
class Failures:
    """How often a stage failed on one input, and how the last time."""

    count: int
    last: str


@dataclass(slots=True)
class Attempts:
    """
    The failures of one stage, by the name of the input (dead_letters.record_name, timer_name).

    `by_hand` are records that an operator set aside, with the reason.
    """

    failures: dict[str, Failures] = field(default_factory=dict)
    by_hand: Mapping[str, str] = field(default_factory=dict)
    in_work: InWork = field(default_factory=Nowhere)

    def any_known(self) -> bool:
        """Whether any failure is known at all."""
        return bool(self.failures or self.by_hand)

    def why_set_aside(self, name: str) -> str | None:
        """Return why the input is to be set aside instead of decided; None if it is to be decided."""
        if (reason := self.by_hand.get(name)) is not None:
            return f"set aside by hand: {reason}"
        found = self.failures.get(name)
        return f"the stage failed on it {ATTEMPTS} times: {found.last}" if found is not None and found.count >= ATTEMPTS else None

    def fail(self, name: str, how: str, times: int = 1) -> None:
        """Count failures on an input."""
        before = self.failures.get(name)
        self.failures[name] = Failures((before.count if before else 0) + times, how)

    def raise_for(self, name: str, error: Exception) -> NoReturn:
        """
        Raise Poison for what the decision on an input raised, and count the failure.

        What is not the input's fault (a key that has not arrived, the store, a format of another version) is raised as it is.
        """
        if isinstance(error, KeyMissing):
            raise Restart(f"a record was sealed with the key {error}, which VN_KEY_FILE does not hold yet") from None
        if isinstance(error, UserError | Retry | Restart):
            raise error
        self.fail(name, describe_failure(error))
        raise Poison(name, error) from error

    def forget(self, name: str) -> None:
        """Forget an input that was set aside."""
        self.failures.pop(name, None)
