"""Records in the shapes of the v4 API.

Pure. What only others know (names, places, clients, relays, performance, what beacon nodes say) is
null or empty. What belongs to a token ledger is "0": every cluster here pays in ETH.

Source: docs/compatibility.md, "/api/v4".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from indexer.api.scalars import address_text, hex_text, time_text
from sdk.events import operator_public_key_text
from sdk.registry import Cluster, Operator, Refusal, Validator
from sdk.types import OperatorId
from sdk.units import units_to_wei

VERSION: Final = "v4"
GWEI_PER_ETH: Final = 10**9
NOBODY: Final = bytes(20)
_KEY_REFUSALS: Final = frozenset({Refusal.PUBLIC_KEY_LENGTH})
_SHARES_REFUSALS: Final = frozenset({Refusal.SHARES_LENGTH, Refusal.NONCE_SIGNATURE_INVALID})
_OPERATOR_REFUSALS: Final = frozenset(
    {Refusal.OPERATORS_INVALID, Refusal.OPERATOR_UNKNOWN, Refusal.OPERATOR_REMOVED}
)
_UNKNOWN: Final = (
    *("location", "setup_provider", "eth1_node_client", "eth2_node_client", "ssv_client"),
    *("mev_relays", "description", "website_url", "twitter_url", "linkedin_url", "dkg_address"),
    *("logo", "name"),
)


@dataclass(frozen=True, slots=True)
class Dates:
    """When a record began and was changed last: blocks, and their times where known.

    Attributes:
        times: seconds of the unix epoch by block.
    """

    times: Mapping[int, int]

    def of(self, number: int | None) -> str | None:
        """The time of a block."""
        return None if number is None else time_text(self.times.get(number))


@dataclass(frozen=True, slots=True)
class Operators:
    """Operators to be shown with whatever they belong to, by id.

    Attributes:
        shown: full shapes.
    """

    shown: Mapping[OperatorId, dict[str, Any]] = field(default_factory=dict)

    def of(self, ids: Sequence[OperatorId], detail: str) -> list[Any]:
        """Them in as much detail as asked: `true`, `minimal`, or `false` for ids."""
        if detail == "false":
            return list(ids)
        found = [self.shown[each] for each in ids if each in self.shown]
        if detail == "minimal":
            return [{name: each[name] for name in _MINIMAL} for each in found]
        return found


_MINIMAL: Final = ("id", "name", "logo", "is_private", "is_deleted", "type")


def operator_shape(
    operator: Operator,
    *,
    listed: Sequence[bytes],
    born: int | None,
    changed: int,
    dates: Dates,
    network: str,
) -> dict[str, Any]:
    """One operator.

    Args:
        operator: its record.
        listed: addresses on its own list.
        born: block of its registration.
        changed: block since which it is as it is.
        dates: of these blocks.
        network: name.
    """
    declared = operator.declared_fee
    addresses = list(map(address_text, listed))
    is_removed = operator.removed_at is not None
    has_none = None if operator.validator_count else "No Validators"
    return {
        "id": operator.operator_id,
        "id_str": str(operator.operator_id),
        "declared_fee": "0" if declared is None else str(units_to_wei(declared.fee_units)),
        "previous_fee": None,
        "fee": "0",
        "eth_fee": str(units_to_wei(operator.fee_units)),
        "public_key": operator_public_key_text(operator.public_key) or "",
        "owner_address": address_text(operator.owner),
        "address_whitelist": ",".join(addresses),
        "whitelist_addresses": addresses,
        "whitelisting_contract": address_text(operator.whitelisting_contract or NOBODY),
        "is_private": operator.is_private,
        **dict.fromkeys(_UNKNOWN, ""),
        "type": "operator",
        "performance": {"24h": None, "30d": None},
        "is_valid": True,
        "is_deleted": is_removed,
        "is_active": None,
        "status": "Removed" if is_removed else has_none,
        "validators_count": operator.validator_count,
        "effective_balance": str(operator.effective_balance_eth),
        "migrated": True,
        "block": born,
        "created_at": dates.of(born),
        "updated_at": dates.of(changed),
        "version": VERSION,
        "network": network,
    }


def validator_shape(
    validator: Validator,
    cluster: Cluster | None,
    *,
    operators: list[Any],
    changed: int,
    dates: Dates,
    network: str,
) -> dict[str, Any]:
    """One registration; its effective balance is the one that fees are charged for."""
    refusal = validator.refusal
    return {
        "id": None,
        "public_key": validator.public_key.hex(),
        "cluster": hex_text(validator.cluster_id),
        "owner_address": address_text(validator.owner),
        "status": None,
        "is_valid": refusal is None,
        "is_deleted": False,
        "is_liquidated": cluster is not None and not cluster.snapshot.active,
        "is_public_key_valid": refusal not in _KEY_REFUSALS,
        "is_shares_valid": refusal not in _SHARES_REFUSALS,
        "is_operators_valid": refusal not in _OPERATOR_REFUSALS,
        "operators": operators,
        "block": validator.registered_at,
        "created_at": dates.of(validator.registered_at),
        "updated_at": dates.of(changed),
        "validator_info": {
            "index": None,
            "effective_balance": validator.effective_balance_eth * GWEI_PER_ETH,
            "status": None,
            "activation_epoch": None,
        },
        "version": VERSION,
        "network": network,
    }


def cluster_shape(
    cluster: Cluster,
    *,
    operators: list[Any],
    born: int | None,
    changed: int,
    dates: Dates,
    network: str,
) -> dict[str, Any]:
    """One cluster with its struct as last emitted; the balance is under `ethBalance`."""
    snapshot = cluster.snapshot
    return {
        "id": cluster.sequence,
        "clusterId": hex_text(cluster.cluster_id),
        "ownerAddress": address_text(cluster.owner),
        "operators": operators,
        "validatorCount": snapshot.validator_count,
        "networkFeeIndex": str(snapshot.network_fee_index),
        "index": str(snapshot.index),
        "balance": "0",
        "ethBalance": str(snapshot.balance_wei),
        "active": snapshot.active,
        "isLiquidated": not snapshot.active,
        "migrated": True,
        "effectiveBalance": str(cluster.effective_balance_eth),
        "name": "",
        "blockNumber": changed,
        "createdAt": dates.of(born),
        "updatedAt": dates.of(changed),
        "version": VERSION,
        "network": network,
    }


def account_shape(row: Any, *, network: str) -> dict[str, Any]:
    """One account, from a row of `indexer.queries.v4.people`."""
    return {
        "id": address_text(row.owner),
        "ownerAddress": address_text(row.owner),
        "recipientAddress": address_text(row.recipient or row.owner),
        "nonce": row.nonce,
        **holdings_shape(row),
        "version": VERSION,
        "network": network,
    }


def holdings_shape(row: Any) -> dict[str, Any]:
    """What an account has; effective balances in gwei, those of its operators in ETH."""
    return {
        "operators": row.operators,
        "clusters": row.clusters,
        "validators": int(row.validators),
        "effectiveBalance": str(int(row.eth) * GWEI_PER_ETH),
        "totalOperatorEthManaged": str(int(row.managed)),
    }


def event_shape(row: Any, *, network: str) -> dict[str, Any]:
    """One event; its arguments are not part of this shape."""
    return {
        "event": row.name,
        "blockNumber": row.block_number,
        "logIndex": row.log_index,
        "transactionHash": hex_text(row.transaction_hash),
        "transactionIndex": row.transaction_index,
        "ownerAddress": "" if row.owner is None else address_text(row.owner),
        "createdAt": time_text(row.timestamp_s),
        "version": VERSION,
        "network": network,
    }
