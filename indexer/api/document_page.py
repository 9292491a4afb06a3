"""The OpenAPI document as one page: a table of contents, and every route with what it answers.

Pure, but for the template beside it, which is read once. No scripts and nothing of another host:
the page is readable wherever the API is. Its words are those of the document.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

_FOLDER: Final = Path(__file__).parent / "pages"
_PREFIX: Final = "#/components/schemas/"
_JSON: Final = "application/json"
MOST_DEPTH: Final = 4
"""Of fields that are listed; what lies deeper is in the example."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a body or an answer.

    Attributes:
        name: with those that it lies in, `data[].id`.
        kind: as JSON has it.
    """

    name: str
    kind: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Message:
    """A body or an answer: an example, and its fields."""

    example: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """A route as the page tells it.

    Attributes:
        refusals: status and meaning of each answer that is no success.
    """

    name: str
    method: str
    path: str
    meaning: str
    command: str
    parameters: tuple[Field, ...]
    body: Message | None
    answer: Message | None
    refusals: tuple[tuple[str, str], ...]


def page(described: Mapping[str, Any]) -> str:
    """All routes on one page, readable without scripts.

    Args:
        described: an OpenAPI document.
    """
    schemas = described["components"]["schemas"]
    groups: dict[str, list[Route]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            group = operation.get("tags", ["others"])[0]
            groups.setdefault(group, []).append(_route(path, method, operation, schemas))
    return _template().render(info=described["info"], groups=groups)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["marked"] = _marked
    return environment.get_template("docs.html")


def _marked(text: str) -> Markup:
    """Words between backticks as code; everything is escaped."""
    parts = text.split("`")
    code = Markup("<code>{}</code>")
    return Markup().join(
        code.format(each) if place % 2 else escape(each) for place, each in enumerate(parts)
    )


def _route(
    path: str, method: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]
) -> Route:
    parameters = operation.get("parameters", [])
    asked = operation.get("requestBody", {}).get("content", {}).get(_JSON)
    body = asked and _message(asked, schemas)
    answers = operation["responses"]
    answered = answers.get("200", {}).get("content", {}).get(_JSON)
    return Route(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        meaning=operation.get("description", ""),
        command=_command(method, path, parameters, asked),
        parameters=tuple(map(_parameter, parameters)),
        body=body,
        answer=answered and _message(answered, schemas),
        refusals=tuple(
            (status, answer["description"])
            for status, answer in sorted(answers.items())
            if not status.startswith("2")
        ),
    )


def _command(method: str, path: str, parameters: Any, asked: Mapping[str, Any] | None) -> str:
    """What asks this in a terminal, with the examples of what must be given."""
    query: dict[str, str] = {}
    for each in parameters:
        if not each.get("required"):
            continue
        value = str(_example(each))
        if each["in"] == "path":
            path = path.replace("{" + each["name"] + "}", quote(value, safe=""))
        elif each["in"] == "query":
            query[each["name"]] = value
    address = f"$API{path}" + (f"?{urlencode(query)}" if query else "")
    words = ["curl", "-s"] + (["-X", method.upper()] if method not in ("get", "post") else [])
    if asked is not None:
        words += ["-H", f"'content-type: {_JSON}'", "-d", "@body.json"]
    return " ".join([*words, f'"{address}"'])


def _example(parameter: Mapping[str, Any]) -> Any:
    for holder in (parameter, parameter["schema"]):
        if "example" in holder:
            return holder["example"]
        if holder.get("examples"):
            examples = holder["examples"]
            return examples[0] if isinstance(examples, list) else next(iter(examples.values()))
    return parameter["schema"].get("default", f"<{parameter['name']}>")


def _parameter(parameter: Mapping[str, Any]) -> Field:
    name = parameter["name"] + ("" if parameter.get("required") else "?")
    schema = parameter["schema"]
    return Field(name, _kind(schema), parameter.get("description", schema.get("description", "")))


def _message(content: Mapping[str, Any], schemas: Mapping[str, Any]) -> Message:
    example = content.get("example")
    if example is None and content.get("examples"):
        example = next(iter(content["examples"].values()))["value"]
    fields = tuple(_fields("", content.get("schema", {}), schemas, 0))
    return Message(json.dumps(example, indent=2, ensure_ascii=False), fields)


def _fields(
    name: str, schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int
) -> Iterator[Field]:
    """What a schema has below a name, the outer before the inner."""
    schema = _resolved(schema, schemas)
    if schema.get("type") == "array":
        yield from _fields(f"{name}[]", schema.get("items", {}), schemas, depth)
        return
    if depth == MOST_DEPTH:
        return
    for each, inner in schema.get("properties", {}).items():
        full = f"{name}.{each}".removeprefix(".")
        target = _resolved(inner, schemas)
        meaning = inner.get("description", target.get("description", ""))
        yield Field(full, _kind(inner), meaning)
        yield from _fields(full, inner, schemas, depth + 1)


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a schema refers to; of those that may be null, the other one."""
    if "$ref" in schema:
        target: Mapping[str, Any] = schemas[schema["$ref"].removeprefix(_PREFIX)]
        return target
    kinds = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    return _resolved(kinds[0], schemas) if len(kinds) == 1 else schema


def _kind(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("type", schema.get("$ref", "").removeprefix(_PREFIX)))
