"""From a YAML file and the environment to one text per key; the environment wins.

Every scalar stays the text that was written: YAML's own guesses would make a number of an
address. Aliases, keys given twice and oversized files are refused. No value has a type yet, and
none is ever quoted here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

from operator_node.config.keys import (
    BY_PATH,
    CUSTOM_NETWORK,
    CUSTOM_NETWORK_FIELDS,
    IGNORED_SECTIONS,
    KEYS,
)
from sdk.errors import ConfigError, InputError
from sdk.files import read_bounded

FILE_MAX_BYTES: Final = 1024 * 1024
"""A real file has a few kB."""
_DEPTH_MAX: Final = 8
"""Sections in sections; the deepest key has four parts."""
_SHOWN: Final = 60
"""Characters of a foreign name that a fault repeats."""

Tree: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: the key, what its value is, and what to do."""

    key: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}. {self.remedy}"


@dataclass(frozen=True, slots=True)
class Written:
    """A value as it was written, several for a list, and where."""

    texts: tuple[str, ...]
    origin: str

    @property
    def text(self) -> str:
        """As one; lists are joined as the environment would have them."""
        return ";".join(self.texts).strip()


@dataclass(frozen=True, slots=True)
class Sources:
    """What was set, by path of the key, and what could not be taken."""

    written: Mapping[str, Written]
    ignored: tuple[str, ...]
    faults: tuple[Fault, ...]


def read_sources(path: Path | None, environment: Mapping[str, str]) -> Sources:
    """Everything that is set.

    Args:
        path: the YAML file, None for the environment alone.
        environment: variables by name.

    Raises:
        InputError: `file_unreadable`.
        ConfigError: `config_malformed`, the file is no YAML of sections.
    """
    found = _Finder()
    if path is not None:
        found.take(_load(path), "", path.name)
    for key in KEYS:
        if text := environment.get(key.variable, "").strip():
            found.written[key.path] = Written((text,), key.variable)
    _take_custom_network(found)
    written = {path: value for path, value in found.written.items() if value.text}
    return Sources(written, tuple(found.ignored), tuple(found.faults))


class _Finder:
    def __init__(self) -> None:
        self.written: dict[str, Written] = {}
        self.ignored: list[str] = []
        self.faults: list[Fault] = []

    def take(self, tree: Tree, prefix: str, origin: str, depth: int = 0) -> None:
        """Files the values of a section under their paths."""
        for name, value in tree.items():
            path = f"{prefix}{name}"
            if path in IGNORED_SECTIONS:
                if value:
                    self.ignored.append(path)
            elif isinstance(value, dict) and depth < _DEPTH_MAX and _is_section(path):
                self.take(value, f"{path}.", origin, depth + 1)
            elif path not in BY_PATH:
                if value != "" or not _is_section(path):
                    self.faults.append(_unknown(path, origin))
            elif isinstance(value, list) and all(isinstance(item, str) for item in value):
                self.written[path] = Written(tuple(value), origin)
            elif isinstance(value, str):
                self.written[path] = Written((value,), origin)
            else:
                self.faults.append(
                    Fault(path, f"it is a section in {origin}", "Give it a plain value.")
                )


def _take_custom_network(found: _Finder) -> None:
    """Unfolds a network that is named by file or written as JSON."""
    named = found.written.pop(CUSTOM_NETWORK, None)
    if named is None or not named.text:
        return
    for key in CUSTOM_NETWORK_FIELDS:
        found.written.pop(key.path, None)  # the environment wins over the section
    text = named.text
    try:
        if text.startswith("{"):
            found.take(_parse(text.encode(), named.origin), f"{CUSTOM_NETWORK}.", named.origin)
        else:
            found.take(_load(Path(text)), f"{CUSTOM_NETWORK}.", Path(text).name)
    except (ConfigError, InputError) as problem:
        remedy = "Name a readable YAML file, or write the section itself."
        found.faults.append(Fault(CUSTOM_NETWORK, problem.message, remedy))


def _is_section(path: str) -> bool:
    return any(known.startswith(f"{path}.") for known in (*BY_PATH, *IGNORED_SECTIONS))


def _unknown(path: str, origin: str) -> Fault:
    by_lower = {known.lower(): known for known in BY_PATH}
    shown = path if path.isprintable() and len(path) <= _SHOWN else ascii(path[:_SHOWN])
    near = get_close_matches(path.lower(), by_lower, n=1, cutoff=0.0)
    return Fault(shown, f"no such key, in {origin}", f"Did you mean {by_lower[near[0]]}?")


def _load(path: Path) -> Tree:
    data = read_bounded(path, limit_bytes=FILE_MAX_BYTES)
    if len(data) > FILE_MAX_BYTES:
        raise _malformed(str(path), f"it has more than {FILE_MAX_BYTES} bytes")
    return _parse(data, str(path))


def _parse(data: bytes, source: str) -> Tree:
    try:
        tree = yaml.load(data, _Loader)  # noqa: S506 - makes texts, lists and dictionaries only
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError) as problem:
        mark = getattr(problem, "problem_mark", None)
        where = "" if mark is None else f"line {mark.line + 1}: "
        # Not the parser's whole text: it quotes the line, which may hold a key.
        what = getattr(problem, "problem", None) or "it is no YAML"
        raise _malformed(source, f"{where}{what}") from None
    if tree in (None, ""):
        return {}
    if not isinstance(tree, dict):
        raise _malformed(source, "it holds no keys")
    return tree


class _Loader(yaml.BaseLoader):
    """Texts only; no aliases, no key twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuses aliases, by which a small file becomes a large one."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(None, None, "aliases are not read", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Refuses a key that is given twice: the second would win unseen."""
        for place, name in _twice(node):
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {name[:_SHOWN]!a} is given twice", place
            )
        return super().construct_mapping(node, deep)


def _twice(node: Any) -> Iterator[tuple[Any, str]]:
    seen = set()
    for key, _ in node.value:
        if key.value in seen:
            yield key.start_mark, str(key.value)
        seen.add(str(key.value))


def _malformed(source: str, problem: str) -> ConfigError:
    return ConfigError(
        f"{source} cannot be read: {problem}",
        code="config_malformed",
        hint="The file is YAML: sections, and under them `Key: value`.",
    )
