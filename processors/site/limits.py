"""
Rate limits per client.

A client is identified by a keyed digest of its address. The key is only in memory and changes daily, so that nothing stored,
logged or leaked reveals a client.
"""

import hashlib
import hmac
import ipaddress
import secrets
from collections import OrderedDict, deque
from typing import Final

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
MAX_CLIENTS: Final = 100_000
MAX_COUNTED: Final = 1_000  # actions counted per client; more make no difference
IPV6_SITE: Final = 64  # leading bits of an IPv6 address that identify a subscriber


class RateLimits:
    """Counts each client's actions within the last hour; times in milliseconds."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._day = -1
        self._times: OrderedDict[tuple[str, str], deque[int]] = OrderedDict()

    def count(self, what: str, address: str, now: int) -> int:
        """Count an action; return how often the client did it within the last hour, including this time, at most MAX_COUNTED."""
        times = self._recent_times(what, address, now)
        times.append(now)
        return len(times)

    def _recent_times(self, what: str, address: str, now: int) -> deque[int]:
        client = what, self._client(address, now)
        times = self._times.setdefault(client, deque(maxlen=MAX_COUNTED))
        self._times.move_to_end(client)
        if len(self._times) > MAX_CLIENTS:
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
    """Return the part of an address that identifies a subscriber."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, IPV6_SITE), strict=False)) if isinstance(found, ipaddress.IPv6Address) else str(found)
