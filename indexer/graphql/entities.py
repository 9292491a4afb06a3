"""The entities of `schema.graphql` as values: their fields, kinds, and the names of their roots.

Pure. What can be filtered, sorted and loaded follows from these, so the file is the one place that
says what there is.

Source: docs/compatibility.md, "GraphQL".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

from graphql import (
    DefinitionNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    StringValueNode,
    TypeNode,
    parse,
    print_ast,
)

SCALARS: Final = frozenset({"BigInt", "Bytes", "String", "Boolean", "Int"})
_ROOTS: Final = {"DAOValues": ("daovalues", "daovalues_collection")}
"""Names that do not follow the rule."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entity.

    Attributes:
        type_text: as in the file, such as `[BigInt!]!`.
        named: without lists and exclamation marks.
        is_list: many values.
        target: entity that it leads to, None for plain values.
        derived_from: field of the target that points back here; nothing is stored on this side.
    """

    name: str
    type_text: str
    named: str
    is_list: bool
    target: str | None
    derived_from: str | None
    description: str

    @property
    def is_reference(self) -> bool:
        """Whether it leads to exactly one other entity."""
        return self.target is not None and not self.is_list


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of thing that can be asked for.

    Attributes:
        singular: root that finds one by its id.
        plural: root that lists them.
        is_event: written once, by a log.
    """

    name: str
    singular: str
    plural: str
    is_event: bool
    fields: Mapping[str, Field]
    description: str


@dataclass(frozen=True, slots=True)
class Model:
    """Everything in the file; `enums` is their text."""

    entities: Mapping[str, Entity]
    enums: tuple[str, ...]


def read_model() -> Model:
    """The entities of the file beside this module."""
    text = resources.files("indexer.graphql").joinpath("schema.graphql").read_text("utf-8")
    definitions = parse(text, no_location=True).definitions
    objects = [each for each in definitions if isinstance(each, ObjectTypeDefinitionNode)]
    names = {each.name.value for each in objects}
    return Model(
        entities={each.name.value: _entity(each, names) for each in objects},
        enums=tuple(print_ast(each) for each in definitions if _is_enum(each)),
    )


def _is_enum(definition: DefinitionNode) -> bool:
    return isinstance(definition, EnumTypeDefinitionNode)


def _entity(node: ObjectTypeDefinitionNode, names: set[str]) -> Entity:
    name = node.name.value
    singular = name[0].lower() + name[1:]
    roots = _ROOTS.get(name, (singular, singular + "s"))
    return Entity(
        name=name,
        singular=roots[0],
        plural=roots[1],
        is_event=any("immutable: true" in print_ast(each) for each in node.directives or ()),
        fields={each.name.value: _field(each, names) for each in node.fields or ()},
        description=_text(node.description),
    )


def _field(node: FieldDefinitionNode, names: set[str]) -> Field:
    named, is_list = _bare(node.type)
    links = [
        print_ast(given.value) for link in node.directives or () for given in link.arguments or ()
    ]
    return Field(
        name=node.name.value,
        type_text=print_ast(node.type),
        named=named,
        is_list=is_list,
        target=named if named in names else None,
        derived_from=links[0].strip('"') if links else None,
        description=_text(node.description),
    )


def _bare(node: TypeNode, *, is_list: bool = False) -> tuple[str, bool]:
    match node:
        case NamedTypeNode():
            return node.name.value, is_list
        case ListTypeNode():
            return _bare(node.type, is_list=True)
        case NonNullTypeNode():
            return _bare(node.type, is_list=is_list)
        case _:
            raise TypeError(type(node))


def _text(node: StringValueNode | None) -> str:
    return "" if node is None else " ".join(node.value.split())


MODEL: Final = read_model()
"""What there is."""
