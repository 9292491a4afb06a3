"""Accounts: an owner's nonce, fee recipient and what it has."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from indexer.project.records import ACCOUNT
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
    row = view.first(
        in_order(ACCOUNT, view.holds(account_version), account_version.c.owner == owner)
    )
    return Account(owner) if row is None else account_of(row)


def holdings(view: View, owner: Address) -> Holdings:
    """What an address has."""
    operators = view.number(
        select(func.count()).where(
            view.holds(operator_version),
            operator_version.c.owner == owner,
            operator_version.c.removed_at.is_(None),
        )
    )
    sums = view.first(
        select(
            func.count(),
            func.coalesce(func.sum(cluster_version.c.validator_count), 0),
            func.coalesce(func.sum(cluster_version.c.effective_balance_eth), 0),
        ).where(view.holds(cluster_version), cluster_version.c.owner == owner)
    )
    clusters, validators, eth = (*(sums or ()),) or (0, 0, 0)
    return Holdings(operators, clusters, int(validators), int(eth))


def nonce_use(view: View, owner: Address) -> NonceUse:
    """What became of an owner's registrations."""
    row = view.first(
        select(
            func.max(log.c.block_number),
            func.count().filter(log.c.refusal.is_not(None)),
        ).where(log.c.owner == owner, log.c.nonce.is_not(None), log.c.block_number <= view.at)
    )
    newest, refused = (*(row or ()),) or (None, 0)
    return NonceUse(None if newest is None else BlockNumber(newest), refused)


def is_known(view: View, owner: Address) -> bool:
    """Whether any log named this address as owner of operators or validators by then."""
    return (
        view.first(
            select(log.c.block_number)
            .where(log.c.owner == owner, log.c.block_number <= view.at)
            .limit(1)
        )
        is not None
    )
