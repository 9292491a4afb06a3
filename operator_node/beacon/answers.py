"""The JSON answers of a beacon node, read into values.

Pure. Fields that are not needed are not looked at; those that are must be there and in range.
Numbers come as texts.

Source: Ethereum Beacon APIs, beacon/, config/, node/ and validator/.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Final, TypeVar

import msgspec

from operator_node.beacon.types import (
    AttesterDuty,
    EpochDuties,
    ProposerDuty,
    SyncDuty,
    ValidatorState,
)
from operator_node.wire.values import BeaconVote, Checkpoint
from sdk.errors import InputError
from sdk.json_documents import is_too_deep
from sdk.types import PUBLIC_KEY_BYTES, Epoch, PublicKey, Slot, parse_hex

T = TypeVar("T")

_ROOT_BYTES: Final = 32
_FAR_FUTURE: Final = 2**64 - 1
_STATUS_CHARACTERS: Final = 40

Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""Slots, epochs, indexes: the largest that msgspec can bound, far above any real one."""
FarNumber = Annotated[int, msgspec.Meta(ge=0)]
"""Epochs of what is not scheduled are 2**64 - 1."""


class MalformedAnswer(ValueError):
    """The answer is not what the API says."""


class Data(msgspec.Struct):
    """Any answer; `version` where the API gives the fork."""

    data: Any
    version: str | None = None
    dependent_root: str = ""
    execution_payload_blinded: bool = False
    execution_payload_value: str = "0"
    consensus_block_value: str = "0"


class _Genesis(msgspec.Struct):
    genesis_time: Number
    genesis_validators_root: str


class Syncing(msgspec.Struct):
    """The last two came later; a node that does not know them leaves them out."""

    head_slot: Number
    sync_distance: Number
    is_syncing: bool
    is_optimistic: bool = False
    el_offline: bool = False


class Version(msgspec.Struct):
    version: str


class _Root(msgspec.Struct):
    root: str


class _HeaderMessage(msgspec.Struct):
    slot: Number


class _SignedHeader(msgspec.Struct):
    message: _HeaderMessage


class _Header(msgspec.Struct):
    header: _SignedHeader


class _Checkpoint(msgspec.Struct):
    epoch: Number
    root: str


class _Vote(msgspec.Struct):
    slot: Number
    beacon_block_root: str
    source: _Checkpoint
    target: _Checkpoint


class _Attester(msgspec.Struct):
    pubkey: str
    validator_index: Number
    committee_index: Number
    committee_length: Number
    committees_at_slot: Number
    validator_committee_index: Number
    slot: Number


class _Proposer(msgspec.Struct):
    pubkey: str
    validator_index: Number
    slot: Number


class _Sync(msgspec.Struct):
    pubkey: str
    validator_index: Number
    validator_sync_committee_indices: list[Number]


class _Record(msgspec.Struct):
    pubkey: str
    effective_balance: FarNumber
    activation_epoch: FarNumber
    exit_epoch: FarNumber


class _Validator(msgspec.Struct):
    index: Number
    status: str
    validator: _Record


class _Live(msgspec.Struct):
    index: Number
    is_live: bool


def read_document(content: bytes) -> Any:
    """The JSON itself.

    Raises:
        MalformedAnswer: no JSON, or nested beyond reason.
    """
    if is_too_deep(content):
        raise MalformedAnswer("the answer is nested too deep")
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise MalformedAnswer(f"the answer is no JSON: {problem}") from None


def read(document: Any, shape: type[T]) -> T:
    """A JSON document as a value of the shape.

    Raises:
        MalformedAnswer: it is not of the shape.
    """
    try:
        return msgspec.convert(document, shape, strict=False)
    except msgspec.ValidationError as problem:
        raise MalformedAnswer(str(problem)) from None


def read_bytes(text: str, what: str, length: int = _ROOT_BYTES) -> bytes:
    """The bytes of a hex text, a root unless told otherwise.

    Raises:
        MalformedAnswer: no hex, or another length.
    """
    try:
        return parse_hex(text, what=what, length=length)
    except InputError as problem:
        raise MalformedAnswer(problem.message) from None


def read_genesis(answer: Data) -> tuple[int, bytes]:
    """Unix seconds of genesis, and the root of its validators."""
    found = read(answer.data, _Genesis)
    return found.genesis_time, read_bytes(found.genesis_validators_root, "genesis_validators_root")


def read_root(answer: Data) -> bytes:
    """A block's root."""
    return read_bytes(read(answer.data, _Root).root, "root")


def read_header_slot(answer: Data) -> Slot:
    """The slot of a block, from its header."""
    return Slot(read(answer.data, _Header).header.message.slot)


def read_vote(document: Any, slot: int) -> BeaconVote:
    """Attestation data of a slot.

    Raises:
        MalformedAnswer: also if it is of another slot.
    """
    found = read(document, _Vote)
    if found.slot != slot:
        raise MalformedAnswer(f"attestation data of slot {found.slot} instead of {slot}")
    return BeaconVote(
        read_bytes(found.beacon_block_root, "beacon_block_root"),
        _checkpoint(found.source),
        _checkpoint(found.target),
    )


def read_attesters(answer: Data, wanted: Collection[int]) -> EpochDuties[AttesterDuty]:
    """Those of the validators asked for."""
    return EpochDuties(
        read_bytes(answer.dependent_root, "dependent_root"),
        tuple(
            AttesterDuty(
                validator_index=each.validator_index,
                public_key=_key(each.pubkey),
                slot=Slot(each.slot),
                committee_index=each.committee_index,
                committee_length=each.committee_length,
                committees_at_slot=each.committees_at_slot,
                validator_committee_index=each.validator_committee_index,
            )
            for each in read(answer.data, list[_Attester])
            if each.validator_index in wanted
        ),
    )


def read_proposers(answer: Data, wanted: Collection[int]) -> EpochDuties[ProposerDuty]:
    """Those of the validators asked for; the API gives the epoch's all."""
    return EpochDuties(
        read_bytes(answer.dependent_root, "dependent_root"),
        tuple(
            ProposerDuty(each.validator_index, _key(each.pubkey), Slot(each.slot))
            for each in read(answer.data, list[_Proposer])
            if each.validator_index in wanted
        ),
    )


def read_sync(answer: Data, wanted: Collection[int]) -> EpochDuties[SyncDuty]:
    """Those of the validators asked for that sit in the committee."""
    return EpochDuties(
        b"",
        tuple(
            SyncDuty(
                each.validator_index,
                _key(each.pubkey),
                tuple(each.validator_sync_committee_indices),
            )
            for each in read(answer.data, list[_Sync])
            if each.validator_index in wanted and each.validator_sync_committee_indices
        ),
    )


def read_validators(
    answer: Data, wanted: Collection[PublicKey]
) -> Mapping[PublicKey, ValidatorState]:
    """Those of the validators asked for that the state has."""
    found = {}
    for each in read(answer.data, list[_Validator]):
        record, key = each.validator, _key(each.validator.pubkey)
        if key in wanted:
            found[key] = ValidatorState(
                index=each.index,
                status=each.status[:_STATUS_CHARACTERS],
                activation_epoch=Epoch(min(record.activation_epoch, _FAR_FUTURE)),
                exit_epoch=Epoch(min(record.exit_epoch, _FAR_FUTURE)),
                effective_balance_gwei=min(record.effective_balance, _FAR_FUTURE),
            )
    return found


def read_liveness(answer: Data, wanted: Collection[int]) -> Mapping[int, bool]:
    """Whether the node saw each validator.

    Raises:
        MalformedAnswer: also if one of them is missing: silence is no proof of absence.
    """
    live = {each.index: each.is_live for each in read(answer.data, list[_Live])}
    missing = [index for index in wanted if index not in live]
    if missing:
        raise MalformedAnswer(f"no liveness of validators {missing[:8]}")
    return {index: live[index] for index in wanted}


def _checkpoint(found: _Checkpoint) -> Checkpoint:
    return Checkpoint(Epoch(found.epoch), read_bytes(found.root, "root"))


def _key(text: str) -> PublicKey:
    return PublicKey(read_bytes(text, "pubkey", PUBLIC_KEY_BYTES))
