"""Proofs of validators out of a serialised beacon state and the header of its block.

Pure. The whole state is hashed, so a state that is not the header's is noticed before anything is
sent, whoever served it. Nothing is returned that the twin of the verifier refuses.

Source: docs/beacon-proofs.md; consensus-specs, ssz/merkle-proofs.md.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sdk.beacon_proofs.merkle import climb
from sdk.beacon_proofs.registry_tree import (
    RegistryTree,
    Run,
    count_validators,
    find_records,
    hash_registry,
    read_record,
)
from sdk.beacon_proofs.shapes import Container, cut_container, root_of
from sdk.beacon_proofs.state_shape import STATE_DEPTH, VALIDATORS, Fork, Preset, state_shape
from sdk.beacon_proofs.values import BeaconHeader, BeaconProofs, ValidatorIndex
from sdk.beacon_proofs.verify import proofs_hold
from sdk.errors import BeaconError, InputError, InvariantBroken
from sdk.types import PublicKey

StateBytes: TypeAlias = bytes | bytearray
_NAME: Final = "state"


@dataclass(frozen=True, slots=True)
class BeaconState:
    """A serialised state and how to read it; the bytes are never copied as a whole."""

    fork: Fork
    preset: Preset
    data: StateBytes = field(repr=False)

    def shape(self) -> Container:
        """The fields of this state."""
        return state_shape(self.fork, self.preset)

    def fields(self) -> dict[str, memoryview]:
        """The bytes of each field.

        Raises:
            BeaconError: `beacon_state_malformed`.
        """
        return cut_container(self.shape(), memoryview(self.data), path=_NAME)


def find_validators(
    state: BeaconState, keys: Collection[PublicKey]
) -> dict[PublicKey, ValidatorIndex]:
    """The index of each key that the state knows; a pending deposit is no validator yet.

    Raises:
        BeaconError: `beacon_state_malformed`.
    """
    return find_records(_records(state), keys)


def build_proofs(
    state: BeaconState,
    header: BeaconHeader,
    indices: Sequence[ValidatorIndex],
    *,
    run: Run = map,
) -> BeaconProofs:
    """Proofs of these validators against the header's root.

    Args:
        state: the state after the header's block.
        header: of a block whose root the chain keeps.
        indices: validators to prove; the result has their order.
        run: `map`, or one that works in several processes (`sdk.beacon_proofs.workers`).

    Raises:
        InputError: `validator_unknown`, an index beyond the state's validators.
        BeaconError: `beacon_state_malformed`, or `beacon_state_mismatch` if it is not the
            header's state.
    """
    records = _records(state)
    count = count_validators(records)
    _require_known(indices, count)
    tree = hash_registry(records, indices, run=run)
    state_root, above = _climb_state(state, tree)
    if state_root != header.state_root:
        raise BeaconError(
            f"the state hashes to 0x{state_root.hex()}, the header of slot {header.slot} names "
            f"0x{header.state_root.hex()}",
            code="beacon_state_mismatch",
            hint="Fetch both again, by root; check that the preset is that of the network.",
            data={"slot": header.slot, "preset": state.preset.name, "fork": str(state.fork)},
        )
    proofs = BeaconProofs(
        beacon_root=header.root(),
        slot=header.slot,
        state_root=state_root,
        state_root_branch=header.state_root_branch(),
        validators=tuple(
            read_record(records, index, branch=tree.branches[index] + above) for index in indices
        ),
    )
    if not proofs_hold(proofs):
        raise InvariantBroken("a proof just built does not hold")
    return proofs


def root_of_state(state: BeaconState, *, run: Run = map) -> bytes:
    """The state's root.

    Raises:
        BeaconError: `beacon_state_malformed`.
    """
    return _climb_state(state, hash_registry(_records(state), (), run=run))[0]


def _climb_state(state: BeaconState, registry: RegistryTree) -> tuple[bytes, tuple[bytes, ...]]:
    """The state's root, and the siblings of its validators' root."""
    parts = state.fields()
    shape = state.shape()
    roots = [
        registry.root
        if name == VALIDATORS
        else root_of(field_shape, parts[name], path=f"{_NAME}.{name}")
        for name, field_shape in shape.fields
    ]
    position = [name for name, _ in shape.fields].index(VALIDATORS)
    top = climb(b"".join(roots), level=0, height=STATE_DEPTH, positions=(position,))
    return top.root, top.branches[0]


def _records(state: BeaconState) -> memoryview:
    return state.fields()[VALIDATORS]


def _require_known(indices: Sequence[ValidatorIndex], count: int) -> None:
    unknown = sorted({index for index in indices if not 0 <= index < count})
    if unknown:
        raise InputError(
            f"the state has {count} validators, none with index {unknown[0]}",
            code="validator_unknown",
            hint="A deposit that is still pending has no index; prove it once it is processed.",
            data={"index": unknown[0], "validators": count},
        )
