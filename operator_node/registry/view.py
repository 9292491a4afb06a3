"""All operators, committees and validators of the network, as gossip validation asks for them.

Pure. Registry changes come in by `apply`, what only the beacon chain knows by `learn_*`. Every
answer is a look-up; a committee's record is made when it is first asked for after a change, so that
the price of an event does not depend on how many validators there are.

Source: docs/protocol.md, "Gossip validation".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

from operator_node.registry.binding import registered_key
from operator_node.registry.values import ExitRequest
from operator_node.validation import KnownCommittee, KnownValidator
from operator_node.wire.ids import CommitteeId, committee_id
from sdk.crypto.operator_keys import OperatorPublicKey
from sdk.registry import Change, ClusterChanged, OperatorChanged, ValidatorChanged
from sdk.types import ClusterId, Epoch, OperatorId, PublicKey, Slot

EXIT_DELAY_SLOTS: Final = 4
"""From the slot of the event's block to that of the exit duty, the same for all operators."""
EPOCHS_OF_PROPOSALS: Final = 8
"""Proposer duties are known one epoch ahead and asked for no later than an epoch after."""
SYNC_PERIODS: Final = 4
"""Last, present and next; one to spare."""


class BeaconState(Protocol):
    """A validator as the beacon chain has it."""

    @property
    def index(self) -> int: ...
    @property
    def activation_epoch(self) -> int: ...
    @property
    def exit_epoch(self) -> int: ...


@dataclass(slots=True)
class _Cluster:
    committee: CommitteeId
    active: bool


@dataclass(slots=True)
class _Committee:
    """Operators of one or more clusters, and what is said of them; None if it has to be made."""

    operators: tuple[OperatorId, ...]
    clusters: set[ClusterId] = field(default_factory=set)
    validators: set[PublicKey] = field(default_factory=set)
    known: KnownCommittee | None = None


class NetworkView:
    """A `RegistryView` of the whole network."""

    def __init__(self, *, slot_at: Callable[[int], int]) -> None:
        """Nobody is registered.

        Args:
            slot_at: slot at a time in unix seconds.
        """
        self._slot_at = slot_at
        self._operators: dict[OperatorId, OperatorPublicKey | None] = {}
        self._keys: dict[OperatorId, OperatorPublicKey] = {}
        self._clusters: dict[ClusterId, _Cluster] = {}
        self._committees: dict[CommitteeId, _Committee] = {}
        self._validators: dict[PublicKey, ClusterId] = {}
        self._indices: dict[PublicKey, tuple[int, bool]] = {}
        self._exits: Counter[tuple[PublicKey, int]] = Counter()
        self._proposals: dict[Epoch, frozenset[tuple[int, int]]] = {}
        self._sync: dict[tuple[Epoch, Epoch], frozenset[int]] = {}

    @property
    def operator_keys(self) -> Mapping[OperatorId, OperatorPublicKey]:
        """Live view of the keys of registered operators; without those whose text is no key."""
        return MappingProxyType(self._keys)

    @property
    def keys(self) -> Collection[PublicKey]:
        """Live view of the keys of all validators that nodes act on."""
        return self._validators.keys()

    def apply(self, changes: Sequence[Change]) -> None:
        """Take over changes of the registry, in order."""
        ended: list[ClusterChanged] = []
        validators: list[ValidatorChanged] = []
        for change in changes:
            match change:
                case OperatorChanged(before=before, after=after):
                    operator = after or before
                    if operator is not None:
                        is_live = after is not None and after.removed_at is None
                        self._set_operator(operator.operator_id, operator.public_key, is_live)
                case ClusterChanged(after=None):
                    ended.append(change)
                case ClusterChanged(after=cluster) if cluster is not None:
                    self._set_cluster(
                        cluster.cluster_id, cluster.operator_ids, cluster.snapshot.active
                    )
                case ValidatorChanged():
                    validators.append(change)
                case _:
                    pass  # accounts, fees and lists are no matter of gossip
        # A cluster's first validator is recorded before the cluster, and undone after it.
        for each in validators:
            self._change_validator(each)
        for gone in ended:
            if gone.before is not None and gone.before.cluster_id in self._clusters:
                self._end_cluster(gone.before.cluster_id)

    def clear(self) -> None:
        """Forget the registry; what was learned of the beacon chain stays true."""
        for table in (self._operators, self._keys, self._clusters, self._committees):
            table.clear()
        self._validators.clear()
        self._exits.clear()

    def set_exits(self, exits: Iterable[ExitRequest]) -> None:
        """Replace the exit events."""
        self._exits = Counter(
            (each.key, self._slot_at(each.time_s) + EXIT_DELAY_SLOTS) for each in exits
        )

    def learn_states(self, states: Mapping[PublicKey, BeaconState], epoch: int) -> None:
        """These validators' states, as of an epoch; validators that are not named stay.

        One that becomes active in the next epoch counts as attesting, because others may be ahead.
        """
        for key, state in states.items():
            attests = state.activation_epoch <= epoch + 1 and epoch < state.exit_epoch
            old = self._indices.get(key)
            self._indices[key] = (state.index, attests)
            if old is None or old[0] != state.index:
                self._touch_validator(key)

    def learn_proposers(self, epoch: int, proposals: Collection[tuple[int, int]]) -> None:
        """All proposals of known validators in an epoch, by slot and validator index."""
        self._proposals[Epoch(epoch)] = frozenset(proposals)
        while len(self._proposals) > EPOCHS_OF_PROPOSALS:
            del self._proposals[min(self._proposals)]

    def learn_sync_members(
        self, first_epoch: int, last_epoch: int, indices: Collection[int]
    ) -> None:
        """Known validators in the sync committee of these epochs, both included."""
        self._sync[Epoch(first_epoch), Epoch(last_epoch)] = frozenset(indices)
        while len(self._sync) > SYNC_PERIODS:
            del self._sync[min(self._sync)]

    def has_operator(self, operator: OperatorId, /) -> bool:
        """Whether the operator is registered now."""
        return operator in self._operators

    def committee(self, committee_id: bytes, /) -> KnownCommittee | None:
        """The committee of that id, None if no cluster has it."""
        found = self._committees.get(CommitteeId(committee_id))
        return None if found is None else self._known(found)

    def validator(self, key: PublicKey, /) -> KnownValidator | None:
        """The validator of that key, None if it is not registered."""
        cluster_id = self._validators.get(key)
        if cluster_id is None:
            return None
        cluster = self._clusters[cluster_id]
        index, attests = self._indices.get(key, (None, False))
        return KnownValidator(
            index=index,
            committee=self._known(self._committees[cluster.committee]),
            liquidated=not cluster.active,
            attesting=attests,
        )

    def proposers_known(self, epoch: Epoch, /) -> bool:
        """Whether the epoch's proposer duties were fetched."""
        return epoch in self._proposals

    def has_proposal(self, index: int, slot: Slot, /) -> bool:
        """Whether the validator is known to propose in the slot."""
        return any((slot, index) in proposals for proposals in self._proposals.values())

    def in_sync_committee(self, index: int, epoch: Epoch, /) -> bool:
        """Whether the validator is known to sit in the sync committee of the epoch."""
        return any(
            first <= epoch <= last and index in members
            for (first, last), members in self._sync.items()
        )

    def exit_requests(self, key: PublicKey, slot: Slot, /) -> int:
        """Number of exit events seen for the validator whose duty has that slot."""
        return self._exits[key, slot]

    def _set_operator(self, operator: OperatorId, registered: bytes, is_live: bool) -> None:
        if not is_live:
            self._operators.pop(operator, None)
            self._keys.pop(operator, None)
            return
        if operator in self._operators:
            return  # its key never changes
        key = self._operators[operator] = registered_key(registered)
        if key is not None:
            self._keys[operator] = key

    def _set_cluster(
        self, cluster_id: ClusterId, operators: tuple[OperatorId, ...], active: bool
    ) -> None:
        cluster = self._clusters.get(cluster_id)
        if cluster is None:
            name = committee_id(operators)
            committee = self._committees.setdefault(name, _Committee(operators))
            committee.clusters.add(cluster_id)
            self._clusters[cluster_id] = _Cluster(name, active)
            committee.known = None
        elif cluster.active != active:
            cluster.active = active
            self._committees[cluster.committee].known = None

    def _end_cluster(self, cluster_id: ClusterId) -> None:
        """Only a reorganisation does that."""
        name = self._clusters.pop(cluster_id).committee
        committee = self._committees[name]
        committee.clusters.discard(cluster_id)
        committee.known = None
        if not committee.clusters:
            del self._committees[name]

    def _change_validator(self, change: ValidatorChanged) -> None:
        """Nodes act on a registration or not; nothing else of it matters here."""
        before, after = change.before, change.after
        was = before is not None and before.refusal is None
        now = after is not None and after.refusal is None
        validator = after or before
        if validator is not None and was != now:
            self._set_validator(validator.public_key, validator.cluster_id, now)

    def _set_validator(self, key: PublicKey, cluster_id: ClusterId, is_registered: bool) -> None:
        committee = self._committees[self._clusters[cluster_id].committee]
        committee.known = None
        if is_registered:
            self._validators[key] = cluster_id
            committee.validators.add(key)
        else:
            del self._validators[key]
            committee.validators.discard(key)

    def _touch_validator(self, key: PublicKey) -> None:
        cluster_id = self._validators.get(key)
        if cluster_id is not None:
            self._committees[self._clusters[cluster_id].committee].known = None

    def _known(self, committee: _Committee) -> KnownCommittee:
        """Liquidated clusters count as long as another one of the committee is active.

        A peer a block behind may still sign for them, and must not be taken for a liar.
        """
        if committee.known is None:
            is_active = any(self._clusters[each].active for each in committee.clusters)
            keys = committee.validators if is_active else ()
            known = [self._indices[key][0] for key in keys if key in self._indices]
            committee.known = KnownCommittee.of(committee.operators, known)
        return committee.known
