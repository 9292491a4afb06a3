"""Operators: lists, one by id, whom they admit, what they asked for and earned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Numeric, cast, func, or_, select

from indexer.project.records import OPERATOR
from indexer.queries.reading import View
from indexer.queries.records import Cut, Page, contains, in_order, operator_of, page
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
    return page(
        view,
        in_order(OPERATOR, view.holds(operator_version), *_conditions(view, wanted)),
        by=SORTS[sort],
        descending=descending,
        cut=cut,
        read=operator_of,
    )


def count_operators(view: View, wanted: OperatorFilter) -> int:
    """How many there are."""
    return view.number(
        select(func.count()).where(view.holds(operator_version), *_conditions(view, wanted))
    )


def operator(view: View, operator_id: OperatorId) -> Operator | None:
    """The operator, None if none was registered under this id by then."""
    return next(iter(by_ids(view, [operator_id]).values()), None)


def by_ids(view: View, ids: Sequence[OperatorId]) -> dict[OperatorId, Operator]:
    """Those of some ids that exist or existed."""
    statement = in_order(
        OPERATOR, view.holds(operator_version), operator_version.c.operator_id.in_(set(ids))
    )
    found = map(operator_of, view.rows(statement))
    return {each.operator_id: each for each in found}


def by_public_key(view: View, public_key: bytes) -> list[Operator]:
    """Operators registered with exactly this key; different owners may have the same."""
    statement = in_order(
        OPERATOR, view.holds(operator_version), operator_version.c.public_key == public_key
    )
    return list(map(operator_of, view.rows(statement.limit(100))))


def whitelist(view: View, operator_id: OperatorId, cut: Cut) -> Page[Address]:
    """Addresses on an operator's own list."""
    address = whitelist_version.c.address
    return page(
        view,
        select(address).where(
            view.holds(whitelist_version), whitelist_version.c.operator_id == operator_id
        ),
        by=(address,),
        descending=False,
        cut=cut,
        read=lambda row: Address(row.address),
    )


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
    value = cast(log.c.args["value"].astext, Numeric(78, 0))
    return Wei(
        view.number(
            select(func.sum(value)).where(
                log.c.name == "OperatorWithdrawn",
                contains(log.c.operator_ids, operator_id),
                log.c.block_number <= view.at,
            )
        )
    )


def _conditions(view: View, wanted: OperatorFilter) -> list[ColumnElement[bool]]:
    table = operator_version.c
    found: list[ColumnElement[bool]] = []
    if wanted.ids is not None:
        found.append(table.operator_id.in_(set(wanted.ids)))
    if wanted.owner is not None:
        found.append(table.owner == wanted.owner)
    if wanted.is_private is not None:
        found.append(table.is_private.is_(wanted.is_private))
    if wanted.is_removed is not None:
        removed = table.removed_at
        found.append(removed.is_not(None) if wanted.is_removed else removed.is_(None))
    if wanted.most_validators is not None:
        found.append(table.validator_count <= wanted.most_validators)
    if wanted.most_fee_units is not None:
        found.append(table.fee_units <= wanted.most_fee_units)
    if wanted.allows is not None:
        listed = select(whitelist_version.c.operator_id).where(
            view.holds(whitelist_version), whitelist_version.c.address == wanted.allows
        )
        found.append(or_(~table.is_private, table.operator_id.in_(listed)))
    return found
