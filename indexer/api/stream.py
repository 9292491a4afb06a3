"""The feed, pushed: `/v1/stream` (server-sent events) and `/v1/ws` (WebSocket).

Both tell events as they are indexed, `reverted` when a reorganisation took some back, and go on
where a client was: its last id names a log and the last reorganisation it was told of. What is
told always comes from the tables, so a client that reconnects elsewhere misses nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final

import msgspec
import trio
from fastapi import Header, Query, Request, WebSocket
from sqlalchemy import Engine
from starlette.responses import Response, StreamingResponse
from starlette.websockets import WebSocketDisconnect

from indexer.api.bell import Bell
from indexer.api.branches import Branch
from indexer.api.envelope import meta_of
from indexer.api.metrics import Metrics
from indexer.api.parameters import parse_cluster, parse_ids, parse_key
from indexer.api.schemas import event_out
from indexer.queries.errors import NotAvailable, Overloaded
from indexer.queries.feed import END_OF_BLOCK, NO_REORG, News, Place, Topics, here, news
from indexer.queries.reading import View, open_view
from sdk.errors import InputError, PhalanxError
from sdk.types import BlockNumber, parse_address

router = Branch(prefix="/v1", tags=["stream"])
HEARTBEAT_S: Final = 15.0
SUBSCRIBERS: Final = 500
"""Per process; each costs a connection and one look at the tables per block."""
READERS: Final = 4
"""Threads that read for subscribers, so that ordinary requests keep theirs."""
MOST_TOPICS: Final = 50
RETRY_MS: Final = 3_000
_LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Said:
    """One message; `id` is where to go on after it."""

    type: str
    id: str
    data: Any


class Feed:
    """All streams of one process."""

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        self.bell = Bell()
        self._engine = engine
        self._metrics = metrics
        self._count = 0
        self._limiter: trio.CapacityLimiter | None = None

    @contextmanager
    def subscriber(self) -> Iterator[None]:
        """A place among those who listen.

        Raises:
            Overloaded: there is none.
        """
        if self._count >= SUBSCRIBERS:
            raise Overloaded(f"{SUBSCRIBERS} streams are open")
        self._count += 1
        self._metrics.subscribers.set(self._count)
        try:
            yield
        finally:
            self._count -= 1
            self._metrics.subscribers.set(self._count)

    async def first(self, since: str | None) -> Place:
        """Where a stream begins: behind what the client was told, or now."""
        if since is not None:
            return parse_place(since)
        found: Place = await self._run(here)
        return found

    async def messages(self, topics: Topics, place: Place) -> AsyncGenerator[Said, None]:
        """Everything from a place on, until cancelled; a heartbeat when nothing happens."""
        head: int | None = None
        while True:
            rung = self.bell.next()
            try:
                found, said, head = await self._run(partial(_read, topics, place, head))
            except (NotAvailable, Overloaded):
                yield Said("heartbeat", write_place(place), {"available": False})
                with trio.move_on_after(HEARTBEAT_S):
                    await rung.wait()
                continue
            for each in said:
                yield each
            place = found.place
            if found.more:
                continue
            with trio.move_on_after(HEARTBEAT_S) as waited:
                await rung.wait()
            if waited.cancelled_caught:
                yield Said("heartbeat", write_place(place), {"available": True})

    async def _run(self, find: Any) -> Any:
        if self._limiter is None:
            self._limiter = trio.CapacityLimiter(READERS)
        return await trio.to_thread.run_sync(
            partial(_with_view, self._engine, find), limiter=self._limiter
        )


TopicsQuery = Annotated[
    str,
    Query(
        max_length=4000,
        description="Joined by commas: `events`, `blocks`, `liquidations`, `operator:{id}`, "
        "`cluster:{id}`, `owner:{address}`, `validator:{key}`.",
        examples=["blocks,operator:7"],
    ),
]
SinceQuery = Annotated[
    str | None,
    Query(max_length=64, description="Go on behind this id, as Last-Event-ID does."),
]


@router.get(
    "/stream",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events: `event`, `block`, `reverted`, `reset`.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def stream(
    request: Request,
    topics: TopicsQuery = "events",
    since: SinceQuery = None,
    last_event_id: Annotated[str | None, Header(max_length=64)] = None,
) -> Response:
    """Events as they are indexed. Ids are `block:log:reorganisation`."""
    feed: Feed = request.app.state.feed
    wanted = parse_topics(topics)
    place = await feed.first(last_event_id or since)

    async def body() -> AsyncGenerator[bytes, None]:
        yield f"retry: {RETRY_MS}\n\n".encode()
        async with aclosing(feed.messages(wanted, place)) as messages:
            async for said in messages:
                yield _as_sse(said)

    return _Stream(body(), feed)


class _Stream(StreamingResponse):
    """A stream that takes a place among those who listen as long as it lasts."""

    def __init__(self, body: AsyncGenerator[bytes, None], feed: Feed) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(body, media_type="text/event-stream", headers=headers)
        self._body = body
        self._feed = feed

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            with self._feed.subscriber():
                await super().__call__(scope, receive, send)
        finally:
            await self._body.aclose()  # at once, and not when memory is collected


@router.websocket("/ws")
async def websocket(
    socket: WebSocket, topics: TopicsQuery = "events", since: SinceQuery = None
) -> None:
    """The same messages as JSON texts; what the client sends is not read."""
    feed: Feed = socket.app.state.feed
    try:
        wanted = parse_topics(topics)
        place = await feed.first(since)
        with feed.subscriber():
            await socket.accept()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_until_gone, socket, nursery.cancel_scope)
                async with aclosing(feed.messages(wanted, place)) as messages:
                    async for said in messages:
                        text = msgspec.json.encode({"type": said.type, "id": said.id} | said.data)
                        await socket.send_text(text.decode())
    except PhalanxError as failure:
        await socket.close(code=_POLICY, reason=failure.message[:100])


async def _until_gone(socket: WebSocket, scope: trio.CancelScope) -> None:
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                break
    except WebSocketDisconnect:
        pass
    scope.cancel()


def parse_topics(text: str) -> Topics:
    """What somebody wants to hear.

    Raises:
        InputError: `topic_unknown`, or what is wrong with an id.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or len(words) > MOST_TOPICS:
        raise InputError(
            f"{len(words)} topics are named", code="topic_unknown", hint=f"Name 1 to {MOST_TOPICS}."
        )
    plain = {word for word in words if ":" not in word}
    named: dict[str, list[str]] = {"operator": [], "cluster": [], "owner": [], "validator": []}
    for word in sorted(set(words) - plain):
        kind, _, subject = word.partition(":")
        if kind not in named:
            raise _unknown(word)
        named[kind].append(subject)
    strange = plain - {"events", "blocks", "liquidations"}
    if strange:
        raise _unknown(min(strange))
    return Topics(
        events="events" in plain,
        blocks="blocks" in plain,
        liquidations="liquidations" in plain,
        operators=frozenset(parse_ids(named["operator"]) if named["operator"] else ()),
        clusters=frozenset(map(parse_cluster, named["cluster"])),
        owners=frozenset(parse_address(each, what="owner") for each in named["owner"]),
        validators=frozenset(map(parse_key, named["validator"])),
    )


def parse_place(text: str) -> Place:
    """Where a client was, from the id of its last message.

    Raises:
        InputError: `event_id_malformed`.
    """
    parts = text.strip().split(":")
    usable = len(parts) in (2, 3) and all(
        part.isascii() and part.isdecimal() and len(part) <= 19 for part in parts
    )
    numbers = [int(part) for part in parts] if usable else []
    if not numbers or max(numbers) > _LARGEST:
        raise InputError(
            f"{text[:64]!r} is no id of a message",
            code="event_id_malformed",
            hint="Send the last id as it was given, or none.",
        )
    reorg = numbers[2] if len(numbers) == 3 else NO_REORG
    return Place(BlockNumber(numbers[0]), numbers[1], reorg)


def write_place(place: Place) -> str:
    """The id of a message after which a client has been told up to a place."""
    return f"{place.block}:{place.log_index}:{place.reorg}"


def _with_view(engine: Engine, find: Any) -> Any:
    with open_view(engine) as view:
        return find(view)


def _read(
    topics: Topics, place: Place, head: int | None, view: View
) -> tuple[News, Sequence[Said], int]:
    found = news(view, topics, place)
    said = []
    begin = write_place(found.place)
    if found.is_unknown:
        said.append(Said("reset", begin, {"block": view.at}))
    if found.reverted_to is not None:
        # From here on the client has been told up to the block that stayed.
        at = Place(found.reverted_to, END_OF_BLOCK, found.place.reorg)
        said.append(Said("reverted", write_place(at), {"to_block": found.reverted_to}))
    for each in found.events:
        at = Place(each.block, each.log_index, found.place.reorg)
        shown = event_out(each, view).model_dump(mode="json")
        said.append(Said("event", write_place(at), {"event": shown}))
    if topics.blocks and view.at != head and not found.more:
        said.append(Said("block", begin, {"meta": meta_of(view).model_dump(mode="json")}))
    return found, said, view.at


def _as_sse(said: Said) -> bytes:
    if said.type == "heartbeat":
        # Without data nothing is dispatched, but the client remembers the id.
        return f": heartbeat\nid: {said.id}\n\n".encode()
    data = msgspec.json.encode(said.data).decode()
    return f"event: {said.type}\nid: {said.id}\ndata: {data}\n\n".encode()


def _unknown(word: str) -> InputError:
    return InputError(
        f"there is no topic {word[:60]!r}",
        code="topic_unknown",
        hint="There are events, blocks, liquidations, operator:, cluster:, owner:, validator:.",
    )


_POLICY: Final = 1008
"""WebSocket close code for a request that is refused."""
