"""Validators: lists of registrations, and everything about one key.

Two owners may register one key, and one owner may register it again after a removal, so a key has a
list of registrations; nodes act on at most one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, bindparam, select

from indexer.project.records import VALIDATOR
from indexer.queries.events import EventRow, event_of, event_statement
from indexer.queries.prepared import Moment, Prepared, listed
from indexer.queries.reading import View
from indexer.queries.records import (
    Cut,
    Listing,
    Page,
    asked_of,
    contains,
    in_order,
    one_of,
    validator_of,
)
from indexer.store.tables import block, cluster_version, log, validator_version
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
    asked = asked_of(wanted)
    return _LIST.page(view, asked, cut, sort="registered", descending=descending)


def count_validators(view: View, wanted: ValidatorFilter) -> int:
    """How many there are."""
    return _LIST.count(view, asked_of(wanted))


def by_keys(view: View, keys: Sequence[bytes]) -> list[Validator]:
    """Present registrations of some keys."""
    return list(map(validator_of, view.ask(_BY_KEYS, keys=listed(set(keys)))))


def registrations(view: View, key: bytes) -> list[Registration]:
    """All registrations of a key, removed and refused ones included, the newest first."""
    return [
        Registration(event_of(row), None if row.own_key is None else validator_of(row))
        for row in view.ask(_REGISTRATIONS, key=key)
    ]


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


_TABLE: Final = validator_version.c
_BY_KEYS: Final = Prepared(
    lambda moment: in_order(
        VALIDATOR, moment.holds(validator_version), one_of(_TABLE.public_key, "keys")
    )
)


def _registrations(moment: Moment) -> Select[Any]:
    """Each with its record, if that is present."""
    record = in_order(
        VALIDATOR, moment.holds(validator_version), _TABLE.public_key == bindparam("key")
    ).subquery("record")
    # The log has columns of the same names, which those of the record must not hide.
    own = [each.label(f"own_{place}") for place, each in enumerate(record.c)]
    return (
        select(*own, record.c.public_key.label("own_key"), *event_statement().selected_columns)
        .select_from(
            log.outerjoin(block, block.c.number == log.c.block_number).outerjoin(
                record, and_(record.c.owner == log.c.owner, record.c.nonce == log.c.nonce)
            )
        )
        .where(
            log.c.validator_key == bindparam("key"),
            log.c.name == "ValidatorAdded",
            log.c.block_number <= moment.at,
        )
        .order_by(log.c.block_number.desc(), log.c.log_index.desc())
        .limit(MOST_REGISTRATIONS)
    )


_REGISTRATIONS: Final = Prepared(_registrations)


def _with_operator(moment: Moment, operator_id: Any) -> ColumnElement[bool]:
    of_operator = select(cluster_version.c.cluster_id).where(
        moment.holds(cluster_version), contains(cluster_version.c.operator_ids, operator_id)
    )
    return _TABLE.cluster_id.in_(of_operator)


_LIST: Final = Listing(
    lambda moment: in_order(VALIDATOR, moment.holds(validator_version)),
    validator_of,
    where={
        "owner": lambda _, owner: _TABLE.owner == owner,
        "cluster_id": lambda _, cluster_id: _TABLE.cluster_id == cluster_id,
        "operator_id": _with_operator,
        "is_accepted": lambda _, flag: (
            _TABLE.refusal.is_(None) if flag else _TABLE.refusal.is_not(None)
        ),
        "refusal": lambda _, refusal: _TABLE.refusal == refusal.value,
        "is_exiting": lambda _, flag: (
            _TABLE.exit_requested_at.is_not(None) if flag else _TABLE.exit_requested_at.is_(None)
        ),
    },
    sorts=SORTS,
)
