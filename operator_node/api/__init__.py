"""What the node tells: its state part by part, its duties, its metrics; read-only, over HTTP.

`status_of` turns facts into a state, `make_app` and `make_metrics_app` are the two HTTP APIs,
`serve` runs one, `Metrics` counts.
"""

from operator_node.api.absence import Absence, Known, absence_of
from operator_node.api.answers import Identity, OwnValidator, Peer
from operator_node.api.control import Tokens
from operator_node.api.http import DutyQuery, Sources, make_app, make_metrics_app, serve
from operator_node.api.metrics import Metrics
from operator_node.api.status import NodeState, Part, Severity, Snapshot, Status, status_of

__all__ = [
    "Absence",
    "DutyQuery",
    "Identity",
    "Known",
    "Metrics",
    "NodeState",
    "OwnValidator",
    "Part",
    "Peer",
    "Severity",
    "Snapshot",
    "Sources",
    "Status",
    "Tokens",
    "absence_of",
    "make_app",
    "make_metrics_app",
    "serve",
    "status_of",
]
