"""Merging two offender keys that belong to one person: the records that move a stage's state from one key to the other."""

from msgspec import Struct


class Merge(Struct, frozen=True, gc=False, kw_only=True):
    """
    The offender with key `offender` is the same person as the one with key `into`, the older of the two.

    Identify writes this record twice, under both keys, in the order of `vn.intake`: everything sent under `offender` comes before it,
    and nothing comes after it. `detail` is the evidence, with the values of both.
    """

    offender: str
    into: str
    seq: int
    received_at: int
    detail: str


class Handover(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    One of a stage's states of `offender`, on its way to the partition of `into`.

    `part` counts from 0 up to `parts`; `state_key` and `state` are None if there was nothing to hand over.
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
    """After a merge: the agency's event that later stages know by the message id `also` is the one that they know by `root`."""

    offender: str
    ori: str
    root: str
    also: str
    seq: int
    received_at: int
