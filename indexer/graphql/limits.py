"""How long a question may be, before anything is looked up.

Pure. Counted with fragments written out, because that is what is answered: fields, roots, depth.
What an answer may hold is bounded while it is put together (`indexer.graphql.loading`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

MOST_TOKENS: Final = 2_500
"""The largest question that a known client sends, a full introspection, has some 400."""
MOST_FIELDS: Final = 500
MOST_ROOTS: Final = 30
"""Each is a look-up."""
MOST_DEPTH: Final = 8
"""Below introspection, which the library bounds by a rule of its own, it may be deeper."""
_INTROSPECTION: Final = "__"


@dataclass(frozen=True, slots=True)
class _Size:
    """Of a selection; `width` is the number of fields on its own level."""

    fields: int = 0
    depth: int = 0
    width: int = 0


def check(document: DocumentNode) -> None:
    """Refuse what is too long.

    Raises:
        GraphQLError: too many fields or roots, or too deep.
    """
    fragments = {
        each.name.value: each
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    measured: dict[str, _Size] = {}
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode):
            _require(_measure(each.selection_set, fragments, measured, ()))


def _require(size: _Size) -> None:
    if size.fields > MOST_FIELDS:
        raise GraphQLError(f"the query has more than {MOST_FIELDS} fields; ask in parts")
    if size.depth > MOST_DEPTH:
        raise GraphQLError(f"the query is nested more than {MOST_DEPTH} deep; ask in parts")
    if size.width > MOST_ROOTS:
        raise GraphQLError(f"{size.width} roots are asked at once; {MOST_ROOTS} at most")


def _measure(
    chosen: SelectionSetNode | None,
    fragments: Mapping[str, FragmentDefinitionNode],
    measured: dict[str, _Size],
    within: tuple[str, ...],
) -> _Size:
    total = _Size()
    for each in () if chosen is None else chosen.selections:
        match each:
            case FieldNode():
                inner = _measure(each.selection_set, fragments, measured, within)
                is_meta = each.name.value.startswith(_INTROSPECTION)
                inner = _Size(inner.fields + 1, 1 if is_meta else inner.depth + 1, 1)
            case InlineFragmentNode():
                inner = _measure(each.selection_set, fragments, measured, within)
            case FragmentSpreadNode():
                inner = _spread(each.name.value, fragments, measured, within)
            case _:
                inner = _Size()
        total = _Size(
            total.fields + inner.fields,
            max(total.depth, inner.depth),
            total.width + inner.width,
        )
        if total.fields > MOST_FIELDS:
            break
    return total


def _spread(
    name: str,
    fragments: Mapping[str, FragmentDefinitionNode],
    measured: dict[str, _Size],
    within: tuple[str, ...],
) -> _Size:
    """A fragment, measured once; a circle or an unknown name is the library's to refuse."""
    if name in within or name not in fragments:
        return _Size()
    if name not in measured:
        chosen = fragments[name].selection_set
        measured[name] = _measure(chosen, fragments, measured, (*within, name))
    return measured[name]
