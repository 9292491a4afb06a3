"""A broken invariant, told apart from a mistake in the harness."""

from __future__ import annotations


class Violation(Exception):
    """What was expected of the registry and did not hold.

    Attributes:
        invariant: its name, as `i03` or `model`.
    """

    def __init__(self, invariant: str, message: str) -> None:
        super().__init__(f"{invariant}: {message}")
        self.invariant = invariant


def require(condition: bool, invariant: str, message: str) -> None:
    """Raise a violation unless the condition holds."""
    if not condition:
        raise Violation(invariant, message)
