"""An administrative setting, broadcast to every stage."""

from msgspec import Struct


class Policy(Struct, frozen=True, gc=False, kw_only=True):
    """The value of a setting for one scope (contract §6); a tombstone under its key unsets it."""

    key: str
    value: str
    jurisdiction: str | None = None
    notification_type: str | None = None
    event_subtype: str | None = None
    set_by: str = ""
    set_at: int = 0


def policy_key(policy: Policy) -> str:
    """Return the key of a policy's record: the setting and its scope."""
    return "|".join((policy.key, policy.jurisdiction or "", policy.notification_type or "", policy.event_subtype or ""))
