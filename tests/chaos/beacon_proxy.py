"""A beacon node that fails in one of the ways in which they do, and hears what is submitted.

The true one stands behind it. A way holds from the next request on, and ends what is under way.

Source: Ethereum Beacon APIs; eth2 node behaviour as operators report it (docs/chaos.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, assert_never

import httpx
import trio

from tests.chaos.serving import Exchange, Proxy
from tests.chaos.submitted import Submitted

SLOW_S: Final = 3.0
"""Of a slow node: longer than a vote may take to ask for."""
LAG_SLOTS: Final = 4
"""Of a lagging one: at the edge of what counts as synced."""
VOTE: Final = "/eth/v1/validator/attestation_data"
SYNCING: Final = "/eth/v1/node/syncing"
EVENTS: Final = "/eth/v1/events"
HEAD_ROOT: Final = "/eth/v1/beacon/blocks/head/root"
BLOCK_MAKERS: Final = ("/eth/v2/validator/blocks/", "/eth/v3/validator/blocks/")
MOST_LOOKED_BACK: Final = 16
"""Slots without a block that are passed over while an old head is looked for."""
UNAVAILABLE: Final = 503
ERROR: Final = 500
_OK: Final = 200


class Mode(StrEnum):
    """How the node behaves."""

    WELL = "well"
    ABSENT = "absent"
    """Ends every connection without an answer."""
    SILENT = "silent"
    """Takes requests and never answers."""
    SLOW = "slow"
    ERRORS = "errors"
    """500 to everything."""
    LAGGING = "lagging"
    """Its head is some slots old, and it says so; it makes no blocks."""
    LYING_HEAD = "lying head"
    """Names a block that does not exist as the head, and calls itself synced."""
    LYING_TARGET = "lying target"
    """Names a target checkpoint that does not exist."""


class BeaconProxy(Proxy):
    """Stands before one beacon node, for one operator.

    Args:
        target: of the true node.
        submitted: hears of votes and blocks that pass.
    """

    def __init__(self, target: str, submitted: Submitted) -> None:
        super().__init__(target)
        self._submitted = submitted
        self._mode = Mode.WELL

    @property
    def mode(self) -> Mode:
        """How it behaves now."""
        return self._mode

    def turn(self, mode: Mode) -> None:
        """Behave so from now on."""
        self._mode = mode
        self.hang_up()

    async def meet(self, exchange: Exchange) -> None:
        match self._mode:
            case Mode.WELL:
                await self._pass(exchange)
            case Mode.ABSENT:
                return
            case Mode.SILENT:
                await trio.sleep_forever()
            case Mode.SLOW:
                await trio.sleep(SLOW_S)
                await self._pass(exchange)
            case Mode.ERRORS:
                await exchange.reply(ERROR, b'{"code": 500, "message": "chaos"}')
            case Mode.LAGGING:
                await self._lag(exchange)
            case Mode.LYING_HEAD:
                await self._lie_about_head(exchange)
            case Mode.LYING_TARGET:
                await self._lie_about_target(exchange)
            case _:
                assert_never(self._mode)

    async def _pass(
        self, exchange: Exchange, *, edit: Callable[[bytes], bytes] | None = None
    ) -> None:
        self._submitted.hear(exchange.request)
        if edit is None:
            await self.splice(exchange)
        else:
            await exchange.forward(self.client, edit)

    async def _lag(self, exchange: Exchange) -> None:
        path = exchange.request.path
        if path.startswith(BLOCK_MAKERS):
            await exchange.reply(UNAVAILABLE, b'{"code": 503, "message": "node is syncing"}')
        elif path == EVENTS:
            await trio.sleep_forever()  # its events would come later than anybody waits
        elif path in (VOTE, HEAD_ROOT):
            root = await self._old_head()
            await self._pass(exchange, edit=lambda body: _with_head(body, lambda _: root))
        elif path == SYNCING:
            await self._pass(exchange, edit=_behind)
        else:
            await self._pass(exchange)

    async def _old_head(self) -> str:
        """Root of the block that was the head some slots ago."""
        head = (await self.client.get("/eth/v1/beacon/headers/head")).json()
        slot = int(head["data"]["header"]["message"]["slot"]) - LAG_SLOTS
        for at in range(max(0, slot), max(-1, slot - MOST_LOOKED_BACK), -1):
            answer = await self.client.get(f"/eth/v1/beacon/blocks/{at}/root")
            if answer.status_code == _OK:
                return str(answer.json()["data"]["root"])
        raise httpx.RemoteProtocolError(f"no block in {MOST_LOOKED_BACK} slots up to {slot}")

    async def _lie_about_head(self, exchange: Exchange) -> None:
        path = exchange.request.path
        if path in (VOTE, HEAD_ROOT):
            await self._pass(exchange, edit=lambda body: _with_head(body, made_up))
        elif path == EVENTS:
            await trio.sleep_forever()
        else:
            await self._pass(exchange)

    async def _lie_about_target(self, exchange: Exchange) -> None:
        edit = _with_target if exchange.request.path == VOTE else None
        await self._pass(exchange, edit=edit)


def made_up(root: str) -> str:
    """A root that no block has, the same for the same true one."""
    return "0x" + sha256(bytes.fromhex(root.removeprefix("0x")) + b"chaos").hexdigest()


def _edited(body: bytes, edit: Callable[[Any], None]) -> bytes:
    """An answer's `data` edited; a refusal stays as it is."""
    document = json.loads(body)
    if "data" in document:
        edit(document["data"])
    return json.dumps(document).encode()


def _with_head(body: bytes, head: Callable[[str], str]) -> bytes:
    def edit(data: Any) -> None:
        name = "root" if "root" in data else "beacon_block_root"
        data[name] = head(data[name])

    return _edited(body, edit)


def _with_target(body: bytes) -> bytes:
    def edit(data: Any) -> None:
        data["target"]["root"] = made_up(data["target"]["root"])

    return _edited(body, edit)


def _behind(body: bytes) -> bytes:
    def edit(data: Any) -> None:
        data["head_slot"] = str(max(0, int(data["head_slot"]) - LAG_SLOTS))
        data["sync_distance"] = str(int(data["sync_distance"]) + LAG_SLOTS)

    return _edited(body, edit)
