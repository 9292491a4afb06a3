"""One call on the registry, as a value that prints itself."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sdk.events import ClusterSnapshot
from sdk.types import Address


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls what with which arguments.

    Attributes:
        function: name in the ABI; no name of the registry is overloaded.
        arguments: as the ABI library takes them, with cluster snapshots for their tuples.
    """

    function: str
    sender: Address
    arguments: tuple[Any, ...] = ()
    value_wei: int = 0

    def __str__(self) -> str:
        shown = ", ".join(map(_shown, self.arguments))
        paid = f" with {self.value_wei} wei" if self.value_wei else ""
        return f"0x{self.sender.hex()} calls {self.function}({shown}){paid}"


def _shown(value: Any) -> str:
    match value:
        case bytes():
            text = value.hex()
            return f"0x{text}" if len(text) <= 128 else f"0x{text[:32]}…({len(value)} bytes)"
        case ClusterSnapshot():
            inner = (f"{field.name}={getattr(value, field.name)}" for field in fields(value))
            return f"cluster({', '.join(inner)})"
        case tuple() | list():
            return f"[{', '.join(map(_shown, value))}]"
        case _:
            return str(value)
