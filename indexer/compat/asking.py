"""One question to the v4 API: its network, page, order and filters, and the answer's envelope.

Parameters that nobody here can judge (performance, fees by year) are taken and change nothing;
those that ask for something that is not known here (a place, a client, a name) find nothing.

Source: docs/compatibility.md, "/api/v4".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

import msgspec
from fastapi import Depends, Request
from sqlalchemy import ColumnElement
from starlette.responses import Response

from indexer.api.asking import FRESH
from indexer.api.parameters import parse_ids
from indexer.queries.errors import NotFound
from indexer.queries.reading import View, open_view
from indexer.queries.v4 import Found, Part
from sdk.errors import InputError
from sdk.networks import NETWORKS
from sdk.types import Address, OperatorId, parse_address, parse_hex

ROOT: Final = "/api/v4/{network}"
MOST_VALUES: Final = 100
"""In one comma list."""
_MEDIA_TYPE: Final = "application/json"
_KEY_BYTES: Final = 48
_HASH_BYTES: Final = 32
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Asked:
    """A view of the tables, and what the request says."""

    view: View
    network: str
    given: Mapping[str, str]

    def part(self) -> Part:
        """Which page.

        Raises:
            InputError: out of bounds, or no numbers.
        """
        return Part(page=self.number("page", 1), per_page=self.number("perPage", 10))

    def number(self, name: str, otherwise: int) -> int:
        """A whole number.

        Raises:
            InputError: it is none.
        """
        text = self.given.get(name, "")
        return otherwise if text == "" else _whole(name, text)

    def flag(self, name: str) -> bool | None:
        """`true` or `false`, None for anything else."""
        return {"true": True, "false": False}.get(self.given.get(name, ""))

    def listed(self, name: str, read: Callable[[str], Value]) -> list[Value]:
        """The values of a comma list; empty if it is not asked.

        Raises:
            InputError: too many, or one that cannot be read.
        """
        texts = [each for each in self.given.get(name, "").split(",") if each]
        if len(texts) > MOST_VALUES:
            raise InputError(
                f"{name} lists {len(texts)} values; {MOST_VALUES} at most", code="too_many_values"
            )
        return [read(each) for each in texts]

    def range(self, name: str) -> tuple[int, int] | None:
        """The bounds of `least,most`, None if it is not asked.

        Raises:
            InputError: not two whole numbers.
        """
        if not self.given.get(name):
            return None
        bounds = self.listed(name, lambda text: _whole(name, text))
        if len(bounds) != 2:
            raise InputError(f"{name} takes two numbers, least,most", code="range_malformed")
        return bounds[0], bounds[1]

    def order(
        self,
        sorts: Mapping[str, ColumnElement[Any]],
        *,
        otherwise: str,
        unique: Sequence[ColumnElement[Any]],
        name: str = "ordering",
    ) -> list[ColumnElement[Any]]:
        """The order that `field:asc|desc` asks for; fields that are not known here change nothing.

        Args:
            sorts: columns by field.
            otherwise: what holds if nothing is asked.
            unique: columns that break ties.
            name: of the parameter.
        """
        field, _, way = (self.given.get(name) or otherwise).partition(":")
        if field not in sorts:
            field, _, way = otherwise.partition(":")
        columns = [sorts[field], *unique]
        return [each.desc() if way == "desc" else each.asc() for each in columns]

    def reply(self, body: Any) -> Response:
        """An answer with it."""
        indexed = str(self.view.position.newest.number)
        headers = {"Cache-Control": FRESH, "X-Indexed-Block": indexed}
        return Response(msgspec.json.encode(body), media_type=_MEDIA_TYPE, headers=headers)

    def pagination(self, found: Found[Any], part: Part) -> dict[str, Any]:
        """Where a page stands among all; `current_first` and `current_last` count from 1."""
        before = (part.page - 1) * part.per_page
        shown = len(found.entries)
        return {
            "total": found.total,
            "pages": -(-found.total // part.per_page),
            "per_page": part.per_page,
            "page": part.page,
            "current_first": before + 1 if shown else 0,
            "current_last": before + shown,
            "has_next_page": before + shown < found.total,
        }


class Question:
    """A request to one network."""

    def __init__(self, request: Request, network: str) -> None:
        self._request = request
        self._network = network

    @contextmanager
    def asked(self) -> Iterator[Asked]:
        """The tables at their newest block.

        Raises:
            NotFound: `network_unknown`.
        """
        with open_view(self._request.app.state.engine) as view:
            here = network_name(view.position.chain_id)
            if self._network != here:
                raise NotFound(
                    f"network {self._network[:40]!r} is not indexed here, {here} is",
                    code="network_unknown",
                    hint=f"Ask under /api/v4/{here}.",
                )
            yield Asked(view, here, self._request.query_params)


async def _question(request: Request, network: str) -> Question:
    return Question(request, network)


Asking = Annotated[Question, Depends(_question)]
"""A route's parameter."""


def network_name(chain_id: int) -> str:
    """The usual name of a chain, its id for one without."""
    known = {each.chain_id: each.name for each in NETWORKS}
    return known.get(chain_id, str(chain_id))


def read_address(text: str) -> Address:
    """An address in any case."""
    return parse_address(text, strict=False)


def read_operator_id(text: str) -> OperatorId:
    """An operator's id."""
    return parse_ids([text])[0]


def read_key(text: str) -> bytes:
    """A validator's public key, with or without 0x."""
    return parse_hex(text, length=_KEY_BYTES, what="public key", code="key_malformed")


def read_hash(text: str) -> bytes:
    """A cluster's hash, with or without 0x."""
    return parse_hex(text, length=_HASH_BYTES, what="cluster", code="cluster_malformed")


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise InputError(f"{name}={text[:30]!r} is no whole number", code="number_malformed")
    return int(text)
