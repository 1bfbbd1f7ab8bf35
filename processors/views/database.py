"""A view's SQLite file: rows and offsets change together; rebuilt if its schema or logs differ or it is damaged."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from processors.runtime.errors import UserError
from processors.views.model import ReadModel

TopicAndPartition = tuple[str, int]  # topic without prefix, partition

BUSY_MILLISECONDS: Final = 5_000
CACHE_KIBIBYTES: Final = 65_536  # large, since a batch touches pages all over the indexes


def views_folder(folder: Path) -> Path:
    """Return the folder of VN_VIEWS_DIR, which exists and can be written to; raises UserError if it cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise UserError(f"{folder} cannot be written to ({error.strerror}): correct VN_VIEWS_DIR, or allow it") from None


class View:
    """One view's file; the follower writes with `writing`, pages read with `reading`, each with its own connection."""

    def __init__(self, path: Path, model: ReadModel) -> None:
        self.path = path
        self.model = model

    def open(self, identities: Mapping[str, str]) -> dict[TopicAndPartition, int]:
        """
        Return the next offset of every partition; empty if the file was (re)created.

        `identities` are the ids of the topics' logs. The file is kept only if it is intact, has the model's schema, and follows
        exactly these logs.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with closing(self._connect()) as database:
                if _fits(database, self.model, identities) and database.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok":
                    return _positions(database)
        except sqlite3.DatabaseError:
            pass  # damaged or not a database: rebuild it from Kafka
        self._create(identities)
        return {}

    @contextmanager
    def snapshot(self, identities: Mapping[str, str]) -> Iterator[tuple[sqlite3.Connection, dict[TopicAndPartition, int]] | None]:
        """Yield a consistent snapshot of another process's file with its positions; None if there is none for these logs."""
        if not self.path.exists():
            yield None
            return
        with ExitStack() as stack:
            found = None
            try:
                database = stack.enter_context(self.reading())
                database.execute("BEGIN")
                if _fits(database, self.model, identities):
                    found = database, _positions(database)
            except sqlite3.DatabaseError:
                pass  # damaged, not a database, or not to be read by this user
            yield found

    def _create(self, identities: Mapping[str, str]) -> None:
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        with closing(self._connect()) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(self.model.schema)
            database.executemany("INSERT INTO logs VALUES (?, ?)", identities.items())
            database.execute(f"PRAGMA user_version = {self.model.shape}")
            database.commit()
        self.path.chmod(0o600)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection whose changes are committed as one transaction."""
        with closing(self._connect()) as database, database:
            yield database

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a read-only connection whose rows have column names."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=BUSY_MILLISECONDS / 1000)) as database:
            database.row_factory = sqlite3.Row
            yield database

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, timeout=BUSY_MILLISECONDS / 1000)
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
        return database


def _fits(database: sqlite3.Connection, model: ReadModel, identities: Mapping[str, str]) -> bool:
    """Whether the file has the model's schema and follows exactly these logs."""
    shape = database.execute("PRAGMA user_version").fetchone()[0]
    return shape == model.shape and dict(database.execute("SELECT topic, identity FROM logs").fetchall()) == dict(identities)


def _positions(database: sqlite3.Connection) -> dict[TopicAndPartition, int]:
    return {(topic, partition): after for topic, partition, after in database.execute("SELECT * FROM positions")}
