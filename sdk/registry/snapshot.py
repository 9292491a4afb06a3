"""A cluster's id, its first struct, and the hash of a struct as the reference contract stores it.

Pure. Id and hash are fixed by compatibility: the id by every client, the hash by recorded
vectors.
"""

from __future__ import annotations

from functools import lru_cache

from sdk.events import EMPTY_SNAPSHOT, ClusterSnapshot
from sdk.registry.records import Cluster
from sdk.types import Address, ClusterId, OperatorId, keccak256

ID_CACHE_ENTRIES = 65_536
"""Clusters whose id is remembered: logs of one cluster come many times, and a hash costs more
than the rest of the decoding. About 20 MB when full."""


@lru_cache(maxsize=ID_CACHE_ENTRIES)
def cluster_id(owner: Address, operator_ids: tuple[OperatorId, ...]) -> ClusterId:
    """Keccak-256 of the owner and each operator id as a 32-byte word.

    That is Solidity's packed encoding of `address, uint64[]`, ids ascending.
    """
    words = b"".join(operator_id.to_bytes(32, "big") for operator_id in operator_ids)
    return ClusterId(keccak256(owner + words))


def new_cluster(owner: Address, operator_ids: tuple[OperatorId, ...], *, sequence: int) -> Cluster:
    """The cluster as its first registration finds it: active, without validators or balance."""
    return Cluster(
        cluster_id=cluster_id(owner, operator_ids),
        owner=owner,
        operator_ids=operator_ids,
        sequence=sequence,
        snapshot=EMPTY_SNAPSHOT,
        validator_count=0,
        effective_balance_eth=0,
    )


def snapshot_hash(snapshot: ClusterSnapshot) -> bytes:
    """Keccak-256 of the packed struct, 32 bytes; note that the balance precedes `active`."""
    return keccak256(
        snapshot.validator_count.to_bytes(4, "big")
        + snapshot.network_fee_index.to_bytes(8, "big")
        + snapshot.index.to_bytes(8, "big")
        + snapshot.balance_wei.to_bytes(32, "big")
        + snapshot.active.to_bytes(1, "big")
    )
