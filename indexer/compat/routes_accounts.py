"""`/api/v4/{network}`: accounts with their next nonce, events, and one total.

Source: docs/compatibility.md, "/api/v4".
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Final

from fastapi import APIRouter
from sqlalchemy import ColumnElement, Select, or_
from starlette.responses import Response

from indexer.compat.asking import ROOT, Asked, Asking, read_address, read_operator_id
from indexer.compat.shapes import GWEI_PER_ETH, account_shape, event_shape, holdings_shape
from indexer.queries.events import event_statement
from indexer.queries.network import network
from indexer.queries.v4 import has_any, people, rows_of
from indexer.store.tables import log
from sdk.types import Address

router = APIRouter(prefix=ROOT, include_in_schema=False)
_COUNTS: Final = ("operators", "clusters", "validators")
_ENTITIES: Final = {"operator": "Operator", "cluster": "Cluster", "validator": "Validator"}
_EVENT_SORTS: Final[dict[str, ColumnElement[Any]]] = {"blockNumber": log.c.block_number}


@router.get("/accounts")
def accounts(question: Asking) -> Response:
    """Accounts, by address unless ordered."""
    with question.asked() as asked:
        statement, part = _people(asked), asked.part()
        columns = statement.selected_columns
        sorts = {
            **{name: columns[name] for name in (*_COUNTS, "nonce")},
            "ownerAddress": columns.owner,
            "effectiveBalance": columns.eth,
            "totalOperatorEthManaged": columns.managed,
        }
        order = asked.order(sorts, otherwise="ownerAddress:asc", unique=[columns.owner])
        found = rows_of(asked.view, statement, order=order, part=part, read=lambda row: row)
        return asked.reply(
            {
                "type": "api",
                "accounts": [account_shape(row, network=asked.network) for row in found.entries],
                "pagination": asked.pagination(found, part),
            }
        )


@router.get("/accounts/counts/{address}")
def counts(question: Asking, address: str) -> Response:
    """What an address has, which may be nothing."""
    owner = read_address(address)
    with question.asked() as asked:
        return asked.reply({"type": "api", "data": holdings_shape(_person(asked, owner))})


@router.get("/accounts/{address}")
def account(question: Asking, address: str) -> Response:
    """One account with its next nonce; a fresh one if nothing is known of the address."""
    owner = read_address(address)
    with question.asked() as asked:
        shown = account_shape(_person(asked, owner), network=asked.network)
        return asked.reply({"type": "api", "data": shown})


@router.get("/events")
def events(question: Asking) -> Response:
    """All events, the newest first."""
    with question.asked() as asked:
        return asked.reply(_events(asked, []))


@router.get("/events/ownerAddress/{address}")
def events_of_owner(question: Asking, address: str) -> Response:
    """Events of one owner."""
    owner = read_address(address)
    with question.asked() as asked:
        return asked.reply(_events(asked, [log.c.owner == owner]))


@router.get("/events/operator/{operator_id}")
def events_of_operator(question: Asking, operator_id: str) -> Response:
    """Events that name an operator, as a bare list."""
    number = read_operator_id(operator_id)
    with question.asked() as asked:
        of_operators = log.c.name.startswith("Operator")
        wanted = [has_any(log.c.operator_ids, [number]), of_operators]
        return asked.reply(_events(asked, wanted)["data"])


@router.get("/statistics/totalEffectiveBalance")
def total_effective_balance(question: Asking) -> Response:
    """Of all active clusters, ETH."""
    with question.asked() as asked:
        eth = network(asked.view).effective_balance_eth
        return asked.reply({"total_effective_balance": str(eth)})


def _people(asked: Asked) -> Select[Any]:
    statement = people(asked.view)
    columns = statement.selected_columns
    if owners := asked.listed("ownerAddress", read_address):
        statement = statement.where(columns.owner.in_(owners))
    if text := asked.given.get("searchOwnerAddress"):
        statement = statement.where(columns.owner == read_address(text))
    if recipients := asked.listed("recipientAddress", read_address):
        statement = statement.where(columns.recipient.in_(recipients))
    for name in _COUNTS:
        if (bounds := asked.range(name)) is not None:
            statement = statement.where(columns[name].between(*bounds))
    if (bounds := asked.range("effectiveBalance")) is not None:
        statement = statement.where((columns.eth * GWEI_PER_ETH).between(*bounds))
    if (bounds := asked.range("totalOperatorEthManaged")) is not None:
        statement = statement.where(columns.managed.between(*bounds))
    return statement


def _person(asked: Asked, owner: Address) -> Any:
    statement = people(asked.view)
    row = asked.view.first(statement.where(statement.selected_columns.owner == owner))
    nothing = dict.fromkeys((*_COUNTS, "nonce", "eth", "managed"), 0)
    return SimpleNamespace(owner=owner, recipient=None, **nothing) if row is None else row


def _events(asked: Asked, conditions: Sequence[ColumnElement[bool]]) -> dict[str, Any]:
    part = asked.part()
    wanted = [log.c.name.is_not(None), log.c.block_number <= asked.view.at, *conditions]
    if names := asked.listed("event", str):
        wanted.append(log.c.name.in_(names))
    if entities := [_ENTITIES[each] for each in asked.listed("entity", str) if each in _ENTITIES]:
        wanted.append(or_(*(log.c.name.startswith(each) for each in entities)))
    order = asked.order(_EVENT_SORTS, otherwise="blockNumber:desc", unique=[log.c.log_index])
    statement = event_statement().where(*wanted)
    found = rows_of(asked.view, statement, order=order, part=part, read=lambda row: row)
    return {
        "type": "api",
        "data": [event_shape(row, network=asked.network) for row in found.entries],
        "pagination": asked.pagination(found, part),
    }
