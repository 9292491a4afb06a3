"""EIP-3076 interchange files, version 5: the slashing record on its way between programs.

Pure: bytes in, histories out, and back. Files of other programs are read strictly: one wrong
field refuses the file, because half a history is worse than none. Fields that the EIP does not
know are ignored. What to do with what was read is the record's (`Records.merge`).

Source: EIP-3076, "JSON Schema"; docs/slashing.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final

import msgspec

from operator_node.signer.record import KeyHistory
from operator_node.signer.rules import (
    SIGNING_ROOT_BYTES,
    UINT64_MAX,
    AttestationGuard,
    BlockGuard,
    History,
)
from operator_node.signer.trail import E, Trail
from sdk.errors import InputError
from sdk.json_documents import read_hex, read_json
from sdk.types import PUBLIC_KEY_BYTES, Epoch, PublicKey, Slot

FILE_MAX_BYTES: Final = 512 * 1024 * 1024
"""3,000 validators with 1,000 entries each take about 400 MB; a larger file is a mistake."""
FORMAT_VERSION: Final = "5"
EPOCHS_AHEAD: Final = 2
"""For clocks that differ and programs that raise bounds a little; a key is silent for so long."""
_ROOT_BYTES: Final = 32
_UINT64_DIGITS: Final = 20


class Form(Enum):
    """How much an export holds."""

    COMPLETE = "complete"
    """Every kept entry and the bounds."""
    MINIMAL = "minimal"
    """The highest values only, one attestation and one block per key."""


class _Block(msgspec.Struct, omit_defaults=True, gc=False):
    slot: str
    signing_root: str | None = None


class _Attestation(msgspec.Struct, omit_defaults=True, gc=False):
    source_epoch: str
    target_epoch: str
    signing_root: str | None = None


class _Key(msgspec.Struct, omit_defaults=True):
    pubkey: str
    signed_blocks: list[_Block]
    signed_attestations: list[_Attestation]
    validator_pubkey: str | None = None
    """Ours: the validator of a share. The EIP has no field for it."""


class _Metadata(msgspec.Struct):
    interchange_format_version: str
    genesis_validators_root: str


class _Document(msgspec.Struct):
    metadata: _Metadata
    data: list[_Key]


def read_interchange(
    data: bytes, *, genesis_validators_root: bytes, source: str = "interchange"
) -> tuple[KeyHistory, ...]:
    """What the file says was signed, one history per key; a key listed twice is joined.

    Args:
        data: the file.
        genesis_validators_root: 32 bytes, of the chain this record is for.
        source: file name for the errors.

    Raises:
        InputError: `interchange_malformed`, `interchange_version`, or
            `interchange_other_chain`; then nothing of the file may be used.
    """
    document = read_json(
        data,
        _Document,
        source=source,
        limit_bytes=FILE_MAX_BYTES,
        code="interchange_malformed",
    )
    _check_metadata(document.metadata, genesis_validators_root, source)
    joined: dict[tuple[PublicKey, PublicKey | None], History] = {}
    for position, entry in enumerate(document.data):
        found = _read_key(entry, f"{source}: data[{position}]")
        name = (found.key, found.validator_key)
        joined[name] = joined.get(name, History()).merged(found.history)
    return tuple(KeyHistory(key, history, whose) for (key, whose), history in joined.items())


def write_interchange(
    histories: Iterable[KeyHistory],
    *,
    genesis_validators_root: bytes,
    form: Form = Form.COMPLETE,
    with_validator_keys: bool = True,
) -> bytes:
    """The file as UTF-8 JSON. Whoever reads it permits nothing that these histories refuse.

    Bounds are written as entries without signing root, as the EIP has no other place for them.

    Args:
        histories: as `SlashingProtection.key_histories` gives them.
        genesis_validators_root: 32 bytes.
        form: how much to write.
        with_validator_keys: name each share's validator in a field of our own,
            `validator_pubkey`. Some programs refuse files with fields they do not know.
    """
    entries = []
    for item in histories:
        votes, blocks = item.history.attestations, item.history.blocks
        whose = item.validator_key if with_validator_keys else None
        entries.append(
            _Key(
                _hex(item.key),
                [_Block(str(b.slot), _root_text(b.signing_root)) for b in _listed(blocks, form)],
                [
                    _Attestation(
                        str(a.source_epoch), str(a.target_epoch), _root_text(a.signing_root)
                    )
                    for a in _listed(votes, form)
                ],
                None if whose is None else _hex(whose),
            )
        )
    metadata = _Metadata(FORMAT_VERSION, _hex(genesis_validators_root))
    return msgspec.json.encode(_Document(metadata, entries)) + b"\n"


def refuse_reversed_votes(histories: Iterable[KeyHistory], *, source: str) -> None:
    """Refuses votes whose source is after their target: no validator can have signed them.

    `read_interchange` takes them, as the EIP's own cases have them.

    Raises:
        InputError: `interchange_absurd`.
    """
    for item in histories:
        votes = item.history.attestations
        for vote in (*votes.entries, *(() if votes.highest is None else (votes.highest,))):
            if vote.source_epoch > vote.target_epoch:
                raise InputError(
                    f"{source}: key {_hex(item.key)} has a vote with source epoch "
                    f"{vote.source_epoch} after its target epoch {vote.target_epoch}, which "
                    f"would keep it from voting until source epoch {vote.source_epoch}",
                    code="interchange_absurd",
                    hint="Nothing was taken in. Export the file again, or correct this vote.",
                    data={"key": _hex(item.key)},
                )


def refuse_far_bounds(
    histories: Iterable[KeyHistory], *, epoch: int, slot: int, source: str
) -> None:
    """Refuses bounds after these, which silence a key until the chain is there.

    Args:
        histories: as read.
        epoch: the latest that is plausible.
        slot: likewise.
        source: file name for the errors.

    Raises:
        InputError: `interchange_far_future`.
    """
    for item in histories:
        vote, block = item.history.attestations.highest, item.history.blocks.highest
        if vote is not None and max(vote.source_epoch, vote.target_epoch) > epoch:
            latest = max(vote.source_epoch, vote.target_epoch)
            raise _far(source, item.key, f"vote of epoch {latest}", f"epoch {epoch}", "voting")
        if block is not None and block.slot > slot:
            told = f"block of slot {block.slot}"
            raise _far(source, item.key, told, f"slot {slot}", "proposing")


def _far(source: str, key: PublicKey, what: str, latest: str, duty: str) -> InputError:
    return InputError(
        f"{source}: key {_hex(key)} has a {what}, the latest possible now is {latest}; it "
        f"would be kept from {duty} until the chain is there, and bounds never fall",
        code="interchange_far_future",
        hint="Nothing was taken in. Correct the file, or give --allow-far-future to silence the "
        "key.",
        data={"key": _hex(key)},
    )


def _check_metadata(metadata: _Metadata, expected: bytes, source: str) -> None:
    if metadata.interchange_format_version != FORMAT_VERSION:
        raise InputError(
            f"{source} is of interchange version {metadata.interchange_format_version[:8]!a}, "
            f"only {FORMAT_VERSION} is read",
            code="interchange_version",
            hint="Export it again with a current version of the other program.",
        )
    field = f"{source}: metadata.genesis_validators_root"
    root = read_hex(
        metadata.genesis_validators_root,
        field=field,
        length=_ROOT_BYTES,
        code="interchange_malformed",
    )
    if root != expected:
        raise InputError(
            f"{source} is of the chain with genesis validators root {_hex(root)}, this record of "
            f"{_hex(expected)}",
            code="interchange_other_chain",
            hint="Check which network the file comes from.",
            data={"found": _hex(root), "expected": _hex(expected)},
        )


def _read_key(entry: _Key, field: str) -> KeyHistory:
    key = _public_key(entry.pubkey, f"{field}.pubkey")
    whose = entry.validator_pubkey
    votes, blocks = [], []
    for position, vote in enumerate(entry.signed_attestations):
        place = f"{field}.signed_attestations[{position}]"
        source = _number(vote.source_epoch, place)
        target = _number(vote.target_epoch, place)
        votes.append(
            AttestationGuard(Epoch(source), Epoch(target), _root(vote.signing_root, place))
        )
    for position, block in enumerate(entry.signed_blocks):
        place = f"{field}.signed_blocks[{position}]"
        slot = _number(block.slot, place)
        blocks.append(BlockGuard(Slot(slot), _root(block.signing_root, place)))
    return KeyHistory(
        key,
        History(Trail.of(votes), Trail.of(blocks)),
        None if whose is None else _public_key(whose, f"{field}.validator_pubkey"),
    )


def _listed(trail: Trail[E], form: Form) -> Iterator[E]:
    if form is Form.MINIMAL:
        if trail.highest is not None:
            yield trail.highest
        return
    if trail.floor is not None and trail.floor not in trail:
        yield trail.floor
    yield from trail.entries


def _number(text: str, place: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= _UINT64_DIGITS
    if not is_number or int(text) > UINT64_MAX:
        raise InputError(
            f"{place}: {text[:_UINT64_DIGITS]!a} is no decimal number below 2**64",
            code="interchange_malformed",
            hint="Export the file again, or correct this field.",
            data={"field": place},
        )
    return int(text)


def _public_key(text: str, place: str) -> PublicKey:
    code = "interchange_malformed"
    return PublicKey(read_hex(text, field=place, length=PUBLIC_KEY_BYTES, code=code))


def _root(text: str | None, place: str) -> bytes | None:
    if text is None:
        return None
    field = f"{place}.signing_root"
    return read_hex(text, field=field, length=SIGNING_ROOT_BYTES, code="interchange_malformed")


def _root_text(root: bytes | None) -> str | None:
    return None if root is None else _hex(root)


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
