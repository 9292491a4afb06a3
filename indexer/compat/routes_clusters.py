"""`/api/v4/{network}/clusters`: lists, one by hash, by owner.

Source: docs/compatibility.md, "/api/v4".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from sqlalchemy import ColumnElement, and_, false
from starlette.responses import Response

from indexer.compat.asking import (
    ROOT,
    Asked,
    Asking,
    read_address,
    read_hash,
    read_operator_id,
)
from indexer.compat.shapes import GWEI_PER_ETH
from indexer.compat.showing import show_clusters
from indexer.project.records import CLUSTER
from indexer.queries.clusters import cluster
from indexer.queries.errors import NotFound
from indexer.queries.v4 import Part, has_any, page_of
from indexer.store.tables import cluster_version
from sdk.errors import InputError
from sdk.types import ClusterId

router = APIRouter(prefix=ROOT + "/clusters", include_in_schema=False)
_TABLE: Final = cluster_version.c
_SORTS: Final[Mapping[str, ColumnElement[Any]]] = {
    "id": _TABLE.sequence,
    "validatorCount": _TABLE.snapshot_validator_count,
    "effectiveBalance": _TABLE.effective_balance_eth,
}


@router.get("")
def search(question: Asking) -> Response:
    """Clusters; `search` takes an owner or a hash."""
    with question.asked() as asked:
        return asked.reply(_page(asked, _conditions(asked), otherwise="id:asc"))


@router.get("/owner/{address}")
def owned_by(question: Asking, address: str) -> Response:
    """Clusters of one owner."""
    owner = read_address(address)
    with question.asked() as asked:
        return asked.reply(_page(asked, [_TABLE.owner == owner], otherwise="id:asc"))


@router.get("/{name}")
def one(question: Asking, name: str) -> Response:
    """One cluster; `cluster` is null if there is none."""
    wanted = read_hash(name)
    with question.asked() as asked:
        found = page_of(
            asked.view,
            CLUSTER,
            [_TABLE.cluster_id == wanted],
            order=[_TABLE.sequence],
            part=Part(per_page=1),
        )
        detail = asked.given.get("operatorDetails", "false")
        shown = show_clusters(asked, found.entries, detail)
        return asked.reply({"type": "api", "cluster": shown[0] if shown else None})


@router.get("/{name}/totalEffectiveBalance")
def effective_balance(question: Asking, name: str) -> Response:
    """A cluster's effective balance in gwei."""
    wanted = ClusterId(read_hash(name))
    with question.asked() as asked:
        found = cluster(asked.view, wanted)
        if found is None:
            raise NotFound("no such cluster was ever created", code="cluster_unknown")
        gwei = found.effective_balance_eth * GWEI_PER_ETH
        return asked.reply({"clusterId": "0x" + wanted.hex(), "effectiveBalance": str(gwei)})


def _page(asked: Asked, conditions: list[ColumnElement[bool]], *, otherwise: str) -> dict[str, Any]:
    part = asked.part()
    order = asked.order(_SORTS, otherwise=otherwise, unique=[_TABLE.sequence])
    found = page_of(asked.view, CLUSTER, conditions, order=order, part=part)
    detail = asked.given.get("operatorDetails", "false")
    return {
        "type": "api",
        "clusters": show_clusters(asked, found.entries, detail),
        "pagination": asked.pagination(found, part),
    }


def _conditions(asked: Asked) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if hashes := asked.listed("cluster", read_hash):
        found.append(_TABLE.cluster_id.in_(hashes))
    if owners := asked.listed("ownerAddress", read_address):
        found.append(_TABLE.owner.in_(owners))
    if (is_active := asked.flag("status")) is not None:
        found.append(_TABLE.snapshot_active.is_(is_active))
    if (is_liquidated := asked.flag("isLiquidated")) is not None:
        found.append(_TABLE.snapshot_active.is_(not is_liquidated))
    if ids := asked.listed("operators", read_operator_id):
        # A cluster that has all of them.
        found.append(and_(*(has_any(_TABLE.operator_ids, [each]) for each in ids)))
    if (bounds := asked.range("effectiveBalance")) is not None:
        found.append(_TABLE.effective_balance_eth.between(*bounds))
    if text := asked.given.get("search"):
        found.append(_named(text))
    return found


def _named(text: str) -> ColumnElement[bool]:
    for read, column in ((read_address, _TABLE.owner), (read_hash, _TABLE.cluster_id)):
        try:
            return column == read(text)
        except InputError:
            continue
    return false()
