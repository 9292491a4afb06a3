"""Who signs, and how calls travel to somebody else who signs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from sdk.client import LocalSigner, RemoteSigner, Signer
from sdk.client.export import batch_checksum
from sdk.crypto import Password
from sdk.errors import ChainError, KeysharesError, NetworkError, UsageError
from sdk.types import SIGNATURE_BYTES
from sdk.units import format_ether
from tests.client.signer_server import SignerServer
from tests.client.world import ETHER, IDS, OWNER, STRANGER, World

pytestmark = pytest.mark.toolchain

KEY = (11).to_bytes(32, "big")


def key_file(folder: Path) -> Signer:
    path = folder / "key"
    path.write_text("0x" + KEY.hex() + "\n")
    path.chmod(0o600)
    return LocalSigner.from_key_file(path)


def keystore(folder: Path) -> Signer:
    path = folder / "keystore.json"
    path.write_text(json.dumps(Account.encrypt(KEY, "throwaway", iterations=2)))
    return LocalSigner.from_keystore(path, lambda: Password(b"throwaway\n"))


@pytest.mark.parametrize("make", [key_file, keystore])
def test_signer_of_this_process_sends(world: World, tmp_path: Path, make: Any) -> None:
    signer = make(tmp_path)
    world.rpc("anvil_setBalance", signer.address, hex(ETHER))
    client = world.client(signer)
    prepared = client.owners.set_fee_recipient(world.account(STRANGER))
    signed = prepared.sign()
    assert prepared.send(signed) == signed.hash
    assert prepared.send(signed) == signed.hash
    assert prepared.wait(signed.hash).transaction_hash == signed.hash
    assert KEY.hex() not in f"{signer!r} {client!r} {prepared!r} {vars(client)}"


def test_remote_signer_sends(world: World) -> None:
    address = SignerServer.address_of(KEY)
    world.rpc("anvil_setBalance", address, hex(ETHER))
    with SignerServer(KEY) as server:
        signer = RemoteSigner(server.url, address, headers={"Authorization": "Bearer secret"})
        client = world.client(signer)
        client.owners.set_fee_recipient(world.account(STRANGER)).transact()
        assert server.headers[-1]["Authorization"] == "Bearer secret"
        shown = f"{signer!r} {client!r} {vars(signer)} {vars(client)}"
        assert "secret" not in shown
        assert server.url not in shown
        stranger = RemoteSigner(server.url, world.account(STRANGER))
        with pytest.raises(NetworkError, match="the signer refuses eth_signTransaction"):
            world.client(stranger).owners.set_fee_recipient(address).transact()


@pytest.mark.parametrize("field", ["to", "value", "nonce", "data", "maxFeePerGas", "chainId"])
def test_signer_that_changes_the_transaction_is_caught(world: World, field: str) -> None:
    address = SignerServer.address_of(KEY)
    world.rpc("anvil_setBalance", address, hex(ETHER))
    other = {"to": "0x" + "44" * 20, "data": "0x12"}

    def tamper(transaction: dict[str, Any]) -> None:
        transaction[field] = other.get(field, "0x7fffffffff")

    with SignerServer(KEY, tamper=tamper) as server:
        client = world.client(RemoteSigner(server.url, address))
        with pytest.raises(NetworkError, match=f"its {field} differs") as caught:
            client.owners.set_fee_recipient(address).transact()
    assert caught.value.code == "signer_answer"
    assert int(world.rpc("eth_getTransactionCount", address, "latest"), 16) == 0


def test_client_without_signer_exports_only(world: World) -> None:
    client = world.client(None, account=world.account(OWNER))
    prepared = client.validators.register(world.shares(1), deposit_wei=ETHER)
    assert prepared.plan().sender == world.account(OWNER)
    with pytest.raises(UsageError) as caught:
        prepared.transact()
    assert caught.value.code == "signer_missing"
    nobody = world.client(None)
    with pytest.raises(UsageError) as missing:
        nobody.owners.set_fee_recipient(world.account(OWNER)).plan()
    assert missing.value.code == "account_missing"
    with pytest.raises(UsageError) as wrong:
        world.client(OWNER, account=world.account(STRANGER))
    assert wrong.value.code == "wrong_sender"


def test_another_client_builds_the_same_transaction(world: World, tmp_path: Path) -> None:
    exporting = world.client(None, account=world.account(OWNER))
    path = tmp_path / "call.json"
    prepared = exporting.validators.register(world.shares(1, 2), deposit_wei=ETHER)
    text = prepared.to_json(path)
    assert path.read_text() == text
    with pytest.raises(UsageError, match="exists already"):
        prepared.to_json(path)
    signing = world.client(OWNER)
    imported = signing.imports.from_json(path)
    assert imported.build(gas=10**6, nonce=5) == prepared.build(gas=10**6, nonce=5)
    assert imported.draft.nonces == (0, 1)
    imported.transact()
    assert signing.owners.nonce() == 2
    with pytest.raises(ChainError) as caught:
        signing.imports.from_json(path)
    assert caught.value.code == "stale_snapshot"
    deposit = exporting.clusters.deposit(IDS, amount_wei=ETHER)
    deposit.to_json(tmp_path / "deposit.json")
    signing.imports.from_json(tmp_path / "deposit.json").transact()


def test_imported_call_is_judged_by_its_calldata(world: World, tmp_path: Path) -> None:
    client = world.client(OWNER)
    prepared = client.validators.register(world.shares(1), deposit_wei=ETHER)
    document = json.loads(prepared.to_json())
    signed = world.shares(1)[0].shares_data[:SIGNATURE_BYTES].hex()
    foreign = world.shares(1, nonce=1)[0].shares_data[:SIGNATURE_BYTES].hex()
    path = tmp_path / "call.json"
    path.write_text(json.dumps(document | {"data": document["data"].replace(signed, foreign)}))
    with pytest.raises(KeysharesError) as caught:
        client.imports.from_json(path)
    assert caught.value.code == "nonce_signature_invalid"
    path.write_text(json.dumps(document | {"to": "0x" + "55" * 20}))
    with pytest.raises(ChainError) as other:
        client.imports.from_json(path)
    assert other.value.code == "other_registry"
    path.write_text(json.dumps(document | {"chainId": 1}))
    with pytest.raises(ChainError) as chain:
        client.imports.from_json(path)
    assert chain.value.code == "other_chain"


def test_safe_batch_carries_the_call_and_its_validity(world: World, tmp_path: Path) -> None:
    world.register(1)
    client = world.client(None, account=world.account(OWNER))
    prepared = client.clusters.withdraw(IDS, amount_wei=ETHER // 2)
    path = tmp_path / "batch.json"
    prepared.to_safe_batch(path)
    batch = json.loads(path.read_text())
    assert batch["chainId"] == "31337"
    assert batch["meta"]["createdFromSafeAddress"] == world.account(OWNER)
    assert f"withdraw {format_ether(ETHER // 2)} ETH" in batch["meta"]["description"]
    snapshot = client.clusters.get(world.account(OWNER), IDS).snapshot
    assert str(snapshot.balance_wei) in batch["meta"]["description"]
    assert batch["meta"]["checksum"] == batch_checksum(batch)
    (transaction,) = batch["transactions"]
    sent = {"from": world.account(OWNER), "gas": hex(10**6)}
    sent |= {"to": transaction["to"], "data": transaction["data"]}
    sent["value"] = hex(int(transaction["value"]))
    receipt = world.w3.eth.wait_for_transaction_receipt(world.rpc("eth_sendTransaction", sent))
    assert receipt["status"] == 1
    with pytest.raises(UsageError, match="exists already"):
        prepared.to_safe_batch(path)
