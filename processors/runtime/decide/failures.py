"""Counts how often a stage failed on each input, and says which inputs to quarantine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn, Protocol

from processors.domain.seal import KeyMissing
from processors.runtime.decide.dead_letters import describe_failure
from processors.runtime.errors import PoisonInput, Restart, Retry, UserError

MAX_FAILURES: Final = 3  # an input is quarantined after this many
PROCESS_ENDED: Final = "the process ended while it was being decided"


class CurrentInput(Protocol):
    """Stores the name of the input being decided where it outlives the process."""

    def set(self, name: str) -> None: ...


class NoCurrentInput:
    """Stores nothing: for a pipeline in memory."""

    def set(self, name: str) -> None:
        """Do nothing."""


@dataclass(slots=True)
class FailureCount:
    """How often a stage failed on one input, and how it failed last."""

    count: int
    last: str


@dataclass(slots=True)
class FailureLog:
    """
    The failures of one stage, by the name of the input (dead_letters.record_name, timer_name).

    `by_hand` holds the records that an operator quarantined, each with the reason.
    """

    counts: dict[str, FailureCount] = field(default_factory=dict)
    by_hand: Mapping[str, str] = field(default_factory=dict)
    current_input: CurrentInput = field(default_factory=NoCurrentInput)

    def has_any(self) -> bool:
        """Whether any input has failed or was quarantined by an operator."""
        return bool(self.counts or self.by_hand)

    def why_quarantined(self, name: str) -> str | None:
        """Return why the input must be quarantined; None if it must be decided."""
        if (reason := self.by_hand.get(name)) is not None:
            return f"set aside by hand: {reason}"
        found = self.counts.get(name)
        return f"the stage failed on it {MAX_FAILURES} times: {found.last}" if found is not None and found.count >= MAX_FAILURES else None

    def count_failure(self, name: str, how: str, times: int = 1) -> None:
        """Count failures on an input."""
        before = self.counts.get(name)
        self.counts[name] = FailureCount((before.count if before else 0) + times, how)

    def raise_for(self, name: str, error: Exception) -> NoReturn:
        """
        Count the failure of a decision on an input, and raise PoisonInput.

        An error that is not the input's fault (a missing key, the store, a format of another version) is raised unchanged.
        """
        if isinstance(error, KeyMissing):
            raise Restart(f"a record was sealed with the key {error}, which VN_KEY_FILE does not hold yet") from None
        if isinstance(error, UserError | Retry | Restart):
            raise error
        self.count_failure(name, describe_failure(error))
        raise PoisonInput(name, error) from error

    def forget(self, name: str) -> None:
        """Forget an input that was quarantined."""
        self.counts.pop(name, None)
