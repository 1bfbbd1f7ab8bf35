"""A local Redis on loopback: append-only persistence, no eviction, no slow log."""

from pathlib import Path
from time import monotonic, sleep
from typing import Final

import redis

from processors.runtime.errors import UserError
from processors.runtime.local.daemon import POLL_SECONDS, Daemon

START_SECONDS: Final = 30

# No slow log: commands hold personal data. Paths are relative to the store's home, so that they may contain any character.
SETTINGS: Final = """\
bind 127.0.0.1
port {port}
protected-mode yes
daemonize no
logfile ../log/store.log
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
slowlog-log-slower-than -1
"""


class LocalStore:
    """The store of one folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"redis://127.0.0.1:{port}/0"
        self._settings = SETTINGS.format(port=port)
        self._home = folder / "store"
        names = frozenset({"redis-server", "valkey-server"})
        self.daemon = Daemon(self._home, names, (folder / "log" / "store.log", folder / "log" / "store.out"))

    def start(self, program: Path) -> None:
        """Start the store without waiting for it; `wait` returns once it is up."""
        self._home.mkdir(mode=0o700, exist_ok=True)
        (self._home / "redis.conf").write_text(self._settings)
        self.daemon.start([program, "redis.conf"])

    def wait(self) -> None:
        """Wait until the store answers; raises UserError with the end of its log if it ends or takes too long."""
        deadline = monotonic() + START_SECONDS
        while monotonic() < deadline:
            if self.version(seconds=0.5):
                return
            if self.daemon.pid() is None:
                raise UserError(f"the local store ended while starting; the end of its log:\n{self.daemon.log_tail()}")
            sleep(POLL_SECONDS)
        self.daemon.kill()
        raise UserError(f"the local store did not answer within {START_SECONDS} s; the end of its log:\n{self.daemon.log_tail()}")

    def version(self, seconds: float) -> str | None:
        """Return the version of this store (not of another one on its port); None if it does not answer within this many seconds."""
        with redis.Redis.from_url(self.url, socket_timeout=seconds, socket_connect_timeout=seconds, retry=None) as client:
            try:
                client.ping()
                server = client.info("server")
            except redis.RedisError:
                return None
        return str(server["redis_version"]) if server["process_id"] == self.daemon.pid() else None
