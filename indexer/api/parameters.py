"""Parameters of routes, checked once: ids, addresses, keys, as text and as values."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Final

from fastapi import Path, Query
from pydantic import Field

from sdk.committee import THRESHOLDS
from sdk.errors import InputError
from sdk.registry import cluster_id
from sdk.types import (
    PUBLIC_KEY_BYTES,
    Address,
    ClusterId,
    OperatorId,
    PublicKey,
    parse_address,
    parse_hex,
)

MOST_OPERATOR_ID: Final = 2**53 - 1
"""Up to here numbers in JSON are exact everywhere; the contract counts up from 1."""
MOST_IDS: Final = 100
"""Operators named in one request."""
_HASH_BYTES: Final = 32
_EXAMPLE_ADDRESS: Final = "0x52908400098527886E0F7030069857D2E4169EE7"
_EXAMPLE_KEY: Final = "0x" + "a1b2c3d4" * 12
_ADDRESS: Final = r"(0x)?[0-9a-fA-F]{40}"
_HASH: Final = r"(0x)?[0-9a-fA-F]{64}"
_KEY: Final = r"(0x)?[0-9a-fA-F]{96}"
_IDS: Final = r"[1-9][0-9]{0,14}(,[1-9][0-9]{0,14}){0,99}"
CLUSTER_FORM: Final = rf"{_HASH}|{_ADDRESS}(-[1-9][0-9]{{0,14}}){{4,13}}"


def form(pattern: str) -> dict[str, Any]:
    """What OpenAPI says of a text; whether it is right is judged here, with a code of its own."""
    return {"pattern": f"^({pattern})$"}


OperatorIdPath = Annotated[
    int, Path(ge=1, le=MOST_OPERATOR_ID, description="An operator's id.", examples=[7])
]
AddressPath = Annotated[
    str,
    Path(
        description="An address.",
        max_length=42,
        examples=[_EXAMPLE_ADDRESS],
        json_schema_extra=form(_ADDRESS),
    ),
]
ClusterPath = Annotated[
    str,
    Path(
        description="A cluster's hash, or its owner and operator ids joined by hyphens.",
        max_length=400,
        examples=[f"{_EXAMPLE_ADDRESS}-1-2-3-4"],
        json_schema_extra=form(CLUSTER_FORM),
    ),
]
KeyPath = Annotated[
    str,
    Path(
        description="A validator's public key in hex.",
        max_length=98,
        examples=[_EXAMPLE_KEY],
        json_schema_extra=form(_KEY),
    ),
]
OwnerQuery = Annotated[
    str | None,
    Query(
        description="Only of this owner.",
        max_length=42,
        examples=[_EXAMPLE_ADDRESS],
        json_schema_extra=form(_ADDRESS),
    ),
]
OperatorQuery = Annotated[
    int | None,
    Query(ge=1, le=MOST_OPERATOR_ID, description="Only with this operator.", examples=[7]),
]
ClusterQuery = Annotated[
    str | None,
    Query(
        description="Only of this cluster.",
        max_length=400,
        examples=[f"{_EXAMPLE_ADDRESS}-1-2-3-4"],
        json_schema_extra=form(CLUSTER_FORM),
    ),
]
AllowsQuery = Annotated[
    str | None,
    Query(
        max_length=42,
        description="Those with which this address may register, by being public or by their "
        "own lists. Whitelisting contracts are not asked.",
        examples=[_EXAMPLE_ADDRESS],
        json_schema_extra=form(_ADDRESS),
    ),
]
KeyQuery = Annotated[
    str | None,
    Query(
        max_length=98,
        description="Only with this public key.",
        examples=[_EXAMPLE_KEY],
        json_schema_extra=form(_KEY),
    ),
]
TransactionQuery = Annotated[
    str | None,
    Query(
        max_length=66,
        description="Only of this transaction.",
        examples=["0x" + "5e1f0a9b" * 8],
        json_schema_extra=form(_HASH),
    ),
]
IdsQuery = Annotated[
    str | None,
    Query(
        description="Only these.",
        max_length=2000,
        examples=["1,2,3,4"],
        json_schema_extra=form(_IDS),
    ),
]
CommitteeQuery = Annotated[
    str,
    Query(
        alias="operators",
        description="4, 7, 10 or 13 ids in ascending order.",
        max_length=400,
        examples=["1,2,3,4"],
        json_schema_extra=form(_IDS),
    ),
]
AddressIn = Annotated[
    str,
    Field(
        description="An address.",
        max_length=42,
        examples=[_EXAMPLE_ADDRESS],
        json_schema_extra=form(_ADDRESS),
    ),
]
ClusterIn = Annotated[
    str,
    Field(
        description="A cluster's hash, or its owner and operator ids joined by hyphens.",
        max_length=400,
        examples=[f"{_EXAMPLE_ADDRESS}-1-2-3-4"],
        json_schema_extra=form(CLUSTER_FORM),
    ),
]
KeyIn = Annotated[
    str,
    Field(
        description="A validator's public key in hex.",
        max_length=98,
        examples=[_EXAMPLE_KEY],
        json_schema_extra=form(_KEY),
    ),
]
OperatorIdIn = Annotated[
    int, Field(ge=1, le=MOST_OPERATOR_ID, description="An operator's id.", examples=[7])
]
AmountIn = Annotated[
    str, Field(pattern=r"^[0-9]{1,30}$", description="Wei, in decimal.", examples=["1000000000"])
]
DescendingQuery = Annotated[bool, Query(alias="desc", description="The other way round.")]


def optional_owner(text: str | None, *, what: str = "owner") -> Address | None:
    """An address that may be missing.

    Raises:
        InputError: `address_malformed`, `address_checksum`.
    """
    return None if text is None else parse_address(text, what=what)


def optional_cluster(text: str | None) -> ClusterId | None:
    """A cluster id that may be missing."""
    return None if text is None else parse_cluster(text)


def parse_cluster(text: str) -> ClusterId:
    """A cluster's id, from its hash or from owner and operators.

    Raises:
        InputError: `cluster_malformed`, or what is wrong with the address.
    """
    owner, hyphen, rest = text.partition("-")
    if not hyphen:
        raw = parse_hex(text, length=_HASH_BYTES, what="cluster", code="cluster_malformed")
        return ClusterId(raw)
    return cluster_id(parse_address(owner, what="owner"), parse_committee(rest.split("-")))


def parse_committee(parts: list[str]) -> tuple[OperatorId, ...]:
    """The operators of a cluster: 4, 7, 10 or 13 ascending ids.

    Raises:
        InputError: `operator_ids_malformed`.
    """
    ids = parse_ids(parts)
    if len(ids) not in THRESHOLDS or any(low >= high for low, high in pairwise(ids)):
        raise InputError(
            f"{len(ids)} operators are named, and a cluster has 4, 7, 10 or 13 in ascending order",
            code="operator_ids_malformed",
        )
    return ids


def parse_ids(parts: list[str]) -> tuple[OperatorId, ...]:
    """Operator ids as given.

    Raises:
        InputError: `operator_ids_malformed`.
    """
    usable = len(parts) <= MOST_IDS and all(
        part.isascii() and part.isdecimal() and len(part) <= 16 for part in parts
    )
    ids = tuple(OperatorId(int(part)) for part in parts) if usable else ()
    if not ids or not all(1 <= each <= MOST_OPERATOR_ID for each in ids):
        raise InputError(
            "the operators are not a list of ids",
            code="operator_ids_malformed",
            hint=f"Send decimal ids joined by commas, at most {MOST_IDS}.",
        )
    return ids


def parse_key(text: str) -> PublicKey:
    """A validator's public key.

    Raises:
        InputError: `key_malformed`.
    """
    raw = parse_hex(text, length=PUBLIC_KEY_BYTES, what="public key", code="key_malformed")
    return PublicKey(raw)


def parse_hash(text: str, *, what: str) -> bytes:
    """32 bytes.

    Raises:
        InputError: `hash_malformed`.
    """
    return parse_hex(text, length=_HASH_BYTES, what=what, code="hash_malformed")
