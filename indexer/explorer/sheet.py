"""One page, from the request to HTML: which block, what it rests on, where a list goes on.

Views say what they want to show as a function of a `View`, as the routes of the API do, and a
template shows it. All of a page is read in one transaction, at one block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Request
from starlette.responses import HTMLResponse, Response

from indexer.api.asking import Ask
from indexer.api.paging import Cursor, read_cursor, write_cursor
from indexer.explorer.fields import Fields
from indexer.explorer.site import HEADERS, Assets, render
from indexer.queries.reading import View
from indexer.queries.records import Cut, Page, PageKey
from indexer.queries.status import count_suspects, last_compared
from sdk.errors import ChainError
from sdk.types import checksum_address

PAGE_ROWS: Final = 50
"""Rows of a list: about 30 kB of HTML, a third of what a page may weigh."""
LATE_BLOCKS: Final = 3
"""Behind by more, a page says so in its head: half a minute without news is not usual."""
_NO_PART: Final = frozenset({"cursor"})

Record = TypeVar("Record")
Find = Callable[[View, Cut, bool], Page[Record]]
"""Entries of a list behind a place; the last argument asks for the opposite order."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a page rests on; shown on every page.

    Attributes:
        at: as the reader asked for a block, None for the newest.
        is_live: shows the newest block, so it may follow the chain.
        suspects: records that differ from the contract's own views.
        compared: newest block at which any were compared, None before the first time.
        mark: changes whenever the page may.
    """

    chain_id: int
    contract: str
    block: int
    block_hash: str | None
    block_time_s: int | None
    finality: str
    newest: int
    head: int | None
    lag_blocks: int | None
    is_late: bool
    is_caught_up: bool
    seen_at: Any
    suspects: int
    compared: int | None
    at: str | None
    is_live: bool
    mark: str


@dataclass(frozen=True, slots=True)
class Places:
    """Where a list goes on: addresses of its neighbours, None where there is none."""

    first: str | None
    previous: str | None
    following: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A part of a list, and where it goes on."""

    entries: tuple[Any, ...]
    places: Places


class Sheet:
    """A request for a page.

    Attributes:
        fields: what the reader filled in.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self.fields = Fields.of(request.query_params.multi_items())
        self._at = self.fields.text("at", most=20)

    @property
    def path(self) -> str:
        """Of the page."""
        return str(self._request.url.path)

    @contextmanager
    def view(self) -> Iterator[View]:
        """The tables at the block that the reader has chosen."""
        with Ask(self._request, self._at or "latest").view() as view:
            yield view

    def show(self, template: str, find: Callable[[View], Mapping[str, Any]]) -> Response:
        """A page about things at one block.

        Args:
            template: its file.
            find: what the template needs, beside `frame`, `fields`, `here` and `link`.
        """
        return self._respond(template, self._at or "latest", find, is_live=self._at is None)

    def show_list(
        self,
        template: str,
        find: Find[Record],
        more: Callable[[View, list[Record]], Mapping[str, Any]],
        *,
        limit: int = PAGE_ROWS,
    ) -> Response:
        """A page with a list that goes on over other pages, all of one block.

        Args:
            template: its file; `places` has the neighbours.
            find: entries behind a place, in the list's order or against it.
            more: what the template needs, from the entries of this page.
            limit: rows.
        """
        question = self._question()
        text = self.fields.text("cursor", most=512)
        cursor = None if text is None else read_cursor(question, text)
        wanted = str(cursor.block) if cursor is not None else self._at or "latest"

        def body(view: View) -> Mapping[str, Any]:
            if cursor is not None:
                _require_same_fork(view, cursor)
            found = find(view, Cut(limit, None if cursor is None else cursor.key), False)
            places = Places(
                first=None if cursor is None else self._part(None),
                previous=self._previous(view, cursor, find, question, limit),
                following=self._cursor(view, question, found.next),
            )
            return {"places": places, **more(view, list(found.entries))}

        return self._respond(template, wanted, body, is_live=self._at is None and cursor is None)

    def link(self, path: str, **parameters: Any) -> str:
        """A path of this site with parameters, at the block that the reader has chosen."""
        pairs = [("at", self._at)] if self._at is not None else []
        pairs += [
            (name.rstrip("_"), str(each))
            for name, value in parameters.items()
            for each in (value if isinstance(value, list | tuple) else [value])
            if each is not None and each != ""
        ]
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def same(self, **changes: Any) -> str:
        """This page with some fields changed, from the beginning of its list."""
        kept = [pair for pair in self.fields.pairs if pair[0] not in {*changes, "cursor"}]
        kept += [(name, str(value)) for name, value in changes.items() if value is not None]
        return f"{self.path}?{urlencode(kept)}" if kept else self.path

    def _respond(
        self,
        template: str,
        at: str,
        find: Callable[[View], Mapping[str, Any]],
        *,
        is_live: bool,
    ) -> Response:
        assets: Assets = self._request.app.state.explorer
        with Ask(self._request, at).view() as view:
            frame = self._frame(view, assets, is_live=is_live)
            headers = {
                **HEADERS,
                "ETag": f'W/"{frame.mark}"',
                # Asked for again each time, which costs nothing if it is the same.
                "Cache-Control": "no-cache",
                "X-Indexed-Block": str(frame.newest),
            }
            if headers["ETag"] in self._request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers=headers)
            found = find(view)
        content = render(
            template,
            assets,
            frame=frame,
            here=self.path,
            fields=self.fields,
            link=self.link,
            same=self.same,
            **found,
        )
        return HTMLResponse(content, headers=headers)

    def _frame(self, view: View, assets: Assets, *, is_live: bool) -> Frame:
        position = view.position
        lag = position.lag_blocks
        suspects, compared = count_suspects(view), last_compared(view)
        facts = (
            *(position.chain_id, position.contract, position.newest.hash, view.at),
            *(view.block.hash, position.safe, position.finalized, position.head),
            *(position.seen_at, suspects, compared, assets.digest, str(self._request.url)),
        )
        return Frame(
            chain_id=position.chain_id,
            contract=checksum_address(position.contract),
            block=view.at,
            block_hash=None if view.block.hash is None else "0x" + view.block.hash.hex(),
            block_time_s=view.block.timestamp_s,
            finality=view.finality.value,
            newest=position.newest.number,
            head=position.head,
            lag_blocks=lag,
            is_late=lag is not None and lag > LATE_BLOCKS,
            is_caught_up=position.is_caught_up,
            seen_at=position.seen_at,
            suspects=suspects,
            compared=compared,
            at=self._at,
            is_live=is_live,
            mark=sha256(repr(facts).encode()).hexdigest()[:24],
        )

    def _previous(
        self, view: View, cursor: Cursor | None, find: Find[Any], question: str, limit: int
    ) -> str | None:
        """The page before this one: it begins as far before this one as a page is long."""
        if cursor is None:
            return None
        before = find(view, Cut(limit, cursor.key), True)
        return self._cursor(view, question, before.next) or self._part(None)

    def _cursor(self, view: View, question: str, key: PageKey | None) -> str | None:
        if key is None:
            return None
        hash_ = view.block.hash
        return self._part(write_cursor(question, block=view.at, block_hash=hash_, key=key))

    def _part(self, cursor: str | None) -> str:
        return self.same() if cursor is None else self.same(cursor=cursor)

    def _question(self) -> str:
        kept = [pair for pair in self.fields.pairs if pair[0] not in _NO_PART]
        return f"{self.path}?{urlencode(sorted(kept))}"


async def _sheet(request: Request) -> Sheet:
    return Sheet(request)


Asked = Annotated[Sheet, Depends(_sheet)]
"""A view's parameter."""


def _require_same_fork(view: View, cursor: Cursor) -> None:
    held = view.block.hash
    if cursor.hash and held is not None and not held.startswith(cursor.hash):
        raise ChainError(
            f"block {cursor.block}, of which this list told, was replaced by another",
            code="cursor_reverted",
            hint="Begin the list again.",
        )
