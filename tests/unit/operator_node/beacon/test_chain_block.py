"""Blocks of the chain are read as SSZ or JSON, as far as they tell whom they paid."""

from __future__ import annotations

from random import Random

import httpx
import pytest

from operator_node.beacon import BeaconPool
from operator_node.beacon.chain_block import ChainBlock
from operator_node.beacon.json_form import to_json
from operator_node.spec.block_shapes import block_shape
from operator_node.spec.operations import signed
from operator_node.spec.presets import Preset
from operator_node.spec.ssz import encode
from sdk.errors import BeaconError
from sdk.types import Address
from tests.unit.operator_node.beacon.fake_node import FakeNode
from tests.unit.operator_node.beacon.pools import ELECTRA, SLOT, with_pool
from tests.unit.operator_node.spec.reference import random_value

PATH = f"/eth/v2/beacon/blocks/{SLOT}"
RECIPIENT = Address(b"\x53" * 20)
SHAPE = signed(block_shape(ELECTRA, Preset.MINIMAL))


def block(transactions: tuple[bytes, ...], *, slot: int = SLOT) -> bytes:
    value = random_value(SHAPE, Random(1))
    value["message"] |= {"slot": slot, "proposer_index": 9}
    value["message"]["body"]["execution_payload"] |= {
        "fee_recipient": RECIPIENT,
        "transactions": transactions,
    }
    return encode(SHAPE, value)


def serving(data: bytes, *, as_ssz: bool = True) -> FakeNode:
    if as_ssz:
        kind = {"Content-Type": "application/octet-stream", "Eth-Consensus-Version": "electra"}
        return FakeNode({PATH: httpx.Response(200, content=data, headers=kind)})
    return FakeNode({PATH: {"version": "electra", "data": to_json(SHAPE, data)}})


def found(*nodes: FakeNode) -> ChainBlock | None:
    return with_pool(lambda pool: pool.block(SLOT), *nodes)


@pytest.mark.parametrize("as_ssz", [True, False])
@pytest.mark.parametrize(
    ("transactions", "last"),
    [((), None), ((b"only",), b"only"), ((b"first", b"", b"last"), b"last"), ((b"a", b""), b"")],
)
def test_recipient_and_last_transaction_are_found(
    transactions: tuple[bytes, ...], last: bytes | None, as_ssz: bool
) -> None:
    node = serving(block(transactions), as_ssz=as_ssz)
    assert found(node) == ChainBlock(SLOT, 9, RECIPIENT, last)


def test_a_slot_without_a_block_is_none() -> None:
    assert found(FakeNode(), FakeNode()) is None


def test_a_node_that_lacks_the_block_is_no_answer_while_another_has_it() -> None:
    assert found(FakeNode(), serving(block(()))) == ChainBlock(SLOT, 9, RECIPIENT, None)


@pytest.mark.parametrize(
    "node",
    [
        serving(b"nothing of the kind"),
        serving(block((), slot=SLOT + 1)),
        FakeNode({PATH: {"version": "phase0", "data": {}}}),
        FakeNode({PATH: (500, {"message": "sorry"})}),
    ],
    ids=["no block", "another slot's", "another fork's", "an error"],
)
def test_anything_else_is_an_error(node: FakeNode) -> None:
    async def use(pool: BeaconPool) -> str:
        with pytest.raises(BeaconError) as caught:
            await pool.block(SLOT)
        return caught.value.code

    assert with_pool(use, node) == "beacon_unreachable"
