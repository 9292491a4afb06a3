"""Accounts: an owner's nonce, fee recipient and what it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import LargeBinary, Select, bindparam, func, select

from indexer.project.records import ACCOUNT
from indexer.queries.prepared import Moment, Prepared
from indexer.queries.reading import View
from indexer.queries.records import account_of, in_order
from indexer.store.tables import (
    account_version,
    cluster_version,
    log,
    operator_version,
)
from sdk.registry import Account
from sdk.types import Address, BlockNumber


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an address has; operators that were removed are not counted."""

    operators: int
    clusters: int
    validators: int
    effective_balance_eth: int


@dataclass(frozen=True, slots=True)
class NonceUse:
    """What became of an owner's registrations.

    Attributes:
        last_block: of the newest one.
        refused: those that nodes do not act on; each used up a nonce all the same.
    """

    last_block: BlockNumber | None
    refused: int


def account(view: View, owner: Address) -> Account:
    """The account, a fresh one if no log named this owner by then."""
    row = view.ask_first(_ACCOUNT, owner=owner)
    return Account(owner) if row is None else account_of(row)


def overview(view: View, owner: Address) -> tuple[Holdings, NonceUse]:
    """What an address has, and what became of its registrations."""
    row = view.ask_first(_OVERVIEW, owner=owner)
    held = Holdings(row.operators, row.clusters, int(row.validators), int(row.eth))
    return held, _use(row)


def nonce_use(view: View, owner: Address) -> NonceUse:
    """What became of an owner's registrations."""
    return _use(view.ask_first(_NONCES, owner=owner))


def _use(row: Any) -> NonceUse:
    newest = None if row.newest is None else BlockNumber(row.newest)
    return NonceUse(newest, row.refused)


def is_known(view: View, owner: Address) -> bool:
    """Whether any log named this address as owner of operators or validators by then."""
    return view.ask_first(_KNOWN, owner=owner) is not None


_OWNER: Final = bindparam("owner", type_=LargeBinary)
_ACCOUNT: Final = Prepared(
    lambda moment: in_order(
        ACCOUNT, moment.holds(account_version), account_version.c.owner == _OWNER
    )
)


def _nonces(moment: Moment) -> tuple[Any, ...]:
    """The last of an owner's registrations, by the index of nonces, and how many were refused."""
    its = (log.c.owner == _OWNER, log.c.block_number <= moment.at)
    newest = (
        select(log.c.block_number)
        .where(*its, log.c.nonce.is_not(None))
        .order_by(log.c.nonce.desc())
        .limit(1)
    )
    refused = select(func.count()).where(*its, log.c.nonce.is_not(None), log.c.refusal.is_not(None))
    return newest.scalar_subquery().label("newest"), refused.scalar_subquery().label("refused")


def _overview(moment: Moment) -> Select[Any]:
    operators = (
        select(func.count())
        .where(
            moment.holds(operator_version),
            operator_version.c.owner == _OWNER,
            operator_version.c.removed_at.is_(None),
        )
        .scalar_subquery()
    )
    clusters = cluster_version.c
    counted: tuple[Any, ...] = (
        operators.label("operators"),
        func.count().label("clusters"),
        func.coalesce(func.sum(clusters.validator_count), 0).label("validators"),
        func.coalesce(func.sum(clusters.effective_balance_eth), 0).label("eth"),
        *_nonces(moment),
    )
    return select(*counted).where(moment.holds(cluster_version), clusters.owner == _OWNER)


_OVERVIEW: Final = Prepared(_overview)
_NONCES: Final = Prepared(lambda moment: select(*_nonces(moment)))
_KNOWN: Final = Prepared(
    lambda moment: (
        select(log.c.block_number)
        .where(log.c.owner == _OWNER, log.c.block_number <= moment.at)
        .limit(1)
    )
)
