"""One seed, many independent streams of choices.

Each concern draws from a stream of its own, named in words. A new choice in one concern so leaves
all others of the same seed as they were, and a recorded seed keeps its meaning.
"""

from __future__ import annotations

from random import Random


class Choices:
    """The streams of one seed."""

    __slots__ = ("seed",)

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def of(self, concern: str) -> Random:
        """A stream, at its beginning; the same seed and word give the same numbers."""
        # Words are hashed with SHA-512 by Random itself; that is fixed by Python's documentation.
        return Random(f"{self.seed} {concern}")  # noqa: S311 (choices of a simulation)
