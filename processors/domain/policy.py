"""One administrative setting, as administrators broadcast it to every stage."""

from msgspec import Struct


class Policy(Struct, frozen=True, gc=False, kw_only=True):
    """One setting with its scope (contract §6); a null record under its key unsets it."""

    key: str
    value: str
    jurisdiction: str | None = None
    notification_type: str | None = None
    event_subtype: str | None = None
    set_by: str = ""
    set_at: int = 0


def policy_key(policy: Policy) -> str:
    """Return the key of a setting's record: the setting and its scope."""
    return "|".join((policy.key, policy.jurisdiction or "", policy.notification_type or "", policy.event_subtype or ""))
