"""A committee as consensus sees it: who sits in it and how many make a quorum.

Pure. n = 3f + 1 operators; quorum 2f + 1; a partial quorum of f + 1 holds an honest one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from operator_node.wire.faults import Fault, ProtocolFault
from sdk.types import OperatorId


@dataclass(frozen=True, slots=True)
class Committee:
    """Operators in ascending order of their ids.

    Attributes:
        f: operators that may fail or lie.
        quorum: 2f + 1.
        partial_quorum: f + 1.
        members: the operators as a set, to be asked itself where every message passes.
    """

    operators: tuple[OperatorId, ...]
    f: int = field(init=False, compare=False)
    quorum: int = field(init=False, compare=False)
    partial_quorum: int = field(init=False, compare=False)
    members: frozenset[OperatorId] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        faulty, rest = divmod(len(self.operators) - 1, 3)
        if not self.operators or rest or list(self.operators) != sorted(set(self.operators)):
            raise ProtocolFault(
                Fault.COMMITTEE_MEMBER_INVALID,
                f"a committee has 3f + 1 distinct operators in order, got {self.operators}",
            )
        object.__setattr__(self, "f", faulty)
        object.__setattr__(self, "quorum", 2 * faulty + 1)
        object.__setattr__(self, "partial_quorum", faulty + 1)
        object.__setattr__(self, "members", frozenset(self.operators))

    @classmethod
    def of(cls, operators: Iterable[int]) -> Self:
        """From ids in any order.

        Raises:
            ProtocolFault: not 3f + 1 distinct ids.
        """
        return cls(tuple(OperatorId(operator) for operator in sorted(operators)))

    def __contains__(self, operator: int) -> bool:
        return operator in self.members

    def __len__(self) -> int:
        return len(self.operators)
