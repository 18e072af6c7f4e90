"""Figures of the running process for Prometheus; counts and times only, nothing of anybody's demand."""

from collections.abc import Iterator
from datetime import UTC, datetime

from litestar import Response, get
from litestar.di import NamedDependency
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine, QueuePool
from sqlalchemy.exc import DBAPIError

from pooling import jobs
from pooling.database import reading

TEXT = "text/plain; version=0.0.4"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """What one application counts; labels are operation ids, so that their number is bounded."""

    def __init__(self, engine: Engine, threads: int) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "pooling_requests", "Requests answered.", ["operation", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "pooling_request_seconds",
            "Seconds from a request's head to the end of its answer.",
            ["operation"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.running = Gauge("pooling_requests_running", "Requests being answered.", registry=self.registry)
        Gauge("pooling_threads", "Handlers that can be at work at once.", registry=self.registry).set(threads)
        connections = Gauge("pooling_database_connections", "Database connections in use.", registry=self.registry)
        pool = engine.pool
        if isinstance(pool, QueuePool):
            connections.set_function(lambda: float(pool.checkedout()))

        self.registry.register(Waiting(engine))
        self._counted: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def count(self, operation: str, status: int, seconds: float) -> None:
        """Count an answer; which figures are of it is looked up once."""
        found = self._counted.get((operation, status))
        if found is None:
            found = (self.requests.labels(operation, str(status)), self.seconds.labels(operation))
            self._counted[operation, status] = found
        found[0].inc()
        found[1].observe(seconds)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry)


class Waiting(Collector):
    """How many jobs there are, and since when the oldest waits, as the database has it when it is asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> list[Metric]:
        """Nothing: the registry would ask the database at once to learn the names."""
        return []

    def collect(self) -> Iterator[Metric]:
        """For the registry; nothing where the database does not answer: the rest is still told."""
        try:
            with reading(self._engine) as session:
                counts = jobs.figures(session)
                now = datetime.now(UTC)
                oldest = jobs.oldest_due(session, now=now)
        except DBAPIError:
            return
        number = GaugeMetricFamily("pooling_jobs", "Jobs by kind and status.", labels=["kind", "status"])
        for (kind, status), count in counts.items():
            number.add_metric([kind, status], count)
        yield number
        seconds = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
        yield GaugeMetricFamily("pooling_jobs_oldest_seconds", "Seconds that the oldest due job waits.", value=seconds)


@get(
    "/metrics",
    operation_id="metrics.read",
    sync_to_thread=True,
    media_type=TEXT,
    tags=["health"],
    summary="Figures for Prometheus",
)
def metrics_page(metrics: NamedDependency[Metrics]) -> Response[bytes]:
    """Counts and times of this process, and of jobs; to be kept inside by the proxy in front."""
    return Response(metrics.text(), media_type=TEXT)
