"""Clusters: `/v1/clusters`, their snapshots for calls and the history of their balance."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api.asking import Asked, Paged
from indexer.api.envelope import ListReply, Reply
from indexer.api.parameters import (
    ClusterPath,
    DescendingQuery,
    OperatorQuery,
    OwnerQuery,
    optional_owner,
    parse_cluster,
)
from indexer.api.scalars import (
    AddressText,
    BlockText,
    HashText,
    OperatorIdText,
    TimeText,
    WeiText,
    address_text,
    hex_text,
    time_text,
)
from indexer.api.schemas import (
    ClusterOut,
    SnapshotOut,
    ValidatorOut,
    cluster_out,
    snapshot_out,
    validator_out,
)
from indexer.queries import clusters, status, validators
from indexer.queries.clusters import ClusterFilter
from indexer.queries.errors import NotFound
from indexer.queries.events import EventRow
from indexer.queries.reading import View
from indexer.queries.records import Cut, Page
from indexer.queries.validators import ValidatorFilter
from sdk.registry import Cluster, snapshot_hash
from sdk.types import OperatorId

router = APIRouter(prefix="/v1/clusters", tags=["clusters"])


class ClusterDetail(ClusterOut):
    """A cluster with what is only worth telling of one."""

    created_sequence: int = Field(description="1 for the first cluster ever created.")
    refused_validators: int = Field(description="Registrations that nodes do not act on.")
    suspect: bool = Field(description="The contract's view differs; see /v1/status.")


class SnapshotDetail(BaseModel):
    """The struct ready for a call, and where it comes from."""

    cluster_id: HashText
    owner: AddressText
    operator_ids: list[OperatorIdText]
    snapshot: SnapshotOut
    commitment: HashText = Field(description="What the registry stores of it.")
    event: str | None = Field(description="Block and log index of the event that carried it.")
    transaction_hash: HashText | None
    verified_by_call: Literal[False] = Field(
        default=False, description="Present the struct to a view of the contract to be certain."
    )


class StepOut(BaseModel):
    """One event that left the cluster with another struct."""

    event: str = Field(description="Its name.", examples=["ClusterDeposited"])
    block: BlockText
    log_index: int
    timestamp: TimeText | None
    transaction_hash: HashText
    balance_wei: WeiText
    validator_count: int
    active: bool
    in_wei: WeiText = Field(description="Wei paid in by it.")
    out_wei: WeiText | None = Field(
        description="Wei paid out by it; null for a liquidation, which pays a bounty, too."
    )
    fees_wei: WeiText | None = Field(
        description="Wei used since the step before; null where it cannot be told apart."
    )


@router.get("", response_model=ListReply[ClusterOut])
def list_clusters(
    ask: Asked,
    paging: Paged,
    owner: OwnerQuery = None,
    operator: OperatorQuery = None,
    active: Annotated[bool | None, Query(description="Active or liquidated ones only.")] = None,
    has_validators: Annotated[
        bool | None, Query(description="With validators, or without.")
    ] = None,
    sort: Literal["created", "validators", "effective_balance"] = "created",
    descending: DescendingQuery = False,
) -> Response:
    """Clusters, in the order of their creation unless asked otherwise."""
    wanted = ClusterFilter(
        owner=optional_owner(owner),
        operator_id=None if operator is None else OperatorId(operator),
        is_active=active,
        has_validators=has_validators,
    )
    return ask.page(
        paging,
        lambda view, cut: clusters.clusters(view, wanted, cut, sort=sort, descending=descending),
        show_clusters,
        lambda view: clusters.count_clusters(view, wanted),
    )


@router.get("/{cluster}", response_model=Reply[ClusterDetail])
def get_cluster(ask: Asked, cluster: ClusterPath) -> Response:
    """One cluster with its funds and how long they last."""

    def find(view: View) -> ClusterDetail:
        found = required_cluster(view, cluster)
        shown = cluster_out(clusters.parties(view, [found])[0], view)
        refused = validators.refusals(view, [found.cluster_id])
        return ClusterDetail.model_construct(
            **dict(shown),
            created_sequence=found.sequence,
            refused_validators=refused.get(found.cluster_id, 0),
            suspect=status.is_suspect(view, hex_text(found.cluster_id)),
        )

    return ask.answer(find)


@router.get("/{cluster}/snapshot", response_model=Reply[SnapshotDetail])
def get_snapshot(ask: Asked, cluster: ClusterPath) -> Response:
    """The struct that calls must present, and the event that carried it."""

    def find(view: View) -> SnapshotDetail:
        found = required_cluster(view, cluster)
        step = clusters.last_step(view, found.cluster_id)
        return SnapshotDetail(
            cluster_id=hex_text(found.cluster_id),
            owner=address_text(found.owner),
            operator_ids=list(found.operator_ids),
            snapshot=snapshot_out(found.snapshot),
            commitment=hex_text(snapshot_hash(found.snapshot)),
            event=None if step is None else f"{step.block}:{step.log_index}",
            transaction_hash=None if step is None else hex_text(step.transaction_hash),
        )

    return ask.answer(find)


@router.get("/{cluster}/history", response_model=ListReply[StepOut])
def list_history(ask: Asked, paging: Paged, cluster: ClusterPath) -> Response:
    """How its balance came about, the newest step first."""
    cluster_id = parse_cluster(cluster)

    def find(view: View, cut: Cut) -> Page[tuple[EventRow, EventRow | None]]:
        # One step more than shown, because the fees of a step are what its predecessor lacks.
        found = clusters.steps(view, cluster_id, Cut(cut.limit + 1, cut.after))
        if not found.entries:
            required_cluster(view, cluster)
        pairs = [*pairwise([*found.entries, None])][: cut.limit]
        last = pairs[-1][0] if pairs else None
        is_more = len(found.entries) > cut.limit and last is not None
        following = (last.block, last.log_index) if is_more and last is not None else None
        return Page(tuple((here, before) for here, before in pairs if here is not None), following)

    return ask.page(paging, find, lambda view, found: list(map(_step_out, found)))


@router.get("/{cluster}/validators", response_model=ListReply[ValidatorOut])
def list_cluster_validators(ask: Asked, paging: Paged, cluster: ClusterPath) -> Response:
    """Its validators, the newest first."""
    wanted = ValidatorFilter(cluster_id=parse_cluster(cluster))
    return ask.page(
        paging,
        lambda view, cut: validators.validators(view, wanted, cut),
        lambda view, found: list(map(validator_out, found)),
        lambda view: validators.count_validators(view, wanted),
    )


def show_clusters(view: View, found: Sequence[Cluster]) -> list[ClusterOut]:
    """Clusters as JSON."""
    return [cluster_out(each, view) for each in clusters.parties(view, found)]


def required_cluster(view: View, text: str) -> Cluster:
    """The cluster of a path.

    Raises:
        NotFound: `cluster_unknown`.
    """
    found = clusters.cluster(view, parse_cluster(text))
    if found is None:
        raise NotFound(
            f"no such cluster exists at block {view.at}",
            code="cluster_unknown",
            hint="The id is its hash, or owner-1-2-3-4 with ascending operator ids.",
        )
    return found


def _step_out(pair: tuple[EventRow, EventRow | None]) -> StepOut:
    step, before = pair
    struct = step.args["cluster"]
    balance_wei = int(struct["balance"])
    value_wei = int(step.args.get("value", 0))
    in_wei = value_wei if step.name == "ClusterDeposited" else int(step.deposit_wei or 0)
    out_wei = value_wei if step.name == "ClusterWithdrawn" else 0
    previous_wei = 0 if before is None else int(before.args["cluster"]["balance"])
    # Deposits settle nothing, and then this is 0.
    fees_wei = previous_wei + in_wei - out_wei - balance_wei
    return StepOut(
        event=str(step.name),
        block=step.block,
        log_index=step.log_index,
        timestamp=time_text(step.timestamp_s),
        transaction_hash=hex_text(step.transaction_hash),
        balance_wei=str(balance_wei),
        validator_count=int(struct["validatorCount"]),
        active=struct["active"],
        in_wei=str(in_wei),
        out_wei=None if step.name == "ClusterLiquidated" else str(out_wei),
        fees_wei=None if step.name == "ClusterLiquidated" or fees_wei < 0 else str(fees_wei),
    )
