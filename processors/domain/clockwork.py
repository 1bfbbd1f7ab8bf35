"""Small records that administrators and clocks broadcast to every stage."""

from msgspec import Struct


class Policy(Struct, frozen=True, kw_only=True):
    """One administrative setting (contract §6); its key is key and scope joined, a null value unsets it."""

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


class Tick(Struct, frozen=True):
    """The time it is, where `VN_CLOCK=topic` (demonstrations and simulations)."""

    now: int
