"""What node and signing process say to each other, as values and as bytes.

Pure. A request has one answer; `Failed` is one that any request can get, and names an error of
`sdk/errors.py` with its text. Secrets go one way only: a raw operator key, if the settings hold
one, to the signing process. Shares travel encrypted to the operator's key, as the chain has them.

Source: docs/security.md, "The signing process".
"""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias, assert_never

import msgspec
from msgspec import Meta, Struct

from operator_node.signer.rules import AttestationGuard, BlockGuard, Guard
from sdk import errors
from sdk.errors import InvariantBroken, PhalanxError
from sdk.types import Epoch, Slot

ITEMS_MOST: Final = 3_000
"""In one request. A message between operators has 1,000 partial signatures at most."""
MESSAGES_MOST: Final = 256
"""Envelopes to sign at once; with more, the first would wait for the last for 0.1 s."""

Key: TypeAlias = Annotated[bytes, Meta(min_length=48, max_length=48)]
Root: TypeAlias = Annotated[bytes, Meta(min_length=32, max_length=32)]
Number: TypeAlias = Annotated[int, Meta(ge=0)]
"""A guard itself refuses what is no uint64."""


class Vote(Struct, frozen=True, tag="v", array_like=True):
    """An attestation guard."""

    source: Number
    target: Number
    root: Root | None


class Block(Struct, frozen=True, tag="b", array_like=True):
    """A block guard."""

    slot: Number
    root: Root | None


class Item(Struct, frozen=True, array_like=True):
    """One root to sign with one share."""

    share_key: Key
    validator_key: Key
    root: Root
    guard: Vote | Block | None


class SealedShare(Struct, frozen=True, array_like=True):
    """A share as the chain has it: its public key, and the secret encrypted to the operator."""

    share_key: Key
    ciphertext: Annotated[bytes, Meta(max_length=1024)]

    def __repr__(self) -> str:
        return f"SealedShare(0x{self.share_key.hex()})"


# --- requests --------------------------------------------------------------------------------


class OpenKey(Struct, frozen=True, tag=True):
    """The operator's key: a file, with its password file, or the text of the key itself."""

    file: str | None
    password_file: str | None
    raw: bytes | None

    def __repr__(self) -> str:
        return "OpenKey(<redacted>)"


class OpenRecord(Struct, frozen=True, tag=True):
    """The slashing record, and the chain's clock. Once, after `OpenKey`."""

    path: str
    network: str
    genesis_validators_root: Root
    genesis_time: Number
    slot_ms: int
    slots_per_epoch: int
    sets_damage_aside: bool
    has_lease: bool = False


class BindOperator(Struct, frozen=True, tag=True):
    """See `SlashingStore.bind_operator`."""

    operator_id: Annotated[int, Meta(ge=1)]


class GetStanding(Struct, frozen=True, tag=True):
    """See `LeaseRecord`; so are the next two."""


class TakeTerm(Struct, frozen=True, tag=True):
    """A term of the lease begins."""

    term: Number
    unknown_until_ms: Number | None


class GivePermit(Struct, frozen=True, tag=True):
    """What is recorded under a lease ends at these times, by the machine's clocks."""

    term: Number
    boot_ms: Number
    wall_ms: Number


class EndPermit(Struct, frozen=True, tag=True):
    """Nothing more is recorded under a lease."""


class CopyRecord(Struct, frozen=True, tag=True):
    """See `SlashingStore.copy_to`."""

    path: str


class OpenShares(Struct, frozen=True, tag=True):
    """Whether shares can be decrypted; they stay ready for `TakeShares`."""

    shares: Annotated[tuple[SealedShare, ...], Meta(max_length=ITEMS_MOST)]


class TakeShares(Struct, frozen=True, tag=True):
    """Takes shares into use, each for its validator; twice is as good as once."""

    shares: Annotated[tuple[tuple[Key, SealedShare], ...], Meta(max_length=ITEMS_MOST)]


class DropShares(Struct, frozen=True, tag=True):
    """Forgets secrets: pairs of validator key and share key."""

    pairs: Annotated[tuple[tuple[Key, Key], ...], Meta(max_length=ITEMS_MOST)]


class Arm(Struct, frozen=True, tag=True):
    """See `ShareSigner.arm`."""

    validator_key: Key


class SignShares(Struct, frozen=True, tag=True):
    """Partial signatures of one committee in one slot."""

    slot: Number
    items: Annotated[tuple[Item, ...], Meta(max_length=ITEMS_MOST)]


class SignMessages(Struct, frozen=True, tag=True):
    """Messages to the other operators, to be signed with the operator's key."""

    messages: Annotated[tuple[bytes, ...], Meta(max_length=MESSAGES_MOST)]


class Check(Struct, frozen=True, tag=True):
    """Whether the record would permit it now; records nothing."""

    share_key: Key
    validator_key: Key
    guard: Vote | Block


class Ping(Struct, frozen=True, tag=True):
    """Whether anybody is there."""


Request: TypeAlias = (
    OpenKey
    | OpenRecord
    | BindOperator
    | GetStanding
    | TakeTerm
    | GivePermit
    | EndPermit
    | CopyRecord
    | OpenShares
    | TakeShares
    | DropShares
    | Arm
    | SignShares
    | SignMessages
    | Check
    | Ping
)

# --- answers ---------------------------------------------------------------------------------


class KeyOpened(Struct, frozen=True, tag=True):
    """The operator's public key, as registered."""

    public_key: str


class RecordOpened(Struct, frozen=True, tag=True):
    """What was found: see `SlashingStore`.

    Attributes:
        was_old: an older copy was put back, or nobody could vouch for it; every share is armed.
    """

    is_new: bool
    was_old: bool


class StandingIs(Struct, frozen=True, tag=True):
    """See `Standing`."""

    term: int
    record_id: str
    sequence: int


class SharesOpened(Struct, frozen=True, tag=True):
    """Why not, per share that could not be decrypted, by its place."""

    problems: dict[int, str]


class Withheld(Struct, frozen=True, array_like=True):
    """The word of a reason, and its detail."""

    reason: str
    detail: str


class PartsSigned(Struct, frozen=True, tag=True):
    """96 bytes or a refusal per item."""

    results: tuple[Annotated[bytes, Meta(min_length=96, max_length=96)] | Withheld, ...]


class MessagesSigned(Struct, frozen=True, tag=True):
    """256 bytes per message."""

    signatures: tuple[Annotated[bytes, Meta(min_length=256, max_length=256)], ...]


class Checked(Struct, frozen=True, tag=True):
    """The verdict: `is_new` is false for the repeat of what was signed before."""

    may_sign: bool
    is_new: bool


class Done(Struct, frozen=True, tag=True):
    """That is all there is to say."""


class Failed(Struct, frozen=True, tag=True):
    """An error of ours, by the name of its class."""

    kind: str
    code: str
    message: str
    hint: str

    def error(self) -> PhalanxError:
        """The same error on this side."""
        kind = getattr(errors, self.kind, None)
        if not (isinstance(kind, type) and issubclass(kind, PhalanxError)):
            kind = InvariantBroken
        made = kind(self.message, code=self.code, hint=self.hint)
        if not isinstance(made, PhalanxError):  # mypy cannot see that it is one
            raise InvariantBroken(f"{self.kind} is no error of ours")
        return made


Answer: TypeAlias = (
    KeyOpened
    | RecordOpened
    | StandingIs
    | SharesOpened
    | PartsSigned
    | MessagesSigned
    | Checked
    | Done
    | Failed
)

_REQUESTS: Final = msgspec.msgpack.Decoder(Request)
_ANSWERS: Final = msgspec.msgpack.Decoder(Answer)
_ENCODER: Final = msgspec.msgpack.Encoder()


def encode(words: Request | Answer) -> bytes:
    """As bytes."""
    return _ENCODER.encode(words)


def decode_request(data: bytes) -> Request:
    """The request.

    Raises:
        InvariantBroken: none of ours; its bytes are not quoted.
    """
    try:
        request: Request = _REQUESTS.decode(data)
    except msgspec.DecodeError:
        raise InvariantBroken("the node sent what is no request") from None
    return request


def decode_answer(data: bytes) -> Answer:
    """The answer.

    Raises:
        InvariantBroken: none of ours.
    """
    try:
        answer: Answer = _ANSWERS.decode(data)
    except msgspec.DecodeError:
        raise InvariantBroken("the signing process sent what is no answer") from None
    return answer


def failed(error: PhalanxError) -> Failed:
    """An error on its way to the other side."""
    return Failed(type(error).__name__, error.code, error.message, error.hint)


def from_guard(guard: Guard) -> Vote | Block:
    """The words for a guard."""
    match guard:
        case AttestationGuard():
            return Vote(guard.source_epoch, guard.target_epoch, guard.signing_root)
        case BlockGuard():
            return Block(guard.slot, guard.signing_root)
        case _:
            assert_never(guard)


def to_guard(words: Vote | Block) -> Guard:
    """The guard."""
    if isinstance(words, Vote):
        return AttestationGuard(Epoch(words.source), Epoch(words.target), words.root)
    return BlockGuard(Slot(words.slot), words.root)
