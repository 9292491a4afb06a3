"""A node's registry and network in a process of their own, without duties: it finds and is found.

Run as a module with the path of a JSON file: where the chain is, which contract, and in which
folder an operator's key is (none: a node without operator). It learns from the registry whom it
shares committees with, and writes whom it has found into `status.json` beside the key.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

import trio

from operator_node.p2p import Network, Operator, PeerId, load_identity
from operator_node.registry import Identity, Registry
from operator_node.signer.operator_key import OperatorKey
from operator_node.validation.verdict import Verdict
from sdk.chain import Rpc
from sdk.crypto.operator_keys import OperatorPrivateKey
from sdk.files import write_private
from sdk.types import BlockNumber, OperatorId, PublicKey, parse_address
from tests.p2p.nodes import DOMAIN, TOPIC, TOPICS, accept

CHAIN_ID: Final = 31337
LOOK_SECONDS: Final = 0.1
BOOK: Final = "peers.json"
STATUS: Final = "status.json"


@dataclass(frozen=True, slots=True)
class Start:
    """What a node is told when it starts.

    Attributes:
        bootstrap: multiaddresses with peer id.
        has_operator: whether key and password of an operator are in the folder.
    """

    url: str
    contract: str
    first_block: int
    folder: str
    port: int
    bootstrap: tuple[str, ...]
    has_operator: bool = True


@dataclass(frozen=True, slots=True)
class Status:
    """What a node has found.

    Attributes:
        me: its operator, None until the registry is read, and for a node without one.
        committee: operators with which it shares validators.
        connected: operators whose nodes are connected.
        known: operators of whom it has an address record.
        mesh: how many peers are in the mesh of the topic.
        place: its multiaddress with peer id.
    """

    me: int | None
    committee: tuple[int, ...]
    connected: tuple[int, ...]
    known: tuple[int, ...]
    mesh: int
    place: str


async def live(start: Start) -> None:
    folder = Path(start.folder)
    key = await trio.to_thread.run_sync(operator_key, start)
    async with Rpc([start.url], chain_id=CHAIN_ID) as rpc, trio.open_nursery() as nursery:
        registry = registry_of(start, rpc, key)
        await nursery.start(registry.run)
        while not registry.is_complete:  # noqa: ASYNC110  it tells nobody when it is
            await trio.sleep(LOOK_SECONDS)
        me = registry.status().operator_id
        network = Network(
            identity=load_identity(folder / "network-key"),
            listen=[f"/ip4/127.0.0.1/tcp/{start.port}"],
            judge=judge,
            key_of=lambda operator: registry.operator_keys().get(operator),
            now_ms=lambda: int(time.time() * 1000),
            domain=DOMAIN,
            known_topics=TOPICS,
            operator=None if me is None else Operator(me, key.sign),
            store=folder / BOOK,
            bootstrap=start.bootstrap,
        )
        committee = {each for own in registry.own().values() for each in own.committee.operators}
        network.want(frozenset(committee))
        await network.set_topics(frozenset({TOPIC}))
        await nursery.start(network.run)
        await tell(network, me, committee - {me}, folder / STATUS)


async def tell(network: Network, me: OperatorId | None, others: set[OperatorId], to: Path) -> None:
    """Writes the status each time it changes."""
    last = None
    while True:
        status = Status(
            me,
            tuple(sorted(others)),
            tuple(sorted(network.operators_connected())),
            tuple(sorted(network.operators_known())),
            len(network.mesh_peers(TOPIC)),
            network.places()[0],
        )
        if status != last:
            content = json.dumps(asdict(status)).encode()
            await trio.to_thread.run_sync(partial(write_private, to, content, overwrite=True))
            last = status
        await trio.sleep(LOOK_SECONDS)


def operator_key(start: Start) -> OperatorKey:
    """The operator's; one that nobody registered for a node without operator."""
    if not start.has_operator:
        return OperatorKey(OperatorPrivateKey.generate())
    folder = Path(start.folder)
    return OperatorKey.open(folder / "key.json", password_file=folder / "password")


def registry_of(start: Start, rpc: Rpc, key: OperatorKey) -> Registry:
    async def admit(_keys: object) -> None:
        """There is no signer here."""

    return Registry(
        rpc,
        path=Path(start.folder) / "state.sqlite",
        identity=Identity(CHAIN_ID, parse_address(start.contract), key.public_key.fingerprint),
        operator_key=key.public_key,
        first_block=BlockNumber(start.first_block),
        slot_at=lambda seconds: seconds // 12,
        open_share=key.decrypt,
        keep_share=keep_nothing,
        drop_share=keep_nothing,
        admit=admit,
        distance=0,
        poll_s=0.5,
    )


def keep_nothing(_validator: PublicKey, _share: object) -> None:
    """There is no signer here."""


def judge(data: bytes, _topic: str, _peer: PeerId) -> Verdict:
    return accept(data)


if __name__ == "__main__":
    trio.run(live, Start(**json.loads(Path(sys.argv[1]).read_text())))
