"""The OpenAPI document, with our errors and examples in it.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from fastapi.utils import generate_unique_id

from indexer.api.examples import example_of
from indexer.api.keys import HEADER
from indexer.api.problems import MEDIA_TYPE, Problem

_ERRORS: Final = {
    "400": "A parameter is wrong, or a secret was sent.",
    "401": "The API key is nobody's.",
    "404": "There is no such thing at that block.",
    "409": "The registry's state forbids it, or the list was reverted.",
    "429": "Too many requests; Retry-After says when to come again.",
    "503": "The tables cannot answer now; Retry-After says when to come again.",
}
_BODY_ERRORS: Final = {"413": "The body is too large.", "415": "The body is no JSON."}
_WRITE_ERRORS: Final = {"403": "The owner did not sign it, or the page's origin is not listed."}
_KEY: Final = {
    "type": "apiKey",
    "in": "header",
    "name": HEADER,
    "description": "For those who may ask more than an address; nothing else needs it.",
}
_DESCRIPTION: Final = """\
Every answer tells of one block (`meta.block`) and how final it is. `at` takes `latest`, `safe`,
`finalized` or a block number. Amounts are wei as decimal text. Lists go on with `cursor`, and all
pages of a list tell of the same block. Nothing here signs, and no secret may be sent here.
"""


def document(app: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1 of all routes."""
    described = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=_DESCRIPTION,
        routes=app.routes,
    )
    schemas = described.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    # Nobody needs a key, so it is offered beside none.
    described["components"]["securitySchemes"] = {"api_key": _KEY}
    described["security"] = [{}, {"api_key": []}]
    for _, method, operation in operations(described):
        _add_errors(operation, _WRITE_ERRORS if method == "put" else {})
        for parameter in operation.get("parameters", []):
            _simplify(parameter)
        _add_examples(operation, schemas)
    return described


def operation_id(route: APIRoute) -> str:
    """The name of the route's function, which clients made from the document call it by.

    Routes beside `/v1` have FastAPI's longer names, so that none comes twice.
    """
    is_ours = route.path_format.startswith("/v1/") or route.path_format.count("/") == 1
    return route.name if is_ours else generate_unique_id(route)


def _add_errors(operation: dict[str, Any], more: Mapping[str, str]) -> None:
    """What any route may answer instead of what was asked for."""
    responses = operation["responses"]
    responses.pop("422", None)
    told = _ERRORS | (_BODY_ERRORS if "requestBody" in operation else {}) | dict(more)
    for status, text in told.items():
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        responses.setdefault(status, {"description": text, "content": content})


def _simplify(parameter: dict[str, Any]) -> None:
    """A parameter that may be left out has no null: there is no way to write it."""
    schema = parameter["schema"]
    kinds = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    if len(kinds) == 1:
        schema.pop("anyOf")
        parameter["schema"] = kinds[0] | schema


def _add_examples(operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    """One of the body and one of the answer, unless the route brings its own."""
    found = [operation["responses"].get("200", {}), operation.get("requestBody", {})]
    for content in (each.get("content", {}).get("application/json") for each in found):
        if content and content.get("schema") and not {"example", "examples"} & content.keys():
            content["example"] = example_of(content["schema"], schemas)


def operations(described: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of every operation."""
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation
