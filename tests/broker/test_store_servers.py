"""The store on a Sentinel group and on a cluster: the same guarantees, even if a server is killed."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from processors.runtime.errors import Retry
from processors.runtime.local import LocalCluster
from processors.runtime.run.store import Store
from tests.broker.harness import ProbeHarness, until
from tests.broker.redis_servers import cluster as redis_cluster
from tests.broker.redis_servers import is_whole, sentinel_group

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600, method="signal")]

KEYS = [f"vn:{{vn.match:{partition}}}" for partition in range(6)]  # of a cluster's every node


def waits(call: Callable[[], Any]) -> bool:
    """Whether the call fails because the store is away, so that a stage would wait and try again."""
    try:
        call()
    except Retry:
        return True
    return False


@pytest.mark.parametrize("servers", [sentinel_group, redis_cluster])
def test_read_swap_and_scan(tmp_path: Path, servers: Callable[[Path], AbstractContextManager[tuple[str, Any]]]) -> None:
    with servers(tmp_path) as (url, _):
        store = Store(url)
        store.ping()
        assert store.time() > 1_700_000_000
        assert store.setting("maxmemory-policy") == "noeviction"
        for key in KEYS:
            assert store.read(key, [b"=a"]) == (None, [None])
            assert store.swap(key, None, b"1", {b"=a": b"x", b"@a": b"7"})
            assert not store.swap(key, None, b"2", {b"=a": b"y"}), "the stamp is another"
            assert store.read(key, [b"=a", b"=b"]) == (b"1", [b"x", None])
            assert list(store.scan(key, "@*")) == [(b"@a", b"7")]
            assert store.swap(key, b"1", b"2", {b"=b": b"z"}, emptied=True)
            assert store.read(key, [b"=a", b"=b"]) == (b"2", [None, b"z"])
        store.close()


def test_a_node_of_the_cluster_that_is_killed_is_waited_for(tmp_path: Path) -> None:
    with redis_cluster(tmp_path) as (url, nodes):
        store = Store(url)
        assert all(store.swap(key, None, b"1", {b"=a": b"x"}) for key in KEYS)
        nodes[1].kill()
        until("the store is away", lambda: any(waits(lambda key=key: store.read(key, [b"=a"])) for key in KEYS))  # type: ignore[misc]
        nodes[1].start()
        until("the cluster is whole", lambda: all(map(is_whole, nodes)))
        until("the store answers", lambda: not any(waits(lambda key=key: store.read(key, [b"=a"])) for key in KEYS))  # type: ignore[misc]
        assert all(store.read(key, [b"=a"]) == (b"1", [b"x"]) for key in KEYS)
        store.close()


def test_a_cluster_of_which_no_node_answers_is_waited_for(tmp_path: Path) -> None:
    with redis_cluster(tmp_path) as (url, nodes):
        for node in nodes:
            node.kill()
        assert waits(Store(url).ping)


@pytest.fixture
def local(cluster: LocalCluster) -> LocalCluster:
    """The shared broker, under a name that is not a Redis cluster's."""
    return cluster


def probe_through(addresses: dict[str, str], url: str, disturb: Callable[[], None]) -> None:
    """Run the probe stage on a store, disturb it in the middle, and compare every answer and every cache with the fold."""
    harness = ProbeHarness(addresses | {"REDIS_URL": url})
    try:
        harness.start()
        harness.send(200)
        harness.wait_until_settled()
        disturb()
        harness.send(200)
        harness.wait_until_settled()
        until("the store answers", lambda: not waits(harness.store.ping))  # a Sentinel may for a moment name no master
        harness.verify()
    finally:
        harness.close()


def test_a_stage_goes_on_when_the_sentinel_has_promoted_the_replica(local: LocalCluster, tmp_path: Path) -> None:
    with sentinel_group(tmp_path) as (url, (master, replica)):

        def promoted() -> bool:
            return str((replica.ask("ROLE") or [""])[0]) == "master"

        def disturb() -> None:
            master.kill()
            until("the replica is the master", promoted)

        probe_through(local.addresses.environment, url, disturb)


def test_a_stage_goes_on_when_a_node_of_the_cluster_was_away(local: LocalCluster, tmp_path: Path) -> None:
    with redis_cluster(tmp_path) as (url, nodes):

        def disturb() -> None:
            for node in nodes:
                node.kill()
            for node in nodes:
                node.start()

        probe_through(local.addresses.environment, url, disturb)
