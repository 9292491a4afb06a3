"""JSON of beacon nodes and SSZ that is signed say the same, both ways, in every fork."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_node.beacon.json_form import from_json, to_json
from operator_node.spec import MalformedSsz, Preset
from operator_node.spec.block_shapes import (
    blinded_block_shape,
    block_contents_shape,
    block_shape,
    signed_block_contents_shape,
)
from operator_node.spec.operations import (
    ATTESTATION_DATA,
    CHECKPOINT,
    SINGLE_ATTESTATION,
    aggregate_and_proof_shape,
    attestation_shape,
    contribution_shape,
    signed,
)
from operator_node.spec.ssz import Bitlist, Boolean, Container, List, Shape, Uint, Vector, encode
from tests.unit.operator_node.spec.reference import (
    PRESETS,
    VERSIONS,
    block_types,
    random_bytes,
    random_value,
)


def shapes(version: int, preset: Preset) -> list[Container]:
    """Everything of a fork that travels between a beacon node and us in JSON."""
    found = [
        block_shape(version, preset),
        signed(block_shape(version, preset)),
        attestation_shape(version, preset),
        aggregate_and_proof_shape(version, preset),
        contribution_shape(preset),
        SINGLE_ATTESTATION,
    ]
    if version >= 3:
        found.append(signed(blinded_block_shape(version, preset)))
    if version >= 5:
        found.append(block_contents_shape(version, preset))
        found.append(signed_block_contents_shape(version, preset))
    return found


@given(st.sampled_from(VERSIONS), st.sampled_from(PRESETS), st.integers(0, 2**32), st.data())
def test_an_object_comes_back_from_json_as_it_was(
    version: int, preset: Preset, seed: int, data: st.DataObject
) -> None:
    shape = data.draw(st.sampled_from(shapes(version, preset)))
    encoded = random_bytes(shape, seed)
    document = json.loads(json.dumps(to_json(shape, encoded)))
    assert from_json(shape, document) == encoded


@pytest.mark.parametrize("version", range(3, 8))
def test_the_form_is_that_of_an_independent_library(version: int) -> None:
    shape = block_shape(version, Preset.MINIMAL)
    encoded = encode(shape, random_value(shape, Random(version)))
    library = block_types(version, Preset.MINIMAL)["BeaconBlock"].decode_bytes(encoded)
    expected = texts(library.to_obj())
    fee = expected["body"]["execution_payload"]["base_fee_per_gas"]
    # The library writes long numbers as bytes.
    number = int.from_bytes(bytes.fromhex(fee[2:]), "little")
    expected["body"]["execution_payload"]["base_fee_per_gas"] = str(number)
    assert to_json(shape, encoded) == expected


def texts(document: Any) -> Any:
    """Numbers as texts: the library writes short ones as numbers."""
    match document:
        case dict():
            return {name: texts(inner) for name, inner in document.items()}
        case list() | tuple():
            return [texts(inner) for inner in document]
        case bool():
            return document
        case int():
            return str(document)
        case _:
            return document


GOOD: dict[str, Any] = {"epoch": "3", "root": "0x" + "11" * 32}


@pytest.mark.parametrize(
    "wrong",
    [
        {"epoch": 3},
        {"epoch": "-3"},
        {"epoch": "0x3"},
        {"epoch": "²"},
        {"epoch": str(2**64)},
        {"epoch": "9" * 5000},
        {"epoch": None},
        {"root": "11" * 32},
        {"root": "0x11"},
        {"root": "0x" + "zz" * 32},
        {"root": 17},
        {"more": "1"},
    ],
)
def test_what_is_no_value_of_the_type_is_refused(wrong: dict[str, Any]) -> None:
    assert from_json(CHECKPOINT, GOOD) == (3).to_bytes(8, "little") + b"\x11" * 32
    with pytest.raises(MalformedSsz):
        from_json(CHECKPOINT, GOOD | wrong)


@pytest.mark.parametrize("document", [{"epoch": "3"}, [], "0x", None, 3, True])
def test_what_is_no_object_with_all_fields_is_refused(document: object) -> None:
    with pytest.raises(MalformedSsz):
        from_json(CHECKPOINT, document)


@pytest.mark.parametrize(
    ("shape", "document"),
    [
        (Bitlist(8), "0x00"),
        (Bitlist(8), "0xffff"),
        (Boolean(), "true"),
        (Boolean(), 1),
        (List(Uint(64), 2), ["1", "2", "3"]),
        (List(Uint(64), 2), "1"),
        (Vector(Uint(64), 2), ["1"]),
        (Vector(Uint(64), 2), ["1", "2", "3"]),
        (ATTESTATION_DATA, {}),
    ],
)
def test_limits_and_kinds_hold_in_json_too(shape: Shape, document: object) -> None:
    with pytest.raises(MalformedSsz):
        from_json(shape, document)
