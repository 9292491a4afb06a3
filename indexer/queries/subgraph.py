"""The registry's records under the names and units of the existing subgraph, at one block.

Each entity is a `Source`: a query whose columns have the names of the entity's fields, which the
database takes apart again when it is filtered, so a field that nobody asks for costs nothing. Where
a name is a text made for people, `equal` says which columns to compare instead.

Source: docs/compatibility.md, "GraphQL".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    LargeBinary,
    Subquery,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, array

from indexer.queries.reading import View
from indexer.queries.subgraph_source import (
    Source,
    cluster_is,
    is_id,
    last_update,
    made,
    written_cluster,
)
from indexer.queries.subgraph_validators import validators
from indexer.store.tables import (
    account_version,
    cluster_version,
    log,
    network_version,
    operator_version,
    whitelist_version,
)
from sdk.units import FEE_UNIT_WEI

VUNITS: Final = 10_000
"""Parts of 32 ETH in which the subgraph counts effective balance."""
BASELINE_ETH: Final = 32
VERSION: Final = "v2.0.0"
"""What the registry's `getVersion` says."""
_NOBODY: Final = bytes(20)
_ZERO: Final = literal(0, BigInteger)


def operators(view: View) -> Source:
    """Operators, removed ones included."""
    table = operator_version.c
    paid = log.alias()
    withdrawn = (
        select(func.coalesce(func.sum(cast(paid.c.args["value"].astext, _WIDE)), 0))
        .where(
            paid.c.name == "OperatorWithdrawn",
            paid.c.block_number <= view.at,
            type_coerce(paid.c.operator_ids, _IDS).contains(array([table.operator_id])),
        )
        .scalar_subquery()
    )
    none = {name: _ZERO.label(name) for name in _OPERATOR_TOKEN_FIELDS}
    return made(
        select(
            cast(table.operator_id, Text).label("id"),
            table.operator_id.label("operatorId"),
            table.owner.label("owner"),
            table.public_key.label("publicKey"),
            table.removed_at.is_not(None).label("removed"),
            (table.fee_units * FEE_UNIT_WEI).label("fee"),
            (table.index_units * FEE_UNIT_WEI).label("feeIndex"),
            table.account_block.label("feeIndexBlockNumber"),
            func.coalesce(table.declared_fee_units * FEE_UNIT_WEI, 0).label("declaredFee"),
            *none.values(),
            func.coalesce(table.whitelisting_contract, _NOBODY).label("whitelistedContract"),
            table.is_private.label("isPrivate"),
            withdrawn.label("totalWithdrawn"),
            table.effective_balance_eth.label("totalEffectiveBalance"),
            table.validator_count.label("validatorCount"),
            *last_update(table, table.valid_from),
        ).where(view.holds(operator_version)),
        id=_operator_is,
    )


def clusters(view: View) -> Source:
    """Clusters with their struct as last emitted."""
    table = cluster_version.c
    return made(
        select(
            table.cluster_id.label("_cluster"),
            written_cluster(table).label("id"),
            table.owner.label("owner"),
            table.operator_ids.label("operatorIds"),
            table.snapshot_validator_count.label("validatorCount"),
            table.effective_balance_eth.label("effectiveBalance"),
            (-(-table.effective_balance_eth * VUNITS // BASELINE_ETH)).label("vUnits"),
            literal("ETH", Text).label("feeAsset"),
            table.snapshot_network_fee_index.label("networkFeeIndex"),
            table.snapshot_index.label("index"),
            table.snapshot_active.label("active"),
            table.snapshot_balance_wei.label("balance"),
            *last_update(table, table.valid_from),
        ).where(view.holds(cluster_version)),
        id=cluster_is,
    )


def accounts(view: View) -> Source:
    """Owners of clusters and operators, and who named a fee recipient."""
    known, held, operator = account_version.c, cluster_version.c, operator_version.c
    people = union_all(
        select(
            known.owner.label("id"),
            known.next_nonce.label("nonce"),
            func.coalesce(known.fee_recipient, known.owner).label("feeRecipient"),
        ).where(view.holds(account_version)),
        select(operator.owner, _ZERO, operator.owner)
        .where(
            view.holds(operator_version),
            ~exists().where(view.holds(account_version), known.owner == operator.owner),
        )
        .distinct(),
    ).subquery()

    def held_sum(column: ColumnElement[int]) -> ColumnElement[int]:
        own = (held.owner == people.c.id, held.snapshot_active, view.holds(cluster_version))
        return select(func.coalesce(func.sum(column), 0)).where(*own).scalar_subquery()

    return made(
        select(
            *people.c,
            held_sum(held.validator_count).label("validatorCount"),
            held_sum(held.effective_balance_eth).label("effectiveBalance"),
            _ZERO.label("stakedAmount"),
            _ZERO.label("unstakePendingAmount"),
        )
    )


def network(view: View) -> Source:
    """The network; nothing before the registry's first log."""
    table = network_version.c
    people = accounts(view).rows
    known = select(func.count()).select_from(people).scalar_subquery()
    live = and_(view.holds(operator_version), operator_version.c.removed_at.is_(None))
    newest = (
        select(log.c.name)
        .where(log.c.name.in_(_UPDATES), log.c.block_number <= view.at)
        .order_by(log.c.block_number.desc(), log.c.log_index.desc())
        .limit(1)
        .scalar_subquery()
    )
    none = {name: _ZERO.label(name) for name in _NETWORK_TOKEN_FIELDS}
    counted = {
        field: select(func.count())
        .where(log.c.name == name, log.c.block_number <= view.at)
        .scalar_subquery()
        for field, name in _COUNTED.items()
    }
    return made(
        select(
            literal(view.position.contract, LargeBinary).label("id"),
            (table.fee_units * FEE_UNIT_WEI).label("networkFee"),
            (table.index_units * FEE_UNIT_WEI).label("networkFeeIndex"),
            table.account_block.label("networkFeeIndexBlockNumber"),
            table.liquidation_period_blocks.label("liquidationThreshold"),
            table.minimum_collateral_wei.label("minimumLiquidationCollateral"),
            *none.values(),
            table.fee_increase_limit_per_10000.label("operatorFeeIncreaseLimit"),
            table.declare_period_s.label("declareOperatorFeePeriod"),
            table.execute_period_s.label("executeOperatorFeePeriod"),
            table.maximum_operator_fee_wei.label("operatorMaximumFee"),
            table.validators_per_operator_limit.label("validatorsPerOperatorLimit"),
            func.coalesce(case(_UPDATES, value=newest), "INITIALIZATION").label("updateType"),
            literal(VERSION, Text).label("version"),
            literal(b"", LargeBinary).label("latestMerkleRoot"),
            known.label("totalAccounts"),
            table.validator_count.label("totalValidators"),
            select(func.count()).where(live).scalar_subquery().label("totalOperators"),
            table.effective_balance_eth.label("totalEffectiveBalance"),
            table.effective_balance_eth.label("effectiveBalanceETH"),
            *(counts.label(field) for field, counts in counted.items()),
            *last_update(table, table.valid_from),
        ).where(view.holds(network_version))
    )


def whitelisted(view: View) -> Subquery:
    """Pairs `parent`, an operator's id as a text, and `id`, an address that it lists."""
    table = whitelist_version.c
    return (
        select(cast(table.operator_id, Text).label("parent"), table.address.label("id"))
        .where(view.holds(whitelist_version))
        .subquery()
    )


def _operator_is(rows: Subquery, values: Sequence[str]) -> ColumnElement[bool]:
    return rows.c.operatorId.in_({int(each) for each in values if is_id(each)})


_IDS: Final = ARRAY(BigInteger)
_WIDE: Final = operator_version.c.fee_units.type
_OPERATOR_TOKEN_FIELDS: Final = (
    *("feeSSV", "feeIndexSSV", "feeIndexBlockNumberSSV", "declaredSSVFee", "totalWithdrawnSSV"),
)
_NETWORK_TOKEN_FIELDS: Final = (
    *("networkFeeSSV", "networkFeeIndexSSV", "networkFeeIndexBlockNumberSSV", "quorum"),
    *("liquidationThresholdSSV", "minimumLiquidationCollateralSSV", "operatorMaximumFeeSSV"),
    *("accEthPerShare", "newFeesWei"),
)
_COUNTED: Final = {
    "validatorsAdded": "ValidatorAdded",
    "validatorsRemoved": "ValidatorRemoved",
    "operatorsAdded": "OperatorAdded",
    "operatorsRemoved": "OperatorRemoved",
}
_UPDATES: Final = {
    "NetworkFeeUpdated": "NETWORK_FEE",
    "LiquidationThresholdPeriodUpdated": "LIQUIDATION_THRESHOLD",
    "MinimumLiquidationCollateralUpdated": "MIN_LIQUIDATION_COLLATERAL",
    "OperatorFeeIncreaseLimitUpdated": "OPERATOR_FEE_INCREASE_LIMIT",
    "DeclareOperatorFeePeriodUpdated": "DECLARE_OPERATOR_FEE_PERIOD",
    "ExecuteOperatorFeePeriodUpdated": "EXECUTE_OPERATOR_FEE_PERIOD",
    "OperatorMaximumFeeUpdated": "OPERATOR_MAX_FEE",
    "ClusterBalanceUpdated": "CLUSTER_BALANCE_UPDATED",
    "ValidatorAdded": "VALIDATOR_ADDED",
    "ValidatorRemoved": "VALIDATOR_REMOVED",
    "OperatorAdded": "OPERATOR_ADDED",
    "OperatorRemoved": "OPERATOR_REMOVED",
}

STATE: Final[Mapping[str, Callable[[View], Source]]] = {
    "Account": accounts,
    "Operator": operators,
    "Cluster": clusters,
    "Validator": validators,
    "DAOValues": network,
}
"""The entities that change, by name."""
