"""Serves the HTTP applications of commands."""

import signal
import socket
from typing import Any

import typer
import uvicorn

from processors.runtime.errors import UserError


def serve(application: Any, host: str, port: int) -> None:
    """Serve an application until SIGTERM or SIGINT; prints its address once it listens."""
    try:
        listening = socket.create_server((host, port))
    except OSError as error:
        raise UserError(f"port {port} cannot be served ({error.strerror}): name another with --port") from None
    config = uvicorn.Config(application, log_level="warning", access_log=False, server_header=False, proxy_headers=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn stops at the first, and raises it again once it has stopped
    with listening:
        typer.echo(f"http://{host}:{listening.getsockname()[1]}/")
        uvicorn.Server(config).run(sockets=[listening])
