"""The registry through web3: reads, checked and planned writes, signers, exports.

See docs/client.md. Errors of the contract are classes in `sdk.client.contract_errors`.
"""

from __future__ import annotations

from sdk.client import contract_errors
from sdk.client.calls import Block, Deployment
from sdk.client.client import AsyncClient, Client
from sdk.client.contract_errors import RegistryError
from sdk.client.draft import Draft, Forecast, Plan, Receipt
from sdk.client.operation import Operation, Patience
from sdk.client.prepared import AsyncPreparedCall, PreparedCall
from sdk.client.signers import LocalSigner, NodeSigner, RemoteSigner, Signer
from sdk.client.transaction import SignedTransaction, Transaction
from sdk.client.validators import ValidatorRecord
from sdk.client.values import (
    ClusterState,
    ClusterSummary,
    DeclaredOperatorFee,
    NetworkParameters,
    OperatorState,
)

__all__ = [
    "AsyncClient",
    "AsyncPreparedCall",
    "Block",
    "Client",
    "ClusterState",
    "ClusterSummary",
    "DeclaredOperatorFee",
    "Deployment",
    "Draft",
    "Forecast",
    "LocalSigner",
    "NetworkParameters",
    "NodeSigner",
    "Operation",
    "OperatorState",
    "Patience",
    "Plan",
    "PreparedCall",
    "Receipt",
    "RegistryError",
    "RemoteSigner",
    "SignedTransaction",
    "Signer",
    "Transaction",
    "ValidatorRecord",
    "contract_errors",
]
