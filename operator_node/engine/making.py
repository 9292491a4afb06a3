"""Sessions and duties from what this operator knows and chooses.

It keeps nothing and reads no clock. Source: docs/protocol.md, "Duties" and "Generations".
"""

from __future__ import annotations

from operator_node.duties import (
    AggregatorDuty,
    ContributionDuty,
    Duty,
    ExitDuty,
    ProposerDuty,
    RegistrationDuty,
    Setting,
)
from operator_node.duties.proposal_rules import ProposalRules
from operator_node.engine.own import Own
from operator_node.engine.types import Policy, Registry, Signer
from operator_node.qbft import leader_of
from operator_node.session import CommitteeSessions, ValidatorSessions
from operator_node.spec.chain import ChainSpec
from operator_node.wire.codec import signs_over
from operator_node.wire.committee import Committee
from operator_node.wire.generations import Generation
from operator_node.wire.ids import RunnerRole
from operator_node.wire.messages import SignedMessage
from operator_node.wire.records import Share
from operator_node.wire.values import ValidatorDuty
from sdk.errors import InvariantBroken
from sdk.types import OperatorId


class Maker:
    """Makes sessions and duties of one operator.

    Attributes:
        policy: the operator's choices; another one serves from the next duty on.
    """

    def __init__(
        self,
        *,
        me: OperatorId,
        chain: ChainSpec,
        registry: Registry,
        own: Own,
        signer: Signer,
        policy: Policy,
    ) -> None:
        """Keeps its arguments.

        Args:
            me: the own operator id.
            chain: the beacon chain.
            registry: for the operators' keys.
            own: for fee recipients.
            signer: asked what the slashing record forbids.
            policy: the operator's choices.
        """
        self.me = me
        self.chain = chain
        self._registry = registry
        self._own = own
        self._signer = signer
        self.policy = policy

    def setting(self, committee: Committee, generation: Generation) -> Setting:
        """What all duties of a committee share."""
        return Setting(
            committee=committee,
            me=self.me,
            chain=self.chain,
            generation=generation,
            is_slashable=self._signer.is_slashable,
            selection=self.policy.selection,
            value_check=self.policy.value_check,
        )

    def committee_sessions(self, committee: Committee, generation: Generation) -> CommitteeSessions:
        """None begun yet."""
        return CommitteeSessions(
            self.setting(committee, generation),
            domain=self._own.network.domain(generation),
            leader=leader_of(committee, generation),
            verify=self._verify,
        )

    def validator_sessions(
        self, committee: Committee, share: Share, generation: Generation
    ) -> ValidatorSessions:
        """None begun yet."""
        return ValidatorSessions(
            self.setting(committee, generation),
            share,
            domain=self._own.network.domain(generation),
            leader=leader_of(committee, generation),
            verify=self._verify,
        )

    def duty(self, role: RunnerRole, duty: ValidatorDuty, share: Share, setting: Setting) -> Duty:
        """One validator's duty, not begun."""
        policy = self.policy
        match role:
            case RunnerRole.PROPOSER:
                recipients = self._own.recipients(share.validator_key)
                rules = ProposalRules(
                    recipients,
                    recipient=policy.recipient,
                    takes_builder_blocks=policy.takes_builder_blocks,
                )
                return ProposerDuty(setting, duty, share, rules=rules, graffiti=policy.graffiti)
            case RunnerRole.AGGREGATOR:
                return AggregatorDuty(setting, duty, share, selection=policy.selection)
            case RunnerRole.SYNC_CONTRIBUTION:
                return ContributionDuty(setting, duty, share, selection=policy.selection)
            case RunnerRole.VALIDATOR_REGISTRATION:
                gas_limit = policy.gas_limit(self.chain.epoch_of(duty.slot))
                return RegistrationDuty(setting, duty, share, gas_limit=gas_limit)
            case RunnerRole.VOLUNTARY_EXIT:
                return ExitDuty(setting, duty, share)
            case _:
                raise InvariantBroken(f"role {role.name} is no single validator's")

    def _verify(self, signed: SignedMessage) -> bool:
        """Whether every operator signature of a message holds."""
        keys, covered = self._registry.operator_keys(), signs_over(signed)
        return all(
            signer in keys and keys[signer].verify(covered, signature)
            for signer, signature in zip(signed.signers, signed.signatures, strict=True)
        )
