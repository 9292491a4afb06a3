"""What operators gave beacon nodes to publish, and whether any two of it are slashable together.

Pure. Whose a vote is follows from the chain's duties, which are known later than the vote: it is
kept as it was sent until somebody judges.

Source: consensus-specs, phase0/beacon-chain.md (is_slashable_attestation_data).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import combinations
from typing import Any, Final

from deploy.devnet.inclusion import AttesterDuty
from operator_node.signer.rules import AttestationGuard, BlockGuard, Guard
from operator_node.testing.checkers import describe, is_slashable_pair
from sdk.errors import InputError
from sdk.types import Epoch, Slot, parse_hex
from tests.chaos.serving import Request

VOTES: Final = ("/eth/v1/beacon/pool/attestations", "/eth/v2/beacon/pool/attestations")
BLOCKS: Final = (
    "/eth/v1/beacon/blocks",
    "/eth/v2/beacon/blocks",
    "/eth/v1/beacon/blinded_blocks",
    "/eth/v2/beacon/blinded_blocks",
)
MOST_KEPT: Final = 200_000
"""Votes of hours; a trial that sends more is not one of these."""
_SIGNATURE_AT: Final = 4
"""In an SSZ block: after the offset of the message, which begins with slot and proposer."""
_SIGNATURE_BYTES: Final = 96
_MESSAGE_AT: Final = _SIGNATURE_AT + _SIGNATURE_BYTES
_WORD: Final = 8


@dataclass(frozen=True, slots=True)
class SentVote:
    """A vote as it was sent.

    Attributes:
        root: of all that is signed; two votes with the same one are the same.
    """

    slot: int
    committee: int
    positions: tuple[int, ...]
    source_epoch: int
    target_epoch: int
    root: bytes


@dataclass(frozen=True, slots=True)
class SentBlock:
    """A block as it was sent.

    Attributes:
        root: hash of its signature, which stands for its content.
    """

    slot: int
    proposer: int
    root: bytes


@dataclass(slots=True)
class Submitted:
    """Everything that passed a proxy on its way to a beacon node.

    Attributes:
        votes: each once.
        blocks: each once.
        unread: requests that carry something which could not be read.
    """

    votes: dict[SentVote, None] = field(default_factory=dict)
    blocks: dict[SentBlock, None] = field(default_factory=dict)
    unread: int = 0

    def hear(self, request: Request) -> None:
        """A request on its way; one that publishes neither votes nor blocks says nothing."""
        if request.method != "POST":
            return
        try:
            if request.path in VOTES:
                for item in json.loads(request.body):
                    self.votes[_vote(item)] = None
            elif request.path in BLOCKS:
                self.blocks[_block(request)] = None
        except (InputError, ValueError, KeyError, TypeError):
            self.unread += 1
        if len(self.votes) > MOST_KEPT:
            raise AssertionError(f"more than {MOST_KEPT} votes were sent")

    def slashable(self, duties: Iterable[AttesterDuty]) -> list[str]:
        """Pairs that the beacon chain would slash somebody for.

        Args:
            duties: of all validators, in all epochs.
        """
        at = {(duty.slot, duty.committee, duty.position): duty.validator for duty in duties}
        guards: dict[int, set[Guard]] = defaultdict(set)
        # Copies: more may pass while this is looked at.
        for vote in list(self.votes):
            guard = AttestationGuard(Epoch(vote.source_epoch), Epoch(vote.target_epoch), vote.root)
            for position in vote.positions:
                validator = at.get((vote.slot, vote.committee, position))
                if validator is not None:
                    guards[validator].add(guard)
        for block in list(self.blocks):
            guards[block.proposer].add(BlockGuard(Slot(block.slot), block.root))
        return [
            f"validator {validator} sent {describe(one)} and {describe(other)}"
            for validator, each in sorted(guards.items())
            for one, other in combinations(each, 2)
            if is_slashable_pair(one, other)
        ]


def _vote(item: dict[str, Any]) -> SentVote:
    data = item["data"]
    bits = parse_hex(item["aggregation_bits"], what="bits")
    found = [at for at in range(8 * len(bits)) if bits[at // 8] >> at % 8 & 1]
    return SentVote(
        slot=int(data["slot"]),
        committee=int(data["index"]),
        positions=tuple(found[:-1]),  # the last bit marks the end
        source_epoch=int(data["source"]["epoch"]),
        target_epoch=int(data["target"]["epoch"]),
        root=sha256(json.dumps(data, sort_keys=True).encode()).digest(),
    )


def _block(request: Request) -> SentBlock:
    body = request.body
    if (b"content-type", b"application/octet-stream") in request.headers:
        words = [
            int.from_bytes(body[start : start + _WORD], "little")
            for start in (_MESSAGE_AT, _MESSAGE_AT + _WORD)
        ]
        signature = body[_SIGNATURE_AT : _SIGNATURE_AT + _SIGNATURE_BYTES]
        return SentBlock(words[0], words[1], sha256(signature).digest())
    document = json.loads(body)
    message = document["message"]
    signature = parse_hex(document["signature"], what="signature")
    root = sha256(signature).digest()
    return SentBlock(int(message["slot"]), int(message["proposer_index"]), root)
