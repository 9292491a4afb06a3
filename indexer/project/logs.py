"""A log as a row: its bytes, what it says, whom it concerns, and what it did.

Pure. Arguments are kept under their ABI names, whole numbers as decimal text, bytes in hex; shares
are left out, as the log's own data has them. Whom an event concerns is completed from the records
where it does not say so itself: the owner of an operator, the operators of a cluster.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

import msgspec

from sdk.events import EVENT_ABIS, ClusterSnapshot, Event, EventAbi, Log, Undecodable
from sdk.registry import Applied, RegistryState, cluster_id
from sdk.types import Address, ClusterId

LOG_COLUMNS: Final = (
    *("block_number", "log_index", "transaction_index", "transaction_hash", "block_hash"),
    *("topics", "data", "name", "undecodable", "args", "owner", "operator_ids", "cluster_id"),
    *("validator_key", "refusal", "nonce", "deposit_wei"),
)
LogRow: TypeAlias = tuple[Any, ...]
"""Values in the order of `LOG_COLUMNS`; `args` as JSON bytes."""
MOST_BIGINT: Final = 2**63 - 1
"""Ids above it fit no column. The contract counts from 1; a log that says otherwise keeps its
arguments, and is not found by them."""
REPEATED: Final = 16_384
"""Addresses, sets of operators and structs whose JSON is remembered: those of one call or cluster
come again and again. Some megabytes."""
_LEFT_OUT: Final = frozenset({"shares"})
_JSON: Final = msgspec.json.Encoder()
_Concerned: TypeAlias = tuple[Address | None, tuple[int, ...] | None, ClusterId | None]
"""Owner, operators and cluster."""


@dataclass(frozen=True, slots=True)
class _Form:
    """How events of one class become rows.

    Attributes:
        arguments: name, field, and what puts the value into JSON.
        concerned: owner, operators and cluster of an event, with what the records know.
        names_validator: the key that it has is a validator's.
        has_deposit: what was paid in is inferred.
    """

    name: str
    arguments: list[tuple[str, str, Callable[[Any], Any]]]
    concerned: Callable[[Any, RegistryState], _Concerned]
    names_validator: bool
    has_deposit: bool


def log_row(
    log: Log, event: Event | Undecodable, state: RegistryState, applied: Applied, nonce: int | None
) -> LogRow:
    """The row of a log.

    Args:
        log: as read.
        event: what it says.
        state: before the log's own changes.
        applied: what they are.
        nonce: the one that a registration used up.
    """
    place = (
        *(log.block_number, log.log_index, log.transaction_index),
        *(log.transaction_hash, log.block_hash, b"".join(log.topics), log.data),
    )
    if isinstance(event, Undecodable):
        return (*place, None, event.reason.value, None, *(None,) * 7)
    form = _FORMS[type(event)]
    said = {argument: write(getattr(event, field)) for argument, field, write in form.arguments}
    owner, operator_ids, key = form.concerned(event, state)
    refused = applied.refused
    return (
        *place,
        *(form.name, None, _JSON.encode(said), owner),
        None if operator_ids is None else [each for each in operator_ids if each <= MOST_BIGINT],
        key,
        event.public_key if form.names_validator else None,  # type: ignore[union-attr]  # it has
        None if refused is None else refused.reason.value,
        nonce,
        applied.deposit_wei if form.has_deposit else None,
    )


def _of_cluster(event: Any, state: RegistryState) -> _Concerned:
    """Owner and operators are named."""
    return event.owner, event.operator_ids, cluster_id(event.owner, event.operator_ids)


def _of_cluster_id(event: Any, state: RegistryState) -> _Concerned:
    known = state.clusters.get(event.cluster_id)
    return event.owner, None if known is None else known.operator_ids, event.cluster_id


def _of_others(event: Any, state: RegistryState) -> _Concerned:
    owner = getattr(event, "owner", None)
    operator_ids = getattr(event, "operator_ids", None)
    operator_id = getattr(event, "operator_id", None)
    if operator_id is not None:
        operator_ids = (operator_id,)
    if owner is None and operator_ids:
        # Whoever acts on several operators at once owns all of them.
        operator = state.operators.get(operator_ids[0])
        owner = None if operator is None else operator.owner
    return owner, operator_ids, None


def _writer(kind: str) -> Callable[[Any], Any]:
    """What puts a value of this ABI type into JSON."""
    if kind.startswith("("):
        return _struct
    if kind == "bool":
        return bool
    if kind == "address":
        return _address
    if kind == "uint64[]":
        return _numbers
    if kind.endswith("[]"):
        write = _writer(kind.removesuffix("[]"))
        return lambda values: [write(each) for each in values]
    return str if kind.startswith("uint") else lambda value: "0x" + value.hex()


@lru_cache(maxsize=REPEATED)
def _address(value: bytes) -> str:
    return "0x" + value.hex()


@lru_cache(maxsize=REPEATED)
def _numbers(values: tuple[int, ...]) -> msgspec.Raw:
    return msgspec.Raw(_JSON.encode([str(each) for each in values]))


@lru_cache(maxsize=REPEATED)
def _struct(snapshot: ClusterSnapshot) -> msgspec.Raw:
    return msgspec.Raw(
        _JSON.encode(
            {
                "validatorCount": str(snapshot.validator_count),
                "networkFeeIndex": str(snapshot.network_fee_index),
                "index": str(snapshot.index),
                "active": snapshot.active,
                "balance": str(snapshot.balance_wei),
            }
        )
    )


def _form(abi: EventAbi) -> _Form:
    kinds = [*abi.topic_types, *abi.data_types]
    arguments = [
        (name, field, _writer(kinds[place]))
        for name, field, place in zip(abi.names, abi.fields, abi.order, strict=True)
        if name not in _LEFT_OUT
    ]
    name = abi.signature.partition("(")[0]
    fields = set(abi.fields)
    concerned = _of_others
    if "cluster_id" in fields:
        concerned = _of_cluster_id
    elif fields >= {"owner", "operator_ids"}:
        concerned = _of_cluster
    return _Form(
        name,
        arguments,
        concerned,
        names_validator="public_key" in fields and concerned is not _of_others,
        has_deposit=name in ("ValidatorAdded", "ClusterReactivated"),
    )


_FORMS: Final = {abi.event_class: _form(abi) for abi in EVENT_ABIS}
