"""Who is in the committees of a run, which shares they hold, and what is due when.

The same for all processes, because it follows from the setting alone. It stands in for the
registry: operators have real RSA keys, and validators shares that recombine.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from operator_node.duties.types import CommitteeDuty
from operator_node.scheduler import Timing
from operator_node.scheduler.types import DutyDue
from operator_node.testing.world import FEE_RECIPIENT
from operator_node.validation import KnownCommittee, KnownValidator
from operator_node.wire.committee import Committee
from operator_node.wire.ids import BeaconRole, CommitteeId, RunnerRole, committee_id
from operator_node.wire.values import ValidatorDuty
from sdk import committee as sizes
from sdk.crypto import bls, threshold
from sdk.crypto.operator_keys import OperatorPublicKey
from sdk.crypto.secret import CURVE_ORDER, SecretKey
from sdk.testing.keys import operator_key
from sdk.types import Address, Epoch, OperatorId, PublicKey, Slot
from tests.bench.sockets.setting import ATTESTING_SLOTS, Setting

FIRST_VALIDATOR = 1_000_000
BEACON_COMMITTEES, BEACON_COMMITTEE_LENGTH = 64, 450
"""About as on mainnet; one attester in 28 aggregates."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """A validator as one operator holds it; see `operator_node.engine.types.Assignment`."""

    validator_key: PublicKey
    committee: Committee
    share_keys: Mapping[OperatorId, PublicKey]
    share_key: PublicKey
    secret: SecretKey = field(repr=False)
    number: int
    fee_recipient: Address = FEE_RECIPIENT
    active: bool = True


class Members:
    """The registry of a run, as one operator sees it."""

    def __init__(self, setting: Setting, me: OperatorId) -> None:
        """Deals all shares, and keeps the own ones."""
        self._setting = setting
        self._timing = Timing(setting.chain())
        self._keys = {
            OperatorId(each): operator_key(each).public_key
            for each in range(1, setting.operators + 1)
        }
        self._own = {
            each.validator_key: each
            for number in range(setting.validators)
            if (each := _deal(setting, number, me)) is not None
        }
        self._committees: dict[CommitteeId, KnownCommittee] = {}
        for place, ids in enumerate(setting.committees):
            numbers = range(place, setting.validators, len(setting.committees))
            known = KnownCommittee.of(ids, (FIRST_VALIDATOR + each for each in numbers))
            self._committees[committee_id(known.members.operators)] = known
        self.view = self
        self.co_operators = frozenset(
            OperatorId(other) for ids in setting.committees if me in ids for other in ids
        ) - {me}

    def committees(self) -> tuple[KnownCommittee, ...]:
        """All of them."""
        return tuple(self._committees.values())

    def due(self, role: RunnerRole, slot: Slot) -> Iterator[DutyDue]:
        """This operator's duties of a role in a slot."""
        parts: dict[Committee, list[ValidatorDuty]] = {}
        for each in self._own.values():
            if each.number * ATTESTING_SLOTS // self._setting.validators == slot % ATTESTING_SLOTS:
                parts.setdefault(each.committee, []).append(_part(each, role, slot))
        timing, start_ms = self._timing, self._timing.start_ms(slot)
        at_ms = start_ms + self.into_slot_ms(role, slot)
        for committee, each_part in parts.items():
            yield DutyDue(
                role,
                slot,
                committee,
                at_ms,
                at_ms,
                timing.deadline_ms(role, slot),
                CommitteeDuty(slot, tuple(each_part)),
            )

    def into_slot_ms(self, role: RunnerRole, slot: Slot) -> int:
        """When duties of a role start."""
        if role is RunnerRole.COMMITTEE:
            return self._timing.committee_start_ms(slot)
        return self._timing.aggregate_due_ms(slot)

    # --- the registry, for engine and gossip validation -----------------------------------------

    def own(self) -> Mapping[PublicKey, Assigned]:
        return self._own

    def operator_keys(self) -> Mapping[OperatorId, OperatorPublicKey]:
        return self._keys

    def has_operator(self, operator: OperatorId, /) -> bool:
        return operator in self._keys

    def committee(self, committee_id: bytes, /) -> KnownCommittee | None:
        return self._committees.get(CommitteeId(committee_id))

    def validator(self, _: PublicKey, /) -> KnownValidator | None:
        return None  # nobody has a duty outside of committees

    def proposers_known(self, _: Epoch, /) -> bool:
        return True

    def has_proposal(self, _: int, __: Slot, /) -> bool:
        return False

    def in_sync_committee(self, _: int, __: Epoch, /) -> bool:
        return False

    def exit_requests(self, _: PublicKey, __: Slot, /) -> int:
        return 0


def _deal(setting: Setting, number: int, me: OperatorId) -> Assigned | None:
    ids = setting.committees[number % len(setting.committees)]
    if me not in ids:
        return None
    committee, dice = Committee.of(ids), random.Random(number)
    needed = sizes.threshold_of(len(ids))
    secret, *terms = (SecretKey(dice.randrange(1, CURVE_ORDER)) for _ in range(needed))
    shares = threshold.split(secret, terms, list(committee.operators))
    keys = {each: bls.public_key(share) for each, share in shares.items()}
    return Assigned(bls.public_key(secret), committee, keys, keys[me], shares[me], number)


def _part(each: Assigned, role: RunnerRole, slot: Slot) -> ValidatorDuty:
    is_vote = role is RunnerRole.COMMITTEE
    return ValidatorDuty(
        role=BeaconRole.ATTESTER if is_vote else BeaconRole.AGGREGATOR,
        public_key=each.validator_key,
        slot=slot,
        validator_index=FIRST_VALIDATOR + each.number,
        committee_index=each.number % BEACON_COMMITTEES,
        committee_length=BEACON_COMMITTEE_LENGTH,
        committees_at_slot=BEACON_COMMITTEES,
        validator_committee_index=each.number % BEACON_COMMITTEE_LENGTH,
    )
