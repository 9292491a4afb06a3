"""What applying an event changed: the vocabulary that indexer and node share.

Pure values. Each change holds a record before and after, so it can be undone exactly. `None`
before means created, `None` after means deleted; never both. An event changes a record at most
once.
"""

from __future__ import annotations

from dataclasses import dataclass

from sdk.registry.records import Account, Cluster, Network, Operator, Validator
from sdk.types import Address, OperatorId


@dataclass(frozen=True, slots=True)
class OperatorChanged:
    """An operator was registered, changed or removed."""

    before: Operator | None
    after: Operator | None


@dataclass(frozen=True, slots=True)
class WhitelistChanged:
    """Whether a private operator admits an address.

    Kept apart from the operator, because a record that held every address would make each
    further one dearer.
    """

    operator_id: OperatorId
    address: Address
    before: bool
    after: bool


@dataclass(frozen=True, slots=True)
class ClusterChanged:
    """A cluster was created or changed."""

    before: Cluster | None
    after: Cluster | None


@dataclass(frozen=True, slots=True)
class ValidatorChanged:
    """A validator was registered, changed or removed."""

    before: Validator | None
    after: Validator | None


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """An owner's nonce or fee recipient changed."""

    before: Account | None
    after: Account | None


@dataclass(frozen=True, slots=True)
class NetworkChanged:
    """The network's account or a parameter changed."""

    before: Network
    after: Network


Change = (
    OperatorChanged
    | WhitelistChanged
    | ClusterChanged
    | ValidatorChanged
    | AccountChanged
    | NetworkChanged
)
