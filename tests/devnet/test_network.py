"""The local network: two peered Lodestars, the registry's chain by their slots, a relay."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest
import trio

from deploy.devnet.beacon import BeaconNetwork, BeaconOptions, running_beacons
from deploy.devnet.chain import BURIAL_BLOCKS, Chain, running_chain
from deploy.devnet.keys import interop_key
from deploy.devnet.observer import Observer
from deploy.devnet.registry import LocalRegistry, set_up_registry
from deploy.devnet.relay import Relay, running_relay
from deploy.devnet.rest import ask
from sdk.client import Client
from sdk.crypto.operator_keystore import decrypt_operator_key, parse_operator_keystore
from sdk.crypto.secret import Password
from sdk.errors import BeaconError
from tests.devnet.test_relay import VERSION, signed

pytestmark = [pytest.mark.toolchain, pytest.mark.slow, pytest.mark.e2e]

SLOT_SECONDS = 2
REGISTERED = (62, 63)
LEAD_S = 10
FIRST_SLOT, LAST_SLOT = 4, 6
"""Of the duties that are looked at: not the first ones, since a busy machine may start late."""
SETTLED = LAST_SLOT + 2
DEADLINE_S = 90.0


def test_parts_come_up_agree_and_are_gone_afterwards(tmp_path: Path) -> None:
    async def main() -> None:
        with trio.fail_after(DEADLINE_S):
            await whole_network(tmp_path)

    trio.run(main)


async def whole_network(tmp_path: Path) -> None:
    async with running_chain(tmp_path, slot_seconds=SLOT_SECONDS) as chain:
        registry = await set_up_registry(chain, tmp_path, validators=REGISTERED)
        options = BeaconOptions(
            folder=tmp_path,
            genesis_time=int(time.time()) + LEAD_S,
            slot_seconds=SLOT_SECONDS,
            inside=REGISTERED[0],  # nearly all, so that nearly every slot has a block
        )
        async with (
            running_relay(genesis_fork_version=VERSION) as relay,
            trio.open_nursery() as nursery,
        ):
            await chain.align(options.genesis_time)
            nursery.start_soon(chain.mine_slots)
            await check_operators(registry)
            await check_registrations(registry)
            await live_with_beacons(options, relay)
            await check_blocks(chain, options)
            nursery.cancel_scope.cancel()


async def live_with_beacons(options: BeaconOptions, relay: Relay) -> None:
    with_relay = BeaconOptions(
        folder=options.folder,
        genesis_time=options.genesis_time,
        slot_seconds=options.slot_seconds,
        inside=options.inside,
        relay=relay.url,
    )
    async with running_beacons(with_relay) as network, trio.open_nursery() as nursery:
        nursery.start_soon(network.watch)
        observer = Observer(
            network.urls,
            genesis_time=options.genesis_time,
            slot_seconds=options.slot_seconds,
            validators=64,
            watched=set(range(64)),
        )
        nursery.start_soon(observer.run)
        await observer.until_slot(SETTLED)
        await check_duties(observer)
        await check_peers(network)
        await check_relay(network, relay)
        await check_one_may_stop(network, observer)
        nursery.cancel_scope.cancel()
    assert not any(node.child.is_running for node in network.nodes)
    for url in network.urls:
        host, port = url.removeprefix("http://").split(":")
        with socket.socket() as probe:
            assert probe.connect_ex((host, int(port))) != 0


async def check_operators(registry: LocalRegistry) -> None:
    """The files that a node is given open, and hold the registered keys."""
    assert registry.operator_ids == (1, 2, 3, 4)
    for operator in registry.operators:
        password = Password(await trio.Path(operator.password_file).read_bytes())
        keystore = parse_operator_keystore(await trio.Path(operator.key_file).read_bytes())
        assert decrypt_operator_key(keystore, password).public_key == operator.public_key


async def check_registrations(registry: LocalRegistry) -> None:
    def look(client: Client) -> None:
        assert client.owners.nonce() == len(REGISTERED)
        for index in REGISTERED:
            assert client.validators.get(interop_key(index)) is not None

    await trio.to_thread.run_sync(look, registry.client())


async def check_blocks(chain: Chain, options: BeaconOptions) -> None:
    """One block per slot with its time, and enough of them above the registrations."""
    head = int(await chain.ask("eth_blockNumber"), 16)
    times = []
    for number in range(head - SETTLED - BURIAL_BLOCKS, head + 1):
        block: dict[str, Any] = await chain.ask("eth_getBlockByNumber", hex(number), False)
        times.append(int(block["timestamp"], 16) - options.genesis_time)
    assert times == list(range(times[0], times[-1] + 1, SLOT_SECONDS))
    assert times[0] < 0 < SETTLED * SLOT_SECONDS <= times[-1]


async def check_duties(observer: Observer) -> None:
    report = await observer.report(FIRST_SLOT, LAST_SLOT)
    due = report.healthy_attestations
    included = [each for each in due if each.included_at is not None]
    # In so few slots a busy machine is late with some; strict figures are the e2e tests'.
    assert len(included) > len(due) / 2 > 0
    assert any(each.is_head_right and each.is_target_right for each in included)
    assert any(each.is_canonical for each in report.proposals)
    assert any(each.done == each.due for each in report.sync)
    with pytest.raises(BeaconError, match="not written down"):
        await observer.report(0, 1_000)


async def check_peers(network: BeaconNetwork) -> None:
    roots = {
        (await ask(url, f"/eth/v1/beacon/blocks/{LAST_SLOT}/root"))["data"]["root"]
        for url in network.urls
    }
    assert len(roots) == 1


async def check_relay(network: BeaconNetwork, relay: Relay) -> None:
    path = "/eth/v1/validator/register_validator"
    await ask(network.urls[0], path, method="POST", body=[signed(index) for index in REGISTERED])
    # Those that the nodes run themselves are there, too.
    assert {interop_key(index) for index in REGISTERED} <= set(relay.registrations)
    assert not relay.refused


async def check_one_may_stop(network: BeaconNetwork, observer: Observer) -> None:
    """The other serves alone."""
    first = network.nodes[0]
    await first.child.kill()
    with pytest.raises(BeaconError):
        await ask(first.url, "/eth/v1/node/syncing")
    assert await observer.finalized_epoch() == 0
