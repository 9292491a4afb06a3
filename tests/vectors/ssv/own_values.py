"""The local operator's own value in Alan, as the cases' pretend beacon node would have made it.

That node answers with whole AggregateAndProof objects whose proof is empty, where a real one gives
the aggregate alone and the duty adds its proof; and it takes a position in the sync committee for
its subnet, see `runner_loading.one_subnet_each`.
"""

from __future__ import annotations

from dataclasses import replace

from operator_node.spec.operations import aggregate_and_proof_shape
from operator_node.spec.presets import Preset
from operator_node.spec.ssz import decode, encode
from operator_node.wire.ids import RunnerRole
from operator_node.wire.value_codec import decode_validator_value, encode_validator_value

PRESET = Preset.MAINNET
NO_PROOF = bytes(96)


def as_pretended(value: bytes, role: RunnerRole) -> bytes:
    """An own value in the words of the cases; other roles' values are the same."""
    match role:
        case RunnerRole.AGGREGATOR:
            return _without_proof(value)
        case RunnerRole.SYNC_CONTRIBUTION:
            return _with_subnets_for_positions(value)
        case _:
            return value


def _without_proof(value: bytes) -> bytes:
    opened = decode_validator_value(value)
    shape = aggregate_and_proof_shape(opened.version, PRESET)
    content = decode(shape, opened.data)
    assert isinstance(content, dict)
    data = encode(shape, content | {"selection_proof": NO_PROOF})
    return encode_validator_value(replace(opened, data=data))


def _with_subnets_for_positions(value: bytes) -> bytes:
    opened = decode_validator_value(value)
    seats = PRESET.sizes.sync_subcommittee_size
    subnets = tuple(position // seats for position in opened.duty.sync_committee_indices)
    duty = replace(opened.duty, sync_committee_indices=subnets)
    return encode_validator_value(replace(opened, duty=duty))
