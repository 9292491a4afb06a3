"""What one beacon node offers a duty: attestation data, a block, an aggregate, a contribution.

Shell. Answers are checked to be what was asked for, and kept as SSZ: JSON is converted. Which of
several nodes' offers is taken is decided in `choice`.

Source: Ethereum Beacon APIs, validator/; consensus-specs, phase0/validator.md, altair/validator.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from operator_node.beacon.answers import Data, MalformedAnswer, read, read_document, read_vote
from operator_node.beacon.endpoint import JSON, MAX_BLOCK_BYTES, SSZ, Reply, Request
from operator_node.beacon.json_form import from_json
from operator_node.beacon.node import BeaconNode
from operator_node.beacon.routes import VERSION_NUMBERS, Purpose, Route, graffiti_text
from operator_node.duties.types import BeaconObject, BlockQuery
from operator_node.spec.block_shapes import (
    blinded_block_shape,
    block_contents_shape,
    block_shape,
)
from operator_node.spec.blocks import BlockKind, ProposedBlock, find_block
from operator_node.spec.chain import ChainSpec
from operator_node.spec.containers import AttestationData
from operator_node.spec.operations import attestation_shape, contribution_shape
from operator_node.spec.signing import attestation_data_root
from operator_node.spec.ssz import Container, MalformedSsz, field
from operator_node.spec.versions import DENEB, UnknownVersion
from operator_node.wire.values import BeaconVote
from sdk.types import Slot

_EITHER: Final = f"{SSZ};q=1.0,{JSON};q=0.9"
_ANY_COMMITTEE: Final = "0"
"""The vote is the same for all committees; its index is filled in where it is signed."""


_LOCAL: Final = ("builder_boost_factor", "0")
"""Has the node prefer its own block whatever a builder bids."""
_VALUE_DIGITS: Final = 78
"""Of the largest unsigned 256-bit integer."""


@dataclass(frozen=True, slots=True)
class OfferedBlock:
    """A block that a node built; `value_wei` is what it earns, 0 if the node does not say."""

    content: BeaconObject
    block: ProposedBlock
    value_wei: int


@dataclass(frozen=True, slots=True)
class OfferedAggregate:
    """An aggregate or a contribution, and how many took part."""

    content: BeaconObject
    participants: int


async def fetch_vote(node: BeaconNode, slot: Slot) -> BeaconVote:
    """What the node would have validators attest to in the slot.

    Raises:
        NodeTrouble: none. So it is for every function here.
    """
    params = (("slot", str(slot)), ("committee_index", _ANY_COMMITTEE))
    request = Request(path="/eth/v1/validator/attestation_data", params=params)
    return await node.read(request, lambda answer: read_vote(answer.data, slot))


async def fetch_block(node: BeaconNode, query: BlockQuery, chain: ChainSpec) -> OfferedBlock:
    """A block for the slot, with its contents, or blinded."""
    params = (
        ("randao_reveal", f"0x{query.randao_reveal.hex()}"),
        ("graffiti", graffiti_text(query.graffiti, node.client)),
        *((_LOCAL,) if query.is_local else ()),
    )

    async def ask(route: Route) -> OfferedBlock:
        request = Request(
            path=route.path.format(slot=query.slot),
            params=params,
            accept=_EITHER if route.is_versioned else JSON,
            limit_bytes=MAX_BLOCK_BYTES,
        )
        reply = await node.ask(request)
        return await node.make(lambda found: _read_block(found, query, chain), reply)

    return await node.routes.first_served(Purpose.BLOCK, chain.version_at(query.slot), ask)


async def fetch_aggregate(
    node: BeaconNode, data: AttestationData, committee_index: int, chain: ChainSpec
) -> OfferedAggregate:
    """The node's best aggregate of votes over `data` in one committee."""
    version = chain.version_at(data.slot)
    shape = attestation_shape(version, chain.preset)
    params = [
        ("slot", str(data.slot)),
        ("attestation_data_root", f"0x{attestation_data_root(data).hex()}"),
    ]

    async def ask(route: Route) -> OfferedAggregate:
        index = [("committee_index", str(committee_index))] if route.is_versioned else []
        accept = _EITHER if route.is_versioned else JSON
        request = Request(path=route.path, params=(*params, *index), accept=accept)
        reply = await node.ask(request)
        return await node.make(_reader(shape, version, {"data": data.encode()}), reply)

    return await node.routes.first_served(Purpose.AGGREGATE, version, ask)


async def fetch_contribution(
    node: BeaconNode, slot: Slot, subnet: int, block_root: bytes, chain: ChainSpec
) -> OfferedAggregate:
    """The node's best contribution of votes for `block_root` in one subcommittee."""
    params = (
        ("slot", str(slot)),
        ("subcommittee_index", str(subnet)),
        ("beacon_block_root", f"0x{block_root.hex()}"),
    )
    request = Request(path="/eth/v1/validator/sync_committee_contribution", params=params)
    expected = {
        "slot": slot.to_bytes(8, "little"),
        "subcommittee_index": subnet.to_bytes(8, "little"),
        "beacon_block_root": block_root,
    }
    version, shape = chain.version_at(slot), contribution_shape(chain.preset)
    return await node.make(_reader(shape, version, expected), await node.ask(request))


def _reader(
    shape: Container, version: int, expected: dict[str, bytes]
) -> Callable[[Reply], OfferedAggregate]:
    """Reads an object whose fields `expected` have to be these."""

    def make(reply: Reply) -> OfferedAggregate:
        data = reply.content if reply.is_ssz else _converted(shape, _document(reply).data)
        for name, content in expected.items():
            if _part(shape, data, name) != content:
                raise MalformedAnswer(f"a {shape!r} with another {name} than was asked for")
        # The mark that ends a bit list counts as one participant in all of them alike.
        participants = int.from_bytes(_part(shape, data, "aggregation_bits")).bit_count()
        return OfferedAggregate(BeaconObject(version, data), participants)

    return make


def _read_block(reply: Reply, query: BlockQuery, chain: ChainSpec) -> OfferedBlock:
    headers = reply.headers
    if reply.is_ssz:
        version = _version(headers.get("eth-consensus-version"), chain.version_at(query.slot))
        data = reply.content
        value_wei = _value(
            headers.get("eth-execution-payload-value", "0"),
            headers.get("eth-consensus-block-value", "0"),
        )
    else:
        answer = _document(reply)
        version = _version(answer.version, chain.version_at(query.slot))
        is_blinded = answer.execution_payload_blinded
        data = _converted(_block_form(version, chain, is_blinded=is_blinded), answer.data)
        value_wei = _value(answer.execution_payload_value, answer.consensus_block_value)
    try:
        block = find_block(version, data, chain.preset)
    except (MalformedSsz, UnknownVersion) as problem:
        raise MalformedAnswer(problem.message) from problem
    asked = (query.slot, query.validator_index, query.randao_reveal)
    if (block.slot, block.proposer_index, block.randao_reveal) != asked:
        raise MalformedAnswer(
            f"a block of slot {block.slot} by validator {block.proposer_index}, asked for one "
            f"of slot {query.slot} by {query.validator_index}, or with another RANDAO reveal"
        )
    if query.is_local and block.kind is BlockKind.BLINDED:
        raise MalformedAnswer("a builder's block, asked for a local one")
    return OfferedBlock(BeaconObject(version, data), block, value_wei)


def is_blinded(offer: OfferedBlock) -> bool:
    """Whether the block has only its payload's header."""
    return offer.block.kind is BlockKind.BLINDED


def _block_form(version: int, chain: ChainSpec, *, is_blinded: bool) -> Container:
    try:
        if is_blinded:
            return blinded_block_shape(version, chain.preset)
        if version >= DENEB:
            return block_contents_shape(version, chain.preset)
        return block_shape(version, chain.preset)
    except UnknownVersion as problem:
        raise MalformedAnswer(problem.message) from problem


def _document(reply: Reply) -> Data:
    return read(read_document(reply.content), Data)


def _converted(shape: Container, document: object) -> bytes:
    try:
        return from_json(shape, document)
    except MalformedSsz as problem:
        raise MalformedAnswer(problem.message) from problem


def _part(shape: Container, data: bytes, name: str) -> bytes:
    try:
        return bytes(field(shape, data, name))
    except MalformedSsz as problem:
        raise MalformedAnswer(problem.message) from problem


def _version(name: str | None, expected: int) -> int:
    """The fork's number; older routes do not say, and serve the one in force."""
    if name is None:
        return expected
    if VERSION_NUMBERS.get(name.lower()) != expected:
        raise MalformedAnswer(f"a block of fork {name[:20]!r}, at the slot number {expected} holds")
    return expected


def _value(*texts: str) -> int:
    """Wei in all; a text that is no number counts for nothing, since it only ranks offers."""
    return sum(int(text) for text in texts if text.isdecimal() and len(text) <= _VALUE_DIGITS)
