"""
Runs stages as processes: a single stage in this process, several in one child process each.

A child ends with its supervisor, however that ends: it holds the read end of a pipe and exits when the other end is closed.
A child that was killed is restarted, since the protocol survives that; one that ends with an error ends them all, since it
would fail again.
"""

import contextlib
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, start_http_server

from processors.rules.load import load_rules
from processors.runtime.errors import Restart, Stop, UserError
from processors.runtime.kafka.clients import Broker, TopicAndPartition, Unavailable
from processors.runtime.key_file import KeyFile
from processors.runtime.run.child_metrics import ChildMetrics
from processors.runtime.run.idle import PipelineProgress
from processors.runtime.run.partitions import check_topics
from processors.runtime.run.runner import Environment, Runner
from processors.runtime.run.telemetry import error_fields
from processors.runtime.settings import Settings
from processors.runtime.stop_signals import on_stop_signal
from processors.runtime.wire.codec import Codec
from processors.stage import Stage, upstream

STOP_TIMEOUT: Final = 7.0  # seconds from the stop signal until the process exits even in mid-batch; the protocol survives that
POLL_INTERVAL: Final = 0.1
IDLE_CHECK_INTERVAL: Final = 0.5
RESTART_DELAY: Final = 0.5  # seconds until a killed child is restarted; doubled each time
MAX_RESTART_DELAY: Final = 5.0
GC_THRESHOLD: Final = 50_000  # allocations between collections of the youngest generation: a batch makes many more than the default 700


def run_stage(  # noqa: PLR0913  the options of `vn run` and of its supervisor
    stage: Stage[Any],
    pipeline: Sequence[Stage[Any]],
    settings: Settings,
    *,
    idle: float | None = None,
    leash: int | None = None,
    page: int | None = None,
) -> int:
    """
    Run one stage in this process until SIGTERM or SIGINT, or until `idle` seconds without work; return the exit code.

    `pipeline` holds all stages: before a timer fires, the earlier ones, wherever they run, must have caught up. `leash` and
    `page` are file descriptors of a supervisor: the process exits when `leash` is closed, and writes its metrics port to `page`.
    """
    rules, keys = load_rules(settings.rules_dir), KeyFile(settings.keys_at())
    gc.freeze()  # the rules live as long as the process: keep the collector from scanning them
    gc.set_threshold(GC_THRESHOLD)
    environment = Environment(settings, Codec(settings.schema_registry_url, settings.topic_prefix), rules, keys)
    runner = Runner(stage, environment, upstream(stage, pipeline))
    if leash is not None:
        threading.Thread(target=_exit_when_closed, args=(leash,), daemon=True).start()
    if page is not None:
        server, _ = start_http_server(0, "127.0.0.1")
        os.write(page, f"{server.server_port}\n".encode())
        os.close(page)
    elif settings.metrics_port:
        serve_metrics(settings, REGISTRY)

    def stop() -> None:
        runner.stop()
        late = threading.Timer(STOP_TIMEOUT, os._exit, (0,))
        late.daemon = True
        late.start()

    with on_stop_signal(stop):
        if idle is not None:
            threading.Thread(target=_stop_when_idle, args=(settings, [stage], idle, stop), daemon=True).start()
        try:
            runner.run()
        except Exception as error:
            structlog.get_logger().error("stopped", unit=stage.name, **error_fields(error))
            if isinstance(error, UserError):
                raise
            return 1
    return 0


def _exit_when_closed(leash: int) -> None:
    os.read(leash, 1)
    os._exit(1)


def serve_metrics(settings: Settings, registry: CollectorRegistry) -> None:
    """Serve /metrics on VN_METRICS_PORT."""
    try:
        start_http_server(settings.metrics_port, registry=registry)
    except OSError as error:
        raise UserError(f"VN_METRICS_PORT {settings.metrics_port} cannot be served: {error.strerror}") from None


# -- idle


class IdleTimer:
    """Detects that nothing has been in flight for a number of seconds, from what is committed in Kafka."""

    def __init__(self, settings: Settings, stages: Sequence[Stage[Any]], seconds: float) -> None:
        self._progress = PipelineProgress(
            Broker(settings), settings.topic_prefix, {stage.name: (stage,) for stage in stages}, clock=settings.clock == "topic"
        )
        self._seconds = seconds
        self._last: dict[tuple[str, TopicAndPartition], tuple[int | None, int]] = {}
        self._since = monotonic()

    def is_idle(self) -> bool:
        """Whether every input has been read to its end for long enough; call it repeatedly."""
        try:
            seen = self._progress.offsets()
        except Restart:
            seen = {}
        if seen != self._last or not seen or any(committed != end for committed, end in seen.values()):
            self._last, self._since = seen, monotonic()
        return monotonic() - self._since >= self._seconds


def _stop_when_idle(settings: Settings, stages: Sequence[Stage[Any]], seconds: float, stop: Callable[[], None]) -> None:
    timer, pause = IdleTimer(settings, stages, seconds), threading.Event()
    while not timer.is_idle():
        pause.wait(min(IDLE_CHECK_INTERVAL, seconds / 2 or IDLE_CHECK_INTERVAL))
    stop()


# -- several stages


@dataclass(slots=True)
class Child:
    """The process of one stage, which has been restarted `restarts` times; `restart_at` is set once it has been killed."""

    stage: str
    process: subprocess.Popen[bytes]
    started: float
    restarts: int
    restart_delay: float = RESTART_DELAY
    restart_at: float | None = None


class Supervisor:
    """Keeps one process per stage running; the n-th process of a stage gets the n-th fault that is armed for the stage."""

    def __init__(self, stages: Sequence[Stage[Any]], settings: Settings, idle: float | None = None) -> None:
        self._stages = stages
        self._settings = settings
        self._idle = idle
        self._log = structlog.get_logger()
        self._reading, self._writing = os.pipe()
        self._stopped = threading.Event()
        self._child_metrics = ChildMetrics()

    def run(self) -> int:
        """Run until SIGTERM or SIGINT, or until idle; return the exit code."""
        with on_stop_signal(self._stopped.set):
            if self._settings.metrics_port:
                registry = CollectorRegistry()
                registry.register(self._child_metrics)
                serve_metrics(self._settings, registry)
            if self._idle is not None:
                arguments = (self._settings, self._stages, self._idle, self._stopped.set)
                threading.Thread(target=_stop_when_idle, args=arguments, daemon=True).start()
            children = [self._start(stage.name) for stage in self._stages]
            try:
                return self._watch(children)
            finally:
                self._end(children)

    def _start(self, stage: str, restarts: int = 0) -> Child:
        reading, writing = os.pipe()
        command = [sys.executable, "-c", "from processors.cli.main import run; run()", "run", stage]
        command += ["--leash", str(self._reading), "--page", str(writing)]
        faults = [each for each in self._settings.faults if each.startswith(f"{stage}.")][restarts : restarts + 1]
        environment = os.environ | {"VN_FAULTS": ",".join(faults)}
        process = subprocess.Popen(command, env=environment, pass_fds=(self._reading, writing), stdin=subprocess.DEVNULL)
        os.close(writing)
        threading.Thread(target=self._read_port, args=(stage, reading), daemon=True).start()
        self._log.info("started", unit=stage, pid=process.pid)
        return Child(stage, process, monotonic(), restarts)

    def _read_port(self, stage: str, reading: int) -> None:
        """Read the port of the child's metrics page from a pipe; there is none if the child ends first."""
        with os.fdopen(reading) as lines:
            port = lines.readline().strip()
        if port:
            self._child_metrics.set_port(stage, int(port))

    def _watch(self, children: list[Child]) -> int:
        while not self._stopped.wait(POLL_INTERVAL):
            for number, child in enumerate(children):
                status = child.process.poll()
                if status is None:
                    continue
                if child.restart_at is None:
                    self._child_metrics.set_port(child.stage, None)
                    self._log.warning("ended", unit=child.stage, pid=child.process.pid, status=status)
                    if status >= 0:
                        return 1
                    ran_well = monotonic() - child.started > 2 * MAX_RESTART_DELAY
                    child.restart_delay = RESTART_DELAY if ran_well else min(2 * child.restart_delay, MAX_RESTART_DELAY)
                    child.restart_at = monotonic() + child.restart_delay
                elif monotonic() >= child.restart_at:
                    children[number] = self._start(child.stage, child.restarts + 1)
                    children[number].restart_delay = child.restart_delay
        return 0

    def _end(self, children: Sequence[Child]) -> None:
        """Stop every child; kill one that does not stop in time."""
        for child in children:
            child.process.terminate()
        deadline = monotonic() + STOP_TIMEOUT + 0.5
        for child in children:
            try:
                child.process.wait(max(0.0, deadline - monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        os.close(self._writing)
        os.close(self._reading)


def run_stages(stages: Sequence[Stage[Any]], pipeline: Sequence[Stage[Any]], settings: Settings, idle: float | None = None) -> int:
    """Run stages of the pipeline until they are stopped or idle; return the exit code."""
    if not stages:
        raise Stop("there is nothing to run")
    if len(stages) == 1:
        return run_stage(stages[0], pipeline, settings, idle=idle)
    check_before_start(stages, settings)
    return Supervisor(stages, settings, idle).run()


def check_before_start(stages: Sequence[Stage[Any]], settings: Settings) -> None:
    """Raise before any process starts what would stop every stage; an unavailable broker is no error."""
    settings.redis()
    settings.seal()
    load_rules(settings.rules_dir)
    broker = Broker(settings)
    with contextlib.suppress(Unavailable):
        for stage in stages:
            check_topics(broker, stage, settings.topic_prefix)
