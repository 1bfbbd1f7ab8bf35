"""What `vn doctor` finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `fix` says how to fix it, empty if nothing is wrong."""

    subject: str
    ok: bool
    found: str
    fix: str = ""
