"""Calls of the contract's audit views, and what they answer: one word per subject.

Pure. By hand rather than through a general encoder: five views, of words only.

Source: docs/contracts.md, "Audit views"; Solidity documentation, Contract ABI Specification.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from sdk.registry import (
    AccountChanged,
    Change,
    ClusterChanged,
    NetworkChanged,
    OperatorChanged,
    RegistryState,
    words,
)
from sdk.types import Address, ClusterId, OperatorId, keccak256

WORDS_PER_CALL: Final = 200
"""Two million gas, far below any node's limit for calls."""
_WORD: Final = words.WORD_BYTES


class Kind(StrEnum):
    """What a view tells of."""

    COUNTERS = "counters"
    NETWORK = "network"
    OPERATOR = "operator"
    CLUSTER = "cluster"
    OWNER = "owner"


_VIEWS: Final = {
    Kind.COUNTERS: "getRegistryCounters()",
    Kind.NETWORK: "getNetworkWord()",
    Kind.OPERATOR: "getOperatorWords(uint64,uint64)",
    Kind.CLUSTER: "getClusterWords(bytes32[])",
    Kind.OWNER: "getOwnerWords(address[])",
}


class Subject(NamedTuple):
    """Who has a word: by operator id, cluster id or owner; empty for the registry as a whole."""

    kind: Kind
    name: bytes = b""

    def __str__(self) -> str:
        match self.kind:
            case Kind.COUNTERS | Kind.NETWORK:
                return str(self.kind)
            case Kind.OPERATOR:
                return f"operator {int.from_bytes(self.name, 'big')}"
            case _:
                return f"{self.kind} 0x{self.name.hex()}"


REGISTRY: Final = (Subject(Kind.COUNTERS), Subject(Kind.NETWORK))
"""What any event may change."""


def operator_subject(operator: OperatorId) -> Subject:
    """An operator."""
    return Subject(Kind.OPERATOR, operator.to_bytes(8, "big"))


def subjects_of(state: RegistryState) -> list[Subject]:
    """Everybody, so that few calls are enough: each kind together, operators by their ids."""
    return [
        *(operator_subject(each) for each in sorted(state.operators)),
        *(Subject(Kind.CLUSTER, each) for each in sorted(state.clusters)),
        *(Subject(Kind.OWNER, each) for each in sorted(state.accounts)),
    ]


def touched_by(changes: Sequence[Change]) -> Iterator[Subject]:
    """Whose words these changes change."""
    for change in changes:
        match change:
            case OperatorChanged(after=after, before=before) if one := after or before:
                yield operator_subject(one.operator_id)
            case ClusterChanged(after=after, before=before) if its := after or before:
                yield Subject(Kind.CLUSTER, its.cluster_id)
            case AccountChanged(after=after, before=before) if who := after or before:
                yield Subject(Kind.OWNER, who.owner)
            case NetworkChanged():
                yield Subject(Kind.NETWORK)
            case _:
                pass


def word_of(state: RegistryState, subject: Subject) -> bytes:
    """What the contract must answer of a subject, an empty word for one that is not there."""
    match subject.kind:
        case Kind.COUNTERS:
            counts = (len(state.operators), len(state.clusters), state.network.validator_count)
            return words.counters_word(*counts)
        case Kind.NETWORK:
            return words.network_word(state.network)
        case Kind.OPERATOR:
            operator = state.operators.get(OperatorId(int.from_bytes(subject.name, "big")))
            return bytes(_WORD) if operator is None else words.operator_word(operator)
        case Kind.CLUSTER:
            cluster = state.clusters.get(ClusterId(subject.name))
            return bytes(_WORD) if cluster is None else words.cluster_word(cluster)
        case Kind.OWNER:
            return words.owner_word(state.account(Address(subject.name)))


def agrees(state_word: bytes, subject: Subject, found: bytes) -> bool:
    """Whether the contract's word is ours; privacy of removed operators is of no matter."""
    if state_word == found:
        return True
    is_operator = subject.kind is Kind.OPERATOR
    return is_operator and state_word == words.without_privacy(found) and not any(found[-9:])


def calls_of(subjects: Sequence[Subject]) -> list[tuple[bytes, tuple[Subject, ...]]]:
    """Calldata, each with the subjects that its answer tells of, in their order."""
    return [(_calldata(group), group) for group in _groups(subjects)]


def words_in(answer: bytes, subjects: Sequence[Subject]) -> list[bytes]:
    """The answer to a call, one word per subject; operators after the last one have empty ones.

    Raises:
        ValueError: it is not what the view answers.
    """
    found = [answer[start : start + _WORD] for start in range(0, len(answer), _WORD)]
    if not found or len(answer) % _WORD:
        raise ValueError(f"{len(answer)} bytes are no words")
    match subjects[0].kind:
        case Kind.COUNTERS:
            counts = [int.from_bytes(each, "big") for each in found]
            if len(counts) != 4 or max(counts) >= 2**64:
                raise ValueError("no counters")
            return [words.counters_word(*counts[:3])]
        case Kind.NETWORK:
            return found[:1]
        case kind:
            listed = found[2:]
            is_list = int.from_bytes(found[0], "big") == _WORD and len(found) >= 2
            if not is_list or int.from_bytes(found[1], "big") != len(listed):
                raise ValueError("no list of words")
            missing = len(subjects) - len(listed)
            if missing < 0 or (missing and kind is not Kind.OPERATOR):
                raise ValueError(f"{len(listed)} words for {len(subjects)} subjects")
            return [*listed, *[bytes(_WORD)] * missing]


def _groups(subjects: Sequence[Subject]) -> Iterator[tuple[Subject, ...]]:
    """Of one kind each and not too long; operators without a gap between their ids."""
    group: list[Subject] = []
    for each in subjects:
        if group and not (len(group) < WORDS_PER_CALL and _follows(group[-1], each)):
            yield tuple(group)
            group = []
        group.append(each)
    if group:
        yield tuple(group)


def _follows(last: Subject, each: Subject) -> bool:
    if last.kind is not each.kind:
        return False
    return each.kind is not Kind.OPERATOR or _number(each) == _number(last) + 1


def _number(subject: Subject) -> int:
    return int.from_bytes(subject.name, "big")


def _calldata(group: Sequence[Subject]) -> bytes:
    kind = group[0].kind
    selector = keccak256(_VIEWS[kind].encode())[:4]
    match kind:
        case Kind.COUNTERS | Kind.NETWORK:
            return selector
        case Kind.OPERATOR:
            return selector + _padded(group[0].name) + _padded(group[-1].name)
        case Kind.CLUSTER | Kind.OWNER:
            listed = b"".join(_padded(each.name) for each in group)
            return selector + _integer(_WORD) + _integer(len(group)) + listed


def _padded(name: bytes) -> bytes:
    return name.rjust(_WORD, b"\0")


def _integer(number: int) -> bytes:
    return number.to_bytes(_WORD, "big")
