"""Own committees and validators as the registry has them now: shares, fee recipients, topics.

It is read anew at the registry's changes and in every slot, so that a duty gets the shares of its
moment. It reads no clock and holds no secrets: a share here is its public part.

Source: docs/protocol.md, "Local records", "Topics and gossip ids" and "Forks".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from operator_node.duties.graffiti import GRAFFITI_BYTES
from operator_node.duties.reasons import Reason
from operator_node.engine.types import Assignment, Registry
from operator_node.scheduler.types import DutyDue
from operator_node.validation import Chain, KnownCommittee
from operator_node.wire.generations import Generation
from operator_node.wire.ids import CommitteeId, committee_id
from operator_node.wire.records import Share, ShareMember
from sdk.types import Address, PublicKey

FORK_SLOTS: Final = 32
"""Before and after a fork, both generations' topics are listened to."""
RECIPIENT_EPOCHS: Final = 2
"""Operators at different blocks know different fee recipients for a while (DUT-13)."""


class Own:
    """What this operator takes part in.

    Attributes:
        network: names, domains and forks of the operators' network.
    """

    def __init__(self, registry: Registry, network: Chain) -> None:
        """Knows nothing before the first `refresh`."""
        self.network = network
        self._registry = registry
        self._committees: dict[CommitteeId, KnownCommittee] = {}
        self._recipients: dict[PublicKey, Address] = {}
        self._earlier: dict[PublicKey, tuple[Address, int]] = {}

    def refresh(self, slot: int) -> None:
        """Takes over what the registry says."""
        own = self._registry.own()
        active = {each.committee.operators for each in own.values() if each.active}
        known = {each.members.operators: each for each in self._committees.values()}
        self._committees = {
            committee_id(operators): known.get(operators) or KnownCommittee.of(operators, ())
            for operators in sorted(active)
        }
        until = slot + RECIPIENT_EPOCHS * self.network.forks.slots_per_epoch
        for key, assignment in own.items():
            earlier = self._recipients.get(key, assignment.fee_recipient)
            if earlier != assignment.fee_recipient:
                self._earlier[key] = (earlier, until)
        self._earlier = {
            key: held for key, held in self._earlier.items() if held[1] > slot and key in own
        }
        self._recipients = {key: each.fee_recipient for key, each in own.items()}

    def committee(self, committee: CommitteeId) -> KnownCommittee | None:
        """An own committee with an active validator."""
        return self._committees.get(committee)

    def validator(self, key: PublicKey) -> Assignment | None:
        """An own validator, active or not."""
        return self._registry.own().get(key)

    def topics(self, slot: int) -> frozenset[str]:
        """Of own committees, to be listened to in a slot: of two generations around a fork."""
        generations = {
            self.network.forks.generation_at(each)
            for each in (slot - FORK_SLOTS, slot, slot + FORK_SLOTS)
        }
        return frozenset(
            self.network.topic(generation, committee.subnet(generation))
            for committee in self._committees.values()
            for generation in generations
        )

    def recipients(self, key: PublicKey) -> frozenset[Address]:
        """Who a block of the validator may pay."""
        assignment = self.validator(key)
        now = frozenset[Address]() if assignment is None else {assignment.fee_recipient}
        earlier = self._earlier.get(key)
        return frozenset(now) if earlier is None else frozenset({*now, earlier[0]})

    def shares(self, due: DutyDue, generation: Generation) -> Mapping[int, Share] | Reason:
        """Of a duty's validators, by index; or why there is none.

        A validator that has another committee by now is left out.
        """
        shares: dict[int, Share] = {}
        lacking = Reason.SHARE_MISSING
        for duty in due.parts:
            assignment = self.validator(duty.public_key)
            if assignment is None or assignment.committee != due.committee:
                continue
            if not assignment.active:
                lacking = Reason.VALIDATOR_NOT_ACTIVE
                continue
            index = duty.validator_index
            shares[index] = self.share(assignment, index, generation)
        return shares or lacking

    def share_keys(self) -> frozenset[PublicKey]:
        """Of all own validators."""
        return frozenset(each.share_key for each in self._registry.own().values())

    def share(self, assignment: Assignment, index: int, generation: Generation) -> Share:
        """An own validator's share, under its index on the beacon chain."""
        keys, members = assignment.share_keys, assignment.committee
        return Share(
            validator_index=index,
            validator_key=assignment.validator_key,
            share_key=assignment.share_key,
            committee=tuple(ShareMember(each, keys[each]) for each in members.operators),
            domain=self.network.domain(generation),
            fee_recipient=assignment.fee_recipient,
            graffiti=bytes(GRAFFITI_BYTES),  # the registry's contract has none
        )
