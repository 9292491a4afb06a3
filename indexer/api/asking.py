"""One question from HTTP to the tables and back: block, cache headers, paging, envelope.

Routes say what they want as a function of a `View`; everything else is here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Query, Request
from pydantic import BaseModel
from sqlalchemy import Engine
from starlette.responses import Response

from indexer.api.envelope import ListReply, PageMeta, Reply, meta_of
from indexer.api.making import made
from indexer.api.node import NO_NODE, Node, NotChecked
from indexer.api.packing import packed
from indexer.api.paging import Cursor, read_cursor, write_cursor
from indexer.queries.reading import At, Finality, Position, View, open_view
from indexer.queries.records import PAGE_LIMIT, Cut, Page
from sdk.errors import ChainError, InputError
from sdk.types import BlockNumber

MEDIA_TYPE: Final = "application/json"
FRESH: Final = "public, max-age=6, stale-while-revalidate=30"
"""Half a slot."""
FOREVER: Final = "public, max-age=31536000, immutable"
"""A finalized block asked for by number never changes."""
MOST_BLOCK: Final = 2**53 - 1
"""Up to here numbers in JSON are exact everywhere."""
_REPLY: Final = Reply[Any]
_LIST_REPLY: Final = ListReply[Any]
_WORDS: Final = {each.value: each for each in Finality}

Record = TypeVar("Record")
Shown = TypeVar("Shown", bound=BaseModel)
Answer = TypeVar("Answer", bound=BaseModel)

AtText = Annotated[
    str,
    Query(
        description="The block to tell of: `latest`, `safe`, `finalized` or a number.",
        examples=["latest"],
        max_length=20,
        json_schema_extra={"pattern": "^(latest|safe|finalized|[0-9]{1,15})$"},
    ),
]


class Ask:
    """A request for what holds at one block."""

    def __init__(self, request: Request, at: str) -> None:
        self._request = request
        self._engine: Engine = request.app.state.engine
        self._wanted = _parse_at(at)

    @property
    def request(self) -> Request:
        """As it came."""
        return self._request

    @contextmanager
    def view(self) -> Iterator[View]:
        """The tables at the block that was asked for."""
        with open_view(self._engine, self._wanted) as view:
            yield view

    def answer(self, find: Callable[[View], BaseModel]) -> Response:
        """One thing."""

        def body(view: View) -> BaseModel:
            return made(_REPLY, meta=meta_of(view), data=find(view))

        return self._respond(self._wanted, body)

    def checked(
        self,
        find: Callable[[View], Answer],
        check: Callable[[Node, Answer, Position], Answer],
    ) -> Response:
        """One thing that an execution node is asked about, too; never cached.

        Args:
            find: the thing, with fields `not_checked` and whatever `check` fills.
            check: asks the node, after the tables were let go: others use the connection then.
        """
        with self.view() as view:
            data, meta, position = find(view), meta_of(view), view.position
        node: Node | None = self._request.app.state.node
        try:
            if node is None:
                raise NotChecked(NO_NODE)
            data = check(node, data, position)
        except NotChecked as failure:
            data = data.model_copy(update={"not_checked": failure.reason})
        headers = {"Cache-Control": "no-store", "X-Indexed-Block": str(position.newest.number)}
        return self._packed(made(_REPLY, meta=meta, data=data), headers)

    def page(
        self,
        cut: Paging,
        find: Callable[[View, Cut], Page[Record]],
        show: Callable[[View, list[Record]], list[Shown]],
        count: Callable[[View], int] | None = None,
    ) -> Response:
        """Part of a list.

        Args:
            cut: which part.
            find: the records.
            show: their JSON, in the same order.
            count: of the whole list.
        """
        question = self._question()
        cursor = None if cut.cursor is None else read_cursor(question, cut.cursor)
        wanted = self._wanted if cursor is None else cursor.block

        def body(view: View) -> BaseModel:
            if cursor is not None:
                _require_same_fork(view, cursor)
            found = find(view, Cut(cut.limit, None if cursor is None else cursor.key))
            following = None
            if found.next is not None:
                following = write_cursor(
                    question, block=view.at, block_hash=view.block.hash, key=found.next
                )
            return made(
                _LIST_REPLY,
                meta=meta_of(view),
                data=show(view, list(found.entries)),
                page=PageMeta(
                    limit=cut.limit,
                    next_cursor=following,
                    total=count(view) if count is not None and cut.count else None,
                ),
            )

        return self._respond(wanted, body)

    def _respond(self, wanted: At, body: Callable[[View], BaseModel]) -> Response:
        with open_view(self._engine, wanted) as view:
            headers = {
                "ETag": self._tag(view),
                "Cache-Control": self._lifetime(view),
                "X-Indexed-Block": str(view.position.newest.number),
            }
            if self._request.method == "GET" and _matches(self._request, headers["ETag"]):
                return Response(status_code=304, headers=headers)
            content = body(view)
        return self._packed(content, headers)

    def _packed(self, content: BaseModel, headers: Mapping[str, str]) -> Response:
        return packed(
            content.model_dump_json().encode(),
            accepted=self._request.headers.get("accept-encoding", ""),
            media_type=MEDIA_TYPE,
            headers=headers,
        )

    def _question(self) -> str:
        """Path and parameters, without those that only say which part of the answer."""
        url = self._request.url
        kept = [
            (name, value)
            for name, value in parse_qsl(url.query, keep_blank_values=True)
            if name not in ("cursor", "limit", "count")
        ]
        return f"{url.path}?{urlencode(sorted(kept))}"

    def _tag(self, view: View) -> str:
        """Changes whenever the answer may: with the block, its fork, and what became final."""
        position = view.position
        facts = (
            *(position.newest.hash, view.block.number, view.block.hash, position.contract),
            *(position.safe, position.finalized, str(self._request.url.path)),
            self._request.url.query,
        )
        return f'W/"{sha256(repr(facts).encode()).hexdigest()[:24]}"'

    def _lifetime(self, view: View) -> str:
        if self._request.method != "GET":
            return "no-store"
        by_number = not isinstance(self._wanted, Finality)
        return FOREVER if by_number and view.finality is Finality.FINALIZED else FRESH


async def _ask(request: Request, at: AtText = "latest") -> Ask:
    return Ask(request, at)


Asked = Annotated[Ask, Depends(_ask)]
"""A route's parameter for questions about one block."""


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list."""

    limit: int
    cursor: str | None
    count: bool


async def _paging(
    limit: Annotated[
        int, Query(ge=1, le=PAGE_LIMIT, description="Most entries.", examples=[50])
    ] = 100,
    cursor: Annotated[
        str | None,
        Query(
            description="`next_cursor` of the page before. All pages tell of one block.",
            max_length=512,
            json_schema_extra={"pattern": "^[A-Za-z0-9_-]+$"},
        ),
    ] = None,
    count: Annotated[bool, Query(description="Count the whole list, too; it costs more.")] = False,
) -> Paging:
    return Paging(limit, cursor, count)


Paged = Annotated[Paging, Depends(_paging)]
"""A route's parameter for lists."""


def _parse_at(text: str) -> At:
    if text in _WORDS:
        return _WORDS[text]
    if text.isascii() and text.isdecimal() and int(text) <= MOST_BLOCK:
        return BlockNumber(int(text))
    raise InputError(
        f"at={text[:30]!r} names no block",
        code="at_malformed",
        hint="Send latest, safe, finalized or a block number.",
    )


def _matches(request: Request, tag: str) -> bool:
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or tag in (each.strip() for each in given.split(","))


def _require_same_fork(view: View, cursor: Cursor) -> None:
    held = view.block.hash
    if cursor.hash and held is not None and not held.startswith(cursor.hash):
        raise ChainError(
            f"block {cursor.block}, of which this list told, was replaced by another",
            code="cursor_reverted",
            hint="Begin the list again, without a cursor.",
        )
