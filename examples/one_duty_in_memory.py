"""Four operators sign an attestation in one process: `python -m examples.one_duty_in_memory`.

Real keys, consensus, slashing records and signatures; no network. Nobody holds the validator's key.
"""

from __future__ import annotations

from secrets import randbelow

from operator_node.duties.types import CommitteeDuty
from operator_node.spec.networks import MAINNET
from operator_node.testing.in_memory import InMemoryOperator, Network, perform
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole, DomainType
from operator_node.wire.records import Share, ShareMember
from operator_node.wire.values import BeaconVote, Checkpoint, ValidatorDuty
from sdk.crypto import OperatorPrivateKey, SecretKey, bls, threshold
from sdk.crypto.secret import CURVE_ORDER
from sdk.types import Address, Epoch, OperatorId, Slot

IDS = tuple(OperatorId(number) for number in (1, 2, 3, 4))
SLOT, VALIDATOR, DOMAIN = Slot(14_000_000), 42, DomainType(b"\0\0\0\1")
EPOCH = MAINNET.epoch_of(SLOT)
VOTE = BeaconVote(  # what every operator's beacon node answers
    block_root=b"\3" * 32,
    source=Checkpoint(Epoch(EPOCH - 1), b"\1" * 32),
    target=Checkpoint(EPOCH, b"\2" * 32),
)


def main() -> None:
    """Split a key, let the operators attest, and look at what they would send to the chain."""
    validator, *coefficients = (SecretKey(1 + randbelow(CURVE_ORDER - 1)) for _ in range(3))
    key = bls.public_key(validator)
    secrets = threshold.split(validator, coefficients, IDS)
    members = tuple(ShareMember(each, bls.public_key(secrets[each])) for each in IDS)
    keys = {each: OperatorPrivateKey.generate() for each in IDS}
    publics = {each: keys[each].public_key for each in IDS}
    network = Network(MAINNET, Generation.ALAN, DOMAIN, publics)
    operators = []
    for me, member in zip(IDS, members, strict=True):
        share = Share(VALIDATOR, key, member.share_key, members, DOMAIN, Address(bytes(20)), b"")
        held = {share.share_key: secrets[me]}
        operators.append(
            InMemoryOperator(me, keys[me], held, {VALIDATOR: share}, network, lambda _: VOTE)
        )
    duty = ValidatorDuty(BeaconRole.ATTESTER, key, SLOT, VALIDATOR, committee_length=128)
    perform(CommitteeDuty(SLOT, (duty,)), operators)
    for operator in operators:
        (attestation,) = operator.submitted
        ended = operator.outcome
        print(f"operator {operator.me}: {ended and f'{ended.id} {ended.reason}'}")
        print(f"  sends attestation 0x{attestation.root.hex()}")


if __name__ == "__main__":
    main()
