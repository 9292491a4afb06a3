"""Shares and committees to bytes and back, and what makes them valid.

Pure. Records are local: they come from the registry, not from peers. Reading is strict all the
same, as in `codec`.

Source: docs/protocol.md, "Wire containers" (local records), "Share and committee validity".
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from typing import Any, Final

from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import committee_id
from operator_node.wire.records import CommitteeMember, Operator, Share, ShareMember
from operator_node.wire.ssz_lists import fixed, malformed, writes_ssz
from sdk.types import ADDRESS_BYTES, PUBLIC_KEY_BYTES

MAX_MEMBERS: Final = 13
"""The largest committee."""
OPERATOR_KEY_BYTES: Final = 459
"""PEM text of a 2048-bit key, see `sdk.crypto.operator_keys.parse_public_key`."""
DOMAIN_BYTES: Final = 4
_ID_BYTES: Final = 32
GRAFFITI_BYTES: Final = 32

_SHARE: Final = struct.Struct(
    f"<Q{PUBLIC_KEY_BYTES}s{PUBLIC_KEY_BYTES}sI{DOMAIN_BYTES}s{ADDRESS_BYTES}s{GRAFFITI_BYTES}s"
)
"""Validator index, its key, share key, offset of members, domain, fee recipient, graffiti."""
_MEMBER: Final = struct.Struct(f"<{PUBLIC_KEY_BYTES}sQ")
"""Share key, signer."""
_COMMITTEE: Final = struct.Struct(f"<Q{_ID_BYTES}s{OPERATOR_KEY_BYTES}sQI{DOMAIN_BYTES}s")
"""Own id, committee id, own key, faulty operators, offset of operators, domain."""
_OPERATOR: Final = struct.Struct(f"<Q{OPERATOR_KEY_BYTES}s")
"""Id, key."""


def decode_share(data: bytes) -> Share:
    """A share record.

    Raises:
        ProtocolFault: malformed.
    """
    index, key, share_key, start, domain, recipient, graffiti = _head(_SHARE, data, "a share")
    members = _items(_MEMBER, data, _SHARE.size, start, "members of a share")
    committee = tuple(ShareMember(signer, of_signer) for of_signer, signer in members)
    return Share(index, key, share_key, committee, domain, recipient, graffiti)


@writes_ssz
def encode_share(share: Share) -> bytes:
    """A share record.

    Raises:
        UsageError: a field is out of its type's range.
    """
    head = _SHARE.pack(
        share.validator_index,
        fixed(share.validator_key, PUBLIC_KEY_BYTES, "a validator's key"),
        fixed(share.share_key, PUBLIC_KEY_BYTES, "a share's key"),
        _SHARE.size,
        fixed(share.domain, DOMAIN_BYTES, "a domain"),
        fixed(share.fee_recipient, ADDRESS_BYTES, "a fee recipient"),
        fixed(share.graffiti, GRAFFITI_BYTES, "graffiti"),
    )
    return head + b"".join(
        _MEMBER.pack(fixed(member.share_key, PUBLIC_KEY_BYTES, "a member's key"), member.signer)
        for member in share.committee
    )


def decode_operator(data: bytes) -> Operator:
    """An operator record.

    Raises:
        ProtocolFault: malformed.
    """
    if len(data) != _OPERATOR.size:
        raise malformed(f"an operator has {_OPERATOR.size} bytes, got {len(data)}")
    return Operator(*_OPERATOR.unpack(data))


@writes_ssz
def encode_operator(operator: Operator) -> bytes:
    """An operator record, 467 bytes.

    Raises:
        UsageError: a field is out of its type's range.
    """
    key = fixed(operator.public_key, OPERATOR_KEY_BYTES, "an operator's key")
    return _OPERATOR.pack(operator.id, key)


def decode_committee_member(data: bytes) -> CommitteeMember:
    """A committee record.

    Raises:
        ProtocolFault: malformed.
    """
    me, its_id, key, faulty, start, domain = _head(_COMMITTEE, data, "a committee")
    operators = _items(_OPERATOR, data, _COMMITTEE.size, start, "operators of a committee")
    committee = tuple(Operator(*fields) for fields in operators)
    return CommitteeMember(me, its_id, key, faulty, committee, domain)


@writes_ssz
def encode_committee_member(member: CommitteeMember) -> bytes:
    """A committee record.

    Raises:
        UsageError: a field is out of its type's range.
    """
    head = _COMMITTEE.pack(
        member.me,
        fixed(member.committee_id, _ID_BYTES, "a committee id"),
        fixed(member.public_key, OPERATOR_KEY_BYTES, "an operator's key"),
        member.faulty,
        _COMMITTEE.size,
        fixed(member.domain, DOMAIN_BYTES, "a domain"),
    )
    return head + b"".join(map(encode_operator, member.committee))


def check_share(share: Share, known_domains: Collection[bytes]) -> None:
    """Returns if a validator can be served with this share.

    Args:
        share: as loaded.
        known_domains: the networks that this node can be on, which is configuration.

    Raises:
        ProtocolFault: share invalid.
    """
    signers = [member.signer for member in share.committee]
    if not any(share.validator_key):
        problem = "has no validator key"
    elif not signers or 0 in signers or len(set(signers)) != len(signers):
        problem = f"is held by {signers}, expected distinct ids from 1"
    elif share.domain not in known_domains:
        problem = f"is of the unknown domain {share.domain.hex()}"
    else:
        return
    raise ProtocolFault(
        Fault.SHARE_INVALID, f"the share of validator {share.validator_index} {problem}"
    )


def check_operator(operator: Operator) -> None:
    """Returns if the record can be of an operator; whether its key can be read is not asked.

    Raises:
        ProtocolFault: operator invalid.
    """
    if not operator.id:
        raise ProtocolFault(Fault.OPERATOR_INVALID, "operator ids begin at 1")
    if len(operator.public_key) != OPERATOR_KEY_BYTES:
        raise ProtocolFault(
            Fault.OPERATOR_INVALID,
            f"the key of operator {operator.id} has {len(operator.public_key)} bytes, expected "
            f"{OPERATOR_KEY_BYTES}",
        )


def check_committee_member(member: CommitteeMember, known_domains: Collection[bytes]) -> None:
    """Returns if an operator can take part in this committee.

    Args:
        member: as loaded.
        known_domains: the networks that this node can be on, which is configuration.

    Raises:
        ProtocolFault: operator invalid, or committee member invalid.
    """
    for operator in member.committee:
        check_operator(operator)
    ids = [operator.id for operator in member.committee]
    faulty, rest = divmod(len(ids) - 1, 3)
    if not member.me or member.me not in ids:
        problem = f"operator {member.me} is not in it"
    elif rest or faulty != member.faulty:
        problem = f"f = {member.faulty} does not fit 3f + 1 operators"
    elif len(set(ids)) != len(ids):
        problem = "an operator is in it twice"
    elif member.committee_id != committee_id(ids):
        problem = f"its id is not {member.committee_id.hex()}"
    elif member.domain not in known_domains:
        problem = f"it is of the unknown domain {member.domain.hex()}"
    else:
        return
    raise ProtocolFault(Fault.COMMITTEE_MEMBER_INVALID, f"committee of {ids}: {problem}")


def _head(layout: struct.Struct, data: bytes, what: str) -> tuple[Any, ...]:
    if len(data) < layout.size:
        raise malformed(f"{what} has at least {layout.size} bytes, got {len(data)}")
    return layout.unpack_from(data)


def _items(
    layout: struct.Struct, data: bytes, expected: int, start: int, what: str
) -> Iterator[tuple[Any, ...]]:
    count, rest = divmod(len(data) - expected, layout.size)
    if start != expected or rest or count > MAX_MEMBERS:
        raise malformed(f"{what}: {len(data)} bytes, items from byte {start} instead of {expected}")
    return layout.iter_unpack(data[start:])
