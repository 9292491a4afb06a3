"""How the indexer is: `/v1/status` for people, `/healthz` and `/readyz` for orchestrators, metrics.

None of these answers is cached.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from fastapi import Request
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from indexer.api.branches import Branch
from indexer.api.envelope import Reply, meta_of
from indexer.api.packing import packed
from indexer.api.scalars import BlockText, HashText, TimeText, hex_text, instant_text
from indexer.queries import status
from indexer.queries.errors import NotAvailable, Overloaded
from indexer.queries.reading import Position, open_view

router = Branch(tags=["status"])
READY_LAG_BLOCKS: Final = 16
"""Three minutes; a reader that is behind more should be sent elsewhere."""


class ReorgOut(BaseModel):
    """A reorganisation that was followed."""

    from_block: BlockText = Field(description="Newest block before.")
    to_block: BlockText = Field(description="Newest block that stayed.")
    to_hash: HashText
    seen_at: TimeText


class ComparisonOut(BaseModel):
    """The newest comparison of one kind with the contract's own views."""

    kind: str
    block: BlockText
    compared: int
    mismatches: int
    checked_at: TimeText


class SuspectOut(BaseModel):
    """Something that differs from the contract's views now."""

    kind: str
    subject: str
    block: BlockText
    expected: str
    found: str


class DivergenceOut(BaseModel):
    """A log that contradicts those before it: one is missing, or the model is wrong."""

    block: BlockText
    log_index: int
    aspect: str
    subject: str | None
    expected: str | None
    found: str | None


class StatusOut(BaseModel):
    """What this indexer knows about itself."""

    head_block: BlockText | None = Field(description="Newest block of the execution node.")
    indexed_block: BlockText
    lag_blocks: int | None
    safe_block: BlockText | None = Field(description="Null unless the tables are on its chain.")
    finalized_block: BlockText | None
    first_block: BlockText
    is_caught_up: bool
    shares_verified: bool = Field(description="Nonce signatures of registrations are checked.")
    reorgs: list[ReorgOut]
    integrity: list[ComparisonOut]
    suspects: list[SuspectOut]
    divergences: list[DivergenceOut]


@router.get("/v1/status", response_model=Reply[StatusOut])
def get_status(request: Request) -> Response:
    """Head, what is indexed, reorganisations, and how the tables compare with the contract."""
    with open_view(request.app.state.engine) as view:
        position = view.position
        found = StatusOut(
            head_block=position.head,
            indexed_block=position.newest.number,
            lag_blocks=position.lag_blocks,
            safe_block=position.safe,
            finalized_block=position.finalized,
            first_block=position.first_block,
            is_caught_up=position.is_caught_up,
            shares_verified=position.shares_verified,
            reorgs=[
                ReorgOut(
                    from_block=each.from_block,
                    to_block=each.to,
                    to_hash=hex_text(each.to_hash),
                    seen_at=instant_text(each.seen_at) or "",
                )
                for each in status.reorgs(view)
            ],
            integrity=[
                ComparisonOut(
                    kind=each.kind,
                    block=each.block,
                    compared=each.compared,
                    mismatches=each.mismatches,
                    checked_at=instant_text(each.checked_at) or "",
                )
                for each in status.comparisons(view)
            ],
            suspects=[SuspectOut(**_fields(each)) for each in status.suspects(view)],
            divergences=[DivergenceOut(**_fields(each)) for each in status.divergences(view)],
        )
        content = Reply[StatusOut](meta=meta_of(view), data=found).model_dump_json()
    return packed(
        content.encode(),
        accepted=request.headers.get("accept-encoding", ""),
        media_type="application/json",
        headers={"Cache-Control": "no-store", "X-Indexed-Block": str(position.newest.number)},
    )


class AliveOut(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class ReadyOut(BaseModel):
    """Whether answers are worth having."""

    ready: bool = Field(examples=[True])
    reason: str = Field(description="Why not; empty if they are.", examples=[""])


_NOT_READY: Final = {"model": ReadyOut, "description": "Not ready; says why."}
_METRICS: Final = {"schema": {"type": "string"}, "example": "api_indexed_block 21000000.0"}


@router.get("/healthz", response_model=AliveOut)
async def healthz() -> AliveOut:
    """The process lives."""
    return AliveOut()


@router.get("/readyz", response_model=ReadyOut, responses={503: _NOT_READY})
def readyz(request: Request) -> Response:
    """Whether answers are worth having: the database is there and near the head."""
    position, reason = _position(request)
    if position is not None:
        if not position.is_caught_up:
            reason = "the first pass over the chain is not done"
        elif (position.lag_blocks or 0) > READY_LAG_BLOCKS:
            reason = f"the tables are {position.lag_blocks} blocks behind"
    return JSONResponse({"ready": not reason, "reason": reason}, 503 if reason else 200)


@router.get(
    "/metrics", response_class=Response, responses={200: {"content": {"text/plain": _METRICS}}}
)
def metrics(request: Request) -> Response:
    """For Prometheus."""
    position, _ = _position(request)
    text = request.app.state.metrics.text(position)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _position(request: Request) -> tuple[Position | None, str]:
    """How far the tables go, or why that is not known."""
    try:
        with open_view(request.app.state.engine) as view:
            return view.position, ""
    except (NotAvailable, Overloaded) as failure:
        return None, failure.message


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}
