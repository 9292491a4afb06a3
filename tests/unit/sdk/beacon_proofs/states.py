"""Small beacon states written by hand, for tests that need no consensus library."""

from __future__ import annotations

from sdk.beacon_proofs import (
    MINIMAL,
    BeaconHeader,
    BeaconState,
    Fork,
    Preset,
    ValidatorIndex,
    root_of_state,
)
from sdk.beacon_proofs.registry_tree import RECORD_BYTES
from sdk.beacon_proofs.shapes import Container, Shape, fixed_bytes
from sdk.types import Slot


def key(index: int) -> bytes:
    """The public key of the validator at the index; no point of any curve."""
    return index.to_bytes(4, "big") * 12


def record(index: int, *, ether: int = 32) -> bytes:
    """A serialised validator."""
    made = (
        key(index)
        + bytes([1]) * 32
        + (ether * 10**9).to_bytes(8, "little")
        + b"\0"
        + index.to_bytes(8, "little") * 2
        + b"\xff" * 16
    )
    assert len(made) == RECORD_BYTES
    return made


def serialised(shape: Shape, lists: dict[str, bytes]) -> bytes:
    """A value of the shape: zeros, and in its lists what is given by name, or nothing."""
    size = fixed_bytes(shape)
    if size is not None:
        return bytes(size)
    if not isinstance(shape, Container):
        return b""
    sizes = [fixed_bytes(field) for _, field in shape.fields]
    offset = sum(4 if size is None else size for size in sizes)
    head = body = b""
    for (name, field), size in zip(shape.fields, sizes, strict=True):
        if size is None:
            head += (offset + len(body)).to_bytes(4, "little")
            body += lists.get(name, serialised(field, lists))
        else:
            head += bytes(size)
    return head + body


def small_state(
    count: int, *, fork: Fork = Fork.FULU, preset: Preset = MINIMAL, **lists: bytes
) -> BeaconState:
    """A state of so many validators, and of other lists by name."""
    validators = b"".join(map(record, range(count)))
    shape = BeaconState(fork, preset, b"").shape()
    return BeaconState(fork, preset, serialised(shape, {"validators": validators, **lists}))


def header_of(state: BeaconState, *, slot: int = 9) -> BeaconHeader:
    """A header that names the state."""
    return BeaconHeader(
        slot=Slot(slot),
        proposer_index=ValidatorIndex(2),
        parent_root=bytes([3]) * 32,
        state_root=root_of_state(state),
        body_root=bytes([4]) * 32,
    )
