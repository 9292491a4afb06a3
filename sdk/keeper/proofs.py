"""Which proofs of effective balances pay: those that end in a liquidation.

Pure. A proof as such brings nothing. But a cluster whose proven balance is higher than its recorded
one has paid too little, and if it cannot pay the new rate for the liquidation period, the registry
liquidates it in the same call and pays the bounty to whoever sent the proof.

Source: docs/fees.md, "Liquidation"; docs/beacon-proofs.md.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import accumulate

from sdk.keeper.bidding import Market
from sdk.registry import Cluster, Parties, RegistryState, effects, ledger
from sdk.types import BlockNumber, ClusterId, PublicKey, Slot, Wei


@dataclass(frozen=True, slots=True)
class Chance:
    """A cluster that a proof of these validators liquidates in the next block.

    Attributes:
        public_keys: as few as possible, those with the greatest difference first.
        difference_eth: what the proof adds to the cluster's effective balance.
    """

    cluster: Cluster
    public_keys: tuple[PublicKey, ...]
    difference_eth: int

    @property
    def cluster_id(self) -> ClusterId:
        return self.cluster.cluster_id


def provable_keys(state: RegistryState) -> list[PublicKey]:
    """Keys of all validators in active clusters, each once."""
    return list(
        dict.fromkeys(
            each.public_key
            for each in state.validators.values()
            if state.clusters[each.cluster_id].snapshot.active
        )
    )


def chances(
    state: RegistryState,
    proven_eth: Mapping[PublicKey, int],
    *,
    slot: Slot,
    at: BlockNumber,
    most_proofs: int,
) -> list[Chance]:
    """Clusters that a proof liquidates, the greatest difference first.

    Args:
        state: of the registry.
        proven_eth: effective balances by key, as the registry counts them.
        slot: that the proofs are for.
        at: next block.
        most_proofs: validators that fit one call.
    """
    found = []
    for cluster in state.clusters.values():
        parties = state.parties(cluster)
        if not cluster.snapshot.active or ledger.is_liquidatable(parties, at=at):
            continue  # a plain liquidation costs less
        rises = _rises(state, cluster, proven_eth, slot=slot)[:most_proofs]
        sums = list(accumulate(rise for rise, _ in rises))
        if not sums or not _liquidates(parties, sums[-1], at=at):
            continue
        # More effective balance never makes a cluster safer, so the fewest can be searched for.
        last = bisect_left(sums, True, key=partial(_liquidates, parties, at=at))
        found.append(Chance(cluster, tuple(key for _, key in rises[: last + 1]), sums[last]))
    return sorted(found, key=lambda each: (-each.difference_eth, each.cluster_id))


def bounty_of(
    state: RegistryState, chance: Chance, *, at: BlockNumber, market: Market
) -> Wei | None:
    """What the proof pays in block `at`, at least; None if the cluster has changed meanwhile."""
    cluster = state.clusters.get(chance.cluster_id)
    if cluster != chance.cluster:
        return None
    parties = state.parties(chance.cluster)
    if ledger.is_liquidatable(parties, at=at):
        return None
    after = effects.prove(parties, deposit_wei=Wei(0), difference_eth=chance.difference_eth, at=at)
    if not ledger.is_liquidatable(after, at=at):
        return None
    return ledger.bounty_wei(
        balance_wei=after.cluster.snapshot.balance_wei,
        minimum_collateral_wei=parties.network.parameters.minimum_collateral_wei,
        base_fee_wei=Wei(market.least_base_fee_wei),
    )


def _liquidates(parties: Parties, difference_eth: int, *, at: BlockNumber) -> bool:
    """Whether a proof of so much more ends in a liquidation."""
    after = effects.prove(parties, deposit_wei=Wei(0), difference_eth=difference_eth, at=at)
    return ledger.is_liquidatable(after, at=at)


def _rises(
    state: RegistryState, cluster: Cluster, proven_eth: Mapping[PublicKey, int], *, slot: Slot
) -> list[tuple[int, PublicKey]]:
    """Validators that have more than is recorded, the greatest difference first."""
    rises = []
    for owner_and_key in state.validators_of_cluster(cluster.cluster_id):
        record = state.validators[owner_and_key]
        proven = proven_eth.get(record.public_key)
        if proven is None or record.last_proof_slot >= slot:
            continue
        if proven > record.effective_balance_eth:
            rises.append((proven - record.effective_balance_eth, record.public_key))
    return sorted(rises, key=lambda each: (-each[0], each[1]))
