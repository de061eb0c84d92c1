"""What a process counts for its operators, in Prometheus' form.

Each process has its own numbers and says so with the label `process`; a scraper adds them up. Engines count by
themselves (clearsight.engine.metrics) and are read when somebody looks.
"""

import os
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from clearsight.engine import Engine
from clearsight.server.models import Model

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

    def watch(self, models: Iterable[Model]) -> None:
        """Tell what the engines of these models count, too."""
        self._registry.register(_Engines(list(models)))

    def text(self) -> bytes:
        """All of it, as a scraper reads it."""
        return generate_latest(self._registry)


class _Engines(Collector):
    def __init__(self, models: list[Model]):
        self._models = models

    def collect(self) -> Iterator[Metric]:
        families: dict[str, GaugeMetricFamily] = {}
        for model in self._models:
            for replica in model.replicas:
                if not isinstance(replica.engine, Engine):
                    continue
                for name, value in replica.engine.metrics.snapshot().items():
                    family = families.setdefault(
                        name,
                        GaugeMetricFamily(
                            f"clearsight_engine_{name}",
                            f"{name} of an engine, see clearsight.engine.metrics.",
                            labels=("model", "process"),
                        ),
                    )
                    family.add_metric((model.name, str(os.getpid())), value)
        yield from families.values()
