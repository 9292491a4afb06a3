"""`/v1/batch`: several reads that all tell of one block."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, urlencode

import httpx
import msgspec
import trio
from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api.asking import Ask
from indexer.api.branches import Branch
from indexer.api.envelope import Meta, meta_of
from sdk.errors import ChainError, InputError

router = Branch(prefix="/v1", tags=["tools"])
MOST_READS: Final = 20
_LEFT_OUT: Final = ("/v1/batch", "/v1/stream", "/v1/status", "/v1/ws")
_PASSED_ON: Final = ("x-api-key", "x-forwarded-for", "x-request-id")


class BatchIn(BaseModel):
    """Paths of reads, as one would GET them, without `at`."""

    at: str = Field(
        default="latest",
        max_length=20,
        description="The block to tell of.",
        examples=["latest"],
        json_schema_extra={"pattern": "^(latest|safe|finalized|[0-9]{1,15})$"},
    )
    reads: list[
        Annotated[str, Field(max_length=2000, json_schema_extra={"pattern": "^/v1/[a-z]+"})]
    ] = Field(min_length=1, max_length=MOST_READS, examples=[["/v1/operators/7", "/v1/network"]])


class ReadOut(BaseModel):
    """One answer, with the status and body that a GET would have had."""

    status: int
    body: Any


class BatchOut(BaseModel):
    """The answers in the order of the question."""

    meta: Meta
    data: list[ReadOut]


@router.post("/batch", response_model=BatchOut)
async def read_batch(request: Request, body: BatchIn) -> Response:
    """Up to twenty reads at one block; each costs what it costs alone."""
    paths = [_path(each) for each in body.reads]
    meta: Meta = await trio.to_thread.run_sync(_resolve, request, body.at)
    client = request.client
    transport = httpx.ASGITransport(
        request.app,
        raise_app_exceptions=False,
        client=("unknown", 0) if client is None else (client.host, client.port),
    )
    headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    headers["accept-encoding"] = "identity"
    found = []
    async with httpx.AsyncClient(transport=transport, base_url="http://batch") as http:
        for path, query in paths:
            asked = urlencode([*query, ("at", str(meta.block.number))])
            answer = await http.get(f"{path}?{asked}", headers=headers)
            content = msgspec.json.decode(answer.content)
            if answer.is_success and content["meta"]["block"]["hash"] != meta.block.hash:
                raise ChainError(
                    f"block {meta.block.number} was replaced while it was read",
                    code="batch_reverted",
                    hint="Ask again.",
                )
            found.append(ReadOut(status=answer.status_code, body=content))
    content = BatchOut.model_construct(meta=meta, data=found).model_dump_json()
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-store"})


def _resolve(request: Request, at: str) -> Meta:
    """The block that all reads tell of."""
    with Ask(request, at).view() as view:
        return meta_of(view)


def _path(text: str) -> tuple[str, list[tuple[str, str]]]:
    path, _, query = text.partition("?")
    fields = parse_qsl(query, keep_blank_values=True)
    names = {name for name, _ in fields}
    if not path.startswith("/v1/") or path.startswith(_LEFT_OUT) or {"at", "cursor"} & names:
        raise InputError(
            f"{text[:60]!r} cannot be part of a batch",
            code="batch_read",
            hint="Name reads under /v1/, without at and cursor.",
        )
    return path, fields
