"""A run of the local network, and what is asserted of it from the chain alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import trio

from deploy.devnet.inclusion import SLOTS_PER_EPOCH, Report
from deploy.devnet.keys import interop_key
from deploy.devnet.network import (
    CAPELLA,
    FIRST_SLOT,
    LocalNetwork,
    NetworkOptions,
    running_network,
)
from deploy.devnet.operators import NEVER
from deploy.devnet.relay import Relay, running_relay
from deploy.devnet.rest import ask
from operator_node.duties.registration import is_due
from sdk.types import Slot

GENESIS_FORK_VERSION = bytes.fromhex("00000001")
"""Of tier A; builders are told things under it."""
SLOT_SHARE_S = 0.9
"""Late in a slot everything that it asked for has been done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What happens in a run.

    Attributes:
        slots: until it ends.
        kill_at: slot in which the last operator's node is killed for good.
        exit_at: slot in which the owner asks for an exit of `exiting`.
        fork: of the beacon chain; only tier A's tells a relay of registrations.
    """

    slots: int
    slot_seconds: int
    alan: bool = False
    kill_at: int | None = None
    exit_at: int | None = None
    exiting: int = 40
    fork: str = CAPELLA


@dataclass(slots=True)
class Seen:
    """What was found.

    Attributes:
        outcomes: the duty records of the first operator, by id.
        registered: validators whose registration reached the relay, signed with their key.
        due_for_registration: validators of the operators that were to be registered in the run.
        relay_refused: requests that the relay refused, a signature that does not verify included.
        aggregates: by validator, as tier B's node counts them; contributions likewise.
    """

    report: Report
    outcomes: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str | None] = field(default_factory=dict)
    states: list[str] = field(default_factory=list)
    registered: set[int] = field(default_factory=set)
    due_for_registration: set[int] = field(default_factory=set)
    relay_refused: int = 0
    aggregates: dict[int, int] = field(default_factory=dict)
    contributions: dict[int, int] = field(default_factory=dict)


def live(run: Run, folder: Path, *, say: Callable[[str], None]) -> Seen:
    """Run a network to its end and report on it, from the first epoch with votes on."""
    options = NetworkOptions(
        folder=folder,
        slot_seconds=run.slot_seconds,
        boole_epoch=NEVER if run.alan else 0,
        fork=run.fork,
    )
    deadline_s = (run.slots + 20) * run.slot_seconds + 180
    return trio.run(_live, run, options, say, deadline_s)


async def _live(
    run: Run, options: NetworkOptions, say: Callable[[str], None], deadline_s: float
) -> Seen:
    with trio.fail_after(deadline_s):
        async with AsyncExitStack() as stack:
            relay: Relay | None = None
            if run.fork == CAPELLA:
                serving = running_relay(genesis_fork_version=GENESIS_FORK_VERSION)
                relay = await stack.enter_async_context(serving)
                options = replace(options, relay=relay.url)
            network = await stack.enter_async_context(running_network(options, say))
            for slot in range(run.slots):
                await network.observer.until_slot(slot + SLOT_SHARE_S)
                if slot == run.kill_at:
                    await network.nodes[-1].child.kill()
                if slot == run.exit_at:
                    await network.registry.request_exits((run.exiting,))
            return await _look(run, network, relay)


async def _look(run: Run, network: LocalNetwork, relay: Relay | None) -> Seen:
    seen = Seen(await network.report(FIRST_SLOT, run.slots - 1))
    for node in network.nodes:
        if node.child.is_running:
            seen.states.append((await node.ask("/v2/status"))["state"])
    found = await network.nodes[0].ask(
        "/v2/duties", **{"from": FIRST_SLOT, "to": run.slots - 1, "limit": 1000}
    )
    for duty in found["data"]:
        seen.outcomes[duty["id"]] = duty["outcome"]
        seen.reasons[duty["id"]] = duty["reason"]
    if relay is None:
        await _ask_tier_b(network, seen)
    else:
        _ask_relay(run, network, relay, seen)
    return seen


def _ask_relay(run: Run, network: LocalNetwork, relay: Relay, seen: Seen) -> None:
    held = network.options.validators
    seen.registered = {index for index in held if interop_key(index) in relay.registrations}
    seen.relay_refused = sum(relay.refused.values())
    seen.due_for_registration = {
        index
        for index in held
        for slot in range(FIRST_SLOT, run.slots)
        if is_due(index, Slot(slot), slots_per_epoch=SLOTS_PER_EPOCH)
    }


async def _ask_tier_b(network: LocalNetwork, seen: Seen) -> None:
    held = network.options.validators
    counted = (await ask(network.beacons[0].url, "/phalanx/v1/aggregators"))["data"]
    for kind, found in (("aggregates", seen.aggregates), ("contributions", seen.contributions)):
        found |= {int(who): int(many) for who, many in counted[kind].items() if int(who) in held}


def share(done: int, due: int) -> float:
    """Of a whole that is not empty."""
    assert due > 0
    return done / due


def included(report: Report) -> float:
    """Share of the operators' attestations in healthy slots that are in blocks."""
    healthy = report.healthy_attestations
    return share(sum(each.included_at is not None for each in healthy), len(healthy))


def targets_right(report: Report) -> float:
    """Share of the included ones that vote for the right target."""
    votes = [each for each in report.healthy_attestations if each.included_at is not None]
    return share(sum(each.is_target_right for each in votes), len(votes))


def right(report: Report) -> float:
    """Share of the included ones that vote for the right head and target."""
    votes = [each for each in report.healthy_attestations if each.included_at is not None]
    return share(sum(each.is_head_right and each.is_target_right for each in votes), len(votes))
