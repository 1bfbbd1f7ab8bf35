"""
The supervisor's metrics page: collects the metrics of its child processes.

Each child serves its metrics on a free loopback port and writes the port to a pipe. A child that is gone or does not answer
in time is left out, including its earlier values. Only the pipeline's own metrics are passed on.
"""

import threading
import urllib.request
from collections.abc import Iterable, Mapping
from http.client import HTTPException
from typing import Final

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

ANSWER_SECONDS: Final = 1.0
OWN_PREFIX: Final = "vn_"


class ChildMetrics(Collector):
    """Collects from the metrics pages of the children."""

    def __init__(self) -> None:
        self._ports: dict[str, int] = {}
        self._lock = threading.Lock()

    def set_port(self, child: str, port: int | None) -> None:
        """Set the port of the child's page; None if the child is gone."""
        with self._lock:
            if port is None:
                self._ports.pop(child, None)
            else:
                self._ports[child] = port

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the families are only known once a child answers."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Return every family of the children that answer, with the samples of all."""
        with self._lock:
            ports = dict(self._ports)
        found: dict[str, str] = {}
        threads = [threading.Thread(target=self._ask, args=(child, port, found), daemon=True) for child, port in ports.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * ANSWER_SECONDS)
        return merge(dict(found))

    @staticmethod
    def _ask(child: str, port: int, found: dict[str, str]) -> None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=ANSWER_SECONDS) as answer:
                found[child] = answer.read().decode()
        except (OSError, HTTPException):
            return  # frozen or gone


def merge(pages: Mapping[str, str]) -> list[Metric]:
    """Return the pipeline's metric families in several pages, each family once with the samples of all pages."""
    families: dict[str, Metric] = {}
    for child in sorted(pages):
        for family in text_string_to_metric_families(pages[child]):
            if family.name.startswith(OWN_PREFIX):
                families.setdefault(family.name, Metric(family.name, family.documentation, family.type)).samples.extend(family.samples)
    return list(families.values())
