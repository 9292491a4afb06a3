"""What a local network leaves in its folder for those who use it: addresses, accounts, keystores.

Accounts are the same in every network. Everything here is public or worth nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from eth_account import Account

from deploy.devnet.chain import Chain
from deploy.devnet.inclusion import SLOTS_PER_EPOCH
from deploy.devnet.keys import interop_key, interop_secret
from deploy.devnet.network import LocalNetwork
from deploy.devnet.process import Child
from sdk.crypto.keystore_files import create_keystore
from sdk.crypto.password_box import Pbkdf2
from sdk.crypto.secret import Password
from sdk.files import make_private_folder, write_private

BALANCE_WEI: Final = 100 * 10**18
PASSWORD_BYTES: Final = 18
CHAIN_ID: Final = 31_337
"""Anvil's own."""


async def write_account(chain: Chain, path: Path) -> str:
    """The address of an account with ether, whose key is written to the path.

    Its key follows from the file's name, so that the address is the same in every network.
    """
    key = sha256(f"phalanx local network, {path.name}".encode()).digest()
    account = Account.from_key(key)
    await chain.ask("anvil_setBalance", account.address, hex(BALANCE_WEI))
    write_private(path, f"0x{key.hex()}\n".encode())
    return str(account.address)


def write_keystores(folder: Path, validators: Sequence[int]) -> None:
    """Keystores of genesis validators that nobody runs, and the password of all of them."""
    make_private_folder(folder)
    password = secrets.token_urlsafe(PASSWORD_BYTES).encode()
    write_private(folder / "password", password + b"\n")
    for index in validators:
        # The cheaper derivation: what is kept here is public anyway.
        keystore = create_keystore(interop_secret(index), Password(password), kdf=Pbkdf2())
        write_private(folder / f"keystore-{index}.json", keystore)


def environment(network: LocalNetwork, *, staker: str) -> str:
    """Shell text that sets the network's addresses."""
    registry = network.registry
    values = {
        "PHALANX_RPC": registry.chain.url,
        "PHALANX_REGISTRY": registry.deployment.registry,
        "PHALANX_START_BLOCK": registry.deployment.start_block,
        "DEVNET_BEACON_NODES": ";".join(beacon.url for beacon in network.beacons),
        "DEVNET_PEER": network.nodes[0].peer,
        "DEVNET_INDEXER": "" if network.indexer is None else network.indexer.url,
        "DEVNET_STAKER": staker,
    }
    return "".join(f"export {name}='{value}'\n" for name, value in values.items())


def facts_of(network: LocalNetwork, *, accounts: Mapping[str, str]) -> dict[str, Any]:
    """The network for programs, as `network.json` has it (docs/devnet.md)."""
    options, registry = network.options, network.registry
    return {
        "genesis_time": network.genesis_time,
        "slot_seconds": options.slot_seconds,
        "slots_per_epoch": SLOTS_PER_EPOCH,
        "chain_id": CHAIN_ID,
        "rpc": registry.chain.url,
        "registry": registry.deployment.registry,
        "start_block": registry.deployment.start_block,
        "beacon_nodes": [beacon.url for beacon in network.beacons],
        "api": None if network.indexer is None else network.indexer.url,
        "accounts": {"owner": registry.owner, **accounts},
        "operators": [
            {
                "id": node.operator.id,
                "api": node.api,
                "metrics": f"{node.metrics}/metrics",
                "peer": node.peer,
            }
            for node in network.nodes
        ],
        "validators": _validators(options.validators),
        "spare_validators": _validators(options.spare),
        "parts": [_part(child, url) for child, url in parts_of(network)],
    }


def parts_of(network: LocalNetwork) -> list[tuple[Child, str]]:
    """Every process in the order of its start, and where it listens; "" if nowhere."""
    indexer = network.indexer
    served = [] if indexer is None else [(indexer.follower, ""), (indexer.server, indexer.url)]
    chain = network.registry.chain
    return [
        (chain.child, chain.url),
        *served,
        *((beacon.child, beacon.url) for beacon in network.beacons),
        *((node.child, node.api) for node in network.nodes),
    ]


def _validators(indices: Sequence[int]) -> list[dict[str, Any]]:
    return [{"index": each, "public_key": f"0x{interop_key(each).hex()}"} for each in indices]


def _part(child: Child, url: str) -> dict[str, Any]:
    port = int(url.rsplit(":", 1)[1]) if url else None
    return {
        "name": child.name,
        "pid": child.pid,
        "port": port,
        "url": url or None,
        "log": str(child.log),
    }
