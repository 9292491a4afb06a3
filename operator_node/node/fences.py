"""Everything that may silence this node as a whole, cause by cause.

The signer knows one fence; here are the causes behind it. One cause that ends does not lift what
another one raised. Nothing is decided here.

Source: docs/slashing.md, "What stops all signing".
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from threading import Lock
from typing import Protocol


class Cause(StrEnum):
    """Who raised the fence; in the order in which they are told."""

    TWIN = "twin"
    SLASHED = "slashed"
    LEASE = "lease"
    OPERATOR = "operator"


class Fenced(Protocol):
    """What is fenced: everything that signs."""

    def fence(self, why: str) -> None:
        """Withholds everything."""
        ...

    def unfence(self) -> None:
        """Ends that."""
        ...


class Fences:
    """The fences that are up. Safe to use from threads."""

    def __init__(self, signer: Fenced) -> None:
        """None."""
        self._signer = signer
        self._up: dict[Cause, str] = {}
        self._lock = Lock()

    def set(self, cause: Cause, why: str) -> None:
        """Raises the fence of a cause; an empty text lifts it."""
        # One at a time: the end of one cause must not lift what another thread raises meanwhile.
        with self._lock:
            if why:
                self._up[cause] = why
            else:
                self._up.pop(cause, None)
            if self._up:
                self._signer.fence("; ".join(self._up[each] for each in Cause if each in self._up))
            else:
                self._signer.unfence()

    def of(self, cause: Cause) -> Callable[[str], None]:
        """`set` for one cause."""
        return lambda why: self.set(cause, why)

    def why(self, cause: Cause) -> str:
        """Why this cause keeps everything silent; empty if it does not."""
        return self._up.get(cause, "")
