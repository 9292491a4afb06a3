"""Records of the registry as rows, and rows as the same records: lossless both ways.

Pure. A row is a tuple in the order of `Shape.columns`, without the three columns that all tables of
versions share. What a column means is said where the table is, `indexer.store.tables`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, TypeAlias, assert_never

from sdk.events import ClusterSnapshot
from sdk.registry import (
    Account,
    AccountChanged,
    Change,
    Cluster,
    ClusterChanged,
    DeclaredFee,
    Network,
    NetworkChanged,
    Operator,
    OperatorChanged,
    Parameters,
    Refusal,
    Validator,
    ValidatorChanged,
    WhitelistChanged,
)

Row: TypeAlias = tuple[Any, ...]
"""Values in the order of a table's columns."""
Key: TypeAlias = tuple[Any, ...]
"""The first values of a row."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How records of one kind lie in their table.

    Attributes:
        table: name of the table.
        columns: own columns, those of the key first.
        keys: how many of them are the key.
        key: a record's key, without making its row.
        row: a record's row.
        creation: the change that brings a row's record into an empty registry.
    """

    table: str
    columns: tuple[str, ...]
    keys: int
    key: Callable[[Any], Key]
    row: Callable[[Any], Row]
    creation: Callable[[Row], Change]


def _operator_row(each: Operator) -> Row:
    fee = each.declared_fee
    declared = (
        (None, None, None, None)
        if fee is None
        else (fee.fee_units, fee.declared_at, fee.begin_s, fee.end_s)
    )
    return (*_OPERATOR(each), *declared)


def _operator(row: Row) -> Change:
    *values, fee_units, declared_at, begin_s, end_s = row
    declared = None if declared_at is None else DeclaredFee(fee_units, declared_at, begin_s, end_s)
    return OperatorChanged(
        None, Operator(**dict(_named(_OPERATOR_NAMES, values)), declared_fee=declared)
    )


def _whitelist_row(each: tuple[int, bytes]) -> Row:
    return each


def _whitelist(row: Row) -> Change:
    operator_id, address = row
    return WhitelistChanged(operator_id, address, before=False, after=True)


def _cluster_row(each: Cluster) -> Row:
    identity = (each.cluster_id, each.owner, list(each.operator_ids), each.sequence)
    return (*identity, *_STRUCT(each.snapshot), each.validator_count, each.effective_balance_eth)


def _cluster(row: Row) -> Change:
    cluster_id, owner, operator_ids, sequence, *struct, validators, eth = row
    snapshot = ClusterSnapshot(*struct)
    return ClusterChanged(
        None,
        Cluster(cluster_id, owner, tuple(operator_ids), sequence, snapshot, validators, eth),
    )


def _validator(row: Row) -> Change:
    values = dict(_named(_VALIDATOR_NAMES, row))
    refusal = values["refusal"]
    values["refusal"] = None if refusal is None else Refusal(refusal)
    return ValidatorChanged(None, Validator(**values))


def _account(row: Row) -> Change:
    return AccountChanged(None, Account(*row))


def _network_row(each: Network) -> Row:
    return (*_NETWORK(each), *_PARAMETERS(each.parameters))


def _network(row: Row) -> Change:
    own = len(_NETWORK_NAMES)
    parameters = Parameters(**dict(_named(_PARAMETER_NAMES, row[own:])))
    values = dict(_named(_NETWORK_NAMES, row[:own]))
    return NetworkChanged(Network(), Network(**values, parameters=parameters))


def _named(names: tuple[str, ...], values: Any) -> Any:
    return zip(names, values, strict=True)


_OPERATOR_NAMES: Final = (
    *("operator_id", "owner", "public_key", "fee_units", "index_units", "credit_units", "block"),
    *("effective_balance_eth", "validator_count", "is_private", "whitelisting_contract"),
    "removed_at",
)
_VALIDATOR_NAMES: Final = (
    *("owner", "public_key", "cluster_id", "nonce", "shares_digest", "effective_balance_eth"),
    *("last_proof_slot", "refusal", "registered_at", "exit_requested_at"),
)
_NETWORK_NAMES: Final = (
    *("fee_units", "index_units", "credit_units", "block", "effective_balance_eth"),
    *("validator_count", "uncovered_debt_units"),
)
_PARAMETER_NAMES: Final = (
    *("liquidation_period_blocks", "minimum_collateral_wei", "fee_increase_limit_per_10000"),
    *("declare_period_s", "execute_period_s", "maximum_operator_fee_wei"),
    *("minimum_operator_fee_wei", "validators_per_operator_limit", "beacon_verifier"),
    *("verifier_is_frozen", "implementation", "upgrades_renounced", "owner", "pending_owner"),
)
_STRUCT_NAMES: Final = (
    *("validator_count", "network_fee_index", "index", "active", "balance_wei"),
)
_RENAMED: Final = {
    "block": "account_block",
    "owner": "contract_owner",
    "pending_owner": "pending_contract_owner",
}
"""Where a bare name would say too little beside the others of its table."""
_OPERATOR: Final = attrgetter(*_OPERATOR_NAMES)
_NETWORK: Final = attrgetter(*_NETWORK_NAMES)
_PARAMETERS: Final = attrgetter(*_PARAMETER_NAMES)
_STRUCT: Final = attrgetter(*_STRUCT_NAMES)


def _renamed(names: tuple[str, ...], *which: str) -> tuple[str, ...]:
    return tuple(_RENAMED[each] if each in which else each for each in names)


OPERATOR: Final = Shape(
    "operator_version",
    (
        *_renamed(_OPERATOR_NAMES, "block"),
        *("declared_fee_units", "declared_at", "declared_begin_s", "declared_end_s"),
    ),
    1,
    lambda each: (each.operator_id,),
    _operator_row,
    _operator,
)
WHITELIST: Final = Shape(
    "whitelist_version", ("operator_id", "address"), 2, _whitelist_row, _whitelist_row, _whitelist
)
CLUSTER: Final = Shape(
    "cluster_version",
    (
        *("cluster_id", "owner", "operator_ids", "sequence"),
        *(f"snapshot_{name}" for name in _STRUCT_NAMES),
        *("validator_count", "effective_balance_eth"),
    ),
    1,
    lambda each: (each.cluster_id,),
    _cluster_row,
    _cluster,
)
VALIDATOR: Final = Shape(
    "validator_version",
    _VALIDATOR_NAMES,
    2,
    attrgetter("owner", "public_key"),
    attrgetter(*_VALIDATOR_NAMES),
    _validator,
)
ACCOUNT: Final = Shape(
    "account_version",
    ("owner", "next_nonce", "fee_recipient"),
    1,
    lambda each: (each.owner,),
    attrgetter("owner", "next_nonce", "fee_recipient"),
    _account,
)
NETWORK: Final = Shape(
    "network_version",
    (
        *_renamed(_NETWORK_NAMES, "block"),
        *_renamed(_PARAMETER_NAMES, "owner", "pending_owner"),
    ),
    0,
    lambda each: (),
    _network_row,
    _network,
)
SHAPES: Final = (OPERATOR, WHITELIST, CLUSTER, VALIDATOR, ACCOUNT, NETWORK)
"""All kinds, in an order in which an empty registry can take them."""


def parted(change: Change) -> tuple[Shape, Any, Any]:
    """The kind of record that a change is about, with the record before and after.

    An empty registry has a network too, so the one before may be no row.
    """
    match change:
        case ValidatorChanged():
            return VALIDATOR, change.before, change.after
        case OperatorChanged():
            return OPERATOR, change.before, change.after
        case ClusterChanged():
            return CLUSTER, change.before, change.after
        case AccountChanged():
            return ACCOUNT, change.before, change.after
        case NetworkChanged():
            return NETWORK, change.before, change.after
        case WhitelistChanged():
            entry = (change.operator_id, change.address)
            return WHITELIST, entry if change.before else None, entry if change.after else None
        case _:
            assert_never(change)
