"""Validators: lists of registrations, and everything about one key.

Two owners may register one key, and one owner may register it again after a removal, so a key has a
list of registrations; nodes act on at most one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, func, select

from indexer.project.records import VALIDATOR
from indexer.queries.events import EventRow, event_of, event_statement
from indexer.queries.reading import View
from indexer.queries.records import Cut, Page, contains, in_order, page, validator_of
from indexer.store.tables import cluster_version, log, validator_version
from sdk.events import Undecodable, decode
from sdk.events.types import ValidatorAdded
from sdk.registry import Refusal, Validator
from sdk.types import Address, ClusterId, OperatorId

SORTS: Final = {
    "registered": (
        validator_version.c.registered_at,
        validator_version.c.public_key,
        validator_version.c.owner,
    ),
}
"""Orders of the list; key and owner break ties."""
MOST_REGISTRATIONS: Final = 100
"""Of one key, the newest; whoever registers a key more often only pays for it."""
_TOPIC_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatorFilter:
    """Which registrations; what is None is not asked."""

    owner: Address | None = None
    cluster_id: ClusterId | None = None
    operator_id: OperatorId | None = None
    is_accepted: bool | None = None
    refusal: Refusal | None = None
    is_exiting: bool | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """One registration of a key.

    Attributes:
        added: its event, with nonce and refusal.
        record: what holds of it at the view's block; None once it is removed.
    """

    added: EventRow
    record: Validator | None


def validators(
    view: View, wanted: ValidatorFilter, cut: Cut, *, descending: bool = True
) -> Page[Validator]:
    """One page of the list, by block of registration."""
    return page(
        view,
        in_order(VALIDATOR, view.holds(validator_version), *_conditions(view, wanted)),
        by=SORTS["registered"],
        descending=descending,
        cut=cut,
        read=validator_of,
    )


def count_validators(view: View, wanted: ValidatorFilter) -> int:
    """How many there are."""
    return view.number(
        select(func.count()).where(view.holds(validator_version), *_conditions(view, wanted))
    )


def by_keys(view: View, keys: Sequence[bytes]) -> list[Validator]:
    """Present registrations of some keys."""
    statement = in_order(
        VALIDATOR, view.holds(validator_version), validator_version.c.public_key.in_(set(keys))
    )
    return list(map(validator_of, view.rows(statement)))


def registrations(view: View, key: bytes) -> list[Registration]:
    """All registrations of a key, removed and refused ones included, the newest first."""
    rows = view.rows(
        event_statement()
        .where(
            log.c.validator_key == key,
            log.c.name == "ValidatorAdded",
            log.c.block_number <= view.at,
        )
        .order_by(log.c.block_number.desc(), log.c.log_index.desc())
        .limit(MOST_REGISTRATIONS)
    )
    records = {(each.owner, each.nonce): each for each in by_keys(view, [key])}
    added = map(event_of, rows)
    return [Registration(each, records.get((each.owner, each.nonce))) for each in added]  # type: ignore[arg-type]


def shares_of(view: View, owner: Address, nonce: int) -> bytes | None:
    """The shares of a registration as they stand in its log."""
    row = view.first(
        select(log.c.topics, log.c.data).where(log.c.owner == owner, log.c.nonce == nonce)
    )
    if row is None:
        return None
    topics = row.topics
    split = [topics[start : start + _TOPIC_BYTES] for start in range(0, len(topics), _TOPIC_BYTES)]
    event = decode(split, row.data)
    if isinstance(event, Undecodable) or not isinstance(event, ValidatorAdded):
        return None
    return event.shares


def refusals(view: View, cluster_ids: Sequence[ClusterId]) -> dict[ClusterId, int]:
    """How many registrations of some clusters nodes do not act on."""
    table = validator_version.c
    rows = view.rows(
        select(table.cluster_id, func.count().label("refused"))
        .where(
            view.holds(validator_version),
            table.cluster_id.in_(set(cluster_ids)),
            table.refusal.is_not(None),
        )
        .group_by(table.cluster_id)
    )
    return {ClusterId(row.cluster_id): row.refused for row in rows}


def _conditions(view: View, wanted: ValidatorFilter) -> list[ColumnElement[bool]]:
    table = validator_version.c
    found: list[ColumnElement[bool]] = []
    if wanted.owner is not None:
        found.append(table.owner == wanted.owner)
    if wanted.cluster_id is not None:
        found.append(table.cluster_id == wanted.cluster_id)
    if wanted.operator_id is not None:
        of_operator = select(cluster_version.c.cluster_id).where(
            view.holds(cluster_version),
            contains(cluster_version.c.operator_ids, wanted.operator_id),
        )
        found.append(table.cluster_id.in_(of_operator))
    if wanted.is_accepted is not None:
        found.append(table.refusal.is_(None) if wanted.is_accepted else table.refusal.is_not(None))
    if wanted.refusal is not None:
        found.append(table.refusal == wanted.refusal.value)
    if wanted.is_exiting is not None:
        asked = table.exit_requested_at
        found.append(asked.is_not(None) if wanted.is_exiting else asked.is_(None))
    return found
