"""One beacon node: its account of the chain and of itself, duties, validators, and what it is told.

Shell. Every request's outcome goes into the node's health. What duties sign is asked for in
`production`, what they submit is sent by `publishing`.

Source: Ethereum Beacon APIs, beacon/, config/, node/ and validator/.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

import httpx
import msgspec
import trio

from operator_node.beacon.answers import (
    Data,
    MalformedAnswer,
    Syncing,
    Version,
    read,
    read_attesters,
    read_document,
    read_genesis,
    read_header_slot,
    read_liveness,
    read_proposers,
    read_root,
    read_sync,
    read_validators,
)
from operator_node.beacon.chains import deposit_contract_of
from operator_node.beacon.clock_error import ClockError, date_ms
from operator_node.beacon.endpoint import Endpoint, Reply, Request
from operator_node.beacon.health import Health
from operator_node.beacon.routes import KnownRoutes, Purpose, Route
from operator_node.beacon.trouble import NodeTrouble, Trouble, clip
from operator_node.beacon.types import (
    AttesterDuty,
    EpochDuties,
    NodeState,
    NodeStatus,
    ProposerDuty,
    SyncDuty,
    ValidatorState,
)
from operator_node.spec.chain import ChainSpec
from operator_node.spec.config import from_config
from operator_node.spec.versions import PHASE0
from sdk.errors import BeaconError
from sdk.types import Epoch, PublicKey, Slot

T = TypeVar("T")

IDS_PER_REQUEST: Final = 1_000
"""Indexes in one question for duties, as beacon nodes are used to."""
KEYS_IN_ADDRESS: Final = 64
"""Keys of 98 characters that fit an address: servers take 8 KiB or more."""
LARGE_BYTES: Final = 256 * 1024
"""Answers from here on are read in a thread: 1 MB of JSON takes some 10 ms."""
INDEXES_IN_ADDRESS: Final = 256
_MS: Final = 1000


class BeaconNode:
    """One beacon node.

    Args:
        url: see `Endpoint`.
        transport: for tests.

    Raises:
        ConfigError: `beacon_url`.
    """

    def __init__(self, url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.endpoint = Endpoint(url, transport=transport)
        self.name = self.endpoint.name
        self.health = Health()
        self.routes = KnownRoutes()
        self.client = ""
        self.deposit_contract = ""
        self.head_slot: Slot | None = None
        self.last_trouble = ""
        self.told_ms: int | None = None
        """Its clock's time when it last told of its sync, in whole seconds, if it dates answers."""
        self.clock_error = ClockError()
        self.lost = trio.Event()
        """Set when its connection broke; whoever waits for it puts a new one in its place."""
        self.is_attached = False
        """Whether it was found to be on the right chain, and told all it has to know."""
        self.is_told = True
        """Whether it knows of all fee recipients that there are, which are none at first."""

    def __repr__(self) -> str:
        return f"BeaconNode({self.name})"

    def lose(self) -> None:
        """Its connection broke: it may come back as another version, without memory."""
        self.is_attached = self.is_told = False
        self.lost.set()

    def status(self) -> NodeStatus:
        """How it is doing."""
        return NodeStatus(
            name=self.name,
            client=self.client,
            state=self.health.state,
            is_answering=self.health.is_answering,
            head_slot=self.head_slot,
            latency_ms=round(self.health.latency_ms),
            last_trouble=self.last_trouble,
        )

    # --- asking ----------------------------------------------------------------------------

    async def ask(self, request: Request) -> Reply:
        """The answer; how it went is remembered.

        Raises:
            NodeTrouble: anything but a success.
        """
        began = trio.current_time()
        try:
            reply = await self.endpoint.ask(request)
        except NodeTrouble as problem:
            self.last_trouble = problem.message
            if problem.trouble is Trouble.DOWN:
                self.lose()
                if request.is_urgent:
                    self.health.fail()
            elif problem.trouble is Trouble.LATE and request.is_urgent:
                self.health.fail(NodeState.FAR)
            raise
        except trio.Cancelled:
            self.health.give_up((trio.current_time() - began) * _MS)
            raise
        self.health.succeed((trio.current_time() - began) * _MS)
        return reply

    async def read(self, request: Request, reader: Callable[[Data], T]) -> T:
        """A JSON answer, read.

        Raises:
            NodeTrouble: no success, or not the answer that the reader expects.
        """
        return await self.make(partial(_read_data, reader), await self.ask(request))

    async def make(self, reader: Callable[[Reply], T], reply: Reply) -> T:
        """What the reader makes of an answer; a large one is read in a thread.

        Raises:
            NodeTrouble: `MALFORMED`.
        """
        try:
            if len(reply.content) < LARGE_BYTES:
                return reader(reply)
            return await trio.to_thread.run_sync(reader, reply)
        except MalformedAnswer as problem:
            trouble = NodeTrouble(self.name, Trouble.MALFORMED, str(problem))
            self.last_trouble = trouble.message
            raise trouble from None

    # --- facts -----------------------------------------------------------------------------

    async def chain(self) -> ChainSpec:
        """The chain that it is on.

        Raises:
            NodeTrouble: no answer, or no chain specification that can be used.
        """
        time, root = await self.read(_background("/eth/v1/beacon/genesis"), read_genesis)
        config = await self.read(_background("/eth/v1/config/spec"), _shaped(dict[str, object]))
        self.deposit_contract = deposit_contract_of(config)
        try:
            return from_config(config, genesis_time=time, genesis_validators_root=root)
        except BeaconError as problem:
            raise NodeTrouble(self.name, Trouble.MALFORMED, problem.message) from problem

    async def syncing(self) -> Syncing:
        """Its own account of its sync."""
        reply = await self.ask(_background("/eth/v1/node/syncing"))
        self.told_ms = date_ms(reply.headers)
        found = await self.make(partial(_read_data, _shaped(Syncing)), reply)
        self.head_slot = Slot(found.head_slot)
        return found

    async def learn_client(self) -> None:
        """Asks for its version text, for the status page."""
        found = await self.read(_background("/eth/v1/node/version"), _shaped(Version))
        self.client = clip(found.version)

    async def head_root(self) -> bytes:
        """The root of its head block."""
        return await self.read(Request(path="/eth/v1/beacon/blocks/head/root"), read_root)

    async def block_slot(self, root: bytes) -> Slot:
        """The slot of a block that it knows."""
        path = f"/eth/v1/beacon/headers/0x{root.hex()}"
        return await self.read(Request(path=path), read_header_slot)

    # --- duties and validators -------------------------------------------------------------

    async def attester_duties(
        self, epoch: Epoch, indices: Sequence[int]
    ) -> EpochDuties[AttesterDuty]:
        """Duties of at most `IDS_PER_REQUEST` validators."""
        request = _indexed(f"/eth/v1/validator/duties/attester/{epoch}", indices)
        return await self.read(request, lambda data: read_attesters(data, set(indices)))

    async def proposer_duties(
        self, epoch: Epoch, indices: Collection[int]
    ) -> EpochDuties[ProposerDuty]:
        """Duties of these validators among all of the epoch."""
        request = _background(f"/eth/v1/validator/duties/proposer/{epoch}")
        return await self.read(request, lambda data: read_proposers(data, indices))

    async def sync_duties(self, epoch: Epoch, indices: Sequence[int]) -> EpochDuties[SyncDuty]:
        """Duties of at most `IDS_PER_REQUEST` validators."""
        request = _indexed(f"/eth/v1/validator/duties/sync/{epoch}", indices)
        return await self.read(request, lambda data: read_sync(data, set(indices)))

    async def liveness(self, epoch: Epoch, indices: Sequence[int]) -> Mapping[int, bool]:
        """Whether it saw each of at most `IDS_PER_REQUEST` validators in the epoch."""

        async def ask(route: Route) -> Mapping[int, bool]:
            if not route.is_in_address:
                request = _indexed(route.path.format(epoch=epoch), indices)
                return await self.read(request, lambda data: read_liveness(data, indices))
            found: dict[int, bool] = {}
            for chunk in chunks(indices, INDEXES_IN_ADDRESS):
                params = [("epoch", str(epoch)), *(("indices", str(index)) for index in chunk)]
                request = Request(path=route.path, params=params, is_urgent=False)
                found |= await self.read(request, partial(read_liveness, wanted=chunk))
            return found

        return await self.routes.first_served(Purpose.LIVENESS, PHASE0, ask)

    async def validators(self, keys: Sequence[PublicKey]) -> Mapping[PublicKey, ValidatorState]:
        """Those of at most `IDS_PER_REQUEST` keys that the head state has."""
        wanted = frozenset(keys)

        async def ask(route: Route) -> Mapping[PublicKey, ValidatorState]:
            size = KEYS_IN_ADDRESS if route.is_in_address else IDS_PER_REQUEST
            found: dict[PublicKey, ValidatorState] = {}
            for chunk in chunks([f"0x{key.hex()}" for key in keys], size):
                if route.is_in_address:
                    params = [("id", text) for text in chunk]
                    request = Request(path=route.path, params=params, is_urgent=False)
                else:
                    body = msgspec.json.encode({"ids": chunk})
                    request = Request(path=route.path, body=body, is_urgent=False)
                found |= await self.read(request, lambda data: read_validators(data, wanted))
            return found

        return await self.routes.first_served(Purpose.VALIDATORS, PHASE0, ask)

    # --- telling ---------------------------------------------------------------------------

    async def tell(self, path: str, items: Sequence[object]) -> None:
        """Sends a list that has no answer, such as subscriptions."""
        await self.ask(Request(path=path, body=msgspec.json.encode(items), is_urgent=False))


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """The items in runs of at most `size`."""
    return [items[at : at + size] for at in range(0, len(items), size)]


def _read_data(reader: Callable[[Data], T], reply: Reply) -> T:
    return reader(read(read_document(reply.content), Data))


def _shaped(shape: type[T]) -> Callable[[Data], T]:
    return lambda answer: read(answer.data, shape)


def _background(path: str) -> Request:
    return Request(path=path, is_urgent=False)


def _indexed(path: str, indices: Sequence[int]) -> Request:
    body = msgspec.json.encode([str(index) for index in indices])
    return Request(path=path, body=body, is_urgent=False)
