"""Two offender keys that turn out to be one person, and how a stage's state moves from one key to the other."""

from msgspec import Struct


class Merge(Struct, frozen=True, gc=False, kw_only=True):
    """
    The offender known as `offender` is the one known as `into`, the older of the two.

    Identify writes it twice, by both keys, in the one order of the front door: what came under `offender` before it is
    before it there, and nothing comes under that key after it. `detail` is the evidence, with both sides.
    """

    offender: str
    into: str
    seq: int
    received_at: int
    detail: str


class Handover(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    One of the states that a stage kept for `offender`, on its way to the partition of `into`.

    `part` counts from 0 to `parts`; `state_key` and `state` are None if there was nothing to hand over.
    """

    offender: str
    into: str
    seq: int
    received_at: int
    part: int
    parts: int
    state_key: str | None = None
    state: bytes | None = None


class SameEvent(Struct, frozen=True, gc=False, kw_only=True):
    """The agency's event that later stages know by the message id `also` is the one that they know by `root`, since a merge."""

    offender: str
    ori: str
    root: str
    also: str
    seq: int
    received_at: int
