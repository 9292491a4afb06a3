"""What the registry tells the rest of the node about its own validators.

Pure values, and the comparison they come from. Every notice follows from the difference between two
states, so a reorganisation tells as little or as much as it changes. Exits and fee recipients also
carry the block's time, from which all operators derive the slot of the duty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from operator_node.registry.assignments import Assignment
from operator_node.registry.replay import FeeRecipient
from operator_node.registry.values import ExitRequest
from sdk.chain.follower import Point
from sdk.types import Address, BlockNumber, PublicKey


@dataclass(frozen=True, slots=True)
class Joined:
    """A validator has a share here now, and the signer has it."""

    assignment: Assignment


@dataclass(frozen=True, slots=True)
class Left:
    """A validator has this share here no more."""

    validator_key: PublicKey
    share_key: PublicKey


@dataclass(frozen=True, slots=True)
class Liquidated:
    """A validator's cluster ran out of funds: no duties."""

    validator_key: PublicKey


@dataclass(frozen=True, slots=True)
class Reactivated:
    """A validator's cluster was funded again."""

    validator_key: PublicKey


@dataclass(frozen=True, slots=True)
class ExitRequested:
    """A validator's owner wants it to exit; `block_time_s` is unix seconds."""

    validator_key: PublicKey
    block_number: BlockNumber
    block_time_s: int


@dataclass(frozen=True, slots=True)
class FeeRecipientChanged:
    """An owner of own validators set its fee recipient; `block_time_s` is unix seconds."""

    owner: Address
    fee_recipient: Address
    block_number: BlockNumber
    block_time_s: int


@dataclass(frozen=True, slots=True)
class RolledBack:
    """Blocks above `to` vanished, with their exit requests. None: all of them; it begins anew."""

    to: Point | None


RegistryChange: TypeAlias = (
    Joined | Left | Liquidated | Reactivated | ExitRequested | FeeRecipientChanged | RolledBack
)


def compare(before: Assignment | None, after: Assignment | None) -> list[RegistryChange]:
    """What happened to one validator, fee recipients aside."""
    if after is None:
        return [] if before is None else [Left(before.validator_key, before.share_key)]
    if before is None:
        return [Joined(after)]
    if (before.cluster_id, before.share_keys) != (after.cluster_id, after.share_keys):
        return [Left(before.validator_key, before.share_key), Joined(after)]
    if before.active and not after.active:
        return [Liquidated(after.validator_key)]
    if after.active and not before.active:
        return [Reactivated(after.validator_key)]
    return []


def departed(notices: Iterable[RegistryChange], own: Mapping[PublicKey, Assignment]) -> list[Left]:
    """Those whose share is of no use now; another owner may have registered the very same one."""
    return [
        each
        for each in notices
        if isinstance(each, Left)
        and ((now := own.get(each.validator_key)) is None or now.share_key != each.share_key)
    ]


def requested_exits(
    exits: Iterable[ExitRequest], own: Mapping[PublicKey, Assignment]
) -> list[ExitRequested]:
    """The exit events of own validators that came after their registration."""
    return [
        ExitRequested(each.key, each.block, each.time_s)
        for each in exits
        if (mine := own.get(each.key)) is not None and mine.registered_at <= each.block
    ]


def changed_recipients(
    recipients: Iterable[FeeRecipient], own: Mapping[PublicKey, Assignment]
) -> list[FeeRecipientChanged]:
    """The changes by owners of own validators."""
    owners = {each.owner for each in own.values()}
    return [
        FeeRecipientChanged(each.owner, each.recipient, each.block, each.time_s)
        for each in recipients
        if each.owner in owners
    ]
