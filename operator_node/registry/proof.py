"""Whether what an execution node says is true, before the registry takes it.

Near the head every block is proven: its header is under its hash, the newest one is the payload
that an own beacon node has in that slot, and receipts under the header's root say which logs there
are; a bloom without the registry's address says that there are none. Logs that the node's index
hides, invents or alters are replaced by those of the receipts: a gap, repaired. What contradicts a
header is not taken at all, and another node is asked. Ranges of history are asked for at every
node; blocks in which they differ are proven.

Shell. Never decides what an event means.

Source: docs/run-a-node.md, "Proof of the registry".
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NoReturn, TypeAlias

import trio

from operator_node.registry.headers import outvoted
from operator_node.registry.status import Gap, ProofStatus
from sdk.chain import Block, Read, Rpc
from sdk.chain.headers import names_itself
from sdk.chain.proofs import BlockProof, NotProvable, headers_of, logs_in_range, proven_logs
from sdk.errors import ConfigError, NetworkError
from sdk.events import Log
from sdk.types import Address, BlockNumber

log = logging.getLogger(__name__)

MOST_PROVEN: Final = 200
"""Blocks of one range that are proven because nodes differ; receipts may be a megabyte each."""
TIE_EVERY: Final = 32
"""Blocks without an event that are not compared with a beacon node: an answer has some 100 kB."""
TIES_S: Final = 60.0
"""For the ties of one range; beacon nodes that hang are not waited for once per block."""
GAPS_KEPT: Final = 32
"""For people to look at; all are counted."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What a beacon node says of the execution block in one of its slots, 32 bytes each.

    Attributes:
        logs_bloom: 256 bytes.
    """

    block_hash: bytes
    receipts_root: bytes
    logs_bloom: bytes


@dataclass(frozen=True, slots=True)
class Untied:
    """The own beacon nodes have nothing to do with the registry's chain."""

    reason: str


PayloadOf: TypeAlias = Callable[[int, bytes], Awaitable[Payload | Untied | None]]
"""The payload in the slot at a time in unix seconds, of a beacon node that has the block of that
hash there if one does; None if none has a payload to tell."""


class Proof:
    """The second look at every step; a `sdk.chain.LogCheck`.

    Attributes:
        proven: blocks looked at so far whose logs are certain.
        unproven: those that had to be believed.
        refuted: answers that contradicted a header, or a header that contradicted a beacon node.
        gap_count: blocks of which the logs given were not the proven ones.
        trouble: what was last found wrong with a node, by its name; empty again once it proves
            something.
    """

    def __init__(
        self,
        rpc: Rpc,
        registry: Address,
        *,
        payload_of: PayloadOf | None = None,
        others: Sequence[Rpc] = (),
    ) -> None:
        """Nothing is proven.

        Args:
            rpc: the one that steps are read from.
            registry: contract whose logs are wanted.
            payload_of: of the own beacon nodes; None asks nobody.
            others: one per execution node, where there are several.
        """
        self.proven = 0
        self.unproven = 0
        self.refuted = 0
        self.gap_count = 0
        self.trouble: dict[str, str] = {}
        self._rpc = rpc
        self._registry = registry
        self._payload_of = payload_of
        self._others = others
        self._gaps: dict[bytes, Gap] = {}
        self._certain: set[BlockNumber] = set()
        self._whole: tuple[BlockNumber, BlockNumber] | None = None
        self._unable: set[str] = set()
        self._next_tie = BlockNumber(0)
        self._untied = "no beacon node is asked" if payload_of is None else ""

    def told(self) -> ProofStatus:
        """For people."""
        return ProofStatus(
            whole=self._whole,
            untied=self._untied,
            gaps=tuple(self._gaps.values()),
            trouble=dict(self.trouble),
        )

    def counts(self) -> dict[str, int]:
        """For `RegistryStatus.counts`."""
        return {
            "proven": self.proven,
            "unproven": self.unproven,
            "refuted": self.refuted,
            "gaps": self.gap_count,
        }

    def is_certain(self, block: BlockNumber) -> bool:
        """Whether the events of a block may be acted on even if that cannot be taken back."""
        return block in self._certain

    def anew(self) -> Proof:
        """One that knows nothing, over the same nodes."""
        return Proof(self._rpc, self._registry, payload_of=self._payload_of, others=self._others)

    def adopt(self, other: Proof) -> None:
        """What was read under another one is in use now."""
        self._certain |= other._certain
        self._whole = other._whole
        self._gaps |= other._gaps
        self.gap_count += other.gap_count

    def trust(self, blocks: Iterable[BlockNumber]) -> None:
        """These were certain before."""
        self._certain.update(blocks)

    def go_back(self, to: BlockNumber) -> None:
        """Blocks above are gone."""
        self._certain = {each for each in self._certain if each <= to}
        self._next_tie = BlockNumber(0)
        if self._whole is not None:
            low, high = self._whole
            self._whole = None if low > to else (low, BlockNumber(min(high, to)))

    def forget_below(self, block: BlockNumber) -> None:
        """Nobody asks for older blocks any more."""
        self._certain = {each for each in self._certain if each >= block}

    async def settle(
        self, read: Read, blocks: Sequence[Block], logs: Sequence[Log]
    ) -> Sequence[Log]:
        """The logs of a range as they are to be taken; see `sdk.chain.LogCheck`.

        Raises:
            NetworkError: `node_contradicts`, `header_foreign`: nothing is taken; `unprovable`, and
                another node is asked.
        """
        given = {
            number: list(each)
            for number, each in groupby(sorted(logs, key=_position), lambda log: log.block_number)
        }
        if read.is_dense:
            await self._prove_all(read, blocks, given)
        else:
            self._whole = None
            await self._compare(read, given)
        return [log for number in sorted(given) for log in given[number]]

    async def prove(self, number: BlockNumber) -> BlockProof | None:
        """One block of the past and all that its header needs; None while that cannot be had.

        Raises:
            NetworkError: as `settle`; or no node answers.
        """
        [block] = await headers_of(self._rpc, [number])
        try:
            [proof] = await self._proofs([block])
        except NotProvable as reason:
            self._pass_on(reason)
            return None
        if not await self._is_tied(block):
            return None
        await self._hold_to_chain([block])
        self._certain.add(number)
        return proof

    async def _prove_all(
        self, read: Read, blocks: Sequence[Block], given: dict[BlockNumber, list[Log]]
    ) -> None:
        try:
            proofs = await self._proofs(blocks)
        except NotProvable as reason:
            self._pass_on(reason)
            self.unproven += len(blocks)
            self._whole = None
            return
        eventful = [proof.block.number for proof in proofs if proof.logs]
        # Headers name their parents, so the newest one stands for all of them.
        is_due = read.high >= self._next_tie
        if (eventful or is_due) and await self._is_tied(blocks[-1]):
            self._certain.update(eventful)
            self._next_tie = BlockNumber(read.high + TIE_EVERY)
        self._correct(proofs, given)
        self.proven += len(proofs)
        low = read.low
        if self._whole is not None and self._whole[1] == read.low - 1:
            low = self._whole[0]
        self._whole = (low, read.high)

    async def _proofs(self, blocks: Sequence[Block]) -> list[BlockProof]:
        """Of headers that are what they are named.

        Raises:
            NotProvable: the node does not have what it takes.
            NetworkError: as `settle`.
        """
        name = self._rpc.name
        try:
            proofs = await proven_logs(self._rpc, self._registry, blocks)
        except NetworkError as failure:
            if failure.code == "node_contradicts":
                self._note(name, failure.message)
            raise
        for block in await trio.to_thread.run_sync(_misnamed, blocks):
            await self._vouch_for(block)
        self._unable.discard(name)
        self.trouble.pop(name, None)
        return proofs

    async def _vouch_for(self, block: Block) -> None:
        """Headers of a later fork have fields that are not known here; a beacon node knows them."""
        payload = await self._payload(block)
        if payload != Payload(block.hash, block.receipts_root, block.logs_bloom):
            self._refute(
                f"gives a header of block {block.number} that is not the one of its hash; "
                "if it is of a fork newer than this program, update it"
            )

    async def _is_tied(self, block: Block) -> bool:
        """Whether the block is in the chain of the own beacon nodes, as far as that can be asked.

        Raises:
            NetworkError: `header_foreign`, it is not.
        """
        return await self._tie(block) is not None

    async def _tie(self, block: Block) -> Payload | Untied | None:
        payload = await self._payload(block)
        if isinstance(payload, Payload) and payload.block_hash != block.hash:
            self._refute(
                f"has block {block.number} 0x{block.hash.hex()}, the own beacon nodes have "
                f"0x{payload.block_hash.hex()} at its time",
                code="header_foreign",
            )
        return payload

    async def _payload(self, block: Block) -> Payload | Untied | None:
        if self._payload_of is None:
            return Untied(self._untied)
        payload = await self._payload_of(block.timestamp_s, block.hash)
        reason = payload.reason if isinstance(payload, Untied) else ""
        if reason != self._untied:
            self._untied = reason
            log.warning("registry: headers are not compared with beacon nodes: %s", reason)
        return payload

    def _correct(self, proofs: Sequence[BlockProof], given: dict[BlockNumber, list[Log]]) -> None:
        """Put proven logs in the place of those that the node gave."""
        for proof in proofs:
            number = proof.block.number
            before = given.get(number, [])
            if proof.agrees(before):
                continue
            gap = Gap(number, self._rpc.name, len(before), len(proof.logs))
            if proof.block.hash not in self._gaps:
                self.gap_count += 1
                self._gaps[proof.block.hash] = gap
                log.error(
                    "registry: %s gave %d logs of block %d, its receipts prove %d; these are taken",
                    *(gap.node, gap.given, gap.block, gap.proven),
                )
            while len(self._gaps) > GAPS_KEPT:
                del self._gaps[next(iter(self._gaps))]
            given[number] = list(proof.logs)

    async def _compare(self, read: Read, given: dict[BlockNumber, list[Log]]) -> None:
        """Prove the blocks of a range in which nodes differ."""
        differing: set[BlockNumber] = set()
        ours = _names(given)
        for other in self._others:
            if other.name == self._rpc.name:
                continue
            try:
                theirs = await logs_in_range(other, self._registry, read.low, read.high)
            except (NetworkError, ConfigError) as failure:
                log.info("registry: blocks %d to %d compared less: %s", *_ends(read), failure)
                continue
            named = {(each.block_number, each.block_hash, each.log_index) for each in theirs}
            differing |= {number for number, _, _ in ours ^ named}
        if not differing:
            return
        log.warning("registry: nodes differ in %d of blocks %d to %d", len(differing), *_ends(read))
        if len(differing) > MOST_PROVEN:
            # With the code on which a range is halved.
            raise NetworkError(f"nodes differ in {len(differing)} blocks", code="rpc_refused")
        blocks = await headers_of(self._rpc, sorted(differing))
        await self._hold_to_chain(blocks)
        try:
            self._correct(await self._proofs(blocks), given)
        except NotProvable as reason:
            self._pass_on(reason)
            self.unproven += len(blocks)

    async def _hold_to_chain(self, blocks: Sequence[Block]) -> None:
        """Beacon nodes say which headers are the chain's; of those that they lack, a majority.

        Raises:
            NetworkError: `header_foreign`, one is not.
        """
        loose = {each.number: each for each in blocks}
        with trio.move_on_after(TIES_S):
            for block in blocks:
                if isinstance(await self._tie(block), Payload):
                    del loose[block.number]
        others = [each for each in self._others if each.name != self._rpc.name]
        alone = await outvoted(list(loose.values()), others)
        if alone is not None:
            self._refute(
                f"has a block {alone.number} that the other nodes do not have",
                code="header_foreign",
            )

    def _pass_on(self, reason: NotProvable) -> None:
        """Another node may have what it takes; where none has, this one is believed.

        Raises:
            NetworkError: `unprovable`, another one is asked.
        """
        name = self._rpc.name
        if name not in self._unable:
            self._note(name, str(reason))
            self._unable.add(name)
        # Not of `avoided`: one that claims a head out of reach has honest ones avoided as late.
        near = {each for at, each in enumerate(self._rpc.names) if at not in self._rpc.away}
        if not self._unable.issuperset(near):
            self._rpc.leave()
            raise NetworkError(
                f"{name} proves nothing: {reason}",
                code="unprovable",
                hint="Use an execution node that serves eth_getBlockReceipts.",
            ) from None

    def _refute(self, what: str, *, code: str = "node_contradicts") -> NoReturn:
        name = self._rpc.name
        self._note(name, what)
        self._rpc.leave()
        raise NetworkError(f"{name} {what}", code=code, hint="Nothing is taken; use another node.")

    def _note(self, name: str, what: str) -> None:
        self.refuted += 1
        self.trouble[name] = what.removeprefix(f"{name} ")


def _misnamed(blocks: Sequence[Block]) -> list[Block]:
    """Those that are not under their own hash; a tenth of a millisecond each."""
    return [each for each in blocks if not names_itself(each)]


def _ends(read: Read) -> tuple[int, int]:
    return read.low, read.high


def _position(log: Log) -> tuple[int, int]:
    return log.block_number, log.log_index


def _names(given: Mapping[BlockNumber, Sequence[Log]]) -> set[tuple[BlockNumber, bytes, int]]:
    return {
        (each.block_number, each.block_hash, each.log_index)
        for logs in given.values()
        for each in logs
    }
