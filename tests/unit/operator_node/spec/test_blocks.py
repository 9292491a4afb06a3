"""A proposal's bytes are read as the one kind of block that they are, and signed as they came."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from operator_node.spec import (
    BlockKind,
    MalformedSsz,
    Preset,
    UnknownBlockVersion,
    UnknownVersion,
    find_block,
    signed_block,
    ssz,
)
from operator_node.spec.block_shapes import (
    blinded_block_shape,
    block_contents_shape,
    block_shape,
    signed_block_contents_shape,
)
from operator_node.spec.blocks import MAX_TRANSACTIONS
from operator_node.spec.operations import signed
from tests.unit.operator_node.spec.reference import PRESETS, block_types, random_value

PROPOSED = range(4, 8)
SIGNATURE = bytes([7]) * 96


def value_of(shape: ssz.Container, seed: int) -> Any:
    return random_value(shape, Random(seed))


def full_shape(version: int, preset: Preset = Preset.MAINNET) -> ssz.Container:
    """What a full proposal of the fork is: contents from Deneb on."""
    return (block_shape if version < 5 else block_contents_shape)(version, preset)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("version", PROPOSED)
def test_a_full_block_is_found(version: int, preset: Preset) -> None:
    shape = full_shape(version, preset)
    value = value_of(shape, version)
    data = ssz.encode(shape, value)
    block = value if version < 5 else value["block"]
    found = find_block(version, data, preset)
    assert (found.kind, found.version, found.data) == (BlockKind.FULL, version, data)
    assert found.slot == block["slot"]
    assert found.proposer_index == block["proposer_index"]
    assert (found.parent_root, found.state_root) == (block["parent_root"], block["state_root"])
    assert found.fee_recipient == block["body"]["execution_payload"]["fee_recipient"]
    assert found.randao_reveal == block["body"]["randao_reveal"]
    assert found.block == ssz.encode(block_shape(version, preset), block)
    expected = block_types(version, preset)["BeaconBlock"].decode_bytes(bytes(found.block))
    assert found.root == bytes(expected.hash_tree_root())
    assert found.body_root == bytes(expected.body.hash_tree_root())


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("version", PROPOSED)
def test_a_blinded_block_is_found(version: int, preset: Preset) -> None:
    shape = blinded_block_shape(version, preset)
    value = value_of(shape, version)
    data = ssz.encode(shape, value)
    found = find_block(version, data, preset)
    assert (found.kind, bytes(found.block), found.data) == (BlockKind.BLINDED, data, data)
    assert (found.slot, found.proposer_index) == (value["slot"], value["proposer_index"])
    assert found.fee_recipient == value["body"]["execution_payload_header"]["fee_recipient"]
    assert found.randao_reveal == value["body"]["randao_reveal"]
    expected = block_types(version, preset)["BlindedBeaconBlock"].decode_bytes(data)
    assert found.root == bytes(expected.hash_tree_root())


@pytest.mark.parametrize("version", PROPOSED)
def test_a_blinded_block_has_the_root_of_its_full_block(version: int) -> None:
    shape = block_shape(version, Preset.MAINNET)
    full: Any = value_of(full_shape(version), version)
    block = full if version < 5 else full["block"]
    payload = block["body"].pop("execution_payload")
    (body_shape,) = (inner for name, inner in shape.fields if name == "body")
    assert isinstance(body_shape, ssz.Container)
    payload_shape = dict(body_shape.fields)["execution_payload"]
    assert isinstance(payload_shape, ssz.Container)
    for name in ("transactions", "withdrawals"):
        inner = dict(payload_shape.fields)[name]
        content = ssz.encode(inner, payload[name])
        payload[f"{name}_root"] = ssz.hash_tree_root(inner, content)
    header = {
        name: payload[name] for name in payload if name not in ("transactions", "withdrawals")
    }
    blinded = block | {"body": block["body"] | {"execution_payload_header": header}}
    found = find_block(version, ssz.encode(blinded_block_shape(version, Preset.MAINNET), blinded))
    full_again: Any = value_of(full_shape(version), version)
    expected = find_block(version, ssz.encode(full_shape(version), full_again))
    assert (found.kind, expected.kind) == (BlockKind.BLINDED, BlockKind.FULL)
    assert found.root == expected.root


@pytest.mark.parametrize("version", PROPOSED)
def test_a_signed_full_block_is_framed_as_it_is_published(version: int) -> None:
    value = value_of(full_shape(version), version)
    found = find_block(version, ssz.encode(full_shape(version), value))
    framed = signed_block(found, SIGNATURE)
    if version < 5:
        expected = {"message": value, "signature": SIGNATURE}
        assert ssz.decode(signed(block_shape(version, Preset.MAINNET)), framed) == expected
    else:
        value["signed_block"] = {"message": value.pop("block"), "signature": SIGNATURE}
        assert ssz.decode(signed_block_contents_shape(version, Preset.MAINNET), framed) == value


@pytest.mark.parametrize("version", PROPOSED)
def test_a_signed_blinded_block_is_framed_as_it_is_published(version: int) -> None:
    shape = blinded_block_shape(version, Preset.MAINNET)
    value = value_of(shape, version)
    framed = signed_block(find_block(version, ssz.encode(shape, value)), SIGNATURE)
    assert ssz.decode(signed(shape), framed) == {"message": value, "signature": SIGNATURE}


@pytest.mark.parametrize("version", [0, 1, 2, 3, 8, 100, 2**64 - 1])
def test_a_version_that_is_not_proposed_is_refused_as_such(version: int) -> None:
    with pytest.raises(UnknownBlockVersion) as refused:
        find_block(version, b"")
    assert isinstance(refused.value, UnknownVersion)
    assert refused.value.code == "block_version_unknown"


@pytest.mark.parametrize("version", PROPOSED)
def test_bytes_that_are_no_block_are_refused(version: int) -> None:
    shape = full_shape(version)
    data = ssz.encode(shape, value_of(shape, version))
    for wrong in (b"", bytes(84), data[:-1], data + b"\0", data[1:]):
        with pytest.raises(MalformedSsz):
            find_block(version, wrong)


@pytest.mark.parametrize("version", [5, 6, 7])
def test_a_block_without_its_contents_is_refused_from_deneb_on(version: int) -> None:
    shape = block_shape(version, Preset.MAINNET)
    with pytest.raises(MalformedSsz):
        find_block(version, ssz.encode(shape, value_of(shape, version)))


def test_a_block_of_another_fork_is_refused() -> None:
    shape = block_contents_shape(5, Preset.MAINNET)
    with pytest.raises(MalformedSsz):
        find_block(6, ssz.encode(shape, value_of(shape, 1)))


@pytest.mark.parametrize("version", PROPOSED)
def test_damage_anywhere_is_refused_or_changes_the_root(version: int) -> None:
    shape = blinded_block_shape(version, Preset.MAINNET)
    data = ssz.encode(shape, value_of(shape, version))
    root = find_block(version, data).root
    random = Random(version)
    for _ in range(200):
        at = random.randrange(len(data))
        damaged = data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]
        try:
            found = find_block(version, damaged)
        except MalformedSsz:
            continue
        assert found.root != root


def test_a_block_of_absurdly_many_transactions_is_refused() -> None:
    shape = block_shape(4, Preset.MAINNET)
    value = value_of(shape, 1)
    payload = value["body"]["execution_payload"]
    payload["transactions"] = (b"",) * (MAX_TRANSACTIONS + 1)
    with pytest.raises(MalformedSsz, match="65537 transactions"):
        find_block(4, ssz.encode(shape, value))


def test_a_block_shows_neither_its_bytes_nor_its_blobs() -> None:
    shape = full_shape(5)
    found = find_block(5, ssz.encode(shape, value_of(shape, 1)))
    assert len(repr(found)) < 1500
