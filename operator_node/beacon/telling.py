"""What beacon nodes have to be told: who earns fees, and which subnets to listen to.

Shell. Goes to all nodes; one success is success. A node that comes back has forgotten it all, and
is told again before anything is asked of it.

Source: Ethereum Beacon APIs, validator/prepare_beacon_proposer and …_subscriptions; BN-5.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final

import trio

from operator_node.beacon.asking import ask_all
from operator_node.beacon.fleet import Fleet
from operator_node.beacon.node import BeaconNode, chunks
from operator_node.beacon.trouble import NodeTrouble, Trouble
from operator_node.beacon.types import CommitteeSubscription, SyncSubscription
from sdk.errors import BeaconError
from sdk.types import Address, checksum_address

_log = logging.getLogger(__name__)

ITEMS_PER_REQUEST: Final = 500
"""DUT-10."""
TELL_LIMIT_S: Final = 5.0
_PREPARE: Final = "/eth/v1/validator/prepare_beacon_proposer"
_COMMITTEES: Final = "/eth/v1/validator/beacon_committee_subscriptions"
_SYNC: Final = "/eth/v1/validator/sync_committee_subscriptions"


class Telling:
    """What the nodes were told, and telling them.

    What is remembered is bounded by the validators of this operator: fee recipients and sync
    positions by validator, committees of slots that are not over.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._recipients: dict[int, Address] = {}
        self._committees: dict[tuple[int, int], CommitteeSubscription] = {}
        self._sync: dict[int, SyncSubscription] = {}

    @property
    def recipients(self) -> Mapping[int, Address]:
        """Fee recipient by validator index."""
        return self._recipients

    async def prepare(self, recipients: Mapping[int, Address]) -> None:
        """See `BeaconPool.prepare_proposers`."""
        self._recipients.update(recipients)
        await self._tell_all(_PREPARE, _prepared(recipients))

    async def prepare_one(self, node: BeaconNode) -> None:
        """Tells a node that may have forgotten it who earns the fees; its refusal is logged.

        Raises:
            NodeTrouble: it does not answer at all.
        """
        try:
            await _tell(node, _PREPARE, _prepared(self._recipients))
            node.is_told = True
        except NodeTrouble as problem:
            if problem.trouble in (Trouble.DOWN, Trouble.LATE):
                raise
            _log.warning("beacon node %s was not told who earns fees: %s", node.name, problem.text)

    async def subscribe_committees(self, items: Sequence[CommitteeSubscription]) -> None:
        """See `BeaconPool.subscribe_committees`."""
        now = self._fleet.slot_now()
        kept = {key: item for key, item in self._committees.items() if item.slot >= now}
        self._committees = kept | {(item.validator_index, item.slot): item for item in items}
        await self._tell_all(_COMMITTEES, [_committee(item) for item in items])

    async def subscribe_sync(self, items: Sequence[SyncSubscription]) -> None:
        """See `BeaconPool.subscribe_sync`."""
        self._sync.update({item.validator_index: item for item in items})
        await self._tell_all(_SYNC, [_sync(item) for item in items])

    async def repeat(self, node: BeaconNode) -> None:
        """Tells one node everything that still holds.

        Raises:
            NodeTrouble: it did not take it.
        """
        now, epoch = self._fleet.slot_now(), self._fleet.epoch_of(self._fleet.slot_now())
        committees = [each for each in self._committees.values() if each.slot >= now]
        sync = [each for each in self._sync.values() if each.until_epoch >= epoch]
        for path, items in (
            (_PREPARE, _prepared(self._recipients)),
            (_COMMITTEES, [_committee(each) for each in committees]),
            (_SYNC, [_sync(each) for each in sync]),
        ):
            await _tell(node, path, items)
            node.is_told = True  # the first list has them all

    async def _tell_all(self, path: str, items: Sequence[object]) -> None:
        if not items:
            return
        nodes = self._fleet.best_first()
        with trio.move_on_after(TELL_LIMIT_S):
            answers = await ask_all(
                nodes, lambda node: _tell(node, path, items), soft_s=TELL_LIMIT_S
            )
            if answers.offers:
                return
        raise BeaconError(
            f"none of {len(nodes)} beacon nodes took {path}",
            code="beacon_unreachable",
            hint="Check the beacon nodes; what they are to be told is repeated when they are back.",
        )


async def _tell(node: BeaconNode, path: str, items: Sequence[object]) -> None:
    try:
        for chunk in chunks(items, ITEMS_PER_REQUEST):
            await node.tell(path, chunk)
    except NodeTrouble:
        node.is_told = node.is_told and path != _PREPARE
        raise


def _prepared(recipients: Mapping[int, Address]) -> list[object]:
    return [
        {"validator_index": str(index), "fee_recipient": checksum_address(address)}
        for index, address in recipients.items()
    ]


def _committee(item: CommitteeSubscription) -> dict[str, object]:
    return {
        "validator_index": str(item.validator_index),
        "committee_index": str(item.committee_index),
        "committees_at_slot": str(item.committees_at_slot),
        "slot": str(item.slot),
        "is_aggregator": item.is_aggregator,
    }


def _sync(item: SyncSubscription) -> dict[str, object]:
    return {
        "validator_index": str(item.validator_index),
        "sync_committee_indices": [str(position) for position in item.positions],
        "until_epoch": str(item.until_epoch),
    }
