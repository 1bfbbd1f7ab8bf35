"""A value of the watch's metrics: as a PromQL query, and read directly from a registry."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import CollectorRegistry

from processors.watch.metrics import TABLES_READ

Combine = Literal["sum", "max"]
COMBINED: Final[dict[Combine, Callable[[Sequence[float]], float]]] = {"sum": math.fsum, "max": max}
TIMES: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"), (0.001, "ms"))
NONE_IF_READ: Final = f"0 * max({TABLES_READ.name})"  # PromQL: 0 if the topics were read, nothing if they were not
SIZES: Final = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B"))


@dataclass(frozen=True, slots=True)
class Reading:
    """
    The sum or the maximum of a metric's samples, for each value of the label `by`.

    `where` lists labels that a sample must have, `without` those it must not have. `or_zero`: the value is 0 if the topics were
    read and there is no sample.
    """

    combine: Combine
    metric: str
    by: str = ""
    where: tuple[tuple[str, str], ...] = ()
    without: tuple[tuple[str, str], ...] = ()
    or_zero: bool = False

    @property
    def query(self) -> str:
        """The reading in PromQL."""
        selector = ",".join(
            (*(f'{label}="{value}"' for label, value in self.where), *(f'{label}!="{value}"' for label, value in self.without))
        )
        by = f" by ({self.by}) " if self.by else ""
        return f"{self.combine}{by}({self.metric}{f'{{{selector}}}' if selector else ''})" + (f" or {NONE_IF_READ}" if self.or_zero else "")

    def values(self, registry: CollectorRegistry, *by: str) -> dict[tuple[str, ...], float]:
        """Return the values in a registry, keyed by the values of these labels (default: the label `by`); empty if unknown."""
        labels = by or ((self.by,) if self.by else ())
        found: dict[tuple[str, ...], list[float]] = {}
        read = False
        for sample in (sample for metric in registry.collect() for sample in metric.samples):
            read = read or sample.name == TABLES_READ.name
            if sample.name == self.metric and self._counts(sample.labels):
                found.setdefault(tuple(sample.labels.get(label, "") for label in labels), []).append(sample.value)
        if not found and self.or_zero and read and not labels:
            return {(): 0.0}
        return {key: COMBINED[self.combine](values) for key, values in found.items()}

    def _counts(self, labels: Mapping[str, str]) -> bool:
        """Whether a sample with these labels matches `where` and `without`."""
        wanted = all(labels.get(label) == value for label, value in self.where)
        return wanted and not any(labels.get(label) == value for label, value in self.without)

    def value(self, registry: CollectorRegistry) -> float | None:
        """Return the value of a reading without labels; None if unknown."""
        return self.values(registry).get(())


def shown_value(value: float | None, unit: str, digits: int = 4) -> str:
    """Return a value as Grafana would show it in this unit; a dash if unknown."""
    if value is None or not math.isfinite(value):
        return "-"
    if unit == "bool_yes_no":
        return "yes" if value else "no"
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "reqps":
        return f"{value:.3g}/s"
    scales: Sequence[tuple[float, str]] = TIMES if unit == "s" else SIZES if unit == "bytes" else ()
    scale = next((each for each in scales if abs(value) >= each[0]), None)
    if scale is not None:
        return f"{value / scale[0]:.3g} {scale[1]}"
    plain = f"{value:,.0f}" if value == int(value) else f"{value:.{digits}g}"
    return f"{plain} s" if unit == "s" else plain
