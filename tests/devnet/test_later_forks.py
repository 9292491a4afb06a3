"""Tier B serves electra's and fulu's formats to validators that are not its own."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Set
from functools import partial
from pathlib import Path

import pytest
import trio

from deploy.devnet.later_forks import LEAD_S, running_later_fork
from deploy.devnet.node import BeaconNode
from deploy.devnet.observer import Observer
from deploy.devnet.rest import ask
from operator_node.spec.versions import ELECTRA, FULU
from sdk.errors import BeaconError, ConfigError
from tests.devnet.external import ExternalValidator, read_spec

pytestmark = [pytest.mark.toolchain, pytest.mark.slow, pytest.mark.e2e]

SLOT_SECONDS = 1
VALIDATORS = 64
OUTSIDER = 60
"""Of the first sync committee, too: the first epoch is the same in every run."""
PROPOSERS_FROM = 32
OUTSIDERS = frozenset(range(PROPOSERS_FROM, VALIDATORS))
SETTLED = 9
DEADLINE_S = 60.0


@pytest.mark.parametrize(("fork", "version"), [("electra", ELECTRA), ("fulu", FULU)])
def test_outside_validator_does_its_duties(tmp_path: Path, fork: str, version: int) -> None:
    async def check(node: BeaconNode, observer: Observer) -> None:
        assert (await read_spec(node.url)).version_at(0) == version
        await validate(node, observer)

    # The three after it stay silent.
    trio.run(partial(with_node, tmp_path, fork, inside=OUTSIDER, watched={OUTSIDER}, check=check))


def test_outside_proposer_builds_and_signs_a_block_as_ssz(tmp_path: Path) -> None:
    async def check(node: BeaconNode, observer: Observer) -> None:
        spec = await read_spec(node.url)
        proposers = (await ask(node.url, "/eth/v1/validator/duties/proposer/0"))["data"]
        slot, index = next(
            (int(duty["slot"]), int(duty["validator_index"]))
            for duty in proposers
            if int(duty["validator_index"]) >= PROPOSERS_FROM and duty["slot"] != "0"
        )
        await observer.until_slot(slot)
        await ExternalValidator(node.url, spec, index).propose(slot)
        (block,) = await observer.blocks(slot, slot)
        assert block.proposer == index
        report = await observer.report(slot, slot)
        assert [each.is_canonical for each in report.proposals] == [True]

    trio.run(
        partial(with_node, tmp_path, "fulu", inside=PROPOSERS_FROM, watched=OUTSIDERS, check=check)
    )


async def with_node(
    folder: Path,
    fork: str,
    *,
    inside: int,
    watched: Set[int],
    check: Callable[[BeaconNode, Observer], Awaitable[None]],
) -> None:
    """The check, with a node whose validators from `inside` on are left to it."""
    genesis_time = int(time.time()) + LEAD_S
    with trio.fail_after(DEADLINE_S):
        async with (
            running_later_fork(
                folder,
                genesis_time=genesis_time,
                fork=fork,
                slot_seconds=SLOT_SECONDS,
                validators=VALIDATORS,
                inside=inside,
            ) as node,
            trio.open_nursery() as nursery,
        ):
            observer = Observer(
                [node.url],
                genesis_time=genesis_time,
                slot_seconds=SLOT_SECONDS,
                validators=VALIDATORS,
                watched=watched,
            )
            nursery.start_soon(observer.run)
            await check(node, observer)
            nursery.cancel_scope.cancel()


async def validate(node: BeaconNode, observer: Observer) -> None:
    spec = await read_spec(node.url)
    outsider = ExternalValidator(node.url, spec, OUTSIDER)
    duty = await outsider.attester_duty(0)
    positions = await outsider.sync_positions(0)
    slot = int(duty["slot"])
    await observer.until_slot(slot + 0.5)
    with pytest.raises(BeaconError, match="400"):
        await outsider.attest(duty, signer=1)
    root = await outsider.attest(duty)
    await outsider.sync(slot, positions)
    await outsider.aggregate(duty, root)
    await outsider.exit()
    await observer.until_slot(SETTLED)

    report = await observer.report(slot, slot)
    (attested,) = report.attestations
    assert attested.included_at == slot + 1
    assert attested.is_head_right
    assert attested.is_target_right
    assert [(each.due, each.done) for each in report.sync] == [(1, 1)]
    assert report.exits == {OUTSIDER}
    counted = (await ask(node.url, "/phalanx/v1/aggregators"))["data"]
    assert counted["aggregates"][str(OUTSIDER)] == "1"
    assert counted["contributions"][str(OUTSIDER)] == "1"


def test_unknown_fork_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_later_fork(tmp_path, genesis_time=0, fork="bellatrix"):
            pass

    with pytest.raises(ConfigError, match="no fork bellatrix"):
        trio.run(main)
