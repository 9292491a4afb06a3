"""A validator's voluntary exit, asked for by its owner through the registry.

Pure. An exit cannot be taken back, so whoever begins this duty has proven the registry's event
before; the duty itself is tried once per event.

Source: docs/protocol.md, "Voluntary exit"; consensus-specs, phase0/validator.md; EIP-7044.
"""

from __future__ import annotations

from operator_node.duties.one_phase import OnePhaseDuty, Statement
from operator_node.duties.types import Setting, Submission, SubmissionKind
from operator_node.spec.containers import SignedVoluntaryExit, VoluntaryExit
from operator_node.spec.signing import (
    SigningDomain,
    signed_object_root,
    signing_root,
    voluntary_exit_root,
)
from operator_node.wire.faults import Fault
from operator_node.wire.ids import RunnerRole
from operator_node.wire.messages import PartialKind
from operator_node.wire.records import Share
from operator_node.wire.values import ValidatorDuty
from sdk.types import Signature


class ExitDuty(OnePhaseDuty):
    """One exit, valid from the epoch of the duty's slot on."""

    role = RunnerRole.VOLUNTARY_EXIT
    no_consensus = Fault.EXIT_HAS_NO_CONSENSUS
    no_post_consensus = Fault.EXIT_HAS_NO_POST_CONSENSUS

    def __init__(self, setting: Setting, duty: ValidatorDuty, share: Share) -> None:
        """A duty that has not begun.

        Args:
            setting: the committee's.
            duty: its slot is the event's block's slot and 4 more (DUT-11).
            share: of the validator.
        """
        chain = setting.chain
        epoch = chain.epoch_of(duty.slot)
        message = VoluntaryExit(epoch, duty.validator_index)
        version = chain.version_at(duty.slot)

        def submission(signature: Signature) -> Submission:
            data = SignedVoluntaryExit(message, signature).encode()
            root = signed_object_root(message_root, signature)
            return Submission(SubmissionKind.EXIT, version, data, root, duty.validator_index)

        message_root = voluntary_exit_root(message)
        root = signing_root(message_root, chain.domain(SigningDomain.VOLUNTARY_EXIT, epoch))
        statement = Statement(PartialKind.VOLUNTARY_EXIT, root, submission)
        super().__init__(setting, share, duty.slot, statement)
