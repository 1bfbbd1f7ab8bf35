"""
How often one client may ask.

A client is known by a keyed digest of its address, under a key that lives in memory and is new each day: nothing that is
kept, logged or leaked says who asked.
"""

import hashlib
import hmac
import ipaddress
import secrets
from collections import OrderedDict, deque
from typing import Final

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
CLIENTS: Final = 100_000
MOST: Final = 1_000  # times that are kept of one client: whoever does more is told the same
IPV6_SITE: Final = 64  # bits of an IPv6 address that name a subscriber


class Limits:
    """Counts what each client did within an hour; times in milliseconds."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._day = -1
        self._times: OrderedDict[tuple[str, str], deque[int]] = OrderedDict()

    def count(self, what: str, address: str, now: int) -> int:
        """Return how often the client did this within the last hour, this time included, at most `MOST`."""
        times = self._lately(what, address, now)
        times.append(now)
        return len(times)

    def _lately(self, what: str, address: str, now: int) -> deque[int]:
        place = what, self._client(address, now)
        times = self._times.setdefault(place, deque(maxlen=MOST))
        self._times.move_to_end(place)
        if len(self._times) > CLIENTS:
            self._times.popitem(last=False)
        while times and times[0] <= now - HOUR:
            times.popleft()
        return times

    def _client(self, address: str, now: int) -> str:
        if now // DAY != self._day:
            self._day, self._key = now // DAY, secrets.token_bytes(32)
            self._times.clear()
        return hmac.new(self._key, subscriber(address).encode(), hashlib.sha256).hexdigest()


def subscriber(address: str) -> str:
    """Return the part of an address that names one subscriber."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, IPV6_SITE), strict=False)) if isinstance(found, ipaddress.IPv6Address) else str(found)
