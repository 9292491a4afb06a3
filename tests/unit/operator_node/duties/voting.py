"""A committee's duty to vote, at rest and decided."""

from __future__ import annotations

from operator_node.duties.committee import VoteDuty
from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    AttestationDataQuery,
    CheckpointView,
    CommitteeDuty,
    SignItem,
)
from operator_node.signer.rules import Guard
from operator_node.spec.versions import FULU
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import BeaconRole
from operator_node.wire.value_codec import encode_beacon_vote
from operator_node.wire.values import BeaconVote, ValidatorDuty
from sdk.types import Slot
from tests.unit.operator_node.duties.many_validators import (
    SHARES,
    CommitteeDesk,
    duty_for,
    vote_at,
)
from tests.unit.operator_node.duties.single_validator import (
    first_slot,
    setting,
)

SLOT = first_slot(FULU)
ATTEST, SYNC = BeaconRole.ATTESTER, BeaconRole.SYNC_COMMITTEE
VOTE = vote_at(SLOT)
VALUE = encode_beacon_vote(VOTE)
VIEW = CheckpointView(VOTE.source, VOTE.target)
QUERY = AttestationDataQuery(SLOT)


def votes_duty(
    *duties: ValidatorDuty,
    view: CheckpointView | None = VIEW,
    slashable: tuple[Guard, ...] = (),
    slot: Slot = SLOT,
) -> VoteDuty:
    wanted = duties or (duty_for(ATTEST, 17, slot), duty_for(SYNC, 17, slot))
    return VoteDuty(setting(slashable=slashable), CommitteeDuty(slot, wanted), SHARES, view=view)


def decided(*duties: ValidatorDuty, refused: dict[int, Reason] | None = None) -> CommitteeDesk:
    desk = CommitteeDesk(votes_duty(*duties), refused=refused or {})
    desk.begin()
    desk.decide(VALUE)
    return desk


def fault_of(duty: VoteDuty, vote: BeaconVote) -> Fault | None:
    try:
        duty.check_value(encode_beacon_vote(vote), round_number=1)
    except ProtocolFault as refusal:
        return refusal.fault
    return None


def items_of(duty: VoteDuty) -> list[SignItem]:
    desk = CommitteeDesk(duty, is_silent=True)
    desk.decide(VALUE)
    return desk.asked
