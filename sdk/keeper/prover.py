"""The prover: proofs of effective balances that end in a liquidation, for the bounty.

Shell around `proofs` and `acting`. Now and then it fetches a beacon state, reads the balances of
all validators in active clusters out of it, and hashes it only if a proof pays.

Source: docs/liquidator.md, "Proofs that pay"; docs/beacon-proofs.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any, Final

import trio

from sdk.beacon_proofs import BeaconProofs, ValidatorIndex, build_proofs, find_validators
from sdk.beacon_proofs.registry_tree import read_record
from sdk.beacon_proofs.source import BeaconSource, ServedState
from sdk.beacon_proofs.state_shape import VALIDATORS
from sdk.client import Client
from sdk.client.addresses import to_checksum
from sdk.client.draft import Draft
from sdk.client.proving import MOST_PROOFS, counted_eth, newest_provable_state
from sdk.errors import ChainError, NetworkError
from sdk.keeper.acting import Actor
from sdk.keeper.bidding import Market
from sdk.keeper.following import Turn, Voice
from sdk.keeper.proofs import Chance, bounty_of, chances, provable_keys
from sdk.keeper.reporting import Job
from sdk.registry import RegistryState
from sdk.types import BlockNumber, PublicKey, Slot

RETRY_S: Final = 384
"""Of the chain's time, after a look that failed: one epoch, in which balances do not move."""
MOST_CHANCES: Final = 64
"""Built at a time: a proof of 63 validators has 128 kB, and each is checked here again."""


@dataclass(frozen=True, slots=True)
class Proven:
    """A chance with its proof."""

    chance: Chance
    timestamp: int
    proofs: BeaconProofs


class Prover:
    """What to do at a new block."""

    def __init__(
        self,
        client: Client,
        source: BeaconSource,
        actor: Actor,
        voice: Voice,
        *,
        every_s: int,
        run: Any = map,
    ) -> None:
        """Nothing is fetched yet.

        Args:
            client: of the registry.
            source: the beacon node.
            actor: does the jobs.
            voice: told of what is found.
            every_s: of the chain's time, between two states.
            run: see `build_proofs`.
        """
        self._client = client
        self._source = source
        self._actor = actor
        self._voice = voice
        self._every_s = every_s
        self._run = run
        self._proven: list[Proven] = []
        self._next_s = 0

    async def act(self, turn: Turn) -> bool:
        """Look for balances if it is time, and send what pays."""
        try:
            await trio.to_thread.run_sync(self._act, turn)
        except NetworkError as failure:
            self._voice.note(f"{failure}", code=failure.code)
        return False

    def _act(self, turn: Turn) -> None:
        self._actor.look_after(turn)
        state, at = turn.book.state, BlockNumber(turn.block + 1)
        if turn.book.time_s >= self._next_s:
            self._look(state, at=at, time_s=turn.book.time_s)
        self._proven = [
            each
            for each in self._proven
            if state.clusters.get(each.chance.cluster_id) == each.chance.cluster
        ]

        def jobs(market: Market) -> Sequence[Job]:
            priced = [
                (each, bounty_of(state, each.chance, at=at, market=market)) for each in self._proven
            ]
            return [_job(each, bounty) for each, bounty in priced if bounty is not None]

        self._actor.act(jobs, at=turn.block, has_jobs=bool(self._proven))

    def _look(self, state: RegistryState, *, at: BlockNumber, time_s: int) -> None:
        """Fetch a state and build the proofs that pay."""
        self._next_s = time_s + min(RETRY_S, self._every_s)
        try:
            served = newest_provable_state(self._client, self._source)
            settings = self._source.settings()
        except ChainError as problem:  # no verifier, or none for this time
            self._voice.note(problem.message, code=problem.code)
            return
        slot = Slot((served.timestamp - settings.genesis_time) // settings.seconds_per_slot)
        indices = find_validators(served.state, provable_keys(state))
        balances = _balances(served, indices)
        found = chances(state, balances, slot=slot, at=at, most_proofs=MOST_PROOFS)
        self._proven = self._build(served, indices, found[:MOST_CHANCES])
        self._next_s = time_s + self._every_s
        self._voice.step(
            f"slot {slot}: {len(indices)} validators looked at, {len(found)} clusters whose proof "
            "ends in a liquidation",
            slot=slot,
            validators=len(indices),
            clusters=len(found),
        )

    def _build(
        self,
        served: ServedState,
        indices: Mapping[PublicKey, ValidatorIndex],
        found: Sequence[Chance],
    ) -> list[Proven]:
        """All proofs in one go, because the whole state has to be hashed for any."""
        keys = list(dict.fromkeys(key for chance in found for key in chance.public_keys))
        if not keys:
            return []
        every = build_proofs(
            served.state, served.header, [indices[key] for key in keys], run=self._run
        )
        by_key = dict(zip(keys, every.validators, strict=True))
        return [
            Proven(
                chance,
                served.timestamp,
                replace(every, validators=tuple(by_key[key] for key in chance.public_keys)),
            )
            for chance in found
        ]


def _balances(
    served: ServedState, indices: Mapping[PublicKey, ValidatorIndex]
) -> dict[PublicKey, int]:
    """Effective balances as the registry counts them."""
    records = served.state.fields()[VALIDATORS]
    return {
        key: counted_eth(read_record(records, index, branch=()).effective_balance_gwei)
        for key, index in indices.items()
    }


def _job(proven: Proven, bounty_wei: int) -> Job:
    cluster = proven.chance.cluster
    owner = to_checksum(cluster.owner)
    name = f"the cluster of {owner} with operators {', '.join(map(str, cluster.operator_ids))}"
    state_root, branch, proofs = proven.proofs.as_abi()
    return Job(
        cluster_id=cluster.cluster_id,
        draft=Draft(
            function="proveEffectiveBalances",
            arguments=(
                owner,
                cluster.operator_ids,
                astuple(cluster.snapshot),
                proven.timestamp,
                state_root,
                tuple(branch),
                tuple(proofs),
            ),
            action=f"prove {proven.chance.difference_eth:+d} ETH of {name}, which liquidates it",
            items=len(proofs),
        ),
        reward_wei=bounty_wei,
        name=name,
    )
