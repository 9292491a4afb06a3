"""Follows a registry until it is killed, one line per tip: what a node's process does, alone.

Run as a module with the address of a node, the contract, its first block, and the store's path.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import trio

from operator_node.registry import Identity, Registry
from sdk.chain import Rpc
from sdk.crypto import decrypt_share
from sdk.testing import keys
from sdk.types import BlockNumber, PublicKey, parse_address

ME = 2
CHAIN_ID = 31337


async def admit_all(keys: Sequence[PublicKey]) -> None:
    """There is no signer here."""


async def follow(url: str, contract: str, first_block: int, path: Path) -> None:
    key = keys.operator_key(ME)
    async with Rpc([url], chain_id=CHAIN_ID) as rpc:
        registry = Registry(
            rpc,
            path=path,
            identity=Identity(CHAIN_ID, parse_address(contract), key.public_key.fingerprint),
            operator_key=key.public_key,
            first_block=BlockNumber(first_block),
            slot_at=lambda seconds: seconds // 12,
            open_share=lambda box, share_key: decrypt_share(key, box, share_key),
            keep_share=lambda validator, secret: None,
            drop_share=lambda validator, share_key: None,
            admit=admit_all,
            distance=0,
            poll_s=0.005,
        )
        async with trio.open_nursery() as nursery:
            await nursery.start(registry.run)
            last = None
            while True:
                tip = registry.status().tip
                if tip != last and tip is not None:
                    print(tip.number, flush=True)
                    last = tip
                await trio.sleep(0.002)


if __name__ == "__main__":
    trio.run(follow, sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
