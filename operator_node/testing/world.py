"""The unchanging facts of one run: the chain, the committees, their shares, and who knows of what.

Pure. What operators do not share, clocks, beacon nodes, views of the registry, is given per
operator: a frozen one goes on seeing validators that the registry has removed.

Source: docs/protocol.md, "Identifiers", "Gossip validation".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from operator_node.spec.chain import ChainSpec, Fork
from operator_node.spec.presets import Preset
from operator_node.testing.faults import (
    SLOT_MS,
    SLOTS_PER_EPOCH,
    Plan,
    PlannedCluster,
    PlannedDuty,
)
from operator_node.testing.standin import Signatures
from operator_node.validation.arrival import Chain
from operator_node.validation.registry_view import KnownCommittee, KnownValidator
from operator_node.wire.committee import Committee
from operator_node.wire.generations import ForkEpochs, Generation
from operator_node.wire.ids import (
    COMMITTEE_ROLES,
    CommitteeId,
    DomainType,
    MessageId,
    RunnerRole,
    committee_id,
    committee_message_id,
    committee_of,
    domain_of,
    executor_of,
    role_of,
    validator_message_id,
    validator_of,
)
from operator_node.wire.records import Share, ShareMember
from operator_node.wire.values import ValidatorDuty
from sdk.types import Address, Epoch, OperatorId, PublicKey, Slot

NETWORK: Final = "holesky"
ALAN_DOMAIN: Final = DomainType(bytes.fromhex("00000502"))
BOOLE_DOMAIN: Final = DomainType(bytes.fromhex("00000503"))
FEE_RECIPIENT: Final = Address(bytes.fromhex("00000000000000000000000000000000000fee00"))
GRAFFITI: Final = b"simulated".ljust(32, b"\0")
_FULU_EPOCH: Final = 5
"""Among the epochs in which runs begin, so that some cross a fork of the beacon chain."""

CHAIN: Final = ChainSpec(
    preset=Preset.MAINNET,
    genesis_time=1_700_000_000,
    seconds_per_slot=SLOT_MS // 1000,
    slots_per_epoch=SLOTS_PER_EPOCH,
    genesis_validators_root=bytes(31) + b"\1",
    genesis_fork_version=bytes.fromhex("00000001"),
    forks=(
        *(Fork(number, Epoch(0), bytes((number - 1, 0, 0, 1))) for number in range(1, 7)),
        Fork(7, Epoch(_FULU_EPOCH), bytes((6, 0, 0, 1))),
    ),
)


class DutyKey(NamedTuple):
    """One duty: message id, slot, and the number of the cluster.

    The last matters where two committees hold shares of one validator.
    """

    message_id: MessageId
    slot: int
    cluster: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """One committee with the shares of its validators.

    Attributes:
        shares: by operator, then validator index.
    """

    plan: PlannedCluster
    committee: Committee
    id: CommitteeId
    shares: dict[OperatorId, dict[int, Share]]
    known: KnownCommittee
    known_validators: dict[PublicKey, KnownValidator]

    def key_of(self, validator: int) -> PublicKey:
        """The key of one of its validators."""
        return self.shares[self.committee.operators[0]][validator].validator_key


class World:
    """Facts of one run.

    Attributes:
        clusters: in the order of the plan.
        wire_chain: what gossip validation needs to know of the network.
        assigned: what planned duties are to each validator, kept by the first who asked.
    """

    def __init__(self, plan: Plan, signatures: Signatures) -> None:
        self.plan = plan
        self.signatures = signatures
        self._keys: dict[PlannedDuty, DutyKey] = {}
        self.assigned: dict[PlannedDuty, tuple[ValidatorDuty, ...]] = {}
        self.forks = ForkEpochs(SLOTS_PER_EPOCH, plan.boole)
        self.wire_chain = _wire_chain(self.forks)
        self.clusters = tuple(
            _deal(cluster, signatures, dealing) for dealing, cluster in enumerate(plan.clusters)
        )
        self.operators = tuple(
            sorted({each for cluster in self.clusters for each in cluster.committee.operators})
        )
        self.proposals = frozenset(
            (duty.validators[0], duty.slot)
            for duty in plan.duties
            if duty.role is RunnerRole.PROPOSER
        )
        self.exits = frozenset(
            (duty.validators[0], duty.slot)
            for duty in plan.duties
            if duty.role is RunnerRole.VOLUNTARY_EXIT
        )
        self.seated = frozenset(
            each
            for duty in plan.duties
            for each in (
                duty.validators if duty.role is RunnerRole.SYNC_CONTRIBUTION else duty.sync
            )
        )

    def message_id(
        self, cluster: Cluster, role: RunnerRole, slot: int, validator: int
    ) -> MessageId:
        """The id of a duty's messages; `validator` matters in validator roles only."""
        domain = self.wire_chain.domain(self.forks.generation_at(slot))
        if role in COMMITTEE_ROLES:
            return committee_message_id(domain, role, cluster.id)
        return validator_message_id(domain, role, cluster.key_of(validator))

    def key_of(self, duty: PlannedDuty, cluster: Cluster) -> DutyKey:
        """How a planned duty is known on the wire; worked out once for all operators."""
        key = self._keys.get(duty)
        if key is None:
            validator = duty.validators[0] if duty.validators else 0
            message_id = self.message_id(cluster, duty.role, duty.slot, validator)
            key = self._keys[duty] = DutyKey(message_id, duty.slot, duty.cluster)
        return key

    def find(
        self, message_id: MessageId, operator: OperatorId
    ) -> tuple[Cluster, int | None, Generation] | None:
        """Whose messages an id is for, if the operator is a member: cluster, validator, generation.

        The validator is None in committee roles. Of two clusters with the same validator the later
        one is meant, unless the operator sits in the earlier one only.
        """
        domain, executor = domain_of(message_id), executor_of(message_id)
        generation = Generation.BOOLE if domain == BOOLE_DOMAIN else Generation.ALAN
        is_shared = role_of(message_id) in COMMITTEE_ROLES
        for cluster in reversed(self.clusters):
            if operator not in cluster.committee:
                continue
            if is_shared and committee_of(message_id) == cluster.id:
                return cluster, None, generation
            if not is_shared and executor in cluster.known_validators:
                known = cluster.known_validators[validator_of(message_id)]
                return cluster, known.index, generation
        return None

    def topic(self, cluster: Cluster, slot: int) -> str:
        """Where a cluster's messages of a slot travel."""
        generation = self.forks.generation_at(slot)
        return self.wire_chain.topic(generation, cluster.known.subnet(generation))

    def sees_removal_ms(self, cluster: Cluster, operator: OperatorId) -> int:
        """When an operator learns that a cluster lost its validators, 0 if it never does."""
        plan = cluster.plan
        late = dict(plan.sees_removal_ms).get(operator, 0)
        return 0 if plan.until_ms is None else max(plan.until_ms, late)

    def sees_registration_ms(self, cluster: Cluster, operator: OperatorId) -> int:
        """When an operator learns of a cluster; not before earlier removals, if it is frozen."""
        earlier = (
            self.sees_removal_ms(each, operator) for each in self.clusters if each is not cluster
        )
        return max(cluster.plan.from_ms, *earlier, 0) if cluster.plan.from_ms else 0

    def generation_at(self, slot: int) -> Generation:
        """The generation of a duty of that slot."""
        return self.forks.generation_at(slot)


class OperatorsView:
    """The registry and the duties as one operator sees them; a `RegistryView`."""

    def __init__(self, world: World, operator: OperatorId, now_ms: Callable[[], int]) -> None:
        self._world = world
        self._me = operator
        self._now_ms = now_ms
        self._operators = frozenset(world.operators)
        self._moves = any(cluster.plan.until_ms is not None for cluster in world.clusters)
        self._committees = {cluster.id: cluster.known for cluster in world.clusters}
        first = world.clusters[0]
        self._validators = first.known_validators

    def has_operator(self, operator: OperatorId, /) -> bool:
        return operator in self._operators

    def committee(self, committee_id: bytes, /) -> KnownCommittee | None:
        return self._committees.get(CommitteeId(committee_id))

    def validator(self, key: PublicKey, /) -> KnownValidator | None:
        if not self._moves:
            return self._validators.get(key)
        for cluster in self._world.clusters:
            if self.holds(cluster) and key in cluster.known_validators:
                return cluster.known_validators[key]
        return None

    def holds(self, cluster: Cluster) -> bool:
        """Whether the operator believes that the cluster runs its validators now."""
        plan, now_ms = cluster.plan, self._now_ms()
        if plan.until_ms is not None and now_ms >= self._world.sees_removal_ms(cluster, self._me):
            return False
        return now_ms >= self._world.sees_registration_ms(cluster, self._me)

    def proposers_known(self, epoch: Epoch, /) -> bool:
        return True

    def has_proposal(self, index: int, slot: Slot, /) -> bool:
        return (index, slot) in self._world.proposals

    def in_sync_committee(self, index: int, epoch: Epoch, /) -> bool:
        return index in self._world.seated

    def exit_requests(self, key: PublicKey, slot: Slot, /) -> int:
        return sum(
            slot == at and key in cluster.known_validators and cluster.key_of(index) == key
            for cluster in self._world.clusters
            for index, at in self._world.exits
            if index in cluster.plan.validators
        )


@lru_cache(maxsize=16)
def _wire_chain(forks: ForkEpochs) -> Chain:
    return Chain(NETWORK, forks, ALAN_DOMAIN, BOOLE_DOMAIN, SLOT_MS)


def _deal(plan: PlannedCluster, signatures: Signatures, dealing: int) -> Cluster:
    committee = Committee.of(plan.operators)
    shares: dict[OperatorId, dict[int, Share]] = {each: {} for each in committee.operators}
    known = KnownCommittee.of(plan.operators, plan.validators)
    known_validators: dict[PublicKey, KnownValidator] = {}
    for validator in plan.validators:
        key, share_keys = signatures.deal(validator, committee.operators, dealing)
        members = tuple(ShareMember(each, share_keys[each]) for each in committee.operators)
        known_validators[key] = KnownValidator(validator, known)
        for operator in committee.operators:
            shares[operator][validator] = Share(
                validator_index=validator,
                validator_key=key,
                share_key=share_keys[operator],
                committee=members,
                domain=ALAN_DOMAIN,
                fee_recipient=FEE_RECIPIENT,
                graffiti=GRAFFITI,
            )
    return Cluster(
        plan, committee, committee_id(committee.operators), shares, known, known_validators
    )
