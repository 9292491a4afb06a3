"""Finds the block in a proposal's bytes, its root and what is checked of it; frames signed blocks.

Pure. A block stays the bytes it came as: it is hashed and signed, never rebuilt, so that any
operator can submit a block of either kind that another one built.

Source: docs/protocol.md, "Proposer"; Ethereum Beacon APIs, publishBlockV2 and
publishBlindedBlockV2; builder-specs, specs/bellatrix/builder.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Final

from operator_node.spec import ssz
from operator_node.spec.block_shapes import (
    TRANSACTIONS,
    blinded_block_shape,
    block_contents_shape,
    block_shape,
)
from operator_node.spec.containers import sign_variable
from operator_node.spec.presets import Preset
from operator_node.spec.signing import block_header_root
from operator_node.spec.ssz import Container, MalformedSsz
from operator_node.spec.versions import CAPELLA, DENEB, FULU, UnknownBlockVersion

MAX_TRANSACTIONS: Final = 2**16
"""1.4 billion gas at 21,000 each. A peer can write a million transactions of no bytes, the limit of
the specification, into a proposal; hashing them would hold up every duty for ten seconds."""
BLOCKS_KEPT: Final = 4
"""Blocks that were read last, each with its bytes, 8 MiB at most. A block is judged when it comes
from the beacon node, when it is proposed and when it is decided; hashing it is the dear part."""
_OFFSET_BYTES: Final = 4
_CONTENTS_OFFSETS: Final = 3


class BlockKind(Enum):
    """Whether a block carries its payload or only the payload's header."""

    FULL = "full"
    BLINDED = "blinded"


@dataclass(frozen=True, slots=True)
class ProposedBlock:
    """A block to sign, read from its bytes.

    Attributes:
        version: number of the fork.
        root: hash tree root of the block, which a proposer signs; the same for both kinds.
        fee_recipient: who earns the fees, 20 bytes.
        randao_reveal: 96 bytes, not verified.
        data: the bytes as proposed: a block, a blinded block, or block contents.
        block: the part of `data` that is the block.
    """

    kind: BlockKind
    version: int
    slot: int
    proposer_index: int
    parent_root: bytes
    state_root: bytes
    body_root: bytes
    root: bytes
    fee_recipient: bytes
    randao_reveal: bytes
    data: bytes = field(repr=False)
    block: memoryview = field(repr=False, compare=False)

    @property
    def has_contents(self) -> bool:
        """Whether `data` has blobs and proofs beside the block."""
        return self.kind is BlockKind.FULL and self.version >= DENEB


@lru_cache(BLOCKS_KEPT)
def find_block(version: int, data: bytes, preset: Preset = Preset.MAINNET) -> ProposedBlock:
    """The block that the bytes are: blinded if they can be that, else full.

    Args:
        version: number of the fork that the bytes are said to be of.
        data: a blinded block; or a block before Deneb, block contents from Deneb on.
        preset: of the chain.

    Raises:
        UnknownBlockVersion: not Capella, Deneb, Electra or Fulu.
        MalformedSsz: neither kind of block, or more than `MAX_TRANSACTIONS`.
    """
    if not CAPELLA <= version <= FULU:
        raise UnknownBlockVersion(
            f"blocks of version {version} are not proposed, only {CAPELLA} to {FULU}"
        )
    try:
        ssz.check(blinded_block_shape(version, preset), data)
    except MalformedSsz:
        return _full_block(version, data, preset)
    shape = blinded_block_shape(version, preset)
    return _read(BlockKind.BLINDED, version, shape, data, memoryview(data))


def signed_block(block: ProposedBlock, signature: bytes) -> bytes:
    """What is published: `SignedBlockContents`, `SignedBeaconBlock` or the signed blinded block.

    Args:
        block: see `find_block`.
        signature: of the validator over the block's root, 96 bytes.
    """
    framed = sign_variable(block.block, signature)
    if not block.has_contents:
        return framed
    head = _OFFSET_BYTES * _CONTENTS_OFFSETS
    proofs_at = int.from_bytes(block.data[_OFFSET_BYTES : 2 * _OFFSET_BYTES], "little")
    blobs_at = int.from_bytes(block.data[2 * _OFFSET_BYTES : head], "little")
    grown = len(framed) - len(block.block)
    offsets = [at.to_bytes(_OFFSET_BYTES, "little") for at in (proofs_at + grown, blobs_at + grown)]
    return b"".join((block.data[:_OFFSET_BYTES], *offsets, framed, block.data[proofs_at:]))


def _full_block(version: int, data: bytes, preset: Preset) -> ProposedBlock:
    shape = block_shape(version, preset)
    whole = block_contents_shape(version, preset) if version >= DENEB else shape
    block = ssz.field(whole, data, "block") if version >= DENEB else memoryview(data)
    transactions = ssz.field(shape, block, "body", "execution_payload", "transactions")
    count = ssz.count_items(TRANSACTIONS, transactions)
    if count > MAX_TRANSACTIONS:
        raise MalformedSsz(f"a block of {count} transactions, more than any gas limit allows")
    ssz.check(whole, data)
    return _read(BlockKind.FULL, version, shape, data, block)


def _read(
    kind: BlockKind, version: int, shape: Container, data: bytes, block: memoryview
) -> ProposedBlock:
    payload = "execution_payload_header" if kind is BlockKind.BLINDED else "execution_payload"
    body_shape = shape.fields[shape.places["body"]][1]
    body = ssz.field(shape, block, "body")
    slot = int.from_bytes(ssz.field(shape, block, "slot"), "little")
    proposer_index = int.from_bytes(ssz.field(shape, block, "proposer_index"), "little")
    parent_root = bytes(ssz.field(shape, block, "parent_root"))
    state_root = bytes(ssz.field(shape, block, "state_root"))
    body_root = ssz.hash_tree_root(body_shape, body)
    return ProposedBlock(
        kind=kind,
        version=version,
        slot=slot,
        proposer_index=proposer_index,
        parent_root=parent_root,
        state_root=state_root,
        body_root=body_root,
        root=block_header_root(
            slot=slot,
            proposer_index=proposer_index,
            parent_root=parent_root,
            state_root=state_root,
            body_root=body_root,
        ),
        fee_recipient=bytes(ssz.field(body_shape, body, payload, "fee_recipient")),
        randao_reveal=bytes(ssz.field(body_shape, body, "randao_reveal")),
        data=data,
        block=block,
    )
