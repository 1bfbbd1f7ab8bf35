"""`vn watch`: serves metrics about the pipeline, measured from outside its stages."""

import threading
from typing import Annotated

import typer
from prometheus_client import start_http_server

from processors.cli.app import new_app
from processors.rules.load import load_rules
from processors.runtime.errors import UserError
from processors.runtime.run.telemetry import configure
from processors.runtime.settings import Settings
from processors.runtime.stop_signals import on_stop_signal
from processors.watch.loop import Watch
from processors.watch.metrics import MetricsPage

app = new_app("Serves metrics about the pipeline from outside its stages.")


@app.command()
def watch(
    *,
    host: Annotated[str, typer.Option(help="The address to serve on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="The port of /metrics; 0 = a free one. Default: VN_METRICS_PORT.")
    ] = None,
    canary: Annotated[
        bool, typer.Option("--canary/--no-canary", help="Send a message of its own through the pipeline every five minutes.")
    ] = True,
) -> None:
    """
    Watch broker, store and every stage's progress from outside, until SIGTERM or SIGINT.

    Serves lag, age, reviews, agencies, dead letters and a canary on /metrics; also correct for a stage that hangs or is
    gone, since the stages are not queried. docs/metrics.md lists the metrics.
    """
    settings = Settings()
    configure(settings.log_level, settings.log_format)
    page, stopped = MetricsPage(), threading.Event()
    pipeline_watch = Watch(settings, load_rules(settings.rules_dir), page, with_canary=canary)
    try:
        server, _ = start_http_server(settings.metrics_port if port is None else port, host, page.registry)
    except OSError as error:
        raise UserError(f"port {port or settings.metrics_port} cannot be served ({error.strerror}): name another with --port") from None
    with on_stop_signal(stopped.set):
        typer.echo(f"http://{host}:{server.server_port}/metrics")
        try:
            pipeline_watch.run(stopped)
        finally:
            server.shutdown()
