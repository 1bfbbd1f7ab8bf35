"""The JVM's cache of Kafka's classes: for which JVM it is, what becomes of a recording, and that brokers start from it."""

import shutil
from pathlib import Path

import psutil
import pytest

from processors.runtime.local import LocalCluster
from processors.runtime.local.aot_cache import RECORDING, cache_path, forget_recording, is_recording, keep_recording, record_for
from processors.runtime.local.jars import kafka_jars
from processors.runtime.local.programs import java


@pytest.fixture
def jars(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "kafka" / "jars"
    folder.mkdir(parents=True)
    return [folder / "kafka.jar"]


def jvm(folder: Path, release: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.touch()
    (folder / "release").write_text(release)
    return program


def test_it_belongs_to_one_jvm_and_class_path(tmp_path: Path, jars: list[Path]) -> None:
    version = 'IMPLEMENTOR="Any"\nJAVA_VERSION="{}"\n'
    first, same, newer = (jvm(tmp_path / name, version.format(number)) for name, number in (("a", "25.0.2"), ("b", "25.0.2"), ("c", "26")))
    path = cache_path(first, jars)
    assert path is not None
    assert path.parent == jars[0].parent.parent
    assert cache_path(same, jars) == path
    assert cache_path(newer, jars) != path
    assert cache_path(first, [*jars, jars[0].with_name("other.jar")]) != path


def test_older_and_unknown_jvms_have_none(tmp_path: Path, jars: list[Path]) -> None:
    assert cache_path(jvm(tmp_path / "old", 'JAVA_VERSION="17.0.15"\n'), jars) is None
    assert cache_path(jvm(tmp_path / "odd", "IMPLEMENTOR=Any\n"), jars) is None
    assert cache_path(tmp_path / "bin" / "java", jars) is None


def test_a_recording_takes_its_place_once_its_broker_has_stopped(tmp_path: Path, jars: list[Path]) -> None:
    cache, home = jars[0].parent.parent / "broker.aot", tmp_path / "home"
    home.mkdir()
    assert not is_recording(home)
    assert record_for(cache, home) == f"-XX:AOTCacheOutput={RECORDING}"
    assert is_recording(home)
    (home / RECORDING).write_bytes(b"recorded")
    keep_recording(home)
    assert cache.read_bytes() == b"recorded"
    assert not is_recording(home)
    assert list(home.iterdir()) == []


def test_a_broker_without_a_recording_leaves_no_cache(tmp_path: Path, jars: list[Path]) -> None:
    cache, home = jars[0].parent.parent / "broker.aot", tmp_path / "home"
    home.mkdir()
    record_for(cache, home)
    keep_recording(home)
    assert not cache.exists()
    assert not is_recording(home)


def test_half_a_recording_of_a_killed_broker_is_forgotten(tmp_path: Path, jars: list[Path]) -> None:
    home = tmp_path / "home"
    home.mkdir()
    record_for(jars[0].parent.parent / "broker.aot", home)
    (home / RECORDING).write_bytes(b"half")
    forget_recording(home)
    assert list(home.iterdir()) == []


@pytest.mark.broker
def test_a_long_running_broker_records_and_later_ones_start_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = kafka_jars(lambda _: None)[0].parents[1]
    home = tmp_path / "cache" / "vn" / kafka.name
    shutil.copytree(kafka, home, ignore=shutil.ignore_patterns("*.aot"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache = cache_path(java(), kafka_jars(lambda _: None))
    if cache is None:
        pytest.skip("the Java found here has no such cache")
    assert cache.parent == home
    for long_running in (True, False):
        local = LocalCluster(tmp_path / "local", long_running=long_running)
        local.up()
        try:
            pid = local.status().broker.pid
            mapped = {each.path for each in psutil.Process(pid).memory_maps()}
            assert (str(cache) in mapped) is not long_running
        finally:
            local.down()
        assert cache.exists()
