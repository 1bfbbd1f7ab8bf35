"""
Exceptions, classified by what the caller must do.

Exception
├── UserError       says in one sentence what to do; exit code 1, no traceback
│   ├── UsageError  the command was called incorrectly; exit code 2
│   └── Stop        the process cannot recover: misconfigured, or over the dead-letter limit; it ends
├── Retry           the store is unavailable: try the same thing again
└── Restart         fenced, aborted or the broker unavailable: discard uncommitted work and read it again
    └── PoisonInput a stage failed on an input: after the third time the input is quarantined

A record that is rejected or flagged is not an error but a decision (`rejected`, `flagged` in the journal). Any other
exception is a bug and crashes the process before anything is committed.
"""

from typing import ClassVar


class UserError(Exception):
    """The message says in one sentence what the user can do; ends a command with exit code 1."""

    exit_code: ClassVar[int] = 1


class UsageError(UserError):
    """The command was called incorrectly; ends it with exit code 2."""

    exit_code: ClassVar[int] = 2


class Stop(UserError):
    """Ends the process, which cannot recover by itself."""


class Retry(Exception):
    """The store is unavailable; the caller may try again."""


class Restart(Exception):
    """Uncommitted work must be discarded and the stage restored from Kafka."""


class PoisonInput(Restart):
    """A stage failed on the input `name`; after the third time the input is quarantined."""

    def __init__(self, name: str, error: Exception) -> None:
        super().__init__(f"the stage failed on {name}: {type(error).__name__}")
        self.name = name
