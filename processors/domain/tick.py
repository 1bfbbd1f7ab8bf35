"""One record of `vn.clock`."""

from msgspec import Struct


class Tick(Struct, frozen=True):
    """The current time under `VN_CLOCK=topic` (demonstrations and simulations), in milliseconds."""

    now: int
