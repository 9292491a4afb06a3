"""Records picked from the tables to be compared with the contract, at one block.

Blocking; reads only, in one transaction of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import psycopg

from indexer.project import SHAPES, Shape
from indexer.store import connect, translated
from indexer.sync.questions import (
    Question,
    about_cluster,
    about_network,
    about_operator,
    about_owner,
)
from sdk.chain import Point
from sdk.registry import RegistryState
from sdk.types import BlockNumber

OPERATOR, WHITELIST, CLUSTER, VALIDATOR, ACCOUNT, NETWORK = SHAPES
SUMS: Final = {
    "network, validators": (
        "SELECT coalesce(sum(validator_count), 0) FROM cluster_version "
        "WHERE valid_to IS NULL AND snapshot_active",
        "SELECT coalesce(sum(validator_count), 0) FROM network_version WHERE valid_to IS NULL",
    ),
    "network, effective balance": (
        "SELECT coalesce(sum(effective_balance_eth), 0) FROM cluster_version "
        "WHERE valid_to IS NULL AND snapshot_active",
        "SELECT coalesce(sum(effective_balance_eth), 0) FROM network_version "
        "WHERE valid_to IS NULL",
    ),
    "operators, validators": (
        "SELECT coalesce(sum(c.validator_count), 0) FROM cluster_version c, "
        "unnest(c.operator_ids) AS named(id), operator_version o WHERE c.valid_to IS NULL "
        "AND c.snapshot_active AND o.operator_id = named.id AND o.valid_to IS NULL "
        "AND o.removed_at IS NULL",
        "SELECT coalesce(sum(validator_count), 0) FROM operator_version WHERE valid_to IS NULL",
    ),
    "clusters, validators": (
        "SELECT count(*) FROM validator_version WHERE valid_to IS NULL",
        "SELECT coalesce(sum(validator_count), 0) FROM cluster_version WHERE valid_to IS NULL",
    ),
    "owners, nonces": (
        "SELECT count(*) FROM log WHERE nonce IS NOT NULL",
        "SELECT coalesce(sum(next_nonce), 0) FROM account_version WHERE valid_to IS NULL",
    ),
}
"""Sums over all rows that must be equal whatever the contract says."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What to compare.

    Attributes:
        block: state of which the records are.
        questions: for the contract, at that block.
        sums: name, first and second sum.
    """

    block: Point
    questions: tuple[Question, ...]
    sums: tuple[tuple[str, int, int], ...]


def take_sample(url: str, *, most: int | None, since: BlockNumber) -> Sample | None:
    """Records as of the newest block: those that changed, then others at random.

    Args:
        url: of the database.
        most: clusters, operators and owners each; None for all, and for the sums over all.
        since: records changed after this block come first.

    Returns:
        None while there is no block.

    Raises:
        StorageError: they cannot be read.
    """
    with connect(url) as connection, translated(), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        found = connection.execute("SELECT number, hash FROM cursor").fetchone()
        if found is None or found[0] is None:
            return None
        block = Point(BlockNumber(found[0]), bytes(found[1]))
        clusters = _picked(connection, CLUSTER, most, since)
        owners = _picked(connection, ACCOUNT, most, since)
        operators = _picked(connection, OPERATOR, most, since)
        own = {row[0] for row in operators}
        named = sorted(own.union(*(row[2] for row in clusters)))
        state = RegistryState()
        for shape, rows in (
            (OPERATOR, _rows(connection, OPERATOR, "operator_id = ANY(%s)", (named,))),
            (CLUSTER, clusters),
            (ACCOUNT, owners),
            (NETWORK, _rows(connection, NETWORK, "true", ())),
        ):
            state.commit(shape.creation(row) for row in rows)
        newest = _number(connection, "SELECT coalesce(max(operator_id), 0) FROM operator_version")
        count = _number(connection, "SELECT count(*) FROM cluster_version WHERE valid_to IS NULL")
        sums = tuple(
            (name, _number(connection, first), _number(connection, second))
            for name, (first, second) in SUMS.items()
        )
    questions = [
        *about_network(state.network, operators=newest, clusters=count, at=block.number),
        *(
            each
            for cluster in state.clusters.values()
            for each in about_cluster(state, cluster, at=block.number)
        ),
        *(
            each
            for operator in state.operators.values()
            if operator.operator_id in own
            for each in about_operator(operator, at=block.number)
        ),
        *(each for account in state.accounts.values() for each in about_owner(account)),
    ]
    return Sample(block, tuple(questions), sums if most is None else ())


def _picked(
    connection: psycopg.Connection, shape: Shape, most: int | None, since: BlockNumber
) -> list[tuple[Any, ...]]:
    if most is None:
        return _rows(connection, shape, "true", ())
    return _rows(
        connection,
        shape,
        "true ORDER BY (valid_from > %s) DESC, random() LIMIT %s",
        (since, most),
    )


def _rows(
    connection: psycopg.Connection, shape: Shape, where: str, values: Sequence[Any]
) -> list[tuple[Any, ...]]:
    columns = ", ".join(shape.columns)
    statement = f"SELECT {columns} FROM {shape.table} WHERE valid_to IS NULL AND {where}"  # noqa: S608
    with connection.cursor(binary=True) as cursor:
        return [
            tuple([int(each) if isinstance(each, Decimal) else each for each in row])
            for row in cursor.execute(statement.encode(), values)
        ]


def _number(connection: psycopg.Connection, statement: str) -> int:
    [found] = connection.execute(statement.encode()).fetchone() or (0,)
    return int(found)
