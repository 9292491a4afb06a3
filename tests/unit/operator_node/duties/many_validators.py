"""Validators of a committee of four, and a desk for the duties that the committee does for all.

Stand-in signatures are those of `single_validator`: they say who signed what, for any validator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from operator_node.duties.partials import Pair
from operator_node.duties.reasons import Reason
from operator_node.duties.types import Signed, SignItem, Withheld
from operator_node.spec.networks import MAINNET
from operator_node.wire.ids import BeaconRole, MessageId
from operator_node.wire.messages import (
    Envelope,
    EnvelopeKind,
    PartialKind,
    PartialSignature,
    PartialSignatures,
    ReceivedPartials,
    SignedMessage,
)
from operator_node.wire.records import Share
from operator_node.wire.values import BeaconVote, Checkpoint, ValidatorDuty
from sdk.types import Epoch, OperatorId, PublicKey, Slot
from tests.unit.operator_node.duties.single_validator import ME, SHARE, Desk, stand_in

INDEXES = (17, 18, 19)


def share_of(index: int) -> Share:
    """The own share of a validator; its keys are made of the index."""
    return replace(
        SHARE,
        validator_index=index,
        validator_key=PublicKey(bytes([index]) * 48),
        share_key=PublicKey(bytes([ME, index]) * 24),
    )


SHARES: Mapping[int, Share] = {index: share_of(index) for index in INDEXES}


def duty_for(role: BeaconRole, index: int, slot: Slot, **more: object) -> ValidatorDuty:
    """A validator's duty in a slot, at place 1 of a beacon committee of 64."""
    duty = ValidatorDuty(
        role,
        SHARES[index].validator_key if index in SHARES else PublicKey(b"\x77" * 48),
        slot,
        index,
        committee_index=3,
        committee_length=64,
        committees_at_slot=4,
        validator_committee_index=1,
    )
    return replace(duty, **more)  # type: ignore[arg-type]


def vote_at(slot: Slot, *, root: bytes = b"\xaa" * 32) -> BeaconVote:
    """A vote with the checkpoints of the slot's epoch."""
    epoch = MAINNET.epoch_of(slot)
    return BeaconVote(
        root,
        Checkpoint(Epoch(epoch - 1), b"\x01" * 32),
        Checkpoint(Epoch(epoch), b"\x02" * 32),
    )


def partials_of(
    sender: int,
    pairs: Iterable[tuple[int, bytes]],
    *,
    slot: Slot,
    kind: PartialKind = PartialKind.POST_CONSENSUS,
    bad: Iterable[int] = (),
) -> ReceivedPartials:
    """A co-operator's partial signatures; those of the validators in `bad` do not hold."""
    operator, spoiled = OperatorId(sender), set(bad)
    items = tuple(
        PartialSignature(
            stand_in(operator, b"other" + root if index in spoiled else root),
            root,
            operator,
            index,
        )
        for index, root in pairs
    )
    envelope = Envelope(EnvelopeKind.PARTIAL_SIGNATURES, MessageId(bytes(56)), b"")
    signed = SignedMessage((b"rsa",), (operator,), envelope)
    return ReceivedPartials(signed, PartialSignatures(kind, slot, items))


@dataclass(slots=True)
class CommitteeDesk(Desk):
    """A desk whose signer may refuse single validators.

    Attributes:
        refused: validators that it does not sign for, and why.
    """

    refused: dict[int, Reason] = field(default_factory=dict)

    def hear(self, *senders: int, is_good: bool = True) -> CommitteeDesk:
        """These co-operators send the same as the own last message."""
        mine = self.published[-1]
        pairs = [Pair(item.validator_index, item.root) for item in mine.items]
        bad = () if is_good else {pair.validator_index for pair in pairs}
        for sender in senders:
            kind = PartialKind(mine.kind)
            self.receive(partials_of(sender, pairs, slot=Slot(mine.slot), kind=kind, bad=bad))
        return self

    def _sign(self, items: tuple[SignItem, ...]) -> None:
        self.asked += items
        if self.is_silent:
            return
        results = []
        for item in items:
            why = self.refused.get(item.share.validator_index, self.withhold)
            result: Signed | Withheld = Signed(item, stand_in(ME, item.root))
            results.append(result if why is None else Withheld(item, why, "said the signer"))
        self.carry_out(self.duty.signed(tuple(results)))
