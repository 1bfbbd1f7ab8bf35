"""`vn demo --look` ends with a console and a site that show the result, and Ctrl-C stops everything it started."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.broker.harness import until

pytestmark = [pytest.mark.broker, pytest.mark.long, pytest.mark.timeout(900)]


def shows(url: str, text: str) -> Callable[[], bool]:
    return lambda: text in httpx2.get(url, timeout=30).text


def test_the_demo_ends_with_pages_that_show_what_happened(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "processors", "demo", "--look", "--dir", str(tmp_path / "demo")]
    output = tmp_path / "output"
    with (
        output.open("w") as file,
        subprocess.Popen(command, stdout=file, stderr=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "140"}) as demo,
    ):
        try:
            until("the pages are served", lambda: demo.poll() is not None or "Ctrl-C" in output.read_text(), 600)
            text = output.read_text()
            assert "and nothing else, as examples/key.json says" in text, text
            console, site = (re.findall(rf"vn {name} +(http://\S+/)", text)[0] for name in ("console", "site"))
            until("the console shows a message's life", shows(f"{console}messages/CA-26-804", "deliver"), 60)
            until("the console shows what waits for a reviewer", shows(f"{console}reviews", "emergencies first"), 60)
            until("the site's view is built", lambda: httpx2.get(f"{site}healthz", timeout=30).status_code == 200, 60)
            assert "Find a person" in httpx2.get(f"{site}en/find", timeout=30).text
            demo.send_signal(signal.SIGINT)
            assert demo.wait(60) == 0
        finally:
            demo.kill()
    for url in (console, site):
        with pytest.raises(httpx2.TransportError):
            httpx2.get(url, timeout=5)
