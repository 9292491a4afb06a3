"""Whether entries agree with themselves, with each other and with what the caller expects.

Pure; compares, never computes on the curve (that is `proofs`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from sdk.committee import THRESHOLDS
from sdk.crypto.operator_keys import OperatorPrivateKey, OperatorPublicKey, parse_public_key
from sdk.errors import InputError
from sdk.findings import Finding
from sdk.shares.keyshares_file import KeyShare
from sdk.types import Address, OperatorId, checksum_address

NONCE_WARNING: Final = 60_000
NONCE_LIMIT: Final = 65_535
"""Nodes written in Go keep the nonce in 16 bits; above this they expect 0 again."""
_SHOWN_IDS: Final = 16
"""A committee has at most 13; a hostile list must not fill the terminal."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the caller knows from elsewhere; each part given is compared, each left out is not.

    Attributes:
        owner: the account that will register.
        nonce: its next registration nonce; the file's nonces must count up from it.
        operators: registered public key of every operator, by id.
        private_keys: operator private keys at hand, by id; their shares are decrypted.
    """

    owner: Address | None = None
    nonce: int | None = None
    operators: Mapping[OperatorId, OperatorPublicKey] | None = None
    private_keys: Mapping[OperatorId, OperatorPrivateKey] = field(default_factory=dict)


def across_entries(shares: Sequence[KeyShare]) -> Iterator[Finding]:
    """`duplicate_validator`, `nonce_not_unique`, `owners_differ`, `nonces_not_consecutive`."""
    keys = Counter(share.public_key for share in shares)
    nonces = Counter((share.owner, share.nonce) for share in shares if share.nonce is not None)
    seen: set[bytes] = set()
    for share in shares:
        if keys[share.public_key] > 1 and share.public_key in seen:
            yield Finding(
                "duplicate_validator",
                f"validator 0x{share.public_key.hex()} stands in the file {keys[share.public_key]} "
                "times",
                where=where_in(share, "payload.publicKey"),
                hint="Only the first registration of a validator is honoured; remove the others.",
            )
        seen.add(share.public_key)
    for (owner, nonce), count in nonces.items():
        if count > 1:
            yield Finding(
                "nonce_not_unique",
                f"nonce {nonce} of {_account(owner)} is used {count} times",
                where="shares",
                hint="Each registration uses up one nonce; split the later ones again.",
            )
    if len({share.owner for share in shares if share.owner is not None}) > 1:
        yield Finding(
            "owners_differ",
            "the entries belong to different owners",
            where="shares",
            hint="One account can register only its own entries.",
            severity="warning",
        )
    numbers = [share.nonce for share in shares if share.nonce is not None]
    if any(after != before + 1 for before, after in pairwise(numbers)):
        yield Finding(
            "nonces_not_consecutive",
            f"the nonces do not count up by one: {', '.join(map(str, numbers[:8]))}",
            where="shares",
            hint="They are right only if other registrations of this owner come in between.",
            severity="warning",
        )


def expectations(shares: Sequence[KeyShare], expected: Expected) -> Iterator[Finding]:
    """`owner_mismatch`, `nonce_mismatch`, `nonce_wraps`."""
    for share in shares:
        if None not in (expected.owner, share.owner) and share.owner != expected.owner:
            yield Finding(
                "owner_mismatch",
                f"made for owner {_account(share.owner)}, expected {_account(expected.owner)}",
                where=where_in(share, "data.ownerAddress"),
            )
        if share.nonce is None:
            continue
        if expected.nonce is not None and share.nonce != expected.nonce + share.position:
            yield Finding(
                "nonce_mismatch",
                f"made for nonce {share.nonce}, expected {expected.nonce + share.position}",
                where=where_in(share, "data.ownerNonce"),
                hint="The nonce must be exact; split again with the right first nonce.",
            )
        if share.nonce >= NONCE_WARNING:
            yield Finding(
                "nonce_wraps",
                f"nonce {share.nonce}: nodes written in Go count only to {NONCE_LIMIT}",
                where=where_in(share, "data.ownerNonce"),
                hint="Use another owner account for further validators.",
                severity="warning",
            )


def committee(share: KeyShare, expected: Expected) -> Iterator[Finding]:
    """The `operator_*` codes: ids, count, order, keys, and both against what is registered."""
    yield from _id_list(share.operator_ids, where_in(share, "payload.operatorIds"))
    if share.operators:
        where = where_in(share, "data.operators")
        entries = [operator.id for operator in share.operators]
        if len(set(entries)) != len(entries):
            yield Finding("operator_ids_not_unique", f"ids {_list(entries)}", where=where)
        elif sorted(entries) != sorted(share.operator_ids):
            yield Finding(
                "operator_ids_mismatch",
                f"data names operators {_list(entries)}, the payload {_list(share.operator_ids)}",
                where=where,
            )
        yield from _operator_keys(share, expected)
    if expected.operators is not None:
        for operator in share.operator_ids:
            if operator not in expected.operators:
                yield Finding(
                    "operator_unknown",
                    f"operator {operator} is not among the given operators "
                    f"({_list(sorted(expected.operators))})",
                    where=where_in(share, "payload.operatorIds"),
                )


def _id_list(ids: Sequence[OperatorId], where: str) -> Iterator[Finding]:
    if len(ids) not in THRESHOLDS:
        message = f"a committee has 4, 7, 10 or 13 operators, this has {len(ids)}"
        yield Finding("operator_count", message, where=where)
    if 0 in ids:
        yield Finding("operator_id_range", "operator ids start at 1, found 0", where=where)
    if len(set(ids)) != len(ids):
        yield Finding("operator_ids_not_unique", f"ids {_list(ids)}", where=where)
    elif list(ids) != sorted(ids):
        yield Finding(
            "operator_ids_not_sorted",
            f"ids {_list(ids)} must ascend",
            where=where,
            hint="The registry refuses them; the order of keys and shares depends on it, too.",
        )


def _operator_keys(share: KeyShare, expected: Expected) -> Iterator[Finding]:
    known = expected.operators or {}
    seen: dict[str, OperatorId] = {}
    for index, operator in enumerate(share.operators):
        where = where_in(share, f"data.operators[{index}].operatorKey")
        try:
            key = parse_public_key(operator.operator_key)
        except InputError as problem:
            yield Finding("operator_key_malformed", problem.message, where=where, hint=problem.hint)
            continue
        if operator.id in known and known[operator.id] != key:
            yield Finding(
                "operator_key_mismatch",
                f"operator {operator.id} is registered with another key "
                f"({known[operator.id].fingerprint}, the file has {key.fingerprint})",
                where=where,
                hint="Its share was encrypted to somebody else; make the file again.",
            )
        twin = seen.setdefault(key.text, operator.id)
        if twin != operator.id:
            yield Finding(
                "operator_keys_not_unique",
                f"operators {twin} and {operator.id} have the same key",
                where=where,
                hint="Whoever holds it reads two shares.",
            )


def where_in(share: KeyShare, name: str) -> str:
    """The place of a field in the file, for a finding."""
    return f"shares[{share.position}].{name}"


def _list(ids: Sequence[OperatorId]) -> str:
    shown = ", ".join(map(str, ids[:_SHOWN_IDS]))
    return shown if len(ids) <= _SHOWN_IDS else f"{shown}, … ({len(ids)} in all)"


def _account(owner: Address | None) -> str:
    return "an unnamed owner" if owner is None else checksum_address(owner)
