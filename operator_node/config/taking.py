"""Reading written values key by key, and gathering what is wrong with them.

Pure. A fault names key, value and remedy; a secret or an address is never quoted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from operator_node.config.keys import BY_PATH, Effect, Key
from operator_node.config.sources import Fault, Sources
from operator_node.config.texts import UnusableAddress
from sdk.errors import ConfigError

T = TypeVar("T")

_SHOWN: Final = 60
"""Characters of a value that a fault repeats."""


class Taking:
    """Reads values by key and gathers what is wrong with them."""

    def __init__(self, sources: Sources) -> None:
        self._written = sources.written
        self.faults: list[Fault] = []
        for path, written in sources.written.items():
            key = BY_PATH[path]
            if key.effect is Effect.REFUSED:
                problem = f"this is not built yet, set in {written.origin}"
                self.faults.append(Fault(path, problem, "Leave it out."))

    def is_set(self, path: str) -> bool:
        """Whether the file or the environment has the key."""
        return path in self._written

    def maybe(self, path: str, read: Callable[[str], T]) -> T | None:
        """The value, None if there is none or it is wrong."""
        key = BY_PATH[path]
        written = self._written.get(path)
        text = key.default if written is None else written.text
        if not text:
            return None
        origin = "by default" if written is None else f"in {written.origin}"
        try:
            return read(text)
        except UnusableAddress as wrong:
            self.faults.append(Fault(path, f"{wrong}, {origin}", wrong.remedy))
            return None
        except ValueError as problem:
            self.faults.append(
                Fault(path, f"{_shown(key, text)}, {origin}", f"Expected {problem}.")
            )
            return None

    def take(self, path: str, read: Callable[[str], T]) -> T:
        """The value; that of the default where the written one is wrong and noted as a fault."""
        found = self.maybe(path, read)
        return read(BY_PATH[path].default) if found is None else found

    def need(self, path: str, read: Callable[[str], T], fallback: T) -> T:
        """The value of a key without default; a fault if it is not set."""
        key = BY_PATH[path]
        if path not in self._written:
            place = f" or {key.variable} in the environment" if key.variable else ""
            self.faults.append(Fault(path, "it is not set", f"Set it in the file{place}."))
            return fallback
        found = self.maybe(path, read)
        return fallback if found is None else found


def refuse(faults: Sequence[Fault]) -> None:
    """Tells all faults at once, if there are any.

    Raises:
        ConfigError: `config_invalid`; the text has a line per fault, `data["faults"]` the same.
    """
    if not faults:
        return
    lines = "\n".join(f"  {fault}" for fault in faults)
    raise ConfigError(
        f"the configuration cannot be used, {len(faults)} faults:\n{lines}"
        if len(faults) > 1
        else f"the configuration cannot be used: {faults[0]}",
        code="config_invalid",
        data={"faults": [str(fault) for fault in faults]},
    )


def _shown(key: Key, text: str) -> str:
    if key.is_secret or key.has_address:
        return "its value (not shown)"
    text = text if text.isprintable() else ascii(text)
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
