"""Fixtures for the whole suite."""

import fcntl
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from processors.runtime.local import LocalCluster

settings.register_profile("vn", deadline=None)  # how long an example takes says what else the machine does
settings.load_profile("vn")
settings.register_profile("check", max_examples=25, deadline=None)  # `make check`: a quarter, see tests/examples.py
# Of a mutant it is enough to know that an example fails, and it must be the same one every time.
settings.register_profile(
    "mutants", max_examples=30, derandomize=True, database=None, deadline=None, phases=[Phase.explicit, Phase.generate]
)


def pytest_collection_finish() -> None:
    """Collect garbage seldom, as the stages do, and never scan modules and tests, which live as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[LocalCluster]:
    """
    A local broker and store answer, the same for all workers of pytest-xdist; whoever is last to leave stops them.

    Shared: a test gives its topics a prefix of its own, and one that kills either service starts a `LocalCluster` of its own.
    A long-running one, since it runs as long as the tests, and then leaves a cache for the JVM that has learned from their load.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if hasattr(request.config, "workerinput") else base) / "cluster"
    shared.mkdir(exist_ok=True)
    local = LocalCluster(shared / "vn", long_running=True)
    try:
        with _users(shared) as users:
            local.up()
            users.append("user")
        yield local
    finally:
        with _users(shared) as users:
            if users:
                users.pop()
            if not users:
                local.down()


@contextmanager
def _users(shared: Path) -> Iterator[list[str]]:
    """The users of the cluster, one line each; nobody else looks meanwhile."""
    with (shared / "users").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        users = file.read().split()
        try:
            yield users
        finally:
            file.seek(0)
            file.truncate()
            file.write("\n".join(users))
