"""Names on the wire: domains, roles, message ids, committee ids, subnets, topics, gossip ids.

Pure. Source: docs/protocol.md, "Identifiers" and "Topics and gossip ids".
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache
from hashlib import sha256
from typing import Final, NewType

from sdk.types import OperatorId, PublicKey

DomainType = NewType("DomainType", bytes)
"""4 bytes: two zeros, network, fork version."""
MessageId = NewType("MessageId", bytes)
"""56 bytes: domain, role, executor. Also the identifier of the consensus instance."""
CommitteeId = NewType("CommitteeId", bytes)
"""32 bytes."""

MESSAGE_ID_BYTES: Final = 56
SUBNETS: Final = 128
_DOMAIN_END: Final = 4
_ROLE_END: Final = 8
_COMMITTEE_PADDING: Final = 16
"""A committee's executor is its id behind 16 zero bytes."""
_LOW_32_BITS: Final = 2**32 - 1
_ROLES_KEPT: Final = 4_096
"""Message ids whose role is not read again: a message is asked for it at each step of its way."""


class RunnerRole(IntEnum):
    """Which duty runner a message is for."""

    COMMITTEE = 0
    AGGREGATOR = 1
    PROPOSER = 2
    SYNC_CONTRIBUTION = 3
    VALIDATOR_REGISTRATION = 4
    VOLUNTARY_EXIT = 5
    AGGREGATOR_COMMITTEE = 6
    UNKNOWN = -1


COMMITTEE_ROLES: Final = frozenset({RunnerRole.COMMITTEE, RunnerRole.AGGREGATOR_COMMITTEE})
"""Roles whose executor is a committee; all others are a validator's."""


class BeaconRole(IntEnum):
    """What a validator is to do in a slot. Not the numbers of `RunnerRole`."""

    ATTESTER = 0
    AGGREGATOR = 1
    PROPOSER = 2
    SYNC_COMMITTEE = 3
    SYNC_CONTRIBUTION = 4
    VALIDATOR_REGISTRATION = 5
    VOLUNTARY_EXIT = 6
    UNKNOWN = 2**64 - 1


def committee_id(operators: Iterable[int]) -> CommitteeId:
    """SHA-256 over the ascending ids, 4 little-endian bytes each (the low 32 bits of an id)."""
    packed = b"".join(
        (operator & _LOW_32_BITS).to_bytes(4, "little") for operator in sorted(operators)
    )
    return CommitteeId(sha256(packed).digest())


def committee_message_id(domain: bytes, role: int, committee: bytes) -> MessageId:
    """The id of a committee's messages."""
    return MessageId(domain + _role_bytes(role) + bytes(_COMMITTEE_PADDING) + committee)


def validator_message_id(domain: bytes, role: int, public_key: bytes) -> MessageId:
    """The id of a validator's messages."""
    return MessageId(domain + _role_bytes(role) + public_key)


def domain_of(message_id: bytes) -> DomainType:
    """The first four bytes."""
    return DomainType(message_id[:_DOMAIN_END])


@lru_cache(_ROLES_KEPT)
def role_of(message_id: bytes) -> int:
    """The role's number, signed; not every number is a `RunnerRole`."""
    return int.from_bytes(message_id[_DOMAIN_END:_ROLE_END], "little", signed=True)


def executor_of(message_id: bytes) -> bytes:
    """48 bytes: a validator's key, or a committee's padded id."""
    return message_id[_ROLE_END:]


def validator_of(message_id: bytes) -> PublicKey:
    """The validator's key, in a message of a validator role."""
    return PublicKey(message_id[_ROLE_END:])


def committee_of(message_id: bytes) -> CommitteeId:
    """The committee's id, in a message of a committee role."""
    return CommitteeId(message_id[_ROLE_END + _COMMITTEE_PADDING :])


def alan_subnet(committee: bytes) -> int:
    """Committee id as a big-endian integer, modulo 128."""
    return int.from_bytes(committee, "big") % SUBNETS


def boole_subnet(operators: Iterable[OperatorId]) -> int:
    """The lowest hash of an operator id (8 little-endian bytes), modulo 128.

    Committees with an operator in common tend to share a subnet.
    """
    return (
        min(
            int.from_bytes(sha256(operator.to_bytes(8, "little")).digest(), "big")
            for operator in operators
        )
        % SUBNETS
    )


def alan_topic(subnet: int) -> str:
    """Gossip topic of an Alan subnet."""
    return f"ssv.v2.{subnet}"


def boole_topic(network: str, subnet: int) -> str:
    """Gossip topic of a Boole subnet; `network` as in `mainnet`, any case."""
    return f"/ssv/{network.lower()}/boole/{subnet}"


def _role_bytes(role: int) -> bytes:
    return role.to_bytes(4, "little", signed=True)
