"""The registry as the node and the indexer hold it, and the two ways to change it.

Pure apart from being mutable: `commit` applies changes, `undo` takes them back exactly, which is
how a reorganisation is handled. It decides nothing; `apply` computes the changes. Work per change
does not depend on how much is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any, Literal, TypeVar, assert_never

from sdk.errors import InvariantBroken
from sdk.registry.changes import (
    AccountChanged,
    Change,
    ClusterChanged,
    NetworkChanged,
    OperatorChanged,
    ValidatorChanged,
    WhitelistChanged,
)
from sdk.registry.digest import Digest
from sdk.registry.ledger import Parties
from sdk.registry.records import Account, Cluster, Network, Operator, Validator
from sdk.types import Address, ClusterId, OperatorId

ValidatorKey = tuple[Address, bytes]
"""Owner and public key: two owners may register the same key."""
_NETWORK = "network"
"""The only key among networks, so that every record is held the same way."""


Key = TypeVar("Key")
Record = TypeVar("Record")


class RegistryState:
    """All records by key, with the lookups that have to be fast.

    The mappings are live views; only `commit` and `undo` may change what they show.
    """

    def __init__(self, network: Network | None = None) -> None:
        """An empty registry.

        Args:
            network: parameters at deployment, where no log announces them.
        """
        self._networks = {_NETWORK: network or Network()}
        self._operators: dict[OperatorId, Operator] = {}
        self._clusters: dict[ClusterId, Cluster] = {}
        self._validators: dict[ValidatorKey, Validator] = {}
        self._accounts: dict[Address, Account] = {}
        self._whitelist: dict[tuple[OperatorId, Address], Literal[True]] = {}
        self._tables: dict[str, dict[Any, Any]] = {
            "networks": self._networks,
            "operators": self._operators,
            "clusters": self._clusters,
            "validators": self._validators,
            "accounts": self._accounts,
            "whitelist": self._whitelist,
        }
        self._accepted: dict[bytes, Address] = {}
        self._validators_of_cluster: dict[ClusterId, set[ValidatorKey]] = {}
        self._clusters_of_operator: dict[OperatorId, set[ClusterId]] = {}
        self._digest = Digest()
        self._undigested: dict[tuple[str, object], None] = {("networks", _NETWORK): None}

    @property
    def network(self) -> Network:
        return self._networks[_NETWORK]

    @property
    def operators(self) -> Mapping[OperatorId, Operator]:
        return self._operators

    @property
    def clusters(self) -> Mapping[ClusterId, Cluster]:
        return self._clusters

    @property
    def validators(self) -> Mapping[ValidatorKey, Validator]:
        return self._validators

    @property
    def accounts(self) -> Mapping[Address, Account]:
        return self._accounts

    def account(self, owner: Address) -> Account:
        """The owner's account, a fresh one if no log named this owner yet."""
        return self._accounts.get(owner) or Account(owner)

    def admits(self, operator_id: OperatorId, address: Address) -> bool:
        """Whether the address is on the operator's own list (whitelisting contracts aside)."""
        return (operator_id, address) in self._whitelist

    def accepted_validator(self, public_key: bytes) -> Validator | None:
        """The one registration of this key that nodes act on, if any."""
        owner = self._accepted.get(public_key)
        return None if owner is None else self._validators[owner, public_key]

    def validators_of_cluster(self, cluster_id: ClusterId) -> Set[ValidatorKey]:
        """Registrations in the cluster, refused ones included."""
        return self._validators_of_cluster.get(cluster_id, frozenset())

    def clusters_of_operator(self, operator_id: OperatorId) -> Set[ClusterId]:
        """Clusters that contain the operator, active or not."""
        return self._clusters_of_operator.get(operator_id, frozenset())

    def parties(self, cluster: Cluster) -> Parties:
        """The cluster with its known operators and the network."""
        # Without repetitions, which the contract excludes but a log could contain.
        operator_ids = dict.fromkeys(cluster.operator_ids)
        operators = [self._operators.get(operator_id) for operator_id in operator_ids]
        return Parties(cluster, tuple(found for found in operators if found), self.network)

    def changes_to(self, parties: Parties) -> tuple[Change, ...]:
        """Changes that bring this state to the given accounts."""
        changes: list[Change] = []
        cluster_before = self._clusters.get(parties.cluster.cluster_id)
        if cluster_before != parties.cluster:
            changes.append(ClusterChanged(cluster_before, parties.cluster))
        for operator in parties.operators:
            operator_before = self._operators.get(operator.operator_id)
            if operator_before != operator:
                changes.append(OperatorChanged(operator_before, operator))
        if self.network != parties.network:
            changes.append(NetworkChanged(self.network, parties.network))
        return tuple(changes)

    def commit(self, changes: Iterable[Change]) -> None:
        """Apply changes in order.

        Raises:
            InvariantBroken: a change was computed for another state than this.
        """
        for change in changes:
            # Half of a history's changes are of validators.
            if type(change) is ValidatorChanged:
                self._replace_validator(change.before, change.after)
            else:
                self._replace(change, forward=True)

    def undo(self, changes: Iterable[Change]) -> None:
        """Take back changes of a commit; give them in the order in which they were committed."""
        for change in reversed(tuple(changes)):
            self._replace(change, forward=False)

    def digest(self) -> bytes:
        """SHA-256 over all records, 32 bytes; equal exactly for equal states.

        The work is that of the records changed since the last call.
        """
        self._digest.update(
            ((kind, key), self._tables[kind].get(key)) for kind, key in self._undigested
        )
        self._undigested.clear()
        return self._digest.value()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RegistryState):
            return NotImplemented
        return self._tables == other._tables

    __hash__ = None  # type: ignore[assignment]  # a mutable value is no key

    def _replace(self, change: Change, *, forward: bool) -> None:
        old: Any
        new: Any
        old, new = (change.before, change.after) if forward else (change.after, change.before)
        record = old if new is None else new
        match change:
            case ValidatorChanged():
                self._replace_validator(old, new)
            case OperatorChanged():
                operator: Operator = _either(record)
                self._put("operators", operator.operator_id, old, new)
            case AccountChanged():
                account: Account = _either(record)
                self._put("accounts", account.owner, old, new)
            case ClusterChanged():
                cluster: Cluster = _either(record)
                self._put("clusters", cluster.cluster_id, old, new)
                if old is None or new is None:
                    self._list_cluster(cluster, present=new is not None)
            case NetworkChanged():
                self._put("networks", _NETWORK, old, new)
            case WhitelistChanged():
                entry = (change.operator_id, change.address)
                self._put("whitelist", entry, old or None, new or None)
            case _:
                assert_never(change)

    def _replace_validator(self, old: Validator | None, new: Validator | None) -> None:
        validator = _either(old if new is None else new)
        self._put("validators", (validator.owner, validator.public_key), old, new)
        is_listed_alike = (
            old is not None
            and new is not None
            and old.cluster_id == new.cluster_id
            and old.refusal is new.refusal
        )
        if not is_listed_alike:
            self._list_validator(old, present=False)
            self._list_validator(new, present=True)

    def _put(self, kind: str, key: Key, old: Record | None, new: Record | None) -> None:
        records = self._tables[kind]
        current = records.get(key)
        if current is not old and current != old:
            raise InvariantBroken(
                f"a change expects {old} where the registry holds {current}",
                hint="Commit changes in the order they were computed, undo them in reverse.",
            )
        if new is None:
            records.pop(key, None)
        else:
            records[key] = new
        self._undigested[kind, key] = None

    def _list_cluster(self, cluster: Cluster, *, present: bool) -> None:
        for operator_id in set(cluster.operator_ids):
            _mark(self._clusters_of_operator, operator_id, cluster.cluster_id, present=present)

    def _list_validator(self, validator: Validator | None, *, present: bool) -> None:
        if validator is None:
            return
        key = validator.public_key
        _mark(
            self._validators_of_cluster,
            validator.cluster_id,
            (validator.owner, key),
            present=present,
        )
        if validator.refusal is None:
            if present:
                self._accepted[key] = validator.owner
            else:
                del self._accepted[key]


def _either(record: Record | None) -> Record:
    """The record before or after a change, which has one of the two."""
    if record is None:
        raise InvariantBroken("a change has neither a record before nor one after")
    return record


def _mark(sets: dict[Key, set[Record]], key: Key, member: Record, *, present: bool) -> None:
    """Put a member into the set of a key, or take it out; empty sets are dropped."""
    if present:
        sets.setdefault(key, set()).add(member)
        return
    members = sets[key]
    members.remove(member)
    if not members:
        del sets[key]
