"""Validators as the existing subgraph names them: one row per key, removed ones included.

Two owners may register one key. Shown is the registration that nodes act on, else one that is
present, else the newest. Keys are looked up through the log, whose index knows those that are gone.

Source: docs/compatibility.md, "GraphQL".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Subquery,
    and_,
    case,
    exists,
    false,
    or_,
    select,
    tuple_,
)

from indexer.queries.reading import View
from indexer.queries.subgraph_source import (
    Source,
    cluster_is,
    last_update,
    made,
    parse_cluster_text,
    written_cluster,
)
from indexer.store.tables import cluster_version, log, validator_version


def validators(view: View) -> Source:
    """Keys, each with one registration, removed ones included."""
    mine, home, added, gone = validator_version.alias(), cluster_version, log.alias(), log.alias()
    is_present = _is_present(view, mine.c)
    changed = case((is_present, mine.c.valid_from), else_=mine.c.valid_to)
    removal = (
        select(gone.c.transaction_hash)
        .where(
            gone.c.validator_key == mine.c.public_key,
            gone.c.owner == mine.c.owner,
            gone.c.block_number == mine.c.valid_to,
            gone.c.name == "ValidatorRemoved",
        )
        .limit(1)
        .scalar_subquery()
    )
    number, timestamp, transaction = last_update(mine.c, changed)
    shares = (
        select(added.c.topics.op("||", return_type=LargeBinary())(added.c.data))
        .where(added.c.owner == mine.c.owner, added.c.nonce == mine.c.nonce)
        .scalar_subquery()
    )
    return made(
        select(
            mine.c.public_key.label("id"),
            mine.c.owner.label("owner"),
            mine.c.cluster_id.label("_cluster"),
            home.c.operator_ids.label("operators"),
            written_cluster(home.c).label("cluster"),
            (~is_present).label("removed"),
            shares.label("shares"),
            number,
            timestamp,
            case((is_present, transaction.element), else_=removal).label(
                "lastUpdateTransactionHash"
            ),
        )
        .join(home, and_(home.c.cluster_id == mine.c.cluster_id, view.holds(home)))
        .where(mine.c.valid_from <= view.at, _is_last(view, mine), ~_is_beaten(view, mine)),
        id=_key_is,
        cluster=_home_is,
    )


def _is_present(view: View, table: Any) -> ColumnElement[bool]:
    return or_(table.valid_to.is_(None), table.valid_to > view.at)


def _is_last(view: View, mine: Any) -> ColumnElement[bool]:
    """Nothing newer is known of this owner's registration of this key."""
    later = validator_version.alias()
    return ~exists().where(
        later.c.owner == mine.c.owner,
        later.c.public_key == mine.c.public_key,
        later.c.valid_from > mine.c.valid_from,
        later.c.valid_from <= view.at,
    )


def _is_beaten(view: View, mine: Any) -> ColumnElement[bool]:
    """Another owner's registration of the key is the one to show.

    Through the log, because its index by key knows registrations that are gone.
    """
    other, named = validator_version.alias(), log.alias()
    return exists().where(
        named.c.validator_key == mine.c.public_key,
        named.c.name == "ValidatorAdded",
        named.c.owner != mine.c.owner,
        other.c.owner == named.c.owner,
        other.c.public_key == mine.c.public_key,
        other.c.valid_from <= view.at,
        tuple_(*_rank(view, other.c)) > tuple_(*_rank(view, mine.c)),
    )


def _rank(view: View, table: Any) -> list[ColumnElement[Any]]:
    present = _is_present(view, table)
    return [and_(present, table.refusal.is_(None)), present, table.valid_from, table.log_index]


def _home_is(rows: Subquery, values: Sequence[str]) -> ColumnElement[bool]:
    """By owner too, which the index of old versions begins with."""
    owners = {bytes.fromhex(each[2:42]) for each in values if parse_cluster_text(each)}
    return and_(rows.c.owner.in_(owners), cluster_is(rows, values))


def _key_is(rows: Subquery, values: Sequence[bytes]) -> ColumnElement[bool]:
    """Through the log, because its index by key knows registrations that are gone."""
    if not values:
        return false()
    named = log.alias()
    owners = select(named.c.owner).where(
        named.c.validator_key.in_(set(values)), named.c.name == "ValidatorAdded"
    )
    return and_(rows.c.id.in_(set(values)), rows.c.owner.in_(owners))
