"""What a right value is, seen by somebody who sees the whole chain: the validity checker's judge.

A second reading of the value checks, apart from the duties' own. It knows what only the simulation
knows, such as the true checkpoints and the validator's RANDAO reveal.

Source: docs/protocol.md, "Value checks".
"""

from __future__ import annotations

from collections.abc import Callable

from operator_node.spec.blocks import BlockKind, find_block
from operator_node.spec.signing import SigningDomain, signing_root, uint64_root
from operator_node.spec.ssz import MalformedSsz
from operator_node.testing.fake_beacon import checkpoints_at
from operator_node.testing.faults import SLOTS_PER_EPOCH
from operator_node.testing.world import CHAIN, FEE_RECIPIENT, Cluster, DutyKey, World
from operator_node.wire.faults import ProtocolFault
from operator_node.wire.ids import BeaconRole, RunnerRole, role_of, validator_of
from operator_node.wire.value_codec import (
    decode_aggregator_committee_value,
    decode_beacon_vote,
    decode_validator_value,
)

SETTLED_FROM: int = 2
"""Slot of an epoch from which honest nodes agree on the target's root."""


def value_checker(world: World) -> Callable[[DutyKey, bytes], str]:
    """A judge for one run: what is wrong with a decided value, or nothing."""

    def judge(key: DutyKey, value: bytes) -> str:
        try:
            return _judge(world, key, value)
        except (ProtocolFault, MalformedSsz) as problem:
            return f"the value is malformed: {problem}"

    return judge


def _judge(world: World, key: DutyKey, value: bytes) -> str:
    role = role_of(key.message_id)
    match role:
        case RunnerRole.COMMITTEE:
            return _judge_vote(world, key.slot, value)
        case RunnerRole.AGGREGATOR_COMMITTEE:
            decoded = decode_aggregator_committee_value(value)
            return "" if decoded.aggregators or decoded.contributors else "nobody is in it"
        case RunnerRole.PROPOSER:
            return _judge_duty(world, key, value, BeaconRole.PROPOSER) or _judge_block(
                world, key, value
            )
        case RunnerRole.AGGREGATOR:
            return _judge_duty(world, key, value, BeaconRole.AGGREGATOR)
        case RunnerRole.SYNC_CONTRIBUTION:
            return _judge_duty(world, key, value, BeaconRole.SYNC_CONTRIBUTION)
        case _:
            return f"role {role} decides nothing"


def _judge_vote(world: World, slot: int, value: bytes) -> str:
    vote = decode_beacon_vote(value)
    source, target = checkpoints_at(slot)
    if (vote.source.epoch, vote.target.epoch) != (source.epoch, target.epoch):
        return f"votes {vote.source.epoch}→{vote.target.epoch}"
    if world.plan.compare_roots:
        if vote.source.root != source.root:
            return "its source is of another chain"
        if slot % SLOTS_PER_EPOCH >= SETTLED_FROM and vote.target.root != target.root:
            return "its target is of another chain"
    return ""


def _judge_duty(world: World, key: DutyKey, value: bytes, role: BeaconRole) -> str:
    duty = decode_validator_value(value).duty
    if duty.role != role or duty.public_key != validator_of(key.message_id):
        return "it is another duty's"
    if duty.validator_index != _validator(world, key):
        return f"it is validator {duty.validator_index}'s"
    return ""


def _judge_block(world: World, key: DutyKey, value: bytes) -> str:
    inside = decode_validator_value(value)
    block = find_block(inside.version, inside.data, CHAIN.preset)
    if block.slot != key.slot or block.proposer_index != inside.duty.validator_index:
        return f"the block is of slot {block.slot}, proposer {block.proposer_index}"
    epoch = CHAIN.epoch_of(key.slot)
    root = signing_root(uint64_root(epoch), CHAIN.domain(SigningDomain.RANDAO, epoch))
    validator_key = validator_of(key.message_id)
    if not world.signatures.validator_signed(validator_key, root, block.randao_reveal):
        return "the block's RANDAO reveal is not the validator's"
    pays = (FEE_RECIPIENT, bytes(len(FEE_RECIPIENT)))
    if block.kind is BlockKind.FULL and block.fee_recipient not in pays:
        return f"the block pays {block.fee_recipient.hex()}"
    return ""


def _validator(world: World, key: DutyKey) -> int | None:
    clusters: tuple[Cluster, ...] = world.clusters
    for cluster in clusters:
        known = cluster.known_validators.get(validator_of(key.message_id))
        if known is not None:
            return known.index
    return None
