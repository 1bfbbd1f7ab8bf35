"""Measures when certificates expire."""

from collections.abc import Iterator
from typing import Final

import structlog

from processors.runtime.certificates import certificates
from processors.runtime.run.telemetry import error_fields
from processors.runtime.settings import Settings
from processors.watch import metrics
from processors.watch.metrics import Sample

FAMILIES: Final = frozenset({metrics.CERTIFICATE_END})


def measure(settings: Settings) -> Iterator[Sample]:
    """Yield when the first certificate of each name expires; one that cannot be read is logged, and `vn doctor` names it."""
    ends: dict[str, float] = {}
    for each in certificates(settings):
        try:
            end = each.end().timestamp()
        except (OSError, ValueError) as error:
            structlog.get_logger().warning("not_seen", **error_fields(error))
            continue
        ends[each.name] = min(end, ends.get(each.name, end))
    for name, end in ends.items():
        yield metrics.CERTIFICATE_END, (name,), end
