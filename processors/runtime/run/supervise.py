"""
Stages as processes: a single stage runs in this process, several run in one child process each.

A child ends with its supervisor, however that ends: it holds the reading end of a pipe and exits when the other end is
closed. A child that was killed is restarted, since the protocol survives that; one that ends with an error ends them all,
since it would do so again.
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
from processors.runtime.kafka.clients import Broker, Place, Unavailable
from processors.runtime.key_file import KeyFile
from processors.runtime.run.children_page import ChildrenPage
from processors.runtime.run.idle import Progress
from processors.runtime.run.partitions import check_topics
from processors.runtime.run.runner import Environment, Runner
from processors.runtime.run.telemetry import error_fields
from processors.runtime.settings import Settings
from processors.runtime.stop_signals import on_stop_signal
from processors.runtime.wire.codec import Codec
from processors.stage import Stage, upstream

LAST: Final = 7.0  # seconds from the stop signal until the process exits regardless; the protocol survives that
TICK: Final = 0.1
LOOK: Final = 0.5
AGAIN: Final = 0.5  # seconds until a killed child is restarted; doubled each time
LONGEST: Final = 5.0
GARBAGE: Final = 50_000  # allocations between collections of the youngest generation: a batch makes more than the default of 700


def run_stage(  # noqa: PLR0913  what `vn run` and its supervisor say of one stage
    stage: Stage[Any],
    pipeline: Sequence[Stage[Any]],
    settings: Settings,
    *,
    idle: float | None = None,
    leash: int | None = None,
    page: int | None = None,
) -> int:
    """
    Run one stage in this process until SIGTERM or SIGINT, or until idle for that many seconds; return the exit code.

    Of the pipeline's other stages, wherever they run, it waits for those before it until it fires a timer.
    """
    rules, keys = load_rules(settings.rules_dir), KeyFile(settings.keys_at())
    gc.freeze()  # the rules live as long as the process: keep the collector from scanning them
    gc.set_threshold(GARBAGE)
    environment = Environment(settings, Codec(settings.schema_registry_url, settings.topic_prefix), rules, keys)
    runner = Runner(stage, environment, upstream(stage, pipeline))
    if leash is not None:
        threading.Thread(target=_leave_at_end_of, args=(leash,), daemon=True).start()
    if page is not None:
        server, _ = start_http_server(0, "127.0.0.1")
        os.write(page, f"{server.server_port}\n".encode())
        os.close(page)
    elif settings.metrics_port:
        serve_metrics(settings, REGISTRY)

    def stop() -> None:
        runner.stop()
        late = threading.Timer(LAST, os._exit, (0,))
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


def _leave_at_end_of(leash: int) -> None:
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
    """Notices when nothing has been in flight for so many seconds, judged by what is committed in Kafka."""

    def __init__(self, settings: Settings, stages: Sequence[Stage[Any]], seconds: float) -> None:
        self._watch = Progress(
            Broker(settings), settings.topic_prefix, {stage.name: (stage,) for stage in stages}, clock=settings.clock == "topic"
        )
        self._seconds = seconds
        self._last: dict[tuple[str, Place], tuple[int | None, int]] = {}
        self._since = monotonic()

    def look(self) -> bool:
        """Return whether every input has been read to its end for long enough."""
        try:
            seen = self._watch.look()
        except Restart:
            seen = {}
        if seen != self._last or not seen or any(committed != end for committed, end in seen.values()):
            self._last, self._since = seen, monotonic()
        return monotonic() - self._since >= self._seconds


def _stop_when_idle(settings: Settings, stages: Sequence[Stage[Any]], seconds: float, stop: Callable[[], None]) -> None:
    timer, pause = IdleTimer(settings, stages, seconds), threading.Event()
    while not timer.look():
        pause.wait(min(LOOK, seconds / 2 or LOOK))
    stop()


# -- several stages


@dataclass(slots=True)
class Child:
    """The process of one stage."""

    stage: str
    process: subprocess.Popen[bytes]
    started: float
    life: int
    wait: float = AGAIN
    again: float | None = None


class Supervisor:
    """Keeps one process per stage running; the n-th process of a stage gets the n-th fault armed for it."""

    def __init__(self, stages: Sequence[Stage[Any]], settings: Settings, idle: float | None = None) -> None:
        self._stages = stages
        self._settings = settings
        self._idle = idle
        self._log = structlog.get_logger()
        self._reading, self._writing = os.pipe()
        self._stopped = threading.Event()
        self._page = ChildrenPage()

    def run(self) -> int:
        """Run until SIGTERM or SIGINT, or until idle; return the exit code."""
        with on_stop_signal(self._stopped.set):
            if self._settings.metrics_port:
                registry = CollectorRegistry()
                registry.register(self._page)
                serve_metrics(self._settings, registry)
            if self._idle is not None:
                arguments = (self._settings, self._stages, self._idle, self._stopped.set)
                threading.Thread(target=_stop_when_idle, args=arguments, daemon=True).start()
            children = [self._start(stage.name) for stage in self._stages]
            try:
                return self._watch(children)
            finally:
                self._end(children)

    def _start(self, stage: str, life: int = 0) -> Child:
        page, announce = os.pipe()
        command = [sys.executable, "-c", "from processors.cli.main import run; run()", "run", stage]
        command += ["--leash", str(self._reading), "--page", str(announce)]
        faults = [each for each in self._settings.faults if each.startswith(f"{stage}.")][life : life + 1]
        environment = os.environ | {"VN_FAULTS": ",".join(faults)}
        process = subprocess.Popen(command, env=environment, pass_fds=(self._reading, announce), stdin=subprocess.DEVNULL)
        os.close(announce)
        threading.Thread(target=self._read_port, args=(stage, page), daemon=True).start()
        self._log.info("started", unit=stage, pid=process.pid)
        return Child(stage, process, monotonic(), life)

    def _read_port(self, stage: str, page: int) -> None:
        """Record the port of the child's page once the child reports it; one that ends before reports none."""
        with os.fdopen(page) as line:
            port = line.readline().strip()
        if port:
            self._page.set_port(stage, int(port))

    def _watch(self, children: list[Child]) -> int:
        while not self._stopped.wait(TICK):
            for number, child in enumerate(children):
                status = child.process.poll()
                if status is None:
                    continue
                if child.again is None:
                    self._page.set_port(child.stage, None)
                    self._log.warning("ended", unit=child.stage, pid=child.process.pid, status=status)
                    if status >= 0:
                        return 1
                    child.wait = AGAIN if monotonic() - child.started > 2 * LONGEST else min(2 * child.wait, LONGEST)
                    child.again = monotonic() + child.wait
                elif monotonic() >= child.again:
                    children[number] = self._start(child.stage, child.life + 1)
                    children[number].wait = child.wait
        return 0

    def _end(self, children: Sequence[Child]) -> None:
        """End every child, by force if it does not stop by itself."""
        for child in children:
            child.process.terminate()
        deadline = monotonic() + LAST + 0.5
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
    """Raise, before any process starts, what would end every stage; a broker that is unavailable is waited for."""
    settings.redis()
    settings.seal()
    load_rules(settings.rules_dir)
    broker = Broker(settings)
    with contextlib.suppress(Unavailable):
        for stage in stages:
            check_topics(broker, stage, settings.topic_prefix)
