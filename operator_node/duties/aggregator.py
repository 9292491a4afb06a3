"""An Alan aggregation: one validator's proof, one committee's aggregate.

Pure. In Boole one duty of the whole committee takes its place.

Source: docs/protocol.md, "Aggregator"; consensus-specs, phase0/validator.md (aggregation).
"""

from __future__ import annotations

from typing import Final

from operator_node.duties.reasons import Reason
from operator_node.duties.selection import ProofLottery, SelectionRule
from operator_node.duties.two_phases import Agreement, TwoPhaseDuty
from operator_node.duties.types import (
    AggregateQuery,
    BeaconObject,
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
    ValueCheck,
)
from operator_node.duties.value_checks import check_slot, open_value
from operator_node.duties.values import Aggregate
from operator_node.spec.containers import AggregateAndProof, SignedAggregateAndProof
from operator_node.spec.signing import SigningDomain, signing_root, uint64_root
from operator_node.wire.ids import BeaconRole, RunnerRole
from operator_node.wire.messages import PartialKind
from operator_node.wire.records import Share
from operator_node.wire.value_codec import encode_validator_value
from operator_node.wire.values import ValidatorDuty, ValidatorValue
from sdk.ssz import root_of_bytes_vector, root_of_container
from sdk.types import Signature, Slot

LOTTERY: Final = ProofLottery()


class AggregatorDuty(TwoPhaseDuty):
    """One validator's aggregation in one slot, begun for every attester."""

    role = RunnerRole.AGGREGATOR
    beacon_role = BeaconRole.AGGREGATOR
    first_kind = PartialKind.SELECTION_PROOF

    def __init__(
        self,
        setting: Setting,
        duty: ValidatorDuty,
        share: Share,
        *,
        now: Slot | None = None,
        selection: SelectionRule = LOTTERY,
    ) -> None:
        """A duty that has not begun.

        Args:
            setting: the committee's.
            duty: names slot, validator, and its beacon committee with its length.
            share: of the validator.
            now: the current slot when the duty is made, its own unless told otherwise.
            selection: whether a proof chooses the validator.
        """
        chain = setting.chain
        domain = chain.domain(SigningDomain.SELECTION_PROOF, chain.epoch_of(duty.slot))
        self._selection_root = signing_root(uint64_root(duty.slot), domain)
        self._selection = selection
        super().__init__(setting, duty, share, roots=(self._selection_root,), now=now)

    def _first_phase_done(self) -> list[Command]:
        duty, proof = self._duty, self._proof
        if not self._selection.is_aggregator(duty, proof):
            self.finished = True
            return [self._course.finish(Reason.NOTHING_SELECTED)]
        query = AggregateQuery(self.slot, duty.committee_index, duty.validator_index, proof)
        return [Open(), Fetch(query)]

    def _take(self, query: Query, answer: BeaconObject) -> list[Command]:
        message = AggregateAndProof(self._duty.validator_index, answer.data, self._proof)
        value = ValidatorValue(self._duty, answer.version, message.encode())
        return [Reached(Step.DATA), Propose(encode_validator_value(value))]

    def _judge(self, value: bytes, round_number: int | None) -> Agreement:
        chain = self._setting.chain
        opened, aggregate = open_value(
            value, self._expected, Aggregate, chain=chain, generation=self._setting.generation
        )
        if self._setting.value_check is ValueCheck.DUTY:
            check_slot(opened.duty, self.slot)
        version, slot = opened.version, opened.duty.slot
        domain = chain.domain(SigningDomain.AGGREGATE_AND_PROOF, chain.epoch_of(slot))
        root = signing_root(aggregate.root, domain)
        validator_index = self._share.validator_index

        def submission(signature: Signature) -> Submission:
            return Submission(
                kind=SubmissionKind.AGGREGATE,
                version=version,
                data=SignedAggregateAndProof(aggregate.data, signature).encode(),
                root=root_of_container(aggregate.root, root_of_bytes_vector(signature)),
                validator_index=validator_index,
            )

        return Agreement(slot, {root: submission}, (root,))

    @property
    def _proof(self) -> Signature:
        return self.first.signatures[self._selection_root]
