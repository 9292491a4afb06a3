"""What owners say of their operators and clusters, as far as they still own them.

It is not from the chain, so it is told of now: only at the newest block, never of an older one,
whose answers may be kept for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Row, bindparam, func, select

from indexer.queries.prepared import Prepared, given, listed
from indexer.queries.reading import View
from indexer.queries.records import one_of
from indexer.store.signed import CLUSTER, OPERATOR, signed_metadata
from sdk.registry import Cluster, Operator
from sdk.types import Address, ClusterId, OperatorId

ID_BYTES: Final = 8
"""Of an operator's id as a subject."""
LEAST_NAME: Final = 2
"""Characters that are looked for; one says nothing."""
_ESCAPES: Final = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


@dataclass(frozen=True, slots=True)
class Metadata:
    """What an owner says of one thing.

    Attributes:
        fields: texts by name, `name` among them.
        signature: of the owner, over them and the nonce.
    """

    owner: Address
    nonce: int
    fields: Mapping[str, str]
    signature: bytes


@dataclass(frozen=True, slots=True)
class Named:
    """Something whose name begins as asked; its owner may have changed since."""

    kind: str
    subject: bytes
    owner: Address
    name: str


def of_operators(view: View, operators: Iterable[Operator]) -> dict[OperatorId, Metadata]:
    """What their owners say of some operators."""
    wanted = {subject_of(each.operator_id): each for each in operators}
    return {
        each.operator_id: said
        for subject, said in _of(view, OPERATOR, list(wanted)).items()
        if (each := wanted[subject]).owner == said.owner
    }


def of_clusters(view: View, clusters: Iterable[Cluster]) -> dict[ClusterId, Metadata]:
    """What their owners say of some clusters."""
    wanted = {bytes(each.cluster_id): each for each in clusters}
    found = _of(view, CLUSTER, list(wanted))
    return {wanted[subject].cluster_id: said for subject, said in found.items()}


def by_name(view: View, text: str, *, limit: int) -> list[Named]:
    """Things whose name begins with a text, in any case."""
    word = text.strip().lower()
    if len(word) < LEAST_NAME or not _is_told(view):
        return []
    start = word.translate(_ESCAPES) + "%"
    rows = view.ask(_NAMED, **_registry(view), start=start, most=limit)
    return [Named(row.kind, bytes(row.subject), Address(row.owner), row.name) for row in rows]


def subject_of(operator_id: OperatorId) -> bytes:
    """An operator as the table names it."""
    return operator_id.to_bytes(ID_BYTES, "big")


def _of(view: View, kind: str, subjects: Sequence[bytes]) -> dict[bytes, Metadata]:
    if not subjects or not _is_told(view):
        return {}
    rows = view.ask(_SAID, **_registry(view), kind=kind, subjects=listed(set(subjects)))
    return {bytes(row.subject): _metadata(row) for row in rows}


def _is_told(view: View) -> bool:
    return view.is_newest and view.position.has_metadata


def _metadata(row: Row[Any]) -> Metadata:
    return Metadata(Address(row.owner), row.nonce, row.fields, bytes(row.signature))


def _registry(view: View) -> dict[str, Any]:
    """The registry of these tables; the table outlives a change to another one."""
    position = view.position
    return {"chain_id": position.chain_id, "contract": position.contract}


_TABLE: Final = signed_metadata.c
_OURS: Final = (
    _TABLE.chain_id == bindparam("chain_id"),
    _TABLE.contract == bindparam("contract"),
)
_LOWERED: Final = func.lower(_TABLE.name)
_NAMED: Final = Prepared(
    lambda _: (
        select(_TABLE.kind, _TABLE.subject, _TABLE.owner, _TABLE.name)
        .where(*_OURS, _LOWERED.like(bindparam("start")))
        .order_by(_LOWERED, _TABLE.kind, _TABLE.subject)
        .limit(given("most", BigInteger()))
    ),
    is_planned_once=False,  # so that the index of names knows the beginning
)
_SAID: Final = Prepared(
    lambda _: select(
        _TABLE.subject, _TABLE.owner, _TABLE.nonce, _TABLE.fields, _TABLE.signature
    ).where(*_OURS, _TABLE.kind == bindparam("kind"), one_of(_TABLE.subject, "subjects"))
)
