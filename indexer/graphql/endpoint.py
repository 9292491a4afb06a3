"""`/graphql`: a question in, an answer in GraphQL's own shape out, read in one transaction.

Errors of a question stand beside its data, with `extensions.code` and `.hint`; a fault of ours is
raised to the layer that names and logs it.

Source: docs/compatibility.md, "GraphQL".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Body, FastAPI, Query, Request
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)
from sqlalchemy import Engine
from starlette.responses import Response

from indexer.api.asking import FRESH
from indexer.graphql import limits
from indexer.graphql.loading import Session
from indexer.graphql.schema import SCHEMA
from indexer.queries.reading import open_view
from sdk.errors import InvariantBroken, PhalanxError, StorageError

PATH: Final = "/graphql"
MOST_ERRORS: Final = 10
"""Shown of one question."""
RETRY_S: Final = 12
"""A slot."""
_TYPE: Final = "application/json"

router = APIRouter(include_in_schema=False)


@router.post(PATH)
def ask(request: Request, body: Annotated[Any, Body()]) -> Response:
    """`{"query", "variables", "operationName"}` as JSON."""
    if not isinstance(body, Mapping):
        return _refused("send an object with query, variables and operationName")
    return _answer(request, body.get("query"), body.get("variables"), body.get("operationName"))


@router.get(PATH)
def ask_by_address(
    request: Request,
    query: str | None = None,
    variables: str | None = None,
    operation_name: Annotated[str | None, Query(alias="operationName")] = None,
) -> Response:
    """The same in the address; `variables` is JSON."""
    try:
        given = None if variables is None else msgspec.json.decode(variables)
    except (msgspec.DecodeError, RecursionError):
        return _refused("variables is no JSON")
    return _answer(request, query, given, operation_name)


def mount(app: FastAPI, now: Callable[[], float]) -> None:
    """Put the route into the API, whose database it reads.

    Args:
        app: see `indexer.api.app`.
        now: seconds of a clock that never goes back.
    """
    app.state.graphql_now = now
    app.include_router(router)


def _answer(request: Request, query: Any, variables: Any, operation: Any) -> Response:
    if not isinstance(query, str):
        return _refused("query is missing, or no text")
    if not isinstance(variables, Mapping | None) or not isinstance(operation, str | None):
        return _refused("variables must be an object and operationName a text")
    try:
        document = _read(query)
        errors = validate(SCHEMA, document, max_errors=MOST_ERRORS)
    except GraphQLError as failure:
        errors, document = [failure], None
    except RecursionError:
        return _refused("the query is nested too deeply")
    if document is None or errors:
        return _reply({"errors": [_shown(each) for each in errors]})
    if _is_other_than_query(document, operation):
        return _refused("only queries are answered; nothing here can be changed or subscribed to")
    engine: Engine = request.app.state.engine
    try:
        with open_view(engine) as view:
            session = Session(view, request.app.state.graphql_now)
            result = execute_sync(
                SCHEMA,
                document,
                context_value=session,
                variable_values=dict(variables or {}),
                operation_name=operation,
                max_coercion_errors=MOST_ERRORS,
            )
            indexed = view.position.newest.number
    except StorageError as failure:
        return _reply({"errors": [_shown(_told(failure))]}, status=503)
    return _found(result, indexed, fresh=request.method == "GET")


def _read(query: str) -> DocumentNode:
    document = parse(query, max_tokens=limits.MOST_TOKENS)
    limits.check(document)
    return document


def _is_other_than_query(document: DocumentNode, operation: str | None) -> bool:
    found = get_operation_ast(document, operation)
    return isinstance(found, OperationDefinitionNode) and found.operation is not OperationType.QUERY


def _found(result: ExecutionResult, indexed: int, *, fresh: bool) -> Response:
    """What was found and what was wrong.

    Raises:
        Exception: whatever went wrong by our fault.
    """
    status = 200
    for each in result.errors or ():
        cause = each.original_error
        if isinstance(cause, InvariantBroken) or not isinstance(
            cause, PhalanxError | GraphQLError | None
        ):
            raise cause
        if isinstance(cause, StorageError):
            status = 503
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [_shown(each) for each in result.errors[:MOST_ERRORS]]
    headers = {
        "X-Indexed-Block": str(indexed),
        "Cache-Control": FRESH if fresh and not result.errors else "no-store",
    }
    return _reply(body, status=status, headers=headers)


def _told(failure: PhalanxError) -> GraphQLError:
    return GraphQLError(failure.message, original_error=failure)


def _shown(error: GraphQLError) -> dict[str, Any]:
    """An error with the word and hint of ours, if it has them."""
    shown: dict[str, Any] = {**error.formatted}
    cause = error.original_error
    if isinstance(cause, PhalanxError):
        shown["message"] = cause.message
        shown["extensions"] = {"code": cause.code, "hint": cause.hint}
    return shown


def _refused(what: str) -> Response:
    return _reply({"errors": [{"message": what, "extensions": {"code": "request"}}]}, status=400)


def _reply(
    body: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    wait = {"Retry-After": str(RETRY_S)} if status == 503 else {}
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type=_TYPE,
        headers={"Cache-Control": "no-store", **wait, **(headers or {})},
    )
