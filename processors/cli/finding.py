"""A finding of `vn doctor`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A result of a check; `fix` says how to fix it, and is empty if nothing is wrong."""

    subject: str
    ok: bool
    found: str
    fix: str = ""
