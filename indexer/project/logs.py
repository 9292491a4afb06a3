"""A log as a row: its bytes, what it says, whom it concerns, and what it did.

Pure. Arguments are kept under their ABI names, whole numbers as decimal text, bytes in hex; shares
are left out, as the log's own data has them. Whom an event concerns is completed from the records
where it does not say so itself: the owner of an operator, the operators of a cluster.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import attrgetter
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
OF_CALLS: Final = 1_024
"""Likewise all arguments but the validator's key: the logs of a call follow each other."""
_KEY: Final = "public_key"
_LEFT_OUT: Final = frozenset({"shares"})
_JSON: Final = msgspec.json.Encoder()
_Concerned: TypeAlias = tuple[Address | None, tuple[int, ...] | None, ClusterId | None]
"""Owner, operators and cluster."""


@dataclass(frozen=True, slots=True)
class _Form:
    """How events of one class become rows.

    Attributes:
        arguments: an event's, as JSON.
        concerned: owner, operators and cluster of an event, with what the records know.
        names_validator: the key that it has is a validator's.
        has_deposit: what was paid in is inferred.
    """

    name: str
    arguments: Callable[[Any], bytes]
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
    topics = b"".join(log.topics)
    if isinstance(event, Undecodable):
        return (
            *(log.block_number, log.log_index, log.transaction_index, log.transaction_hash),
            *(log.block_hash, topics, log.data, None, event.reason.value, *(None,) * 8),
        )
    form = _FORMS[type(event)]
    owner, operator_ids, key = form.concerned(event, state)
    refused = applied.refused
    # One value per line, as unpacking the parts would take as long as the rest.
    return (
        log.block_number,
        log.log_index,
        log.transaction_index,
        log.transaction_hash,
        log.block_hash,
        topics,
        log.data,
        form.name,
        None,
        form.arguments(event),
        owner,
        None if operator_ids is None else _fitting(operator_ids),
        key,
        event.public_key if form.names_validator else None,  # type: ignore[union-attr]  # it has
        None if refused is None else refused.reason.value,
        nonce,
        applied.deposit_wei if form.has_deposit else None,
    )


@lru_cache(maxsize=REPEATED)
def _fitting(operator_ids: tuple[int, ...]) -> list[int]:
    """One list for all rows, which only read it."""
    return [each for each in operator_ids if each <= MOST_BIGINT]


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


_Written: TypeAlias = tuple[tuple[str, Callable[[Any], Any]], ...]
"""Names of arguments, with what puts their values into JSON."""


def _arguments(fields: list[str], written: _Written) -> Callable[[Any], bytes]:
    """What makes JSON of the arguments of an event."""
    pick = _picker(fields)
    return lambda event: _object(written, pick(event))


def _arguments_with_key(fields: list[str], written: _Written) -> Callable[[Any], bytes]:
    """Likewise for an event about a validator: but for its key, the logs of a call are the same."""
    pick = _picker(fields)
    rest = lru_cache(maxsize=OF_CALLS)(partial(_object, written))
    form = b'{"publicKey":"0x%b",%b'
    return lambda event: form % (event.public_key.hex().encode(), rest(pick(event))[1:])


def _object(written: _Written, values: tuple[Any, ...]) -> bytes:
    return _JSON.encode(
        {name: write(value) for (name, write), value in zip(written, values, strict=True)}
    )


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
    name = abi.signature.partition("(")[0]
    fields = set(abi.fields)
    concerned = _of_others
    if "cluster_id" in fields:
        concerned = _of_cluster_id
    elif fields >= {"owner", "operator_ids"}:
        concerned = _of_cluster
    names_validator = _KEY in fields and concerned is not _of_others
    make = _arguments_with_key if names_validator else _arguments
    left_out = _LEFT_OUT | {_KEY} if names_validator else _LEFT_OUT
    parts = [
        (field, (name, _writer(kinds[place])))
        for name, field, place in zip(abi.names, abi.fields, abi.order, strict=True)
        if field not in left_out
    ]
    return _Form(
        name,
        make([field for field, _ in parts], tuple([each for _, each in parts])),
        concerned,
        names_validator,
        has_deposit=name in ("ValidatorAdded", "ClusterReactivated"),
    )


def _picker(fields: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """These fields as a tuple, which `attrgetter` only makes of two or more."""
    match fields:
        case []:
            return lambda event: ()
        case [only]:
            return lambda event: (getattr(event, only),)
        case _:
            return attrgetter(*fields)


_FORMS: Final = {abi.event_class: _form(abi) for abi in EVENT_ABIS}
