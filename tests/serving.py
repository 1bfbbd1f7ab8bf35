"""Serves an application on a free port of loopback while a block runs."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn

from tests.broker.harness import until


@contextmanager
def serving(application: Callable[[str], Any]) -> Iterator[str]:
    """Serve what `application` makes of its own address, and yield that."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(application(url), log_level="warning"))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until("the application listens", lambda: server.started)
        yield url
        server.should_exit = True
        thread.join(10)
