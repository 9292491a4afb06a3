"""The API's Prometheus metrics: every name with its help text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.registry import Collector

from indexer.queries.reading import Position

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """One process's metrics, in a registry of their own."""

    def __init__(self, process: int | None = None) -> None:
        """All at zero.

        Args:
            process: number of the process among several at one address. Each look sees one of
                them; the label `process` says which, so that counters do not seem to go back.
        """
        self._process = process
        self._registry = registry = CollectorRegistry()
        self._answers = Counter(
            "api_answers", "Answers by route and status.", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "api_answer_seconds",
            "Time until an answer was complete, by route.",
            ["route"],
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.subscribers = Gauge(
            "api_subscribers", "Open streams and websockets.", registry=registry
        )
        self._indexed = Gauge("api_indexed_block", "Newest block that is told.", registry=registry)
        self._lag = Gauge("api_lag_blocks", "Blocks behind the node's head.", registry=registry)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """An answer is complete."""
        self._answers.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(max(0.0, seconds))

    def text(self, position: Position | None) -> bytes:
        """All of them, as Prometheus reads them."""
        if position is not None:
            self._indexed.set(position.newest.number)
            self._lag.set(position.lag_blocks or 0)
        if self._process is None:
            return generate_latest(self._registry)
        return generate_latest(_Numbered(self._registry, self._process))


class _Numbered(Collector):
    """All metrics of a registry with the number of their process."""

    def __init__(self, registry: CollectorRegistry, process: int) -> None:
        self._registry = registry
        self._label = {"process": str(process)}

    def collect(self) -> Iterator[Metric]:
        """As they are now."""
        for metric in self._registry.collect():
            metric.samples = [
                each._replace(labels={**each.labels, **self._label}) for each in metric.samples
            ]
            yield metric
