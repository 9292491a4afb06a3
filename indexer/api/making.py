"""Models of answers made from values that are right already.

Pydantic's `model_construct` goes over the fields one by one and takes ten times as long as this,
which in lists is most of an answer. What is set here is what a model consists of.

Source: Pydantic's documentation of `BaseModel`, its attributes.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from pydantic import BaseModel

from sdk.errors import InvariantBroken

Model = TypeVar("Model", bound=BaseModel)
_set = object.__setattr__
_NAMES: Final[dict[type[BaseModel], set[str]]] = {}
"""Fields of each kind; there are as many kinds as classes. All are set, so all models share one."""


def made(kind: type[Model], **values: Any) -> Model:
    """The model, unchecked; every field must be given, those with defaults too.

    Raises:
        InvariantBroken: not as many values as fields.
    """
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = set(kind.__pydantic_fields__)
    if len(values) != len(names):
        missing = names ^ set(values)
        raise InvariantBroken(f"{kind.__name__} is made without, or with too much: {missing}")
    model = kind.__new__(kind)
    _set(model, "__dict__", values)
    _set(model, "__pydantic_fields_set__", names)
    _set(model, "__pydantic_extra__", None)
    _set(model, "__pydantic_private__", None)
    return model
