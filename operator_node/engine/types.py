"""What the engine is given: the other rooms of the node, as far as it uses them.

Small protocols, so that tests and examples can put stand-ins in their place; the node gives it
`BeaconPool`, `ShareSigner`, `OperatorKey`, `Network`, `SlotClock` and `Registry`. Nothing is done
here.

Source: docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, TypeVar

from operator_node.duties.graffiti import GRAFFITI_BYTES
from operator_node.duties.proposal_rules import RecipientCheck
from operator_node.duties.registration import GAS_LIMIT
from operator_node.duties.selection import ProofLottery, SelectionRule
from operator_node.duties.types import (
    Answer,
    CheckpointView,
    Query,
    Signed,
    SignItem,
    Submission,
    Submitted,
    ValueCheck,
    Withheld,
)
from operator_node.signer.rules import Guard
from operator_node.validation import RegistryView
from operator_node.wire.committee import Committee
from operator_node.wire.messages import Received, ReceivedPartials
from operator_node.wire.records import Share
from sdk.types import Address, Epoch, OperatorId, PublicKey, Slot

Message: TypeAlias = Received | ReceivedPartials
"""A message that gossip validation accepted, or an own one."""
_Result = TypeVar("_Result")


class Assignment(Protocol):
    """An own validator, as the registry has it.

    Attributes:
        share_keys: of all operators.
        share_key: of this operator.
        active: whether its cluster is not liquidated.
    """

    @property
    def validator_key(self) -> PublicKey: ...
    @property
    def committee(self) -> Committee: ...
    @property
    def share_keys(self) -> Mapping[OperatorId, PublicKey]: ...
    @property
    def share_key(self) -> PublicKey: ...
    @property
    def fee_recipient(self) -> Address: ...
    @property
    def active(self) -> bool: ...


class VerifyingKey(Protocol):
    """An operator's public key."""

    def verify(self, data: bytes, signature: bytes, /) -> bool:
        """Whether the signature over the data is this operator's."""


class Registry(Protocol):
    """What the chain's registry says now; answers from memory."""

    @property
    def view(self) -> RegistryView:
        """All committees of the network, for gossip validation."""

    def own(self) -> Mapping[PublicKey, Assignment]:
        """Validators with a share here, by validator key."""

    def operator_keys(self) -> Mapping[OperatorId, VerifyingKey]:
        """Of every registered operator."""


class Beacon(Protocol):
    """The beacon nodes. None of these raises for what they did."""

    async def answer(self, query: Query, *, deadline_ms: int) -> Answer:
        """The best answer until then, or `Unavailable`."""

    async def submit(self, items: tuple[Submission, ...], /) -> tuple[Submitted, ...]:
        """A result per item, in order."""

    def view(self, slot: Slot, /) -> CheckpointView | None:
        """The checkpoints that they vouch for in the slot's epoch."""


class Signer(Protocol):
    """The share keys behind the slashing record."""

    def sign(self, items: tuple[SignItem, ...], *, slot: Slot) -> tuple[Signed | Withheld, ...]:
        """A result per item, in order; called in a worker thread.

        Raises:
            StorageError: the record could not be made durable; nothing was signed.
        """

    def is_slashable(self, share: Share, guard: Guard, /) -> bool:
        """Whether the record forbids this now; records nothing."""


class MessageKey(Protocol):
    """The operator's own RSA key."""

    def sign(self, data: bytes, /) -> bytes:
        """256 bytes."""


class Transport(Protocol):
    """The way to the peers."""

    async def publish(self, topic: str, data: bytes, /) -> None:
        """To everybody on a topic.

        Raises:
            PeerError: nobody could be reached.
        """

    async def send_to(self, operator: OperatorId, topic: str, data: bytes, /) -> bool:
        """To one operator directly; whether it is connected."""

    def operators_connected(self) -> frozenset[OperatorId]:
        """Co-operators that there is a connection to now."""


class Clock(Protocol):
    """The only one who reads time."""

    def now_ms(self) -> int:
        """Unix milliseconds."""

    def start_ms(self, slot: int, /) -> int:
        """Unix milliseconds at which the slot begins."""

    async def sleep_until(self, at_ms: int, /) -> None:
        """Returns at that time, at once if it is over."""


class Work(Protocol):
    """Runs what would keep the event loop busy or waits for a disk."""

    def __call__(self, step: Callable[[], _Result], /, *, urgent: bool) -> Awaitable[_Result]:
        """The step's result; urgent ones do not queue behind others."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Choices of this operator about what it proposes and signs.

    Attributes:
        graffiti: 32 bytes, for own blocks of validators without one in the registry.
        gas_limit: of registrations, by epoch; the operators of a committee must agree on it.
        recipient: what to do about local blocks that pay somebody else (DUT-13).
        takes_builder_blocks: whether blocks may be builders'.
        value_check: see `ValueCheck`.
        selection: who aggregates; anything but the chain's rule is for tests.
    """

    graffiti: bytes = bytes(GRAFFITI_BYTES)
    gas_limit: Callable[[Epoch], int] = field(default=lambda epoch: GAS_LIMIT)
    recipient: RecipientCheck = RecipientCheck.STRICT
    takes_builder_blocks: bool = True
    value_check: ValueCheck = ValueCheck.DUTY
    selection: SelectionRule = field(default_factory=ProofLottery)
