"""`/v1/{operators,clusters}/{id}/metadata`: what owners say, read and written by their signature.

The only routes that write, and only that one table.

Source: docs/api.md, "Signed metadata".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api.asking import MEDIA_TYPE, Ask
from indexer.api.branches import Branch
from indexer.api.envelope import Meta, Reply, meta_of
from indexer.api.metadata import (
    CLUSTER_STRUCT,
    OPERATOR_STRUCT,
    ClusterMetadataIn,
    ClusterMetadataOut,
    OperatorMetadataIn,
    OperatorMetadataOut,
    Said,
    checked_texts,
    cluster_metadata,
    operator_metadata,
)
from indexer.api.node import Node, NotChecked
from indexer.api.parameters import ClusterPath, OperatorIdPath
from indexer.api.problems import NotOwner
from indexer.api.routes_clusters import required_cluster
from indexer.api.routes_operators import required_operators
from indexer.api.scalars import hex_text
from indexer.api.typed_data import Struct, digest, encoded, signer_of, typed_data
from indexer.queries.errors import NotAvailable
from indexer.queries.metadata import Metadata, of_clusters, of_operators, subject_of
from indexer.queries.reading import Position, View
from indexer.store.signed import CLUSTER, OPERATOR, Signed, store_signed
from sdk.errors import ChainError, InputError, StorageError
from sdk.types import Address, OperatorId, parse_hex

router = Branch(prefix="/v1", tags=["metadata"])
MOST_VALID_S: Final = 3_600
"""A signature that was seen on the way must not be good for long."""
_TYPED: Final = Field(
    description="For `eth_signTypedData_v4`, with an empty message: fill in all of its members.",
    examples=[{"primaryType": "OperatorMetadata", "message": {}}],
)
_NEXT: Final = Field(description="Smallest nonce that will be taken.", examples=[2])


class OperatorSaidOut(BaseModel):
    """What the owner says of an operator, and how he says something else."""

    metadata: OperatorMetadataOut | None
    next_nonce: int = _NEXT
    typed_data: dict[str, Any] = _TYPED


class ClusterSaidOut(BaseModel):
    """What the owner says of a cluster, and how he says something else."""

    metadata: ClusterMetadataOut | None
    next_nonce: int = _NEXT
    typed_data: dict[str, Any] = _TYPED


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is spoken of: found in the tables, named as in the table and in the struct."""

    kind: str
    struct: Struct
    key: bytes
    value: int | str
    owner: Address
    said: Metadata | None

    @property
    def next_nonce(self) -> int:
        """Smallest one that is taken."""
        return 1 if self.said is None else self.said.nonce + 1


@router.get("/operators/{operator_id}/metadata", response_model=Reply[OperatorSaidOut])
def get_operator_metadata(request: Request, operator_id: OperatorIdPath) -> Response:
    """What the owner says of an operator, and what to sign to change it."""
    subject, meta, position = _found(request, lambda view: _operator(view, operator_id))
    data = OperatorSaidOut(
        metadata=operator_metadata(subject.said),
        next_nonce=subject.next_nonce,
        typed_data=_typed(subject, {}, position),
    )
    return _answer(meta, data, position)


@router.put("/operators/{operator_id}/metadata", response_model=Reply[OperatorMetadataOut])
def put_operator_metadata(
    request: Request, operator_id: OperatorIdPath, body: OperatorMetadataIn
) -> Response:
    """Says something of an operator, signed by its owner (EIP-712)."""
    texts = checked_texts(body, OPERATOR_STRUCT)
    subject, meta, position = _found(request, lambda view: _operator(view, operator_id))
    said = _keep(request, subject, texts, body, position)
    return _answer(meta, operator_metadata(said), position)


@router.get("/clusters/{cluster}/metadata", response_model=Reply[ClusterSaidOut])
def get_cluster_metadata(request: Request, cluster: ClusterPath) -> Response:
    """What the owner says of a cluster, and what to sign to change it."""
    subject, meta, position = _found(request, lambda view: _cluster(view, cluster))
    data = ClusterSaidOut(
        metadata=cluster_metadata(subject.said),
        next_nonce=subject.next_nonce,
        typed_data=_typed(subject, {}, position),
    )
    return _answer(meta, data, position)


@router.put("/clusters/{cluster}/metadata", response_model=Reply[ClusterMetadataOut])
def put_cluster_metadata(
    request: Request, cluster: ClusterPath, body: ClusterMetadataIn
) -> Response:
    """Says something of a cluster, signed by its owner (EIP-712)."""
    texts = checked_texts(body, CLUSTER_STRUCT)
    subject, meta, position = _found(request, lambda view: _cluster(view, cluster))
    said = _keep(request, subject, texts, body, position)
    return _answer(meta, cluster_metadata(said), position)


def _found(request: Request, find: Callable[[View], _Subject]) -> tuple[_Subject, Meta, Position]:
    with Ask(request, "latest").view() as view:
        return find(view), meta_of(view), view.position


def _operator(view: View, number: int) -> _Subject:
    found = required_operators(view, [number])[0]
    key = subject_of(OperatorId(number))
    said = of_operators(view, [found]).get(found.operator_id)
    return _Subject(OPERATOR, OPERATOR_STRUCT, key, number, found.owner, said)


def _cluster(view: View, text: str) -> _Subject:
    found = required_cluster(view, text)
    said = of_clusters(view, [found]).get(found.cluster_id)
    key = bytes(found.cluster_id)
    return _Subject(CLUSTER, CLUSTER_STRUCT, key, hex_text(key), found.owner, said)


def _keep(
    request: Request, subject: _Subject, texts: dict[str, str], body: Said, position: Position
) -> Metadata:
    """What was said, once it is kept.

    Raises:
        InputError: `expiry`, over or too far away; `signature_malformed`.
        NotOwner: somebody else signed it.
        ChainError: `nonce_used`.
        NotAvailable: `metadata_read_only`, or it cannot be checked or written now.
    """
    raw = parse_hex(body.signature, what="signature", code="signature_malformed")
    now_s = request.app.state.seconds()
    if not now_s <= body.expires_at <= now_s + MOST_VALID_S:
        raise InputError(
            f"the signature ends at second {body.expires_at}; it is {int(now_s)} now",
            code="expiry",
            hint=f"Sign anew, for at most {MOST_VALID_S} s.",
        )
    used = ChainError(
        f"nonce {body.nonce} is not above the one in use",
        code="nonce_used",
        hint="Read next_nonce and sign anew.",
    )
    if body.nonce < subject.next_nonce:
        raise used
    message = {"nonce": body.nonce, "expires_at": body.expires_at, **texts}
    _require_owner(request.app.state.node, subject, _typed(subject, message, position), raw)
    said = Signed(subject.kind, subject.key, subject.owner, body.nonce, texts, raw)
    try:
        is_kept = store_signed(
            request.app.state.metadata_url,
            said,
            chain_id=position.chain_id,
            contract=position.contract,
        )
    except StorageError as failure:
        raise NotAvailable(failure.message, code=failure.code, hint=failure.hint) from failure
    if not is_kept:
        raise used
    return Metadata(subject.owner, body.nonce, texts, raw)


def _require_owner(
    node: Node | None, subject: _Subject, data: dict[str, Any], signature: bytes
) -> None:
    """Return if the owner signed this, as an account or, by a node's word, as a contract."""
    message = encoded(data)
    if signer_of(message, signature) == subject.owner:
        return
    chain: int = data["domain"]["chainId"]
    try:
        if node is not None and node.accepts(
            subject.owner, digest(message), signature, chain=chain
        ):
            return
    except NotChecked as failure:
        raise NotAvailable(
            f"the signature is none of the owner's own key, and whether a contract accepts it "
            f"cannot be checked: {failure.reason}",
            code="signature_not_checked",
        ) from failure
    raise NotOwner(
        "the owner did not sign this",
        code="signature_invalid",
        hint="Sign the typed data with the owner's account, every member as it is sent."
        if node is not None
        else "Sign the typed data with the owner's account, every member as it is sent. "
        "A contract's signature needs an API with an execution node.",
    )


def _typed(subject: _Subject, message: dict[str, Any], position: Position) -> dict[str, Any]:
    filled = {subject.struct.subject[0]: subject.value, **message}
    return typed_data(
        subject.struct, filled, chain_id=position.chain_id, contract=position.contract
    )


def _answer(meta: Meta, data: Any, position: Position) -> Response:
    content = Reply[Any].model_construct(meta=meta, data=data).model_dump_json()
    headers = {"Cache-Control": "no-store", "X-Indexed-Block": str(position.newest.number)}
    return Response(content, media_type=MEDIA_TYPE, headers=headers)
