"""A beacon chain that never errs, and beacon nodes in front of it that are slow, absent or lie.

Pure and deterministic: every answer is a function of the question, the time and the plan. Blocks
are as small as blocks can be; aggregates and contributions name nobody but are well formed.

Source: consensus-specs, phase0/validator.md (attestation data); docs/protocol.md, "Duties".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from random import Random
from typing import Final

from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    AggregateQuery,
    Answer,
    AttestationDataQuery,
    BeaconObject,
    BlockQuery,
    CheckpointView,
    ContributionQuery,
    Query,
    Unavailable,
)
from operator_node.spec.block_shapes import blinded_block_shape, block_contents_shape, block_shape
from operator_node.spec.containers import SyncCommitteeContribution
from operator_node.spec.operations import attestation_shape
from operator_node.spec.ssz import (
    Bitlist,
    Bitvector,
    Boolean,
    ByteList,
    ByteVector,
    Container,
    List,
    Shape,
    Uint,
    Value,
    Vector,
    encode,
)
from operator_node.testing.faults import SLOTS_PER_EPOCH, BeaconFault, BeaconTrouble
from operator_node.testing.world import CHAIN, FEE_RECIPIENT
from operator_node.wire.values import BeaconVote, Checkpoint
from sdk.types import Epoch

QUICK_MS: Final = 30
"""Most that a healthy beacon node takes."""
SLOW_MS: Final = 5_000
_BLOCK_HEAD: Final = 84
"""Slot, proposer, parent root, state root, offset of the body; the reveal comes next."""
_GRAFFITI_AT: Final = _BLOCK_HEAD + 96 + 72
_CONTENTS_HEAD: Final = 12
_AGGREGATION_BITS: Final = bytes(15) + b"\1"


@lru_cache(maxsize=1024)
def block_root(slot: int) -> bytes:
    """The root of the chain's block of a slot."""
    return sha256(b"block %d" % slot).digest()


def checkpoints_at(slot: int) -> tuple[Checkpoint, Checkpoint]:
    """Source and target of a vote in a slot: the epoch before, and its own."""
    epoch = slot // SLOTS_PER_EPOCH
    return _checkpoint(epoch - 1), _checkpoint(epoch)


class FakeBeacon:
    """The beacon node of one operator."""

    def __init__(
        self, faults: tuple[BeaconFault, ...], choices: Random, *, compare_roots: bool
    ) -> None:
        """A node with the faults that the plan has for its operator."""
        self._faults = faults
        self._random = choices
        self._compare_roots = compare_roots

    def view(self, slot: int, now_ms: int) -> CheckpointView | None:
        """The checkpoints that the operator goes by; None if it knows none."""
        trouble = self.trouble(now_ms)
        if trouble is BeaconTrouble.ABSENT:
            return None
        if trouble is BeaconTrouble.LYING:
            source, target = _false_checkpoints(slot)
        else:
            source, target = checkpoints_at(slot)
        is_stale = trouble is BeaconTrouble.SILENT
        return CheckpointView(source, target, self._compare_roots, is_stale)

    def ask(self, query: Query, now_ms: int) -> tuple[int, Answer] | None:
        """The answer and how long it takes; None for none at all."""
        delay = int(self._random.random() * QUICK_MS)
        match self.trouble(now_ms):
            case BeaconTrouble.ABSENT:
                return delay, Unavailable(Reason.BN_DOWN, "refused")
            case BeaconTrouble.SILENT:
                return None
            case BeaconTrouble.SLOW:
                delay += int(self._random.random() * SLOW_MS)
                return delay, _answer(query, is_head_late=False)
            case BeaconTrouble.LYING:
                return delay, _lie(query)
            case trouble:
                is_late = trouble is BeaconTrouble.STALE or self._random.random() < _LATE_HEADS
                return delay, _answer(query, is_head_late=is_late)

    def trouble(self, now_ms: int) -> BeaconTrouble | None:
        """What is wrong with it now."""
        for fault in self._faults:
            if fault.from_ms <= now_ms < fault.until_ms:
                return fault.trouble
        return None


@dataclass(frozen=True, slots=True)
class _Template:
    """An encoded block whose facts of the slot are still to be written."""

    version: int
    data: bytes
    block_at: int


_LATE_HEADS: Final = 0.2
"""How often a healthy node has not seen the slot's block yet."""


@lru_cache(maxsize=64)
def _checkpoint(epoch: int) -> Checkpoint:
    return Checkpoint(Epoch(epoch), block_root(epoch * SLOTS_PER_EPOCH))


def _false_checkpoints(slot: int) -> tuple[Checkpoint, Checkpoint]:
    """Roots of another chain, and so old a source that the vote surrounds the last epoch's."""
    epoch = slot // SLOTS_PER_EPOCH
    other = sha256(b"another chain").digest()
    return Checkpoint(Epoch(epoch - 3), other), Checkpoint(Epoch(epoch), other)


def _answer(query: Query, *, is_head_late: bool) -> Answer:
    match query:
        case AttestationDataQuery(slot=slot):
            source, target = checkpoints_at(slot)
            return BeaconVote(block_root(slot - is_head_late), source, target)
        case BlockQuery():
            return _block(query, is_blinded=is_head_late)
        case AggregateQuery(slot=slot):
            return BeaconObject(CHAIN.version_at(slot), _aggregate(CHAIN.version_at(slot)))
        case ContributionQuery(slot=slot, subnet=subnet):
            contribution = SyncCommitteeContribution(
                slot, block_root(slot), subnet, _AGGREGATION_BITS, bytes(96)
            )
            return BeaconObject(CHAIN.version_at(slot), contribution.encode())


def _lie(query: Query) -> Answer:
    match query:
        case AttestationDataQuery(slot=slot):
            source, target = _false_checkpoints(slot)
            return BeaconVote(sha256(b"another head").digest(), source, target)
        case _:
            return BeaconObject(CHAIN.version_at(query.slot), b"no such object")


def _block(query: BlockQuery, *, is_blinded: bool) -> BeaconObject:
    template = _template(CHAIN.version_at(query.slot), is_blinded)
    data = bytearray(template.data)
    at = template.block_at

    def write(offset: int, fact: bytes) -> None:
        data[at + offset : at + offset + len(fact)] = fact

    write(0, query.slot.to_bytes(8, "little"))
    write(8, query.validator_index.to_bytes(8, "little"))
    write(16, block_root(query.slot - 1))
    write(_BLOCK_HEAD, query.randao_reveal)
    write(_GRAFFITI_AT, query.graffiti)
    return BeaconObject(template.version, bytes(data))


@cache
def _template(version: int, is_blinded: bool) -> _Template:
    shape: Container
    if is_blinded:
        shape, block_at = blinded_block_shape(version, CHAIN.preset), 0
    elif version >= _DENEB:
        shape, block_at = block_contents_shape(version, CHAIN.preset), _CONTENTS_HEAD
    else:
        shape, block_at = block_shape(version, CHAIN.preset), 0
    return _Template(version, encode(shape, _nothing(shape)), block_at)


_DENEB: Final = 5


@cache
def _aggregate(version: int) -> bytes:
    shape = attestation_shape(version, CHAIN.preset)
    return encode(shape, _nothing(shape))


def _nothing(shape: Shape, name: str = "") -> Value:
    """The emptiest value of a type; fees go to the validators' recipient."""
    match shape:
        case Uint():
            return 0
        case Boolean():
            return False
        case ByteVector(length):
            return FEE_RECIPIENT if name == "fee_recipient" else bytes(length)
        case ByteList():
            return b""
        case Bitvector(length):
            return (False,) * length
        case Bitlist() | List():
            return ()
        case Vector(item, length):
            return (_nothing(item),) * length
        case Container():
            return {each: _nothing(inner, each) for each, inner in shape.fields}
