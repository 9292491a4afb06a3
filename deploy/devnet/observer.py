"""Watches the beacon chain of the local network and reports on some of its validators.

Duties are written down while their epoch runs, because nodes refuse them later; blocks are read
when a report is asked for. Asks one node after the other, so a stopped one does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Sequence, Set
from contextlib import suppress
from typing import Any, Final

import trio

from deploy.devnet.inclusion import (
    SLOTS_PER_EPOCH,
    AttesterDuty,
    Block,
    EpochDuties,
    IncludedAttestation,
    Report,
    judge,
)
from deploy.devnet.rest import ask_any
from sdk.errors import BeaconError
from sdk.types import parse_hex

POLL_S: Final = 0.5
MAX_SLOTS: Final = 4_096
"""Of one report: each is two requests."""


class Observer:
    """Eyes on the chain.

    Args:
        urls: REST interfaces of its nodes.
        genesis_time: of the chain, unix seconds.
        slot_seconds: length of a slot.
        validators: how many the chain has.
        watched: those that reports are about.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        genesis_time: int,
        slot_seconds: int,
        validators: int,
        watched: Set[int],
    ) -> None:
        self._urls = tuple(urls)
        self._genesis_time = genesis_time
        self._slot_seconds = slot_seconds
        self._validators = range(validators)
        self._watched = frozenset(watched)
        self._duties: dict[int, EpochDuties] = {}

    async def run(self) -> None:
        """Never returns: writes down each epoch's duties while it runs, from its first slot on."""
        while True:
            epoch = self.current_slot() // SLOTS_PER_EPOCH
            if epoch not in self._duties:
                # Not ready yet, or all stopped for a while: a hole is told by `report`.
                with suppress(BeaconError):
                    self._duties[epoch] = await self._fetch_duties(epoch)
            await trio.sleep(POLL_S)

    def current_slot(self) -> int:
        """By the clock, whether it has a block or not; 0 before genesis."""
        return max(0, int((time.time() - self._genesis_time) // self._slot_seconds))

    def seconds_to_genesis(self) -> float:
        """0 from then on."""
        return max(0.0, self._genesis_time - time.time())

    async def until_slot(self, slot: float) -> None:
        """Return when the slot has begun; 2.5 is the middle of slot 2."""
        begins = self._genesis_time + slot * self._slot_seconds
        await trio.sleep(max(0.0, begins - time.time()))

    async def head_slot(self) -> int:
        """Of the newest block."""
        found = await self._ask("/eth/v1/beacon/headers/head")
        return int(found["data"]["header"]["message"]["slot"])

    async def finalized_epoch(self) -> int:
        """Of the head."""
        found = await self._ask("/eth/v1/beacon/states/head/finality_checkpoints")
        return int(found["data"]["finalized"]["epoch"])

    async def blocks(self, first_slot: int, last_slot: int) -> tuple[Block, ...]:
        """The canonical blocks of these slots."""
        found = []
        for slot in range(first_slot, last_slot + 1):
            answer = await self._ask(f"/eth/v2/beacon/blocks/{slot}")
            if answer is None:
                continue
            root = await self._ask(f"/eth/v1/beacon/blocks/{slot}/root")
            found.append(_block(answer["data"]["message"], root["data"]["root"]))
        return tuple(found)

    async def report(self, first_slot: int, last_slot: int) -> Report:
        """On duties of these slots; ask some slots later, so that blocks could include them.

        Raises:
            BeaconError: `duties_unknown` if `run` did not see all their epochs; or no node answers.
        """
        if last_slot - first_slot >= MAX_SLOTS:
            raise BeaconError(f"a report covers at most {MAX_SLOTS} slots")
        epochs = range(first_slot // SLOTS_PER_EPOCH, last_slot // SLOTS_PER_EPOCH + 1)
        unseen = [epoch for epoch in epochs if epoch not in self._duties]
        if unseen:
            raise BeaconError(
                f"the duties of epochs {unseen} were not written down",
                code="duties_unknown",
                hint="`run` has to run while the epochs do, with a node that answers.",
            )
        return judge(
            await self.blocks(epochs.start * SLOTS_PER_EPOCH, await self.head_slot()),
            self._duties,
            watched=self._watched,
            first_slot=first_slot,
            last_slot=last_slot,
            finalized_epoch=await self.finalized_epoch(),
        )

    async def _fetch_duties(self, epoch: int) -> EpochDuties:
        indices = [str(index) for index in self._validators]
        path = "/eth/v1/validator/duties"
        attesters = await self._ask(f"{path}/attester/{epoch}", method="POST", body=indices)
        proposers = await self._ask(f"{path}/proposer/{epoch}")
        sync = await self._ask(f"{path}/sync/{epoch}", method="POST", body=indices)
        return EpochDuties(
            attesters=tuple(map(_attester_duty, attesters["data"])),
            proposers={int(one["slot"]): int(one["validator_index"]) for one in proposers["data"]},
            sync={
                int(one["validator_index"]): tuple(
                    map(int, one["validator_sync_committee_indices"])
                )
                for one in sync["data"]
            },
        )

    async def _ask(self, path: str, *, method: str = "GET", body: object = None) -> Any:
        return await ask_any(self._urls, path, method=method, body=body)


def _attester_duty(found: dict[str, str]) -> AttesterDuty:
    return AttesterDuty(
        validator=int(found["validator_index"]),
        slot=int(found["slot"]),
        committee=int(found["committee_index"]),
        position=int(found["validator_committee_index"]),
    )


def _block(message: dict[str, Any], root: str) -> Block:
    body = message["body"]
    return Block(
        slot=int(message["slot"]),
        root=root,
        parent_root=message["parent_root"],
        proposer=int(message["proposer_index"]),
        attestations=tuple(map(_attestation, body["attestations"])),
        sync_bits=_bits(body["sync_aggregate"]["sync_committee_bits"]),
        exits=tuple(int(one["message"]["validator_index"]) for one in body["voluntary_exits"]),
    )


def _attestation(found: dict[str, Any]) -> IncludedAttestation:
    data, bits = found["data"], _bits(found["aggregation_bits"])
    # From electra on the data names no committee; a field beside it names one or more.
    several = found.get("committee_bits")
    named = _bits(several) if several else ()
    return IncludedAttestation(
        slot=int(data["slot"]),
        committees=tuple(i for i, is_in in enumerate(named) if is_in)
        if several
        else (int(data["index"]),),
        bits=bits[: _last_one(bits)],
        head_root=data["beacon_block_root"],
        target_root=data["target"]["root"],
    )


def _bits(text: str) -> tuple[bool, ...]:
    """Bits of an SSZ bit vector, or of a bit list with the mark of its end."""
    return tuple(bool(byte >> bit & 1) for byte in parse_hex(text, what="bits") for bit in range(8))


def _last_one(bits: tuple[bool, ...]) -> int:
    """Where a bit list's end is marked."""
    return max((at for at, bit in enumerate(bits) if bit), default=0)
