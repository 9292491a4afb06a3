"""Clusters: `/v1/clusters`, their snapshots for calls and the history of their balance."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Final, Literal, NoReturn

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api.asking import Asked, Paged
from indexer.api.branches import Branch
from indexer.api.drafts import snapshot_tuple
from indexer.api.envelope import ListReply, Reply
from indexer.api.making import made
from indexer.api.metadata import cluster_metadata
from indexer.api.node import Node, NotChecked
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
    OperatorIdsText,
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
from indexer.queries import clusters, metadata, validators
from indexer.queries.clusters import ClusterFilter
from indexer.queries.errors import NotFound
from indexer.queries.events import EventRow
from indexer.queries.reading import Position, View
from indexer.queries.records import Cut, Page
from indexer.queries.validators import ValidatorFilter
from sdk.errors import ChainError
from sdk.events import ClusterSnapshot
from sdk.registry import Cluster
from sdk.types import ClusterId, OperatorId, keccak256

router = Branch(prefix="/v1/clusters", tags=["clusters"])
COMMITMENT_BYTES: Final = 24
"""What the registry keeps of a struct's hash (contracts/keys/ClusterKey.sol)."""


class ClusterDetail(ClusterOut):
    """A cluster with what is only worth telling of one."""

    created_sequence: int = Field(description="1 for the first cluster ever created.")
    refused_validators: int = Field(description="Registrations that nodes do not act on.")
    suspect: bool = Field(description="The contract's view differs; see /v1/status.")


class SnapshotDetail(BaseModel):
    """The struct ready for a call, and where it comes from."""

    cluster_id: HashText
    owner: AddressText
    operator_ids: OperatorIdsText
    snapshot: SnapshotOut
    commitment: HashText = Field(
        description="What the registry stores of it: 24 bytes of the Keccak-256 of its five words."
    )
    event: str | None = Field(description="Block and log index of the event that carried it.")
    transaction_hash: HashText | None
    verified_by_call: bool | None = Field(
        description="True: an execution node confirmed it with `confirm=true`. False: not asked "
        "for. Null: could not be asked.",
        examples=[False],
    )
    verified_at_block: BlockText | None = Field(
        description="The node's newest block, at which it holds.", examples=[None]
    )
    not_checked: str | None = Field(
        description="Why no node confirmed what was to be confirmed.", examples=[None]
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
        shown = show_clusters(view, [found])[0]
        remarks = clusters.remarks(view, found.cluster_id)
        return made(
            ClusterDetail,
            **dict(shown),
            created_sequence=found.sequence,
            refused_validators=remarks.refused,
            suspect=remarks.is_suspect,
        )

    return ask.answer(find)


@router.get("/{cluster}/snapshot", response_model=Reply[SnapshotDetail])
def get_snapshot(
    ask: Asked,
    cluster: ClusterPath,
    confirm: Annotated[
        bool,
        Query(description="Let an execution node confirm it; 409 if the registry holds another."),
    ] = False,
) -> Response:
    """The struct that calls must present, and the event that carried it."""

    def find(view: View) -> SnapshotDetail:
        found, step = clusters.with_last_step(view, parse_cluster(cluster)) or _unknown(view)
        return made(
            SnapshotDetail,
            cluster_id=hex_text(found.cluster_id),
            owner=address_text(found.owner),
            operator_ids=list(found.operator_ids),
            snapshot=snapshot_out(found.snapshot),
            commitment=hex_text(commitment_of(found.snapshot)),
            event=None if step is None else f"{step.block}:{step.log_index}",
            transaction_hash=None if step is None else hex_text(step.transaction_hash),
            verified_by_call=None if confirm else False,
            verified_at_block=None,
            not_checked=None,
        )

    return ask.checked(find, _confirm) if confirm else ask.answer(find)


def _confirm(node: Node, shown: SnapshotDetail, position: Position) -> SnapshotDetail:
    """The same, confirmed by the registry itself.

    Raises:
        ChainError: `snapshot_stale`.
        NotChecked: the node does not say.
    """
    number, held = node.commitment(
        ClusterId(bytes.fromhex(shown.cluster_id[2:])),
        to=position.contract,
        chain=position.chain_id,
    )
    if number < position.newest.number:
        raise NotChecked(f"the execution node is at block {number}, behind the tables")
    if hex_text(held) != shown.commitment:
        raise ChainError(
            f"the registry holds another struct of this cluster at block {number}",
            code="snapshot_stale",
            hint="Ask again without `at`; the tables may be a block behind.",
        )
    return shown.model_copy(update={"verified_by_call": True, "verified_at_block": number})


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


def commitment_of(snapshot: ClusterSnapshot) -> bytes:
    """32 bytes that `getClusterHash` returns for a cluster with this struct."""
    words = b"".join(int(each).to_bytes(32, "big") for each in snapshot_tuple(snapshot))
    return keccak256(words)[:COMMITMENT_BYTES].ljust(32, b"\0")


def show_clusters(view: View, found: Sequence[Cluster]) -> list[ClusterOut]:
    """Clusters as JSON, with what their owners say of them."""
    said = metadata.of_clusters(view, found)
    return [
        cluster_out(each, view, said=cluster_metadata(said.get(each.cluster.cluster_id)))
        for each in clusters.parties(view, found)
    ]


def required_cluster(view: View, text: str) -> Cluster:
    """The cluster of a path.

    Raises:
        NotFound: `cluster_unknown`.
    """
    return clusters.cluster(view, parse_cluster(text)) or _unknown(view)


def _unknown(view: View) -> NoReturn:
    raise NotFound(
        f"no such cluster exists at block {view.at}",
        code="cluster_unknown",
        hint="The id is its hash, or owner-1-2-3-4 with ascending operator ids.",
    )


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
    return made(
        StepOut,
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
