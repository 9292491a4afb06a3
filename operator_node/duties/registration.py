"""A validator's registration with block builders: who earns its fees, and at which gas limit.

Pure. Every operator makes the same registration from the registry and the slot; whoever aims at
another gas limit signs something else, and is named.

Source: docs/protocol.md, "Validator registration"; builder-specs, specs/bellatrix/builder.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from operator_node.duties.one_phase import OnePhaseDuty, Statement
from operator_node.duties.types import Command, Finish, Setting, Submission, SubmissionKind
from operator_node.spec.chain import ChainSpec
from operator_node.spec.containers import SignedValidatorRegistration, ValidatorRegistration
from operator_node.spec.signing import (
    SigningDomain,
    signed_object_root,
    signing_root,
    validator_registration_root,
)
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import RunnerRole
from operator_node.wire.messages import PartialKind, ReceivedPartials
from operator_node.wire.records import Share
from operator_node.wire.values import ValidatorDuty
from sdk.types import Epoch, OperatorId, Signature, Slot

GAS_LIMIT: Final = 36_000_000
"""What the network's operators register, from an epoch on that its configuration names."""
EARLIER_GAS_LIMIT: Final = 30_000_000
"""What they registered before."""
USUAL_GAS_LIMITS: Final = (EARLIER_GAS_LIMIT, GAS_LIMIT, 45_000_000, 60_000_000)
"""Defaults that clients have had; tried when a co-operator signs another registration."""
EPOCHS_BETWEEN: Final = 10
"""Epochs from one registration of a validator to the next."""


def gas_limit_at(epoch: Epoch, *, raised_from: Epoch) -> int:
    """The gas limit that the network's operators agree on at an epoch."""
    return GAS_LIMIT if epoch >= raised_from else EARLIER_GAS_LIMIT


def is_due(validator_index: int, slot: Slot, *, slots_per_epoch: int) -> bool:
    """Whether a validator is registered in this slot; all operators compute the same."""
    period = EPOCHS_BETWEEN * slots_per_epoch
    return validator_index % period == slot % period


class RegistrationDuty(OnePhaseDuty):
    """One registration, dated to the start of the epoch of the duty's slot."""

    role = RunnerRole.VALIDATOR_REGISTRATION
    no_consensus = Fault.REGISTRATION_HAS_NO_CONSENSUS
    no_post_consensus = Fault.REGISTRATION_HAS_NO_POST_CONSENSUS

    def __init__(
        self, setting: Setting, duty: ValidatorDuty, share: Share, *, gas_limit: int = GAS_LIMIT
    ) -> None:
        """A duty that has not begun.

        Args:
            setting: the committee's.
            duty: names slot and validator.
            share: its fee recipient is the one that the registry has.
            gas_limit: must be the same for all operators of the committee.
        """
        chain = setting.chain
        self._chain = chain
        self._registration = ValidatorRegistration(
            fee_recipient=share.fee_recipient,
            gas_limit=gas_limit,
            timestamp=chain.slot_start(chain.first_slot(chain.epoch_of(duty.slot))),
            public_key=share.validator_key,
        )
        self._other_limits: dict[OperatorId, int] = {}
        message, version = self._registration, chain.version_at(duty.slot)

        def submission(signature: Signature) -> Submission:
            data = SignedValidatorRegistration(message, signature).encode()
            root = signed_object_root(validator_registration_root(message), signature)
            kind = SubmissionKind.REGISTRATION
            return Submission(kind, version, data, root, duty.validator_index)

        root = _signing_root(message, chain)
        statement = Statement(PartialKind.VALIDATOR_REGISTRATION, root, submission)
        super().__init__(setting, share, duty.slot, statement)

    def receive(self, message: ReceivedPartials) -> list[Command]:
        """An operator's partial signature.

        Raises:
            ProtocolFault: not over this registration, or of a phase that the duty does not have.
        """
        try:
            return super().receive(message)
        except ProtocolFault as refusal:
            if refusal.fault is not Fault.WRONG_SIGNING_ROOT:
                raise
            item = message.body.items[0]
            other = self._limit_behind(item.root)
            if other is None:
                raise
            self._other_limits[item.signer] = other
            raise ProtocolFault(
                refusal.fault,
                f"operator {item.signer} registers a gas limit of {other}, this node "
                f"{self._registration.gas_limit}; the operators must agree on one",
            ) from refusal

    def expire(self) -> list[Command]:
        """Ends the duty where it is, naming who aims at another gas limit."""
        commands = super().expire()
        if not self._other_limits:
            return commands
        facts = {"gas_limits": dict(self._other_limits)}
        return [
            Finish(replace(each.outcome, detail={**each.outcome.detail, **facts}))
            if isinstance(each, Finish)
            else each
            for each in commands
        ]

    def _limit_behind(self, root: bytes) -> int | None:
        """The usual gas limit with which the own registration would have that signing root."""
        for limit in USUAL_GAS_LIMITS:
            if _signing_root(replace(self._registration, gas_limit=limit), self._chain) == root:
                return limit
        return None


def _signing_root(registration: ValidatorRegistration, chain: ChainSpec) -> bytes:
    # This domain does not depend on the epoch.
    domain = chain.domain(SigningDomain.APPLICATION_BUILDER, Epoch(0))
    return signing_root(validator_registration_root(registration), domain)
