"""What of the registry is worth a warning: the conditions that hold at one block.

Pure. Every condition follows from the state alone, so a reorganisation needs no care, and whoever
looks once sees what one who watched all along sees, except that a fee has changed.

Source: docs/liquidator.md, "Watching"; docs/fees.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from sdk.committee import THRESHOLDS
from sdk.registry import Cluster, DeclaredFee, Operator, RegistryState, ledger, runway
from sdk.types import Address, BlockNumber, ClusterId, OperatorId, checksum_address
from sdk.units import format_ether, units_to_wei

BLOCKS_PER_DAY: Final = 7_200
"""Slots of a day; missed slots have no block, so days counted with it are a lower bound."""
DAY_S: Final = 86_400
Facts: TypeAlias = Mapping[str, object]
Topic: TypeAlias = tuple["Kind", str]
"""Kind and subject: what is said at most once at a time."""


class Kind(StrEnum):
    """What a warning is about; a closed list."""

    RUNWAY = "runway"
    LIQUIDATABLE = "liquidatable"
    LIQUIDATED = "liquidated"
    FEE_DECLARED = "fee_declared"
    FEE_CHANGED = "fee_changed"
    OPERATOR_REMOVED = "operator_removed"
    REGISTRATION_REFUSED = "registration_refused"


@dataclass(frozen=True, slots=True)
class Filters:
    """What is watched: everything if nothing is named, else whatever one of these names.

    Attributes:
        operators: with all clusters that contain them.
    """

    owners: frozenset[Address] = frozenset()
    clusters: frozenset[ClusterId] = frozenset()
    operators: frozenset[OperatorId] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether everything is watched."""
        return not (self.owners or self.clusters or self.operators)

    def watches(self, cluster: Cluster) -> bool:
        """Whether the cluster is one of those watched."""
        return (
            self.is_empty
            or cluster.owner in self.owners
            or cluster.cluster_id in self.clusters
            or not self.operators.isdisjoint(cluster.operator_ids)
        )


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that holds.

    Attributes:
        kind: what it is about.
        subject: whom it is about, as text.
        version: when it changes, the condition is worth saying again; a number for a runway, the
            blocks that are left.
        text: for a person.
        facts: for a program; wei and fees as decimal text.
    """

    kind: Kind
    subject: str
    version: int | tuple[object, ...]
    text: str
    facts: Facts = field(default_factory=dict)

    @property
    def topic(self) -> Topic:
        return (self.kind, self.subject)


def conditions(
    state: RegistryState, filters: Filters, *, at: BlockNumber, time_s: int
) -> Iterator[Condition]:
    """Everything that holds at the block, runways of any length included.

    Args:
        state: of the registry.
        filters: what is watched.
        at: the newest block.
        time_s: of that block.
    """
    watched = [each for each in state.clusters.values() if filters.watches(each)]
    for cluster in watched:
        yield from _of_cluster(state, cluster, at=at)
        yield from _of_registrations(state, cluster)
    for operator in operators_in_use(state, filters, watched):
        if operator.declared_fee is not None:
            yield from _of_declaration(operator, operator.declared_fee, time_s=time_s)


def operators_in_use(
    state: RegistryState, filters: Filters, watched: Sequence[Cluster]
) -> list[Operator]:
    """Operators named, and those of watched clusters that have validators; ascending."""
    ids = {each for cluster in watched if cluster.validator_count for each in cluster.operator_ids}
    ids |= filters.operators
    found = [state.operators.get(each) for each in sorted(ids)]
    return [each for each in found if each is not None and each.removed_at is None]


def _of_cluster(state: RegistryState, cluster: Cluster, *, at: BlockNumber) -> Iterator[Condition]:
    if cluster.validator_count == 0:
        return
    facts = _cluster_facts(cluster)
    subject, name = "0x" + cluster.cluster_id.hex(), _name(cluster)
    if not cluster.snapshot.active:
        held = format_ether(cluster.snapshot.balance_wei)
        text = f"{name} is liquidated: its validators are off duty; {held} ETH are left in it"
        yield Condition(Kind.LIQUIDATED, subject, (), text, facts)
        return
    yield from _of_operators(state, cluster)
    parties = state.parties(cluster)
    balance = ledger.settle_cluster(parties, at=at).snapshot.balance_wei
    facts = {**facts, "balance_wei": str(balance)}
    if ledger.is_liquidatable(parties, at=at):
        text = f"{name} can be liquidated by anyone now; it holds {format_ether(balance)} ETH"
        yield Condition(Kind.LIQUIDATABLE, subject, (), text, facts)
        return
    blocks = runway.runway_blocks(parties, at=at)
    if blocks is None:
        return
    last = at + blocks + 1
    text = (
        f"{name} can be liquidated from block {last} on: {blocks} blocks are left, at least "
        f"{days(blocks)} days; it holds {format_ether(balance)} ETH"
    )
    facts = {**facts, "runway_blocks": blocks, "liquidation_block": last}
    yield Condition(Kind.RUNWAY, subject, blocks, text, facts)


def _of_operators(state: RegistryState, cluster: Cluster) -> Iterator[Condition]:
    """Operators of an active cluster that are gone."""
    operators = [state.operators.get(each) for each in cluster.operator_ids]
    gone = [each.operator_id for each in operators if each and each.removed_at is not None]
    if not gone:
        return
    size = len(cluster.operator_ids)
    left, needed = size - len(gone), THRESHOLDS.get(size, size)
    danger = "it cannot sign any more" if left < needed else f"it signs with {needed} or more"
    text = (
        f"{_name(cluster)} has lost operator {', '.join(map(str, gone))}: {left} of {size} are "
        f"left, and {danger}"
    )
    facts = {**_cluster_facts(cluster), "removed": gone, "left": left, "needed": needed}
    subject = "0x" + cluster.cluster_id.hex()
    yield Condition(Kind.OPERATOR_REMOVED, subject, tuple(gone), text, facts)


def _of_registrations(state: RegistryState, cluster: Cluster) -> Iterator[Condition]:
    for place in sorted(state.validators_of_cluster(cluster.cluster_id)):
        record = state.validators[place]
        if record.refusal is None:
            continue
        key = "0x" + record.public_key.hex()
        text = (
            f"validator {key} of {checksum_address(record.owner)} is charged but not run: nodes "
            f"refuse its registration ({record.refusal.value})"
        )
        facts = {
            **_cluster_facts(cluster),
            "public_key": key,
            "reason": record.refusal.value,
            "registered_at": record.registered_at,
        }
        subject = f"{checksum_address(record.owner)} {key}"
        version = (record.refusal.value, record.registered_at)
        yield Condition(Kind.REGISTRATION_REFUSED, subject, version, text, facts)


def _of_declaration(
    operator: Operator, declared: DeclaredFee, *, time_s: int
) -> Iterator[Condition]:
    if declared.end_s is not None and declared.end_s < time_s:
        return  # its time has passed, and it cannot be executed any more
    change = fee_change(operator.fee_units, declared.fee_units)
    text = f"operator {operator.operator_id} declares {change}"
    if declared.begin_s is not None and declared.end_s is not None:
        wait_s, open_s = max(0, declared.begin_s - time_s), declared.end_s - declared.begin_s
        text += (
            f"; it can take effect in {wait_s / DAY_S:.1f} days, and for {open_s / DAY_S:.1f} days"
            if wait_s
            else f"; it can take effect now, and for {(declared.end_s - time_s) / DAY_S:.1f} days"
        )
    version = (declared.fee_units, declared.declared_at)
    facts: dict[str, object] = {
        "operator_id": operator.operator_id,
        "fee_wei": str(units_to_wei(operator.fee_units)),
        "declared_fee_wei": str(units_to_wei(declared.fee_units)),
        "begin_s": declared.begin_s,
        "end_s": declared.end_s,
        "declared_at": declared.declared_at,
    }
    yield Condition(Kind.FEE_DECLARED, str(operator.operator_id), version, text, facts)


def fee_change(old_units: int, new_units: int) -> str:
    """A new fee beside the former one, in words."""
    old, new = units_to_wei(old_units), units_to_wei(new_units)
    share = f" ({100 * (new - old) / old:+.1f} %)" if old else ""
    return f"a fee of {new} wei per block and 32 ETH instead of {old}{share}"


def days(blocks: int) -> str:
    """Days of 7,200 blocks, never rounded up."""
    whole, tenths = divmod(10 * blocks // BLOCKS_PER_DAY, 10)
    return f"{whole}.{tenths}"


def _name(cluster: Cluster) -> str:
    ids = ", ".join(map(str, cluster.operator_ids))
    return f"the cluster of {checksum_address(cluster.owner)} with operators {ids}"


def _cluster_facts(cluster: Cluster) -> dict[str, object]:
    return {
        "cluster_id": "0x" + cluster.cluster_id.hex(),
        "owner": checksum_address(cluster.owner),
        "operator_ids": list(cluster.operator_ids),
        "validators": cluster.validator_count,
    }
