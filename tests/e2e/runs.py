"""A run of the local network, and what is asserted of it from the chain alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import trio

from deploy.devnet.inclusion import Report
from deploy.devnet.network import FIRST_SLOT, LocalNetwork, NetworkOptions, running_network
from deploy.devnet.operators import NEVER

SLOT_SHARE_S = 0.9
"""Late in a slot everything that it asked for has been done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What happens in a run.

    Attributes:
        slots: until it ends.
        kill_at: slot in which the last operator's node is killed for good.
        exit_at: slot in which the owner asks for an exit of `exiting`.
    """

    slots: int
    slot_seconds: int
    alan: bool = False
    kill_at: int | None = None
    exit_at: int | None = None
    exiting: int = 63


@dataclass(slots=True)
class Seen:
    """What was found. `outcomes` are the duty records of the first operator, by id."""

    report: Report
    outcomes: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str | None] = field(default_factory=dict)
    states: list[str] = field(default_factory=list)


def live(run: Run, folder: Path, *, say: Callable[[str], None]) -> Seen:
    """Run a network to its end and report on it, from the first epoch with votes on."""
    options = NetworkOptions(
        folder=folder, slot_seconds=run.slot_seconds, boole_epoch=NEVER if run.alan else 0
    )
    deadline_s = (run.slots + 20) * run.slot_seconds + 180
    return trio.run(_live, run, options, say, deadline_s)


async def _live(
    run: Run, options: NetworkOptions, say: Callable[[str], None], deadline_s: float
) -> Seen:
    with trio.fail_after(deadline_s):
        async with running_network(options, say) as network:
            for slot in range(run.slots):
                await network.observer.until_slot(slot + SLOT_SHARE_S)
                if slot == run.kill_at:
                    await network.nodes[-1].child.kill()
                if slot == run.exit_at:
                    await network.registry.request_exits((run.exiting,))
            return await _look(run, network)


async def _look(run: Run, network: LocalNetwork) -> Seen:
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
    return seen


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
