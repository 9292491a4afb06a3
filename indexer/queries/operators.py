"""Operators: lists, one by id, whom they admit, what they asked for and earned."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Numeric, bindparam, cast, func, or_, select

from indexer.project.records import OPERATOR
from indexer.queries.prepared import Moment, Prepared
from indexer.queries.reading import View
from indexer.queries.records import (
    Cut,
    Listing,
    Page,
    asked_of,
    contains,
    in_order,
    one_of,
    operator_of,
)
from indexer.store.tables import log, operator_version, whitelist_version
from sdk.registry import Operator
from sdk.types import Address, OperatorId, Wei

SORTS: Final = {
    "id": (operator_version.c.operator_id,),
    "fee": (operator_version.c.fee_units, operator_version.c.operator_id),
    "validators": (operator_version.c.validator_count, operator_version.c.operator_id),
    "effective_balance": (
        operator_version.c.effective_balance_eth,
        operator_version.c.operator_id,
    ),
}
"""Orders of the list; the id breaks ties."""
FEE_EVENTS: Final = (
    "OperatorAdded",
    "OperatorFeeDeclared",
    "OperatorFeeDeclarationCancelled",
    "OperatorFeeExecuted",
    "OperatorRemoved",
)
"""What an operator's fee history is made of."""
MOST_REMEMBERED: Final = 20_000
"""30 MB, at ten times mainnet: every cluster shown needs its operators, and there are few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorFilter:
    """Which operators; what is None is not asked.

    Attributes:
        most_validators: of those it has, so that there is room for more.
        allows: may register with it by its own list; contracts are not asked.
    """

    ids: Sequence[OperatorId] | None = None
    owner: Address | None = None
    is_private: bool | None = None
    is_removed: bool | None = None
    most_validators: int | None = None
    most_fee_units: int | None = None
    allows: Address | None = None


def operators(
    view: View, wanted: OperatorFilter, cut: Cut, *, sort: str = "id", descending: bool = False
) -> Page[Operator]:
    """One page of the list; `sort` is a key of `SORTS`."""
    return _LIST.page(view, asked_of(wanted), cut, sort=sort, descending=descending)


def count_operators(view: View, wanted: OperatorFilter) -> int:
    """How many there are."""
    return _LIST.count(view, asked_of(wanted))


def operator(view: View, operator_id: OperatorId) -> Operator | None:
    """The operator, None if none was registered under this id by then."""
    return by_ids(view, [operator_id]).get(operator_id)


def by_ids(view: View, ids: Collection[OperatorId]) -> dict[OperatorId, Operator]:
    """Those of some ids that exist or existed."""
    known: dict[OperatorId, Operator] = view.remembered("operators", dict)
    wanted = sorted(set(ids))
    # Other threads have the same dictionary, so nothing is looked up in it twice.
    found = {each: operator for each in wanted if (operator := known.get(each)) is not None}
    missing = [each for each in wanted if each not in found]
    if missing:
        read = {each.operator_id: each for each in map(operator_of, view.ask(_BY_IDS, ids=missing))}
        if len(known) + len(read) > MOST_REMEMBERED:
            known.clear()
        known.update(read)
        found.update(read)
    return {each: found[each] for each in wanted if each in found}


def by_public_key(view: View, public_key: bytes) -> list[Operator]:
    """Operators registered with exactly this key; different owners may have the same."""
    statement = in_order(
        OPERATOR, view.holds(operator_version), operator_version.c.public_key == public_key
    )
    return list(map(operator_of, view.rows(statement.limit(100))))


def whitelist(view: View, operator_id: OperatorId, cut: Cut) -> Page[Address]:
    """Addresses on an operator's own list."""
    asked = {"operator_id": operator_id}
    return _WHITELIST.page(view, asked, cut, sort="address", descending=False)


def admits(view: View, operator_ids: Sequence[OperatorId], address: Address) -> set[OperatorId]:
    """Those of some operators that have the address on their own list."""
    found = view.rows(
        select(whitelist_version.c.operator_id).where(
            view.holds(whitelist_version),
            whitelist_version.c.address == address,
            whitelist_version.c.operator_id.in_(set(operator_ids)),
        )
    )
    return {OperatorId(row.operator_id) for row in found}


def withdrawn_wei(view: View, operator_id: OperatorId) -> Wei:
    """Sum of all earnings that were ever paid out."""
    return Wei(view.ask_first(_WITHDRAWN, operator_id=operator_id)[0] or 0)


_TABLE: Final = operator_version.c
_BY_IDS: Final = Prepared(
    lambda moment: in_order(
        OPERATOR, moment.holds(operator_version), one_of(_TABLE.operator_id, "ids")
    )
)
_WITHDRAWN: Final = Prepared(
    lambda moment: select(func.sum(cast(log.c.args["value"].astext, Numeric(78, 0)))).where(
        log.c.name == "OperatorWithdrawn",
        contains(log.c.operator_ids, bindparam("operator_id")),
        log.c.block_number <= moment.at,
    )
)


def _allowing(moment: Moment, address: Any) -> ColumnElement[bool]:
    listed = select(whitelist_version.c.operator_id).where(
        moment.holds(whitelist_version), whitelist_version.c.address == address
    )
    return or_(~_TABLE.is_private, _TABLE.operator_id.in_(listed))


_LIST: Final = Listing(
    lambda moment: in_order(OPERATOR, moment.holds(operator_version)),
    operator_of,
    where={
        "ids": lambda _, ids: one_of(_TABLE.operator_id, ids.key),
        "owner": lambda _, owner: _TABLE.owner == owner,
        "is_private": lambda _, flag: _TABLE.is_private.is_(flag),
        "is_removed": lambda _, flag: (
            _TABLE.removed_at.is_not(None) if flag else _TABLE.removed_at.is_(None)
        ),
        "most_validators": lambda _, most: _TABLE.validator_count <= most,
        "most_fee_units": lambda _, most: _TABLE.fee_units <= most,
        "allows": _allowing,
    },
    sorts=SORTS,
)
_WHITELIST: Final = Listing(
    lambda moment: select(whitelist_version.c.address).where(moment.holds(whitelist_version)),
    lambda row: Address(row.address),
    where={"operator_id": lambda _, number: whitelist_version.c.operator_id == number},
    sorts={"address": (whitelist_version.c.address,)},
)
