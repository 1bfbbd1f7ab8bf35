"""The supervisor's page shows what living children serve, and nothing of one that is gone or frozen."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest, start_http_server

from processors.runtime.run.child_metrics import ChildMetrics, merge


@pytest.fixture(scope="module")
def child() -> Iterator[int]:
    registry = CollectorRegistry()
    Gauge("vn_ready", "ready", ["unit"], registry=registry).labels("dedupe").set(1)
    Gauge("process_open_fds", "not ours", registry=registry).set(7)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def shown(page: ChildMetrics) -> str:
    registry = CollectorRegistry()
    registry.register(page)
    return generate_latest(registry).decode()


def test_a_family_of_several_children_stands_once_with_the_samples_of_all() -> None:
    one = '# HELP vn_ready r\n# TYPE vn_ready gauge\nvn_ready{unit="dedupe"} 1.0\n'
    other = '# HELP vn_ready r\n# TYPE vn_ready gauge\nvn_ready{unit="match"} 0.0\n'
    (family,) = merge({"dedupe": one, "match": other})
    assert [(sample.labels["unit"], sample.value) for sample in family.samples] == [("dedupe", 1.0), ("match", 0.0)]


def test_only_the_pipelines_families_are_passed_on(child: int) -> None:
    page = ChildMetrics()
    page.set_port("dedupe", child)
    assert 'vn_ready{unit="dedupe"} 1.0' in shown(page)
    assert "process_open_fds" not in shown(page)


def test_a_child_that_is_gone_says_nothing(child: int) -> None:
    page = ChildMetrics()
    page.set_port("dedupe", child)
    page.set_port("dedupe", None)
    assert "vn_ready" not in shown(page)


def test_a_child_that_accepts_and_never_answers_is_left_out(child: int) -> None:
    page = ChildMetrics()
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        page.set_port("dedupe", child)
        page.set_port("match", frozen.getsockname()[1])
        assert 'unit="dedupe"' in shown(page)


def test_a_child_announces_its_page_and_the_pipe_ends_with_it() -> None:
    reading, writing = os.pipe()
    code = "import os, sys; os.write(int(sys.argv[1]), b'4711\\n')"
    subprocess.run([sys.executable, "-c", code, str(writing)], pass_fds=(writing,), check=True)
    os.close(writing)
    with os.fdopen(reading) as line:
        assert line.read() == "4711\n"
