"""The demo's last step: the registered operators attest for the validator, together.

Each takes its share out of the registry's log, and they agree by consensus, sign, and combine. What
a beacon node would tell them is made up, because the demo has no beacon chain yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from examples.demo_keys import operator_key
from examples.demo_show import check, say, title
from operator_node.duties.reasons import Reason
from operator_node.duties.types import Answer, CommitteeDuty, Query
from operator_node.spec.networks import MAINNET
from operator_node.testing.in_memory import InMemoryOperator, Network, perform
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole, DomainType
from operator_node.wire.records import Share, ShareMember
from operator_node.wire.values import BeaconVote, Checkpoint, ValidatorDuty
from sdk.shares.keyshares_file import KeyShare
from sdk.shares.layout import unpack
from sdk.shares.proofs import open_shares
from sdk.types import Address, Epoch, Slot

SLOT = Slot(14_000_000)
EPOCH = MAINNET.epoch_of(SLOT)
DOMAIN = DomainType(bytes.fromhex("00000001"))
VALIDATOR_INDEX = 1_234_567


def attest_together(folder: Path, on_chain: KeyShare) -> None:
    """One attestation by four operators, and a second, slashable one that nobody signs.

    Args:
        folder: of the demo, with the operators' keys.
        on_chain: the validator's entry, with the share data that the registry logged.
    """
    title("The registered operators attest for the validator together, by consensus")
    chain = [beacon_says(b"\3" * 32)]
    operators = committee(folder, on_chain, lambda _: chain[-1])
    attester = ValidatorDuty(
        BeaconRole.ATTESTER, on_chain.public_key, SLOT, VALIDATOR_INDEX, committee_length=128
    )
    perform(CommitteeDuty(SLOT, (attester,)), operators)
    for operator in operators:
        outcome = operator.outcome
        check(outcome is not None and outcome.reason is Reason.DONE, f"{operator.me}: {outcome}")
        (attestation,) = operator.submitted
        say(f"operator {operator.me}: agreed, signed, combined: 0x{attestation.root[:8].hex()}…")
    check(len({each.submitted[0].data for each in operators}) == 1, "their attestations differ")
    say("all four hold the same attestation; its signature verifies under the registered key")

    title("Asked to vote twice in one epoch, every operator's slashing record refuses")
    chain.append(beacon_says(b"\4" * 32))
    again = Slot(SLOT + 1)
    attester = ValidatorDuty(
        BeaconRole.ATTESTER, on_chain.public_key, again, VALIDATOR_INDEX, committee_length=128
    )
    perform(CommitteeDuty(again, (attester,)), operators)
    signed = sum(len(operator.submitted) for operator in operators)
    check(signed == len(operators), "somebody signed a second vote of the epoch")
    say("nobody prepares such a value, so nothing is decided and nothing is signed")


def beacon_says(head: bytes) -> BeaconVote:
    """What the operators' beacon nodes see, in this demo."""
    source = Checkpoint(Epoch(EPOCH - 1), b"\1" * 32)
    return BeaconVote(head, source, Checkpoint(EPOCH, b"\2" * 32))


def committee(
    folder: Path, on_chain: KeyShare, beacon: Callable[[Query], Answer]
) -> Sequence[InMemoryOperator]:
    """One operator per registered id, each with what it alone can decrypt."""
    ids = on_chain.operator_ids
    keys = {each: operator_key(folder, each) for each in ids}
    publics = {each: key.public_key for each, key in keys.items()}
    network = Network(MAINNET, Generation.ALAN, DOMAIN, publics)
    share_keys = unpack(on_chain.shares_data, operators=len(ids)).share_public_keys
    members = tuple(ShareMember(*pair) for pair in zip(ids, share_keys, strict=True))
    operators = []
    for me, share_key in zip(ids, share_keys, strict=True):
        secret = open_shares(on_chain, {me: keys[me]})[me]
        share = Share(
            VALIDATOR_INDEX,
            on_chain.public_key,
            share_key,
            members,
            DOMAIN,
            on_chain.owner or Address(bytes(20)),
            bytes(32),
        )
        operators.append(
            InMemoryOperator(
                me, keys[me], {share_key: secret}, {VALIDATOR_INDEX: share}, network, beacon
            )
        )
    return operators
