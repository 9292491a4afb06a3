"""One move in a process of its own, which tests kill. It does not wait: it asks the stub to go on.

python -m tests.client.move_process RPC REGISTRY KEY_FILE KEYSHARES BEACON JOURNAL
"""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path

from web3 import HTTPProvider, Web3

from sdk.client import Client, LocalSigner
from sdk.client.beacon import BeaconNode
from sdk.client.move import Move, move_journal_file
from sdk.shares import load_keyshares
from tests.client.world import ETHER, IDS, QUICK


def move(rpc: str, registry: str, key_file: str, keyshares: str, beacon: str, journal: str) -> None:
    """Begins the move, or goes on with it."""
    signer = LocalSigner.from_key_file(Path(key_file))
    w3 = Web3(HTTPProvider(rpc, exception_retry_configuration=None))
    client = Client(w3, registry=registry, signer=signer, patience=QUICK)
    file = load_keyshares(Path(keyshares).read_bytes(), source=keyshares)

    def pause(seconds: float) -> None:
        request = urllib.request.Request(f"{beacon}/advance", b"{}")  # noqa: S310 - loopback
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(request, timeout=30).close()

    with move_journal_file(Path(journal)) as opened:
        moving = Move(client, BeaconNode(beacon), file.shares, opened, pause=pause)
        if moving.journal is None:
            begun, _, _ = moving.plan(IDS, deposit_wei=ETHER)
            moving.begin(begun)
        moving.run(deposit_wei=ETHER)


if __name__ == "__main__":
    move(*sys.argv[1:])
