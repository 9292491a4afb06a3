"""The registry as its logs tell it: records, reducer, fee ledger, runway.

`ledger`, `effects`, `runway` and `words` are used as modules, because their verbs read best with
the module's name before them.
"""

from __future__ import annotations

from sdk.registry import effects, ledger, runway, words
from sdk.registry.apply import apply
from sdk.registry.changes import (
    AccountChanged,
    Change,
    ClusterChanged,
    NetworkChanged,
    OperatorChanged,
    ValidatorChanged,
    WhitelistChanged,
)
from sdk.registry.ledger import Parties
from sdk.registry.outcome import (
    Applied,
    Aspect,
    Divergence,
    EventContext,
    Refused,
    SignatureVerdict,
)
from sdk.registry.records import (
    BASELINE_ETH,
    Account,
    Cluster,
    DeclaredFee,
    Network,
    Operator,
    Parameters,
    Refusal,
    Validator,
)
from sdk.registry.registration import NonceClaim, nonce_claim, nonce_claims
from sdk.registry.snapshot import cluster_id, new_cluster, snapshot_hash
from sdk.registry.state import RegistryState

__all__ = [
    "BASELINE_ETH",
    "Account",
    "AccountChanged",
    "Applied",
    "Aspect",
    "Change",
    "Cluster",
    "ClusterChanged",
    "DeclaredFee",
    "Divergence",
    "EventContext",
    "Network",
    "NetworkChanged",
    "NonceClaim",
    "Operator",
    "OperatorChanged",
    "Parameters",
    "Parties",
    "Refusal",
    "Refused",
    "RegistryState",
    "SignatureVerdict",
    "Validator",
    "ValidatorChanged",
    "WhitelistChanged",
    "apply",
    "cluster_id",
    "effects",
    "ledger",
    "new_cluster",
    "nonce_claim",
    "nonce_claims",
    "runway",
    "snapshot_hash",
    "words",
]
