"""The writer's Prometheus metrics: every name with its help text.

Nothing is measured here; the callers say what happened.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """One process's metrics, in a registry of their own.

    Attributes:
        registry: what a scraper is shown.
    """

    def __init__(self) -> None:
        """All at zero."""
        self.registry = registry = CollectorRegistry()
        self.head = Gauge(
            "indexer_head_block", "Newest block of the chain, by the node.", registry=registry
        )
        self.indexed = Gauge(
            "indexer_indexed_block", "Newest block in the tables.", registry=registry
        )
        self.caught_up = Gauge(
            "indexer_caught_up", "1 when there is nothing left to read.", registry=registry
        )
        self.logs = Counter("indexer_logs", "Logs written.", registry=registry)
        self.steps = Counter("indexer_steps", "Transactions with new blocks.", registry=registry)
        self.reorgs = Counter("indexer_reorgs", "Reorganisations undone.", registry=registry)
        self.undone = Counter("indexer_undone_blocks", "Blocks undone.", registry=registry)
        self.failures = Counter(
            "indexer_failures", "Failures after which work began anew.", registry=registry
        )
        self.divergences = Counter(
            "indexer_divergences", "Contradictions between logs.", registry=registry
        )
        self.compared = Counter(
            "indexer_compared",
            "Subjects compared with the contract's views.",
            ["kind"],
            registry=registry,
        )
        self.mismatches = Counter(
            "indexer_mismatches",
            "Subjects that differed from the contract's views.",
            ["kind"],
            registry=registry,
        )
        self.write_seconds = Histogram(
            "indexer_write_seconds",
            "Time of a transaction with new blocks.",
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.complete = Gauge(
            "indexer_complete",
            "1 when the last audit found nothing missing, 0 from a difference to its repair.",
            registry=registry,
        )
        self.proven = Counter(
            "indexer_proven_blocks", "Blocks whose logs their headers prove.", registry=registry
        )
        self.unproven = Counter(
            "indexer_unproven_blocks", "Blocks whose logs were believed.", registry=registry
        )
        self.corrected = Counter(
            "indexer_corrected_blocks",
            "Blocks of which a node gave other logs than their receipts prove.",
            registry=registry,
        )
        self.repairs = Counter(
            "indexer_repairs",
            "Times that blocks were read again for a missing log.",
            registry=registry,
        )
        self.disagreements = Counter(
            "indexer_disagreements",
            "Times that nodes named different blocks final.",
            registry=registry,
        )
