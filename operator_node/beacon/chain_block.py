"""A block of the chain, as far as it tells whom it paid.

Shell. It is asked for long after its slot; no duty waits for it.

Source: Ethereum Beacon APIs, getBlockV2; docs/security.md, "Proposals".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from operator_node.beacon.answers import Data, MalformedAnswer, read, read_document
from operator_node.beacon.endpoint import JSON, MAX_BLOCK_BYTES, SSZ, Reply, Request
from operator_node.beacon.json_form import from_json
from operator_node.beacon.node import BeaconNode
from operator_node.beacon.routes import VERSION_NUMBERS
from operator_node.spec.block_shapes import TRANSACTIONS, block_shape
from operator_node.spec.chain import ChainSpec
from operator_node.spec.operations import signed
from operator_node.spec.ssz import Container, MalformedSsz, count_items, field
from operator_node.spec.versions import UnknownVersion
from sdk.types import Address, Slot

_OFFSET_BYTES: Final = 4
_EITHER: Final = f"{SSZ};q=1.0,{JSON};q=0.9"


@dataclass(frozen=True, slots=True)
class ChainBlock:
    """A block that the chain has.

    Attributes:
        fee_recipient: of its payload.
        last_transaction: of its payload, encoded; None if there is none.
    """

    slot: Slot
    proposer_index: int
    fee_recipient: Address
    last_transaction: bytes | None


async def fetch_chain_block(node: BeaconNode, slot: Slot, chain: ChainSpec) -> ChainBlock:
    """The block of a slot on the node's chain.

    Raises:
        NodeTrouble: no answer; `NO_ROUTE` if the slot has no block there.
    """
    request = Request(
        path=f"/eth/v2/beacon/blocks/{slot}",
        accept=_EITHER,
        limit_bytes=MAX_BLOCK_BYTES,
        is_urgent=False,
    )
    return await node.make(partial(_read, slot=slot, chain=chain), await node.ask(request))


def _read(reply: Reply, *, slot: Slot, chain: ChainSpec) -> ChainBlock:
    try:
        if reply.is_ssz:
            name = reply.headers.get("eth-consensus-version", "")
            shape = block_shape(_version(name, slot, chain), chain.preset)
            data = reply.content
        else:
            answer = read(read_document(reply.content), Data)
            shape = block_shape(_version(answer.version or "", slot, chain), chain.preset)
            data = from_json(signed(shape), answer.data)
        return _found(shape, field(signed(shape), data, "message"), slot)
    except (MalformedSsz, UnknownVersion) as problem:
        raise MalformedAnswer(problem.message) from problem


def _version(name: str, slot: Slot, chain: ChainSpec) -> int:
    return VERSION_NUMBERS.get(name.lower(), chain.version_at(slot))


def _found(shape: Container, block: memoryview, slot: Slot) -> ChainBlock:
    found = int.from_bytes(field(shape, block, "slot"), "little")
    if found != slot:
        raise MalformedAnswer(f"a block of slot {found}, asked for one of slot {slot}")
    payload = ("body", "execution_payload")
    transactions = bytes(field(shape, block, *payload, "transactions"))
    count = count_items(TRANSACTIONS, transactions)
    last = None
    if count:
        at = _OFFSET_BYTES * (count - 1)
        last = transactions[int.from_bytes(transactions[at : at + _OFFSET_BYTES], "little") :]
    return ChainBlock(
        slot=slot,
        proposer_index=int.from_bytes(field(shape, block, "proposer_index"), "little"),
        fee_recipient=Address(bytes(field(shape, block, *payload, "fee_recipient"))),
        last_transaction=last,
    )
