"""Committees with real keys, the mail of a whole duty, and one operator that reads it.

The operator under measurement is number 1. Every message that it reads, its own included, passes
gossip validation as in a node; identical messages are read once, as gossip delivers them. Its
slashing record is in memory, where recording costs what the rules cost.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from operator_node.duties.types import CommitteeDuty, Recovered, RecoveryRequest
from operator_node.signer import Protection, Records
from operator_node.spec.networks import MAINNET
from operator_node.testing.in_memory import InMemoryOperator, Mail, Network
from operator_node.validation import (
    Accept,
    Chain,
    KnownCommittee,
    KnownValidator,
    Validator,
    Verify,
)
from operator_node.wire.generations import ForkEpochs, Generation
from operator_node.wire.ids import BeaconRole, CommitteeId, DomainType, committee_id
from operator_node.wire.messages import Received, ReceivedPartials
from operator_node.wire.records import Share, ShareMember
from operator_node.wire.values import BeaconVote, Checkpoint, ValidatorDuty
from sdk import committee as sizes
from sdk.crypto import bls, threshold
from sdk.crypto.operator_keys import OperatorPrivateKey
from sdk.crypto.secret import CURVE_ORDER, SecretKey
from sdk.testing.keys import private_keys
from sdk.types import Address, Epoch, OperatorId, PublicKey, Slot

ME = OperatorId(1)
GENERATION = Generation.ALAN
DOMAIN = DomainType(bytes.fromhex("00000001"))
CHAIN = Chain("mainnet", ForkEpochs(MAINNET.slots_per_epoch), DOMAIN, DOMAIN)
FIRST_SLOT = 14_000_000
FIRST_VALIDATOR = 1_000_000
BEACON_COMMITTEES, BEACON_COMMITTEE_LENGTH = 64, 450
INTO_SLOT_MS = 4_100


@dataclass(frozen=True)
class World:
    """A committee, its validators' keys as each operator holds them, and its mail's topic."""

    keys: Mapping[OperatorId, OperatorPrivateKey]
    secrets: Mapping[OperatorId, Mapping[PublicKey, SecretKey]]
    shares: Mapping[OperatorId, Mapping[int, Share]]
    known: KnownCommittee
    id: CommitteeId

    @property
    def size(self) -> int:
        """Operators."""
        return len(self.keys)

    @property
    def validators(self) -> int:
        """Validators."""
        return len(self.shares[ME])

    def topic(self) -> str:
        """Where the committee's messages travel."""
        return CHAIN.topic(GENERATION, self.known.subnet(GENERATION))

    def slot(self, *, leading: bool) -> Slot:
        """A slot whose first round operator 1 leads, or the one after."""
        return Slot(-(-FIRST_SLOT // self.size) * self.size + (not leading))

    def duty(self, slot: Slot) -> CommitteeDuty:
        """Every validator attests."""
        return CommitteeDuty(
            slot,
            tuple(
                ValidatorDuty(
                    role=BeaconRole.ATTESTER,
                    public_key=share.validator_key,
                    slot=slot,
                    validator_index=index,
                    committee_index=index % BEACON_COMMITTEES,
                    committee_length=BEACON_COMMITTEE_LENGTH,
                    committees_at_slot=BEACON_COMMITTEES,
                    validator_committee_index=index % BEACON_COMMITTEE_LENGTH,
                )
                for index, share in self.shares[ME].items()
            ),
        )

    def network(self, kind: Callable[..., Network] = Network) -> Network:
        """Chain, generation and public keys."""
        publics = {operator: key.public_key for operator, key in self.keys.items()}
        return kind(MAINNET, GENERATION, DOMAIN, publics)

    # --- what gossip validation asks, see `operator_node.validation.RegistryView` ----------------

    def has_operator(self, operator: OperatorId, /) -> bool:
        return operator in self.keys

    def committee(self, committee: bytes, /) -> KnownCommittee | None:
        return self.known if committee == self.id else None

    def validator(self, _: PublicKey, /) -> KnownValidator | None:
        return None

    def proposers_known(self, _: Epoch, /) -> bool:
        return True

    def has_proposal(self, _: int, __: Slot, /) -> bool:
        return False

    def in_sync_committee(self, _: int, __: Epoch, /) -> bool:
        return False

    def exit_requests(self, _: PublicKey, __: Slot, /) -> int:
        return 0


def build(size: int, validators: int) -> World:
    """The same committee for the same numbers."""
    dice = random.Random(size * 1_000 + validators)
    needed = sizes.threshold_of(size)
    keys = private_keys(range(1, size + 1))
    secrets: dict[OperatorId, dict[PublicKey, SecretKey]] = {each: {} for each in keys}
    shares: dict[OperatorId, dict[int, Share]] = {each: {} for each in keys}
    for index in range(FIRST_VALIDATOR, FIRST_VALIDATOR + validators):
        secret, *terms = (SecretKey(dice.randrange(1, CURVE_ORDER)) for _ in range(needed))
        held = threshold.split(secret, terms, list(keys))
        key = bls.public_key(secret)
        members = tuple(ShareMember(each, bls.public_key(held[each])) for each in keys)
        for member in members:
            secrets[member.signer][member.share_key] = held[member.signer]
            shares[member.signer][index] = Share(
                index, key, member.share_key, members, DOMAIN, Address(bytes(20)), bytes(32)
            )
    known = KnownCommittee.of(keys, shares[ME])
    return World(keys, secrets, shares, known, committee_id(known.members.operators))


class Reader(InMemoryOperator):
    """An operator behind gossip validation."""

    def __init__(
        self,
        world: World,
        slot: Slot,
        *,
        me: OperatorId = ME,
        network: Network | None = None,
        verify: Verify | None = None,
        protection: Callable[[Records], Protection] = Protection,
    ) -> None:
        network = network or world.network()
        vote = _vote(slot)
        super().__init__(
            me,
            world.keys[me],
            world.secrets[me],
            world.shares[me],
            network,
            lambda _: vote,
            protection=protection(_records(world.shares[me], slot)),
        )
        self.topic = world.topic()
        self.at_ms = slot * CHAIN.slot_ms + INTO_SLOT_MS
        self.validator = Validator(CHAIN, world, verify or _verifier(network))

    def _arm(self, slot: Slot) -> None:
        """Every share was armed before."""

    def _enter(self, data: bytes) -> Received | ReceivedPartials:
        verdict = self.validator.validate(data, self.topic, at_ms=self.at_ms)
        if not isinstance(verdict, Accept):
            raise TypeError(f"an honest message was refused: {verdict}")
        return verdict.message


class _Witness(Reader):
    """Takes part, and leaves recovery to the operator under measurement."""

    def _recover(self, requests: Sequence[RecoveryRequest]) -> tuple[Recovered, ...]:
        return ()


def record(world: World, slot: Slot) -> list[bytes]:
    """Everything that operators say in one duty, in the order of saying it, each message once."""
    duty, mail, said = world.duty(slot), deque[bytes](), dict[bytes, None]()
    operators = [_Witness(world, slot, me=each) for each in world.keys]
    for operator in operators:
        operator.begin(duty, mail)
    while mail:
        data = mail.popleft()
        if data not in said:
            said[data] = None
            for operator in operators:
                operator.read(data, mail)
    return list(said)


def replay(reader: Reader, duty: CommitteeDuty, mail: Sequence[bytes]) -> None:
    """One operator's part of a recorded duty.

    Raises:
        RuntimeError: it did not submit everything.
    """
    said: Mail = deque()
    reader.begin(duty, said)
    for data in mail:
        reader.read(data, said)
    if len(reader.submitted) != len(duty.duties):
        raise RuntimeError(f"{len(reader.submitted)} of {len(duty.duties)} were submitted")


def _verifier(network: Network) -> Verify:
    keys = network.operators
    return lambda operator, covered, signature: keys[operator].verify(covered, signature)


def _vote(slot: Slot) -> BeaconVote:
    epoch = MAINNET.epoch_of(slot)
    source, target = Checkpoint(Epoch(epoch - 1), b"\1" * 32), Checkpoint(epoch, b"\2" * 32)
    return BeaconVote(b"\3" * 32, source, target)


def _records(shares: Mapping[int, Share], slot: Slot) -> Records:
    """Every share was armed in the epoch before."""
    epoch, records = Epoch(MAINNET.epoch_of(slot) - 1), Records()
    for share in shares.values():
        records = records.arm(share.share_key, share.validator_key, epoch=epoch, slot=slot)
    return records
