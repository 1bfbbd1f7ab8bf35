"""Clients of applications in this process; all share one event loop, where Starlette's own would begin a thread for every request."""

import atexit
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.testclient import TestClient

ASGIApplication = Callable[..., Any]


def client_of(application: ASGIApplication, url: str = "http://127.0.0.1", *, raises: bool = True) -> TestClient:
    """Return a client; an exception in the application reaches the test, or with `raises` false is the answer 500."""
    client = TestClient(application, base_url=url, raise_server_exceptions=raises)
    client.portal = event_loop()
    return client


@cache
def event_loop() -> BlockingPortal:
    stack = ExitStack()
    portal = stack.enter_context(start_blocking_portal())
    atexit.register(stack.close)
    return portal
