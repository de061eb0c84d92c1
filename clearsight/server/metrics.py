"""What a process counts for its operators, in Prometheus' form.

Each process has its own numbers and says so with the label `process`; a scraper adds them up. Engines count by
themselves (clearsight.engine.metrics) and are read when somebody looks.
"""

import os
import time
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from clearsight.engine import Engine
from clearsight.experts.engine import plain
from clearsight.server.models import Model
from clearsight.server.routing import Replica

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class ServerMetrics:
    """Counters of one server process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "clearsight_requests_total", "Requests answered.", ("route", "status"), registry=self._registry
        )
        self.seconds = Histogram(
            "clearsight_request_seconds",
            "Until the last byte of an answer.",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self.tokens = Counter(
            "clearsight_tokens_total", "Tokens spent.", ("model", "kind"), registry=self._registry
        )
        self.blocked = Counter(
            "clearsight_moderated_total",
            "Requests and answers that were stopped.",
            ("stage",),
            registry=self._registry,
        )

        self.first_token = Histogram(
            "clearsight_first_token_seconds",
            "From asking the engine to an answer's first token.",
            ("model",),
            buckets=SECONDS,
            registry=self._registry,
        )

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count a request; status 0 is one whose asker went before there was an answer."""
        self.requests.labels(route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def watch(self, models: Iterable[Model]) -> None:
        """Tell what the engines of these models count, too."""
        self._registry.register(_Engines(list(models)))

    def text(self) -> bytes:
        """All of it, as a scraper reads it."""
        return generate_latest(self._registry)


class _Engines(Collector):
    """What engines and the routing to them know at the moment of asking."""

    def __init__(self, models: list[Model]):
        self._models = models

    def collect(self) -> Iterator[Metric]:
        process = str(os.getpid())
        queue = GaugeMetricFamily(
            "clearsight_queue_seconds",
            "How long the answer that waits longest has waited for its first token; 0 when none waits.",
            labels=("model", "process"),
        )
        families: dict[str, Metric] = {}
        for model in self._models:
            queue.add_metric((model.name, process), model.pool.queue_seconds())
            for replica in model.pool.replicas:
                engine = plain(replica.engine)
                if isinstance(engine, Engine):
                    _add_engine(families, (model.name, process), engine)
                else:
                    _add_replica(families, (model.name, replica.name, process), replica)
        yield queue
        yield from families.values()


def _add_engine(families: dict[str, Metric], labels: tuple[str, str], engine: Engine) -> None:
    for name, value in engine.metrics.snapshot().items():
        text = f"{name} of an engine, see clearsight.engine.metrics."
        new = GaugeMetricFamily(f"clearsight_engine_{name}", text, labels=("model", "process"))
        families.setdefault(name, new).add_metric(labels, value)  # type: ignore[attr-defined]


def _add_replica(families: dict[str, Metric], labels: tuple[str, str, str], replica: Replica) -> None:
    now = time.monotonic()
    for family, name, text, value in (
        (GaugeMetricFamily, "running", "Answers being made by another server.", replica.running),
        (GaugeMetricFamily, "up", "1 when another server answers its health checks.", not replica.is_down),
        (GaugeMetricFamily, "circuit_open", "1 while it gets no work.", replica.circuit.is_open(now)),
        (CounterMetricFamily, "circuits_opened", "How often that began.", replica.circuit.opened),
        (CounterMetricFamily, "failures_before_first_token", "Begun again elsewhere.", replica.failed_before),
        (CounterMetricFamily, "failures_after_first_token", "Answers broken off.", replica.failed_after),
    ):
        new = family(f"clearsight_upstream_{name}", text, labels=("model", "replica", "process"))
        families.setdefault(name, new).add_metric(labels, float(value))  # type: ignore[attr-defined]
