"""Four operators on a real beacon chain, killed fifty times: nothing is damaged or signed twice.

At each kill, and once more at the end, the node's files are looked at, and what the network heard
of the operator is compared with its slashing record. Meanwhile the registry changes. There is no
watch for doppelgangers, so that a node signs at once after each start: nothing but the record, and
silence in rounds that it may have voted in, stands between it and a second signature.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio

from deploy.devnet.keys import interop_key
from deploy.devnet.network import FIRST_SLOT, LocalNetwork, NetworkOptions, running_network
from deploy.devnet.operators import LocalNode
from deploy.devnet.rest import ask_any
from operator_node.spec.config import from_config
from operator_node.wire.generations import Generation
from sdk.errors import NetworkError
from sdk.types import parse_hex
from tests.e2e import stores
from tests.e2e.kills import draw_kills
from tests.e2e.spy import Spy
from tests.e2e.witness import Witness, recorded_violations

pytestmark = [pytest.mark.toolchain, pytest.mark.slow, pytest.mark.e2e]

SEED = 20_261_122
KILLS = 50
QUORUM = 3
SLOT_SECONDS = 4
FIRST_KILL_SLOT = FIRST_SLOT + 1.0
REGISTERED_LATER = range(64, 76)
"""Validators that the beacon chain does not have; each makes the nodes write to two stores."""
EXITING = 63
LEAST_SLOTS = 5
"""Of some 50 slots, in which each operator signed something: each was killed a dozen times."""
HEAD_SLOTS = 4
"""In which a block may be the head."""
POLL_S = 0.2
DEADLINE_S = 350.0


@dataclass(slots=True)
class Found:
    """What was seen. Texts are what must not be."""

    kills: int = 0
    damages: list[str] = field(default_factory=list)
    unrecorded: list[str] = field(default_factory=list)
    in_records: list[str] = field(default_factory=list)
    registries: list[str] = field(default_factory=list)
    slashed: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Trial:
    """The network under trial and those who watch it."""

    network: LocalNetwork
    spy: Spy
    witness: Witness
    root: bytes
    folder: Path
    found: Found = field(default_factory=Found)

    def listen(self) -> None:
        """Tells the witness what the spy has heard so far."""
        for data in self.spy.take():
            self.witness.hear(data)

    def slots(self) -> dict[int, int]:
        """In how many slots each operator was heard to sign."""
        return {each: len(self.witness.slots(each)) for each in self.network.registry.operator_ids}

    def tell(self) -> None:
        """What was heard, for people."""
        witness = self.witness
        print(
            f"seed {SEED}: {self.found.kills} kills; {witness.messages} messages heard, in them "
            f"{len(witness.heard)} signatures of votes, sync messages and blocks, of these "
            f"{len(list(witness.signed()))} of votes and blocks; slots in which each operator "
            f"signed: {self.slots()}"
        )

    async def look(self, node: LocalNode, name: str) -> Path:
        """At the files of a node that does not run; where their copy is."""
        data = await trio.to_thread.run_sync(stores.copy_of, node, self.folder / name)
        damages = await trio.to_thread.run_sync(stores.damages, data)
        export = await trio.to_thread.run_sync(stores.export_of, data, self.root)
        self.listen()
        self.found.damages += [f"{name}, {each}" for each in damages]
        self.witness.read(export)
        self.found.in_records += [f"{name}, {each}" for each in recorded_violations(export)]
        self.found.unrecorded += self.witness.unrecorded(node.operator.id, export)
        return data


def test_fifty_kills_damage_nothing_and_nothing_is_signed_twice(tmp_path: Path) -> None:
    trial = trio.run(live, tmp_path)
    found, witness = trial.found, trial.witness
    assert found.kills == KILLS
    assert found.damages == []
    assert found.in_records == []
    assert found.unrecorded == []
    assert found.registries == []
    assert found.slashed == []
    assert witness.unexplained() == []
    assert witness.violations(quorum=QUORUM) == []
    assert min(trial.slots().values()) >= LEAST_SLOTS


async def live(folder: Path) -> Trial:
    spy = Spy(folder, (1, 2, 3, 4))
    options = NetworkOptions(
        folder=folder,
        slot_seconds=SLOT_SECONDS,
        trusted=(spy.place,),
        settings={"EnableDoppelgangerProtection": False},
    )
    with trio.fail_after(DEADLINE_S):
        async with spy.listening(), running_network(options, print) as network:
            trial = await begin(network, spy, folder)
            await network.observer.until_slot(FIRST_KILL_SLOT)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(change_registry, network)
                await kill_them(trial)
            await end(trial)
            return trial


async def begin(network: LocalNetwork, spy: Spy, folder: Path) -> Trial:
    """Everybody is there, the spy has them all."""
    urls = [beacon.url for beacon in network.beacons]
    config = (await ask_any(urls, "/eth/v1/config/spec"))["data"]
    genesis = (await ask_any(urls, "/eth/v1/beacon/genesis"))["data"]
    root = parse_hex(genesis["genesis_validators_root"], what="root")
    chain = from_config(
        config, genesis_time=int(genesis["genesis_time"]), genesis_validators_root=root
    )
    keys = {index: interop_key(index) for index in network.options.validators}
    await until(lambda: all_connected(network, spy))
    return Trial(network, spy, Witness(chain, Generation.BOOLE, keys), root, folder / "copies")


async def kill_them(trial: Trial) -> None:
    """One after the other; each is looked at, and starts again at once."""
    began = trio.current_time()
    for number, kill in enumerate(draw_kills(SEED, count=KILLS, nodes=4)):
        await trio.sleep_until(began + kill.after_s)
        node = trial.network.nodes[kill.place]
        slot = (trio.current_time() - began) / SLOT_SECONDS + FIRST_KILL_SLOT
        print(f"kill {number + 1}: {node.child.name} in slot {slot:.2f}")
        await node.child.kill()
        trial.found.kills += 1
        await trial.look(node, f"kill-{number + 1}")
        node.child.start()
    trial.listen()
    trial.tell()


async def change_registry(network: LocalNetwork) -> None:
    """Validators join and one exits, each in a block of its own."""
    await network.registry.request_exits((EXITING,))
    for index in REGISTERED_LATER:
        await network.registry.register((index,))


async def end(trial: Trial) -> None:
    """Everybody works again; then all is stopped and compared."""
    network = trial.network
    await until(lambda: all_know_the_registry(network))
    await until_all_sign(trial)
    await see_heads(trial)
    urls = [beacon.url for beacon in network.beacons]
    states = (await ask_any(urls, "/eth/v1/beacon/states/head/validators"))["data"]
    trial.found.slashed = [int(each["index"]) for each in states if each["validator"]["slashed"]]
    for node in network.nodes:
        await node.child.stop()
    for node in network.nodes:
        await compare(trial, node)
    trial.tell()


async def until_all_sign(trial: Trial) -> None:
    """Each operator again, after everything."""
    since = trial.network.observer.current_slot()

    async def signed() -> bool:
        trial.listen()
        operators = trial.network.registry.operator_ids
        return all(max(trial.witness.slots(each), default=0) >= since for each in operators)

    await until(signed)


async def see_heads(trial: Trial) -> None:
    """Blocks of the chain, each the head of its slot and perhaps of the next ones."""
    observer = trial.network.observer
    for block in await observer.blocks(0, observer.current_slot()):
        for slot in range(block.slot, block.slot + HEAD_SLOTS):
            trial.witness.see_head(slot, parse_hex(block.root, what="root"))


async def compare(trial: Trial, node: LocalNode) -> None:
    """A node's registry with the chain, read anew."""
    data = await trial.look(node, f"end-{node.operator.id}")
    fresh = trial.folder / f"fresh-{node.operator.id}"
    fresh.mkdir()
    await stores.read_afresh(trial.network.registry, node.operator, fresh)
    kept, read = stores.registry_rows(data), stores.registry_rows(fresh)
    shares = len(trial.network.options.validators) + len(REGISTERED_LATER)
    assert len(read["share"]) == shares
    assert len(read["exit"]) == 1
    trial.found.registries += [
        f"{node.child.name}: {table} differs from the chain's"
        for table in stores.REGISTRY_TABLES
        if kept[table] != read[table]
    ]


async def all_connected(network: LocalNetwork, spy: Spy) -> bool:
    return spy.peers == len(network.nodes)


async def all_know_the_registry(network: LocalNetwork) -> bool:
    """Every node is there, and has read the registry's last event."""
    try:
        told = [await node.ask("/v2/status") for node in network.nodes]
    except NetworkError:
        return False
    held = len(network.options.validators) + len(REGISTERED_LATER)
    return all(each["validators"] == held for each in told)


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """The network's deadline bounds it."""
    while not await is_so():  # noqa: ASYNC110  nothing tells the test when it is so
        await trio.sleep(POLL_S)
