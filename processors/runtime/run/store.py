"""
Redis-backed cache of one stage partition, guarded by a stamp.

States, timers and stamp are fields of one hash, so that nothing (eviction, deletion, a failover) can separate them. One command
reads states and stamp together; one script changes both, and only if the stamp is the one the writer decided on. No expiry.

    =<state key>   a state
    @<state key>   when its timer is due, in milliseconds
    __pos          the stamp, or the mark of an unfinished catch-up
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from redis import ConnectionPool, Redis, RedisCluster, RedisError, Sentinel
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.exceptions import NoScriptError, RedisClusterException, ResponseError
from redis.retry import Retry as Retries

from processors.runtime.errors import Retry, UserError

STAMP: Final = b"__pos"
# A cluster client raises errors that are no RedisError if it cannot find a node or slot.
UNAVAILABLE: Final = (RedisError, RedisClusterException, OSError)
TIMEOUTS: Final = {"socket_timeout": 5.0, "socket_connect_timeout": 2.0}

# KEYS: the hash. ARGV: the stamp it must have ('' = none), its new stamp, 1 to empty it first, the number of arguments that are
# fields to set, these (field, value, ...), then the fields to remove. `unpack` takes about 8,000 arguments at most, hence the
# slices. The stamp is written last: an interrupted script leaves a stamp that nobody decides on.
SWAP: Final = """
if (redis.call('HGET', KEYS[1], '__pos') or '') ~= ARGV[1] then return 0 end
if ARGV[3] == '1' then redis.call('UNLINK', KEYS[1]) end
local set = 4 + tonumber(ARGV[4])
for i = 5, set, 4000 do redis.call('HSET', KEYS[1], unpack(ARGV, i, math.min(i + 3999, set))) end
for i = set + 1, #ARGV, 4000 do redis.call('HDEL', KEYS[1], unpack(ARGV, i, math.min(i + 3999, #ARGV))) end
redis.call('HSET', KEYS[1], '__pos', ARGV[2])
return 1
"""
SWAP_SHA: Final = hashlib.sha1(SWAP.encode(), usedforsecurity=False).hexdigest()


class Store:
    """The Redis server, Sentinel group or cluster that a URL names."""

    def __init__(self, url: str) -> None:
        self._connect = connector(url)

    @cached_property
    def _client(self) -> Any:
        return self._connect()

    def call(self, *command: Any) -> Any:
        return self._client.execute_command(*command)

    def ping(self) -> None:
        with translated_errors():
            self.call("PING")

    def read(self, key: str, fields: Sequence[bytes]) -> tuple[bytes | None, list[bytes | None]]:
        """Return the stamp and the fields, read atomically."""
        with translated_errors():
            stamp, *values = self.call("HMGET", key, STAMP, *fields)
        return stamp, values

    def swap(self, key: str, old: bytes | None, new: bytes, changes: Mapping[bytes, bytes | None], *, emptied: bool = False) -> bool:
        """Replace the stamp `old` with `new` and apply the changes (None removes) atomically; return False if the stamp is not `old`."""
        written = [part for field, value in changes.items() if value is not None for part in (field, value)]
        removed = [field for field, value in changes.items() if value is None]
        arguments = (1, key, old or b"", new, int(emptied), len(written), *written, *removed)
        with translated_errors():
            try:
                return bool(self.call("EVALSHA", SWAP_SHA, *arguments))
            except NoScriptError:
                return bool(self.call("EVAL", SWAP, *arguments))

    def scan(self, key: str, pattern: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield the fields that match, each at least once, with their values."""
        cursor: Any = 0
        while True:
            with translated_errors():
                cursor, found = self.call("HSCAN", key, cursor, "MATCH", pattern, "COUNT", 5000)
            pairs = found.items() if isinstance(found, dict) else zip(found[::2], found[1::2], strict=True)
            yield from pairs
            if int(cursor) == 0:
                return

    def setting(self, name: str) -> str | None:
        """Return a configuration setting of the server; None if this user may not read it."""
        try:
            found = self.call("CONFIG", "GET", name)
        except ResponseError:
            return None
        except UNAVAILABLE:
            raise Retry("the store does not answer") from None
        value = found.get(name) or found.get(name.encode()) if isinstance(found, dict) else found[1]
        return value.decode() if isinstance(value, bytes) else str(value)

    def info(self) -> dict[str, Any]:
        """Return the output of Redis INFO; for a cluster, that of one node."""
        with translated_errors():
            found = self.call("INFO")
        return next(iter(found.values())) if found and all(isinstance(each, dict) for each in found.values()) else dict(found)

    def rewrite_log(self) -> None:
        """Start rewriting the append-only file without replaced values; does nothing while a rewrite is running."""
        if not self.is_rewriting_log():
            with translated_errors():
                self.call("BGREWRITEAOF")

    def is_rewriting_log(self) -> bool:
        """Whether the append-only file is being rewritten, or is about to be."""
        info = self.info()
        return bool(int(info.get("aof_rewrite_in_progress", 0)) or int(info.get("aof_rewrite_scheduled", 0)))

    def time(self) -> float:
        """Return the server's time in seconds since the epoch."""
        with translated_errors():
            seconds, micros = self.call("TIME")
        return int(seconds) + int(micros) / 1_000_000

    def close(self) -> None:
        if "_client" in vars(self):
            self._client.close()


@contextmanager
def translated_errors() -> Iterator[None]:
    """Translate any error of the client into Retry, without its message, which quotes commands."""
    try:
        yield
    except UNAVAILABLE as error:
        raise Retry(f"the store does not answer: {type(error).__name__}") from None


def connector(url: str) -> Callable[[], Any]:
    """
    Return a function that connects to a redis://, rediss:// or unix:// URL; +sentinel or +cluster may follow the scheme.

    `redis+sentinel://[user:password@]host:port,host:port/service[/database]`, `rediss+cluster://host:port,host:port`
    """
    options: dict[str, Any] = {**TIMEOUTS, "retry": Retries(NoBackoff(), 0)}
    scheme, _, topology = urlsplit(url).scheme.partition("+")
    wrong = UserError("REDIS_URL cannot be used: it is redis://host:port, rediss://, unix://, redis+sentinel:// or redis+cluster://")
    if topology and (scheme not in {"redis", "rediss"} or topology not in {"sentinel", "cluster"}):
        raise wrong
    try:
        if not topology:
            ConnectionPool.from_url(url, **options)  # does not connect; raises ValueError for an invalid URL
            # One connection, kept open: taking one from a pool for each command costs a third of the command's time.
            return partial(Redis.from_url, url, single_connection_client=True, **options)
        parts = urlsplit(url)
        options |= {"ssl": True} if scheme == "rediss" else {}
        options |= {name: unquote(value) for name, value in (("username", parts.username), ("password", parts.password)) if value}
        hosts = _hosts(parts.netloc, 26379 if topology == "sentinel" else 6379)
        if topology == "cluster":
            node: Any = ClusterNode
            options["retry"] = Retries(NoBackoff(), 3)  # to find a slot that has moved
            return lambda: RedisCluster(startup_nodes=[node(*host) for host in hosts], **options)
        service, _, database = parts.path.strip("/").partition("/")
        sentinel: Any = Sentinel
        watched = sentinel(hosts, sentinel_kwargs=TIMEOUTS, **options)
        return partial(watched.master_for, service or "mymaster", db=int(database or 0))
    except ValueError:
        raise wrong from None


def _hosts(netloc: str, default: int) -> list[tuple[str, int]]:
    """Return the hosts and ports of a URL that names several."""
    found = []
    for each in netloc.rpartition("@")[2].split(","):
        host, _, port = each.partition(":")
        found.append((host, int(port or default)))
    return found
