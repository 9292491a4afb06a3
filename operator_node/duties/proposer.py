"""A block proposal, full or blinded, whoever of the committee built it.

Pure. The committee signs the epoch first; the recovered signature is the RANDAO reveal, without
which no beacon node makes a block. Every operator asks for a block, since leaders change, and
answers the leader's without waiting for its own (DUT-4).

Source: docs/protocol.md, "Proposer" and "Value checks"; docs/slashing.md.
"""

from __future__ import annotations

from operator_node.duties.graffiti import GRAFFITI_BYTES, choose_graffiti
from operator_node.duties.proposal_rules import (
    NOBODY_FROM_ROUND,
    BlockCheck,
    ProposalRules,
    RecipientCheck,
    check_block,
    check_recipient,
    deviation,
)
from operator_node.duties.two_phases import Agreement, SignedObject, TwoPhaseDuty
from operator_node.duties.types import (
    BeaconObject,
    BlockQuery,
    Command,
    Fetch,
    Open,
    Propose,
    Query,
    Reached,
    Setting,
    Step,
    Submission,
    SubmissionKind,
)
from operator_node.duties.value_checks import open_value
from operator_node.signer.rules import BlockGuard
from operator_node.spec.blocks import BlockKind, ProposedBlock, signed_block
from operator_node.spec.signing import SigningDomain, signing_root, uint64_root
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import BeaconRole, RunnerRole
from operator_node.wire.messages import PartialKind
from operator_node.wire.records import Share
from operator_node.wire.value_codec import encode_validator_value
from operator_node.wire.values import ValidatorDuty, ValidatorValue
from sdk.types import Signature, Slot, checksum_address


class ProposerDuty(TwoPhaseDuty):
    """One proposal."""

    role = RunnerRole.PROPOSER
    beacon_role = BeaconRole.PROPOSER
    first_kind = PartialKind.RANDAO

    def __init__(
        self,
        setting: Setting,
        duty: ValidatorDuty,
        share: Share,
        *,
        now: Slot | None = None,
        rules: ProposalRules | None = None,
        graffiti: bytes = bytes(GRAFFITI_BYTES),
    ) -> None:
        """A duty that has not begun.

        Args:
            setting: the committee's.
            duty: names slot and validator.
            share: its fee recipient and graffiti are those that the registry has.
            now: the current slot when the duty is made, its own unless told otherwise.
            rules: what is asked of blocks beyond the network's rules; the strictest, with the
                share's fee recipient, unless told otherwise.
            graffiti: of the node, 32 bytes; serves where the registry has none.
        """
        chain = setting.chain
        epoch = chain.epoch_of(duty.slot)
        self._randao_root = signing_root(
            uint64_root(epoch), chain.domain(SigningDomain.RANDAO, epoch)
        )
        super().__init__(setting, duty, share, roots=(self._randao_root,), now=now)
        self._rules = rules or ProposalRules(frozenset({share.fee_recipient}))
        self._graffiti = choose_graffiti(share.graffiti, graffiti)
        self._own_value: bytes | None = None
        self._opened: tuple[bytes, ValidatorValue, ProposedBlock] | None = None

    @property
    def reveal(self) -> Signature | None:
        """The committee's RANDAO reveal, None while it is not known."""
        return self.first.signatures.get(self._randao_root)

    def enter_round(self, round_number: int) -> list[Command]:
        """Offers the own block again when one that pays nobody has become acceptable."""
        is_time = round_number == NOBODY_FROM_ROUND
        if not is_time or self._own_value is None or self.decided_value:
            return []
        is_held_back = self._rules.recipient is RecipientCheck.STRICT
        return [Propose(self._own_value)] if is_held_back else []

    def _first_phase_done(self) -> list[Command]:
        reveal = self.first.signatures[self._randao_root]
        is_local = not self._rules.takes_builder_blocks
        index = self._duty.validator_index
        query = BlockQuery(self.slot, index, reveal, self._graffiti, is_local)
        return [Open(), Fetch(query)]

    def _take(self, query: Query, answer: BeaconObject) -> list[Command]:
        value = ValidatorValue(self._duty, answer.version, answer.data)
        self._own_value = encode_validator_value(value)
        return [Reached(Step.DATA), Propose(self._own_value)]

    def _judge(self, value: bytes, round_number: int | None) -> Agreement:
        opened, block = self._open(value)
        if self._rules.block is BlockCheck.DUTY:
            check_block(opened, block, self._duty, self.reveal)
        check_recipient(block, self._rules, round_number or NOBODY_FROM_ROUND)
        chain, slot = self._setting.chain, opened.duty.slot
        domain = chain.domain(SigningDomain.PROPOSER, chain.epoch_of(slot))
        root = signing_root(block.root, domain)
        guard = BlockGuard(Slot(block.slot), root)
        if self._setting.is_slashable(self._share, guard):
            raise ProtocolFault(
                Fault.SLASHABLE_BLOCK,
                f"validator {self._share.validator_index}: a block of slot {block.slot} would be "
                "slashable",
            )
        objects = {root: self._submission_of(block)}
        return Agreement(slot, objects, (root,), guard, self._facts_of(block))

    def _facts_of(self, block: ProposedBlock) -> dict[str, object]:
        """What is needed to see, once the block is public, whether it paid whom it should."""
        facts: dict[str, object] = {
            "block": block.kind.value,
            "recipients": sorted(map(checksum_address, self._rules.recipients)),
        }
        paid = deviation(block, self._rules)
        return facts if paid is None else {**facts, "fee_recipient": checksum_address(paid)}

    def _open(self, value: bytes) -> tuple[ValidatorValue, ProposedBlock]:
        """The block in a value; the last one is kept, since hashing a block takes milliseconds."""
        if self._opened is not None and self._opened[0] == value:
            return self._opened[1:]
        opened, block = open_value(
            value,
            self._expected,
            ProposedBlock,
            chain=self._setting.chain,
            generation=self._setting.generation,
        )
        self._opened = (value, opened, block)
        return opened, block

    def _submission_of(self, block: ProposedBlock) -> SignedObject:
        validator_index = self._share.validator_index

        def submission(signature: Signature) -> Submission:
            return Submission(
                kind=SubmissionKind.BLOCK,
                version=block.version,
                data=signed_block(block, signature),
                root=block.root,
                validator_index=validator_index,
                blinded=block.kind is BlockKind.BLINDED,
            )

        return submission
