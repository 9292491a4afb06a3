"""The async client does what the blocking one does, by the same operations."""

from __future__ import annotations

import asyncio

import pytest

from sdk.client import RemoteSigner
from sdk.errors import ChainError, NetworkError
from tests.client.proxy import Answer, Proxy
from tests.client.signer_server import SignerServer
from tests.client.world import ETHER, IDS, OWNER, STRANGER, World

pytestmark = pytest.mark.toolchain


def test_life_of_a_cluster(world: World) -> None:
    async def live() -> None:
        client, w3 = world.async_client(OWNER)
        try:
            account = world.account(OWNER)
            prepared = await client.validators.register(world.shares(1, 2), runway_days=30)
            plan = await prepared.plan()
            receipt = await prepared.transact()
            assert receipt.gas_used <= plan.gas
            await (await client.clusters.deposit(IDS, amount_wei=ETHER)).transact()
            found = await client.clusters.get(account, IDS)
            assert found == world.client(OWNER).clusters.get(account, IDS)
            assert await client.owners.nonce() == 2
            with pytest.raises(ChainError) as caught:
                await client.validators.register(world.shares(3), deposit_wei=0)
            assert caught.value.code == "nonce_too_low"
            await (await client.clusters.liquidate(account, IDS)).transact()
            await (await client.clusters.reactivate(IDS, runway_days=1)).transact()
            keys = [share.public_key for share in world.shares(1, 2)]
            await (await client.validators.exit(IDS, keys)).transact()
            await (await client.validators.remove(IDS, keys)).transact()
            assert (await client.clusters.get(account, IDS)).snapshot.validator_count == 0
        finally:
            await client.close()
            await w3.provider.disconnect()

    asyncio.run(live())


def test_misbehaving_node(world: World, proxy: Proxy) -> None:
    async def ask() -> int:
        client, w3 = world.async_client(OWNER, url=proxy.url)
        try:
            return await client.owners.nonce()
        finally:
            await w3.provider.disconnect()

    answers = iter([Answer(429, headers={"Retry-After": "0"}), Answer(503)])
    proxy.rule = lambda request: next(answers, None)
    assert asyncio.run(ask()) == 0
    proxy.rule = lambda request: Answer(body=None)
    with pytest.raises(NetworkError, match="connection failed"):
        asyncio.run(ask())
    proxy.rule = lambda request: Answer(body=b"<html>")
    with pytest.raises(NetworkError, match="cannot be read"):
        asyncio.run(ask())


def test_remote_signer(world: World) -> None:
    async def act(url: str, key: bytes) -> None:
        signer = RemoteSigner(url, SignerServer.address_of(key))
        client, w3 = world.async_client(signer)
        try:
            prepared = await client.owners.set_fee_recipient(world.account(STRANGER))
            await prepared.transact()
            assert await client.owners.fee_recipient() == world.account(STRANGER)
        finally:
            await client.close()
            await w3.provider.disconnect()

    key = (7).to_bytes(32, "big")
    world.rpc("anvil_setBalance", SignerServer.address_of(key), hex(ETHER))
    with SignerServer(key) as server:
        asyncio.run(act(server.url, key))
