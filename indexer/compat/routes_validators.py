"""`/api/v4/{network}/validators`: lists, one by key, by operator, what is registered, totals.

Present registrations only. A key that two owners registered is shown as nodes act on it.

Source: docs/compatibility.md, "/api/v4".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body
from sqlalchemy import ColumnElement, false
from starlette.responses import Response

from indexer.compat.asking import (
    MOST_VALUES,
    ROOT,
    Asked,
    Asking,
    read_address,
    read_hash,
    read_key,
    read_operator_id,
)
from indexer.compat.registered import registered_shape
from indexer.compat.showing import show_validators
from indexer.project.records import VALIDATOR
from indexer.queries.errors import NotFound
from indexer.queries.network import network
from indexer.queries.v4 import (
    Dated,
    Part,
    keys_of_cluster,
    of_clusters_with,
    page_of,
    validators_in_active_clusters,
)
from indexer.queries.validators import by_keys
from indexer.store.tables import validator_version
from sdk.errors import InputError
from sdk.registry import Validator

router = APIRouter(prefix=ROOT + "/validators", include_in_schema=False)
_TABLE: Final = validator_version.c
_UNIQUE: Final = (_TABLE.public_key, _TABLE.owner)
_SORTS: Final[Mapping[str, ColumnElement[Any]]] = {
    "created_at": _TABLE.registered_at,
    "block": _TABLE.registered_at,
    "public_key": _TABLE.public_key,
}


@router.get("")
def search(question: Asking) -> Response:
    """Registrations, the newest first; `search` takes a key, an owner or a cluster's hash."""
    with question.asked() as asked:
        return asked.reply(_page(asked, _conditions(asked), "false"))


@router.get("/in_operator/{operator_id}")
def in_operator(question: Asking, operator_id: str) -> Response:
    """Registrations in clusters with an operator."""
    number = read_operator_id(operator_id)
    with question.asked() as asked:
        return asked.reply(_page(asked, [of_clusters_with(asked.view, [number])], "true"))


@router.get("/isRegisteredValidator/{key}")
def is_registered(question: Asking, key: str) -> Response:
    """A registration with its shares and place in the chain."""
    wanted = read_key(key)
    with question.asked() as asked:
        return asked.reply({"type": "api", "data": registered_shape(asked, _held(asked, wanted))})


@router.post("/registeredByPublicKeys")
def registered(question: Asking, body: Annotated[Any, Body()]) -> Response:
    """Which of some keys anybody has registered; they come back as they were sent."""
    texts = body.get("publicKeys") if isinstance(body, Mapping) else None
    if not isinstance(texts, list) or len(texts) > MOST_VALUES:
        raise InputError(f"publicKeys must list at most {MOST_VALUES} keys", code="too_many_values")
    keys = {text: read_key(text) for text in texts}
    with question.asked() as asked:
        held = {bytes(each.public_key) for each in by_keys(asked.view, list(keys.values()))}
        data = {
            "registered": [text for text, key in keys.items() if key in held],
            "notRegistered": [text for text, key in keys.items() if key not in held],
        }
        return asked.reply({"type": "api", "data": data})


@router.get("/validatorsByClusterHash/{name}")
def keys_by_cluster(question: Asking, name: str) -> Response:
    """Keys of one cluster."""
    wanted = read_hash(name)
    with question.asked() as asked:
        found = [key.hex() for key in keys_of_cluster(asked.view, wanted)]
        return asked.reply({"type": "api", "data": found})


@router.get("/countActiveValidators")
def count_active(question: Asking) -> Response:
    """Registrations in active clusters; in liquidated ones with `isLiquidated=true`."""
    with question.asked() as asked:
        is_active = asked.flag("isLiquidated") is not True
        found = validators_in_active_clusters(asked.view, is_active=is_active)
        return asked.reply({"type": "api", "data": found})


@router.get("/totalEffectiveBalance")
def total_effective_balance(question: Asking) -> Response:
    """Of all active clusters, ETH."""
    with question.asked() as asked:
        eth = network(asked.view).effective_balance_eth
        return asked.reply({"total_effective_balance": str(eth)})


@router.get("/{key}")
def one(question: Asking, key: str) -> Response:
    """One registration."""
    wanted = read_key(key)
    with question.asked() as asked:
        return asked.reply(show_validators(asked, [_held(asked, wanted)], "true")[0])


def _held(asked: Asked, key: bytes) -> Dated[Validator]:
    found = page_of(
        asked.view,
        VALIDATOR,
        [_TABLE.public_key == key],
        order=[_TABLE.refusal.is_not(None), _TABLE.registered_at.desc(), _TABLE.owner],
        part=Part(per_page=1),
    )
    if not found.entries:
        raise NotFound("nobody has registered this key", code="validator_unknown")
    held: Dated[Validator] = found.entries[0]
    return held


def _page(asked: Asked, conditions: Sequence[ColumnElement[bool]], detail: str) -> dict[str, Any]:
    part = asked.part()
    name = "orderBy" if "orderBy" in asked.given else "ordering"
    order = asked.order(_SORTS, otherwise="created_at:desc", unique=_UNIQUE, name=name)
    found = page_of(asked.view, VALIDATOR, conditions, order=order, part=part)
    detail = asked.given.get("includeOperatorData", detail)
    return {
        "type": "api",
        "validators": show_validators(asked, found.entries, detail),
        "pagination": asked.pagination(found, part),
    }


def _conditions(asked: Asked) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if keys := asked.listed("publicKey", read_key):
        found.append(_TABLE.public_key.in_(keys))
    if hashes := asked.listed("cluster", read_hash):
        found.append(_TABLE.cluster_id.in_(hashes))
    if owners := asked.listed("ownerAddress", read_address):
        found.append(_TABLE.owner.in_(owners))
    if ids := asked.listed("operator", read_operator_id):
        found.append(of_clusters_with(asked.view, ids))
    if asked.given.get("status"):
        # What beacon nodes say of a validator is not known here.
        found.append(false())
    if text := asked.given.get("search"):
        found.append(_named(text))
    return found


def _named(text: str) -> ColumnElement[bool]:
    for read, column in (
        (read_key, _TABLE.public_key),
        (read_address, _TABLE.owner),
        (read_hash, _TABLE.cluster_id),
    ):
        try:
            return column == read(text)
        except InputError:
            continue
    return false()
