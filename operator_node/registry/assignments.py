"""Validators of which this operator holds a share, from the registry's state.

Pure. An assignment exists as long as nodes act on the registration and this operator is registered;
whether the share can be decrypted is found out afterwards.

Source: docs/shares.md; docs/protocol.md, "Local records".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from operator_node.registry.codec import damaged
from operator_node.wire.committee import Committee
from sdk.registry import (
    AccountChanged,
    Change,
    Cluster,
    ClusterChanged,
    NetworkChanged,
    OperatorChanged,
    RegistryState,
    Validator,
    ValidatorChanged,
    WhitelistChanged,
)
from sdk.shares.layout import unpack
from sdk.types import Address, BlockNumber, ClusterId, OperatorId, PublicKey


@dataclass(frozen=True, slots=True)
class Assignment:
    """An own validator.

    Attributes:
        share_keys: public keys of all operators' shares, as registered.
        share_key: that of this operator's share.
        fee_recipient: the owner's choice, else the owner.
        active: false while its cluster is liquidated.
        encrypted_share: 256 bytes, to this operator's key.
    """

    validator_key: PublicKey
    owner: Address
    cluster_id: ClusterId
    committee: Committee
    share_keys: Mapping[OperatorId, PublicKey]
    share_key: PublicKey
    fee_recipient: Address
    active: bool
    registered_at: BlockNumber
    encrypted_share: bytes = field(repr=False)


def assign(
    state: RegistryState, shares: Mapping[bytes, bytes], key: PublicKey, *, me: OperatorId | None
) -> Assignment | None:
    """The assignment for a validator's key, None if it is not mine.

    Args:
        state: of the registry.
        shares: bytes of registrations with my id, by SHA-256.
        key: of the validator.
        me: None while I am not registered.

    Raises:
        StorageError: `store_damaged`, the shares of an own validator are missing.
    """
    validator = state.accepted_validator(key)
    if validator is None or me is None:
        return None
    cluster = state.clusters[validator.cluster_id]
    if me not in cluster.operator_ids:
        return None
    data = shares.get(validator.shares_digest)
    if data is None:
        raise damaged(f"the shares of validator 0x{key.hex()} are missing")
    parts = unpack(data, operators=len(cluster.operator_ids))
    share_keys = dict(zip(cluster.operator_ids, parts.share_public_keys, strict=True))
    return Assignment(
        validator_key=key,
        owner=validator.owner,
        cluster_id=cluster.cluster_id,
        committee=Committee(cluster.operator_ids),
        share_keys=share_keys,
        share_key=share_keys[me],
        fee_recipient=state.account(validator.owner).fee_recipient or validator.owner,
        active=cluster.snapshot.active,
        registered_at=validator.registered_at,
        encrypted_share=parts.encrypted_shares[cluster.operator_ids.index(me)],
    )


def keys_of(state: RegistryState, operator: OperatorId | None) -> set[PublicKey]:
    """Keys of all registrations in the operator's clusters."""
    if operator is None:
        return set()
    return {
        PublicKey(key)
        for cluster in state.clusters_of_operator(operator)
        for _, key in state.validators_of_cluster(cluster)
    }


def touched(
    state: RegistryState,
    changes: Sequence[Change],
    own: Mapping[PublicKey, Assignment],
    *,
    me: OperatorId | None,
) -> set[PublicKey]:
    """Keys whose assignment these changes may have made, changed or ended.

    Args:
        state: after the changes.
        changes: committed or taken back.
        own: assignments before.
        me: my id, the same before and after.
    """
    keys: set[PublicKey] = set()
    for change in changes:
        match change:
            case ValidatorChanged(before=before, after=after):
                keys.update(each.public_key for each in (before, after) if each is not None)
            case ClusterChanged(before=before, after=after):
                if before and after and before.snapshot.active != after.snapshot.active:
                    keys |= _keys_if_mine(state, after.cluster_id, after.operator_ids, me)
            case AccountChanged(before=before, after=after):
                recipients = [each and each.fee_recipient for each in (before, after)]
                owner = after.owner if after else before.owner if before else None
                if recipients[0] != recipients[1]:
                    keys.update(key for key, each in own.items() if each.owner == owner)
            case OperatorChanged() | NetworkChanged() | WhitelistChanged():
                pass
            case _:
                assert_never(change)
    return keys


def begun(
    state: RegistryState,
    changes: Sequence[Change],
    *,
    me: OperatorId | None,
    was: OperatorId | None,
) -> frozenset[PublicKey]:
    """Own validators that these changes made new, or brought back, however briefly they were gone.

    It follows from the changes one by one: whoever compares before and after sees nothing of a
    removal that a registration undid, nor of a liquidation that a reactivation did.

    Args:
        state: after the changes.
        changes: committed or taken back.
        me: my id after the changes.
        was: my id before them.
    """
    keys = keys_of(state, me) if me != was else set()
    for change in changes:
        match change:
            case ValidatorChanged(before=None, after=Validator(refusal=None, public_key=key)):
                keys.add(PublicKey(key))
            case ClusterChanged(before=Cluster(snapshot=earlier), after=Cluster() as cluster):
                if cluster.snapshot.active and not earlier.active:
                    keys |= _keys_if_mine(state, cluster.cluster_id, cluster.operator_ids, me)
            case _:
                pass
    return frozenset(key for key in keys if _is_mine(state, key, me))


def _is_mine(state: RegistryState, key: PublicKey, me: OperatorId | None) -> bool:
    validator = state.accepted_validator(key)
    return validator is not None and me in state.clusters[validator.cluster_id].operator_ids


def _keys_if_mine(
    state: RegistryState, cluster: ClusterId, ids: Iterable[OperatorId], me: OperatorId | None
) -> set[PublicKey]:
    if me is None or me not in ids:
        return set()
    return {PublicKey(key) for _, key in state.validators_of_cluster(cluster)}
