"""The OpenAPI document with our errors in it, and a page that shows it without foreign scripts.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from indexer.api.problems import MEDIA_TYPE, Problem

_ERRORS: Final = {
    "400": "A parameter is wrong, or a secret was sent.",
    "404": "There is no such thing at that block.",
    "409": "The registry's state forbids it, or the list was reverted.",
    "429": "Too many requests; Retry-After says when to come again.",
    "503": "The tables cannot answer now; Retry-After says when to come again.",
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
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for _, _, operation in operations(described):
        responses = operation["responses"]
        responses.pop("422", None)
        for status, text in _ERRORS.items():
            responses.setdefault(status, {"description": text, "content": content})
    return described


def operations(described: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of every operation."""
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def page(described: Mapping[str, Any]) -> str:
    """All routes on one page, readable without scripts."""
    parts = [_HEAD, f"<h1>{escape(described['info']['title'])}</h1>"]
    parts.append(f"<p>{escape(_DESCRIPTION)}</p><p><a href='/openapi.json'>OpenAPI 3.1</a></p>")
    for path, method, operation in operations(described):
        parts.append(
            f"<section id='{escape(operation['operationId'])}'><h2><b>{method.upper()}</b> "
            f"<code>{escape(path)}</code></h2><p>{escape(operation.get('description', ''))}</p>"
        )
        parameters = operation.get("parameters", [])
        if parameters:
            rows = "".join(map(_row, parameters))
            parts.append(f"<table><tr><th>parameter<th>in<th>type<th>meaning</tr>{rows}</table>")
        parts.append("</section>")
    parts.append("</main></body></html>")
    return "".join(parts)


def _row(parameter: Mapping[str, Any]) -> str:
    name = escape(parameter["name"]) + ("" if parameter.get("required") else "?")
    return (
        f"<tr><td><code>{name}</code><td>{escape(parameter['in'])}"
        f"<td>{escape(_kind(parameter['schema']))}"
        f"<td>{escape(parameter.get('description', ''))}</tr>"
    )


def _kind(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        kinds = [_kind(each) for each in schema["anyOf"] if each.get("type") != "null"]
        return " or ".join(kinds)
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    return str(schema.get("type", schema.get("$ref", "").rpartition("/")[2]))


_HEAD: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Phalanx indexer API</title>
<style>
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0}
main{max-width:60rem;margin:0 auto;padding:1rem}
h2{font-size:1rem;margin:2rem 0 .25rem;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid #8884;padding:.25rem .5rem;text-align:left;vertical-align:top}
</style></head><body><main>"""
