"""The registry's contract as this node follows it: own validators and the whole network.

`Registry` is the task. Shares are decrypted here and kept by the signer; nothing here signs.
"""

from __future__ import annotations

from operator_node.registry.assignments import Assignment
from operator_node.registry.notices import (
    ExitRequested,
    FeeRecipientChanged,
    Joined,
    Left,
    Liquidated,
    Reactivated,
    RegistryChange,
    RolledBack,
)
from operator_node.registry.registry import Registry
from operator_node.registry.status import STALE_S, RegistryStatus
from operator_node.registry.values import Identity
from operator_node.registry.view import EXIT_DELAY_SLOTS, NetworkView

__all__ = [
    "EXIT_DELAY_SLOTS",
    "STALE_S",
    "Assignment",
    "ExitRequested",
    "FeeRecipientChanged",
    "Identity",
    "Joined",
    "Left",
    "Liquidated",
    "NetworkView",
    "Reactivated",
    "Registry",
    "RegistryChange",
    "RegistryStatus",
    "RolledBack",
]
