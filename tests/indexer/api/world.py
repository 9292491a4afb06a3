"""An API over real tables filled from a chain, and what the reducer makes of the same logs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

import httpx
import psycopg
import trio
from fastapi import FastAPI

from indexer.api.app import Manners, Parts, make_app
from indexer.api.node import Node
from indexer.queries.connections import open_database
from sdk.events import Log, Undecodable, decode, encode
from sdk.events import governance as laws
from sdk.events.types import ValidatorAdded
from sdk.registry import (
    EventContext,
    Network,
    Parameters,
    RegistryState,
    SignatureVerdict,
    apply,
    nonce_claims,
)
from sdk.testing.model_registry import ModelRegistry
from sdk.types import Address, BlockNumber, FeeUnits, Wei, parse_hex
from tests.indexer.chain import CONTRACT, FIRST, Chain, Said
from tests.indexer.following import Following, verdict

PARAMETERS = Parameters(
    liquidation_period_blocks=50,
    minimum_collateral_wei=Wei(10**9),
    maximum_operator_fee_wei=Wei(10**12),
    validators_per_operator_limit=500,
)


class PaidChain(Chain):
    """A chain on which clusters cost something and can run dry."""

    def _happen(self, number: int, chance: Random) -> list[Said]:
        if number != FIRST:
            return super()._happen(number, chance)
        self._model = ModelRegistry(Network(parameters=PARAMETERS))
        self._model.block = BlockNumber(number)
        self._model.update_network_fee(FeeUnits(35_509))
        found = [encode(event) for event, _ in self._model.take_logs()]
        found += [
            encode(laws.LiquidationThresholdPeriodUpdated(PARAMETERS.liquidation_period_blocks)),
            encode(laws.MinimumLiquidationCollateralUpdated(PARAMETERS.minimum_collateral_wei)),
            encode(laws.OperatorMaximumFeeUpdated(PARAMETERS.maximum_operator_fee_wei)),
            encode(laws.ValidatorsPerOperatorLimitUpdated(500)),
        ]
        return found + super()._happen(number, chance)


@dataclass
class Reference:
    """What the reducer alone says.

    Attributes:
        states: at the end of blocks.
        logs: everything that was logged, with refusals by place.
    """

    states: dict[int, RegistryState] = field(default_factory=dict)
    logs: list[Log] = field(default_factory=list)
    refusals: dict[tuple[int, int], str] = field(default_factory=dict)


def reference(chain: Chain, blocks: Collection[int]) -> Reference:
    """The registry after each of some blocks, from the chain's logs."""
    found = Reference()
    state = RegistryState()
    for number, each in enumerate(chain.blocks):
        for log in map(_log, each["logs"]):
            found.logs.append(log)
            event = decode(log.topics, log.data)
            if isinstance(event, Undecodable):
                continue
            judged = SignatureVerdict.UNCHECKED
            if isinstance(event, ValidatorAdded):
                judged = verdict(nonce_claims(state, [event])[0])
            at = EventContext(log.position, int(each["timestamp"], 16))
            applied = apply(state, event, at, judged)
            if applied.refused is not None:
                found.refusals[log.block_number, log.log_index] = applied.refused.reason.value
            state.commit(applied.changes)
        if number in blocks:
            found.states[number] = deepcopy(state)
    return found


def _log(raw: Mapping[str, Any]) -> Log:
    return Log(
        address=Address(parse_hex(raw["address"], what="address")),
        topics=tuple(parse_hex(topic, what="topic") for topic in raw["topics"]),
        data=parse_hex(raw["data"], what="data"),
        block_number=BlockNumber(int(raw["blockNumber"], 16)),
        block_hash=parse_hex(raw["blockHash"], what="hash"),
        transaction_hash=parse_hex(raw["transactionHash"], what="hash"),
        transaction_index=int(raw["transactionIndex"], 16),
        log_index=int(raw["logIndex"], 16),
    )


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Api:
    """An API and whoever asks it."""

    app: FastAPI
    url: str
    chain: Chain
    clock: Clock

    def ask(self, path: str, *, method: str = "GET", **more: Any) -> httpx.Response:
        """One request."""
        found: httpx.Response = trio.run(partial(self._ask, method, path, **more))
        return found

    def get(self, path: str, **params: Any) -> Any:
        """The body of an answer that must succeed."""
        answer = self.ask(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any, **params: Any) -> Any:
        """The body of an answer that must succeed."""
        answer = self.ask(path, method="POST", json=body, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def every(self, path: str, between: Callable[[], None] = lambda: None, **params: Any) -> Any:
        """All entries of a list, page by page."""
        found: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            answer = self.get(path, **params, **cursor)
            found += answer["data"]
            if answer["page"]["next_cursor"] is None:
                return found
            cursor = {"cursor": answer["page"]["next_cursor"]}
            between()

    def follow(self) -> None:
        """Bring the tables to the chain's head."""
        with Following(self.url, transport=self.chain.transport) as following:
            following.take()
        set_head(self.url, self.chain)

    async def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return await client.request(method, path, **more)


NOW_S = 1_800_000_000.0
"""When the API thinks that it is."""


def open_api(
    url: str, chain: Chain, *, manners: Manners | None = None, node: Node | None = None
) -> Api:
    """An API over a database, with the chain's tables in it."""
    clock = Clock()
    manners = manners or Manners(burst=1_000_000, per_second=1e6)
    engine = open_database(url, connections=4)
    app = make_app(Parts(engine, clock, manners, node, url, lambda: NOW_S + clock.now_s))
    api = Api(app, url, chain, clock)
    api.follow()
    return api


def set_head(url: str, chain: Chain, *, ahead: int = 0, caught_up: bool = True) -> None:
    """What the execution node says of its chain, as the writer would note it."""
    safe, finalized = (max(0, chain.head - depth * chain.safe) for depth in (1, 2))
    values = (
        *(chain.head + ahead, safe, _hash(chain, safe)),
        *(finalized, _hash(chain, finalized), caught_up),
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM head")
        connection.execute(
            "INSERT INTO head (id, number, safe_number, safe_hash, finalized_number, "
            "finalized_hash, is_caught_up, seen_at) VALUES (1, %s, %s, %s, %s, %s, %s, now())",
            values,
        )


def _hash(chain: Chain, number: int) -> bytes:
    return parse_hex(chain.blocks[number]["hash"], what="hash")


__all__ = ["CONTRACT", "FIRST", "Api", "Clock", "PaidChain", "Reference", "open_api", "reference"]
