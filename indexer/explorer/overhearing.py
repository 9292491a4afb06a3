"""What the API's routes answer, for a page: the same code, in the page's own transaction.

So a page and the API can never tell different figures, and all of a page is of one block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
from fastapi import Request
from starlette.responses import Response

from indexer.api.asking import Ask, Paging
from indexer.queries.reading import View
from indexer.queries.records import Cut, Page


class Overhearing(Ask):
    """Stands in for a request of the API and keeps the values that the route would send.

    Attributes:
        heard: the last answer's values.
    """

    def __init__(self, request: Request, view: View) -> None:
        """Args: `view` is the page's; nothing else is opened."""
        super().__init__(request, "latest")
        self._view = view
        self.heard: Any = None

    @contextmanager
    def view(self) -> Iterator[View]:
        """The page's own."""
        yield self._view

    def answer(self, find: Callable[[View], Any]) -> Response:
        """Keeps one thing."""
        self.heard = find(self._view)
        return Response()

    def _packed(self, content: Any, headers: Mapping[str, str]) -> Response:
        """Keeps what an execution node was asked about; nothing is compressed for nobody."""
        self.heard = content.data
        return Response()

    def page(
        self,
        cut: Paging,
        find: Callable[[View, Cut], Page[Any]],
        show: Callable[[View, list[Any]], Any],
        count: Callable[[View], int] | None = None,
    ) -> Response:
        """Keeps the first part of a list."""
        found = find(self._view, Cut(cut.limit))
        self.heard = show(self._view, list(found.entries))
        return Response()


def overhear(request: Request, view: View, ask: Callable[[Ask], Response]) -> Any:
    """What a route answers at the view's block: its values, or plain ones if it wrote them itself.

    Args:
        request: the page's.
        view: the page's.
        ask: calls the route with what it is given.
    """
    listener = Overhearing(request, view)
    answer = ask(listener)
    if listener.heard is None:
        return msgspec.json.decode(answer.body)["data"]
    return listener.heard


def first(limit: int) -> Paging:
    """The first entries of a list."""
    return Paging(limit=limit, cursor=None, count=False)
