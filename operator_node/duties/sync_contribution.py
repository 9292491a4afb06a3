"""Alan contributions to the sync committee: one validator, its positions, their subnets.

Pure. A validator with several positions in one subnet signs that subnet once per position, as nodes
of Alan do, and contributes to it once. In Boole one duty of the whole committee takes its place.

Source: docs/protocol.md, "Sync committee contribution"; consensus-specs, altair/validator.md.
"""

from __future__ import annotations

from operator_node.duties.aggregator import LOTTERY
from operator_node.duties.reasons import Reason
from operator_node.duties.selection import SelectionRule
from operator_node.duties.two_phases import Agreement, SignedObject, TwoPhaseDuty
from operator_node.duties.types import (
    BeaconObject,
    Command,
    ContributionQuery,
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
from operator_node.duties.values import Contribution, Contributions, encode_contributions
from operator_node.spec.containers import (
    ContributionAndProof,
    SignedContributionAndProof,
    SyncAggregatorSelectionData,
)
from operator_node.spec.selection import subnet_of
from operator_node.spec.signing import (
    SigningDomain,
    contribution_and_proof_root,
    signing_root,
    sync_selection_data_root,
)
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import BeaconRole, RunnerRole
from operator_node.wire.messages import PartialKind
from operator_node.wire.records import Share
from operator_node.wire.value_codec import encode_validator_value
from operator_node.wire.values import ValidatorDuty, ValidatorValue
from sdk.ssz import root_of_bytes_vector, root_of_container
from sdk.types import Signature, Slot


class ContributionDuty(TwoPhaseDuty):
    """One validator's contributions in one slot."""

    role = RunnerRole.SYNC_CONTRIBUTION
    beacon_role = BeaconRole.SYNC_CONTRIBUTION
    first_kind = PartialKind.CONTRIBUTION_PROOFS

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
            duty: names slot, validator and its positions in the sync committee, at least one.
            share: of the validator.
            now: the current slot when the duty is made, its own unless told otherwise.
            selection: whether a proof chooses the validator for a subnet.
        """
        chain = setting.chain
        domain = chain.domain(SigningDomain.SYNC_SELECTION_PROOF, chain.epoch_of(duty.slot))
        subnets = [subnet_of(each, chain.preset) for each in duty.sync_committee_indices]
        roots = [
            signing_root(
                sync_selection_data_root(SyncAggregatorSelectionData(duty.slot, subnet)), domain
            )
            for subnet in subnets
        ]
        self._subnets = dict(zip(roots, subnets, strict=True))
        self._selection = selection
        self._awaited: set[int] = set()
        self._contributions: dict[int, Contribution] = {}
        self._version = chain.version_at(duty.slot)
        super().__init__(setting, duty, share, roots=roots, now=now)

    def _first_phase_done(self) -> list[Command]:
        preset, fetches = self._setting.chain.preset, []
        for root, subnet in self._subnets.items():
            proof = self.first.signatures[root]
            if self._selection.is_contributor(self._duty, proof, preset):
                self._awaited.add(subnet)
                fetches.append(Fetch(ContributionQuery(self.slot, subnet, proof)))
        if not fetches:
            self.finished = True
            return [self._course.finish(Reason.NOTHING_SELECTED)]
        return [Open(), *fetches]

    def _take(self, query: Query, answer: BeaconObject) -> list[Command]:
        if not isinstance(query, ContributionQuery):
            return []
        self._version = answer.version
        self._contributions[query.subnet] = Contribution(query.selection_proof, answer.data)
        return self._answered(query.subnet)

    def _miss(self, query: Query) -> list[Command]:
        return self._answered(query.subnet) if isinstance(query, ContributionQuery) else []

    def _answered(self, subnet: int) -> list[Command]:
        """Proposes what there is as soon as no subnet's answer is awaited."""
        self._awaited.discard(subnet)
        if self._awaited or not self._contributions:
            return []
        chosen = [self._contributions[each] for each in sorted(self._contributions)]
        value = ValidatorValue(self._duty, self._version, encode_contributions(chosen))
        return [Reached(Step.DATA), Propose(encode_validator_value(value))]

    def _judge(self, value: bytes, round_number: int | None) -> Agreement:
        chain = self._setting.chain
        opened, contributions = open_value(
            value, self._expected, Contributions, chain=chain, generation=self._setting.generation
        )
        if self._setting.value_check is ValueCheck.DUTY:
            check_slot(opened.duty, self.slot)
            if not contributions.items:
                raise ProtocolFault(Fault.VALUE_INVALID, "the value holds no contribution")
        slot = opened.duty.slot
        domain = chain.domain(SigningDomain.CONTRIBUTION_AND_PROOF, chain.epoch_of(slot))
        objects: dict[bytes, SignedObject] = {}
        roots = []
        for each in contributions.items:
            message = ContributionAndProof(
                self._share.validator_index, each.contribution, each.selection_proof
            )
            message_root = contribution_and_proof_root(message, preset=chain.preset)
            root = signing_root(message_root, domain)
            objects[root] = self._submission_of(message.encode(), message_root, opened.version)
            roots.append(root)
        return Agreement(slot, objects, tuple(roots))

    def _submission_of(self, message: bytes, message_root: bytes, version: int) -> SignedObject:
        validator_index = self._share.validator_index

        def submission(signature: Signature) -> Submission:
            return Submission(
                kind=SubmissionKind.CONTRIBUTION,
                version=version,
                data=SignedContributionAndProof(message, signature).encode(),
                root=root_of_container(message_root, root_of_bytes_vector(signature)),
                validator_index=validator_index,
            )

        return submission
