"""The record of `vn.clock`."""

from msgspec import Struct


class Tick(Struct, frozen=True, gc=False):
    """The current time under `VN_CLOCK=topic` (demonstrations and simulations), in milliseconds."""

    now: int
