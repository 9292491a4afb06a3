"""Examples for OpenAPI, put together from those of single fields.

Pure. A field's example stands in its type or model; whole answers follow from their schema, so an
example cannot fall behind the answer that it is of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MOST_DEPTH: Final = 16
"""No answer of ours is nested deeper; a schema that contains itself would be."""
_PREFIX: Final = "#/components/schemas/"
_PLAIN: Final[dict[str, Any]] = {"boolean": False, "null": None, "object": {}, "string": "text"}


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int = 0) -> Any:
    """A value that the schema describes.

    Args:
        schema: of the value.
        schemas: those that are referred to, by name.
        depth: of the value in the whole.

    Raises:
        RecursionError: the schema contains itself.
    """
    if depth > MOST_DEPTH:
        raise RecursionError("a schema contains itself")
    if "$ref" in schema and "examples" not in schema:
        return example_of(schemas[schema["$ref"].removeprefix(_PREFIX)], schemas, depth + 1)
    if "properties" in schema and "examples" not in schema:
        return {
            name: example_of(each, schemas, depth + 1)
            for name, each in schema["properties"].items()
        }
    for word in ("examples", "enum"):
        if schema.get(word):
            return schema[word][0]
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    return _by_kind(schema, schemas, depth)


def _by_kind(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int) -> Any:
    for word in ("anyOf", "allOf"):
        if word in schema:
            return example_of(schema[word][0], schemas, depth + 1)
    match schema.get("type", "object"):
        case "array":
            return [example_of(schema.get("items", {}), schemas, depth + 1)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return {"name": example_of(schema["additionalProperties"], schemas, depth + 1)}
        case kind:
            return _PLAIN[kind]
