"""
Errors by what the caller does about them.

Exception
├── UserError   says in one sentence what to do; exit code 1, no traceback
│   ├── Usage   the command was called wrongly; exit code 2
│   └── Stop    nothing here can fix it: misconfigured, or the dead-letter limit is passed; the process ends
├── Retry       the broker or the store is away: the same thing is tried again
└── Restart     fenced or aborted: what was in hand is thrown away and read again
    └── Poison  an input on which a stage fails: after the third time it is set aside

A record that is rejected or flagged is not an error but a decision (`rejected`, `flagged` in the journal). Anything else
is a bug and crashes before anything is committed.
"""

from typing import ClassVar


class UserError(Exception):
    """Says in one sentence what the user can do; ends a command with exit code 1."""

    exit_code: ClassVar[int] = 1


class Usage(UserError):
    """Says how a command was called wrongly; ends it with exit code 2."""

    exit_code: ClassVar[int] = 2


class Stop(UserError):
    """Ends the process: nothing it could do by itself would fix this."""


class Retry(Exception):
    """The store is unavailable; the same thing may be tried again."""


class Restart(Exception):
    """Uncommitted work must be discarded; catch up and go on."""


class Poison(Restart):
    """A stage failed on one input, which `name` names; after the third time it is set aside."""

    def __init__(self, name: str, error: Exception) -> None:
        super().__init__(f"the stage failed on {name}: {type(error).__name__}")
        self.name = name
