"""Metrics of one application for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from SegAnyPETLib.backend.server.guards.request_body import Bodies
from SegAnyPETLib.backend.server.service import Service

#: Upper bounds in seconds: from a refusal to the published model on a CPU.
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


class Metrics:
    """Count requests, and read the other figures from the service when Prometheus asks.

    Args:
        service: service to read.
        bodies: request bodies in memory.
    """

    def __init__(self, service: Service, bodies: Bodies) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_OfService(service, bodies))
        self._requests = Counter(
            "seganypet_requests", "Requests that were answered.", ("route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "seganypet_request_seconds",
            "Seconds from a request's first byte to the last one of its answer.",
            ("route",),
            buckets=BUCKETS_S,
            registry=self._registry,
        )

    def count(self, route: str, status: int, seconds: float) -> None:
        """Count a request that has ended."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)


class _OfService(Collector):
    def __init__(self, service: Service, bodies: Bodies) -> None:
        self._service, self._bodies = service, bodies

    def collect(self) -> Iterator[Metric]:
        service, counts = self._service, self._service.counts
        gauges = {
            "waiting": ("Requests that wait.", service.waiting),
            "running": ("Whether a request runs.", int(service.running)),
            "embeddings": ("Embeddings that are kept.", counts.embeddings),
            "embedding_bytes": ("Memory of the embeddings.", counts.embedding_bytes),
            "body_bytes": ("Bytes of requests in memory.", self._bodies.held_bytes),
        }
        counters = {
            "embedding_hits": ("Requests whose window was known.", counts.hits),
            "embedding_misses": ("Requests whose window was not known.", counts.misses),
            "out_of_memory": ("Requests for which the device's memory did not suffice.", counts.out_of_memory),
            "log_records_lost": ("Events that could not be written to the log.", service.log.lost),
        }
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(f"seganypet_{name}", text, value=value)
        for name, (text, value) in counters.items():
            yield CounterMetricFamily(f"seganypet_{name}", text, value=value)
