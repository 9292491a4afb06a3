"""What applying an event changed: the vocabulary that indexer and node share.

Pure values, as structs of msgspec: a million are made while a history is read, and a frozen
dataclass takes five times as long. Each change holds a record before and after, so it can be undone
exactly. `None` before means created, `None` after means deleted; never both. An event changes a
record at most once. No record refers to a change, so the search for cycles may pass them over.
"""

from __future__ import annotations

import msgspec

from sdk.registry.records import Account, Cluster, Network, Operator, Validator
from sdk.types import Address, OperatorId


class OperatorChanged(msgspec.Struct, frozen=True, gc=False):
    """An operator was registered, changed or removed."""

    before: Operator | None
    after: Operator | None


class WhitelistChanged(msgspec.Struct, frozen=True, gc=False):
    """Whether a private operator admits an address.

    Kept apart from the operator, because a record that held every address would make each
    further one dearer.
    """

    operator_id: OperatorId
    address: Address
    before: bool
    after: bool


class ClusterChanged(msgspec.Struct, frozen=True, gc=False):
    """A cluster was created or changed."""

    before: Cluster | None
    after: Cluster | None


class ValidatorChanged(msgspec.Struct, frozen=True, gc=False):
    """A validator was registered, changed or removed."""

    before: Validator | None
    after: Validator | None


class AccountChanged(msgspec.Struct, frozen=True, gc=False):
    """An owner's nonce or fee recipient changed."""

    before: Account | None
    after: Account | None


class NetworkChanged(msgspec.Struct, frozen=True, gc=False):
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
