"""`/api/v4/{network}/operators`: lists, one, by owner, by key. Of their clients nothing is known.

Source: docs/compatibility.md, "/api/v4".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from sqlalchemy import ColumnElement, and_, false, or_
from starlette.responses import Response

from indexer.compat.asking import ROOT, Asked, Asking, read_address, read_operator_id
from indexer.compat.showing import show_operators
from indexer.project.records import OPERATOR
from indexer.queries.errors import NotFound
from indexer.queries.v4 import Part, page_of
from indexer.store.tables import operator_version
from sdk.errors import InputError
from sdk.events import operator_public_key_bytes

router = APIRouter(prefix=ROOT + "/operators", include_in_schema=False)
_TABLE: Final = operator_version.c
_SORTS: Final[Mapping[str, ColumnElement[Any]]] = {
    "id": _TABLE.operator_id,
    "validatorsCount": _TABLE.validator_count,
    "validators_count": _TABLE.validator_count,
    "ethFee": _TABLE.fee_units,
    "effectiveBalance": _TABLE.effective_balance_eth,
}
_NOT_KNOWN: Final = ("name", "location", "eth1", "eth2", "ssvClient", "mev")
_LAYERS: Final = ("ETH1_NODE", "ETH2_NODE", "SSV_NODE")
_IS_REMOVED: Final = _TABLE.removed_at.is_not(None)
_STATUS: Final = {
    "removed": _IS_REMOVED,
    "no_validators": and_(~_IS_REMOVED, _TABLE.validator_count == 0),
}
"""Whether one is active only its duties tell."""


@router.get("")
def search(question: Asking) -> Response:
    """Operators; `search` takes an id or an owner."""
    with question.asked() as asked:
        return asked.reply(_page(asked, _conditions(asked)))


@router.get("/owned_by/{address}")
def owned_by(question: Asking, address: str) -> Response:
    """Operators of one owner that were not removed."""
    owner = read_address(address)
    with question.asked() as asked:
        return asked.reply(_page(asked, [_TABLE.owner == owner, ~_IS_REMOVED]))


@router.get("/public_key/{key:path}")
def by_public_key(question: Asking, key: str) -> Response:
    """The first operator with a key; without `data` if there is none."""
    with question.asked() as asked:
        forms = {operator_public_key_bytes(key), key.encode()}
        found = page_of(
            asked.view,
            OPERATOR,
            [_TABLE.public_key.in_(forms)],
            order=[_TABLE.operator_id],
            part=Part(per_page=1),
        )
        shown = show_operators(asked, found.entries)
        return asked.reply({"type": "api", **({"data": _renamed(shown[0])} if shown else {})})


@router.get("/locations")
def locations(question: Asking) -> Response:
    """None are known."""
    with question.asked() as asked:
        return asked.reply([])


@router.get("/nodes/all")
def all_clients(question: Asking) -> Response:
    """None are known."""
    with question.asked() as asked:
        return asked.reply({layer: [] for layer in _LAYERS})


@router.get("/nodes/{layer}")
def clients(question: Asking, layer: str) -> Response:
    """None are known."""
    with question.asked() as asked:
        return asked.reply([])


@router.get("/{operator_id}")
def one(question: Asking, operator_id: str) -> Response:
    """One operator, also after its removal."""
    number = read_operator_id(operator_id)
    with question.asked() as asked:
        wanted = [_TABLE.operator_id == number]
        order = [_TABLE.operator_id]
        found = page_of(asked.view, OPERATOR, wanted, order=order, part=Part(per_page=1))
        if not found.entries:
            raise NotFound(f"operator {number} is not registered", code="operator_unknown")
        return asked.reply(show_operators(asked, found.entries)[0])


def _page(asked: Asked, conditions: list[ColumnElement[bool]]) -> dict[str, Any]:
    part = asked.part()
    order = asked.order(_SORTS, otherwise="id:asc", unique=[_TABLE.operator_id])
    found = page_of(asked.view, OPERATOR, conditions, order=order, part=part)
    return {
        "operators": show_operators(asked, found.entries),
        "pagination": asked.pagination(found, part),
    }


def _conditions(asked: Asked) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    statuses = asked.listed("status", str)
    if "removed" not in statuses:
        found.append(~_IS_REMOVED)
    if statuses:
        found.append(or_(false(), *(_STATUS[each] for each in statuses if each in _STATUS)))
    if any(asked.given.get(name) for name in _NOT_KNOWN) or asked.flag("has_dkg_address"):
        found.append(false())
    if asked.given.get("type", "operator") not in ("", "operator"):
        found.append(false())
    if ids := asked.listed("id", read_operator_id):
        found.append(_TABLE.operator_id.in_(ids))
    if owners := asked.listed("ownerAddress", read_address):
        found.append(_TABLE.owner.in_(owners))
    if (is_private := asked.flag("isPrivate")) is not None:
        found.append(_TABLE.is_private.is_(is_private))
    for name, column in (
        ("validatorsCount", _TABLE.validator_count),
        ("effectiveBalance", _TABLE.effective_balance_eth),
    ):
        if (bounds := asked.range(name)) is not None:
            found.append(column.between(*bounds))
    if text := asked.given.get("search"):
        found.append(_named(text))
    return found


def _named(text: str) -> ColumnElement[bool]:
    try:
        if text.isdecimal():
            return _TABLE.operator_id == read_operator_id(text)
        return _TABLE.owner == read_address(text)
    except InputError:
        return false()  # names are not known


def _renamed(shape: Mapping[str, Any]) -> dict[str, Any]:
    """The shape of this one route, which writes names the other way."""
    return {
        "primaryId": shape["id"],
        "id": shape["id"],
        "network": shape["network"],
        "version": shape["version"],
        "ownerAddress": shape["owner_address"],
        "publicKey": shape["public_key"],
        "fee": shape["eth_fee"],
        "previousFee": shape["previous_fee"],
        "declaredFee": shape["declared_fee"],
        "addressWhitelist": shape["address_whitelist"],
        "memo": None,
        "blockNumber": shape["block"],
        "isValid": shape["is_valid"],
        "isDeleted": shape["is_deleted"],
        "createdAt": shape["created_at"],
        "updatedAt": shape["updated_at"],
        "whitelistAddresses": shape["whitelist_addresses"],
        "isPrivate": shape["is_private"],
        "whitelistingContract": shape["whitelisting_contract"],
    }
