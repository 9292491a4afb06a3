"""What a configuration comes to, key by key, with where each value is from; secrets masked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from operator_node.config.keys import BY_PATH, KEYS, Effect, Key
from operator_node.config.settings import Endpoint
from operator_node.config.sources import Sources


@dataclass(frozen=True, slots=True)
class Line:
    """One key: what is shown of its value, and its origin (file, variable or `default`)."""

    path: str
    value: str
    origin: str


def describe(sources: Sources) -> Iterator[Line]:
    """Every key that is read, in the order of the table, and every key that was set.

    Of a configuration that `build` takes.
    """
    for key in (*KEYS, *(each for path, each in BY_PATH.items() if each not in KEYS)):
        written = sources.written.get(key.path)
        if written is not None:
            yield Line(key.path, _shown(key, written.text), written.origin)
        elif key.effect in (Effect.FULL, Effect.CHECKED) and key.default:
            yield Line(key.path, key.default, "default")


def _shown(key: Key, text: str) -> str:
    if key.is_secret:
        return "<redacted>"
    if key.has_address and not text.startswith("file://"):  # a path is no secret
        return ";".join(Endpoint(part.strip()).shown for part in text.split(";") if part.strip())
    return text if text.isprintable() else ascii(text)
