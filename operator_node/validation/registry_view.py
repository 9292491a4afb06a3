"""What validation asks about operators, committees, validators and their duties.

Pure. The answers come from the registry's and the beacon chain's state as this node sees it now;
a `RegistryView` answers from memory, at once, for every committee of the network, not just the
own ones: all subscribers of a subnet validate everything on it.

Source: docs/protocol.md, "Gossip validation".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, Self

from operator_node.wire.committee import Committee
from operator_node.wire.generations import BOOLE, Generation
from operator_node.wire.ids import alan_subnet, boole_subnet, committee_id
from sdk.types import Epoch, OperatorId, PublicKey, Slot


@dataclass(frozen=True, slots=True)
class KnownCommittee:
    """A committee with what its messages are measured against. Make it once, with `of`.

    Attributes:
        validators: beacon chain indices of those that it runs.
        alan_subnet: 0 to 127.
        boole_subnet: 0 to 127.
    """

    members: Committee
    validators: frozenset[int]
    alan_subnet: int
    boole_subnet: int

    @classmethod
    def of(cls, operators: Iterable[int], validators: Iterable[int]) -> Self:
        """From operator ids and validator indices in any order.

        Raises:
            ProtocolFault: not 3f + 1 distinct operators.
        """
        members = Committee.of(operators)
        return cls(
            members,
            frozenset(validators),
            alan_subnet(committee_id(members.operators)),
            boole_subnet(members.operators),
        )

    def subnet(self, generation: Generation) -> int:
        """Where the committee's messages of a generation travel."""
        return self.boole_subnet if generation is BOOLE else self.alan_subnet


@dataclass(frozen=True, slots=True)
class KnownValidator:
    """A registered validator.

    Attributes:
        index: on the beacon chain; None as long as it is not known there.
        liquidated: whether its cluster is.
        attesting: whether the beacon chain expects attestations of it now.
    """

    index: int | None
    committee: KnownCommittee
    liquidated: bool = False
    attesting: bool = True


class RegistryView(Protocol):
    """Answers in memory; every method is on the path of each message."""

    def has_operator(self, operator: OperatorId, /) -> bool:
        """Whether the operator is registered now."""

    def committee(self, committee_id: bytes, /) -> KnownCommittee | None:
        """The committee of that id, None if no cluster has it."""

    def validator(self, key: PublicKey, /) -> KnownValidator | None:
        """The validator of that key, None if it is not registered."""

    def proposers_known(self, epoch: Epoch, /) -> bool:
        """Whether the epoch's proposer duties were fetched."""

    def has_proposal(self, index: int, slot: Slot, /) -> bool:
        """Whether the validator is known to propose in the slot."""

    def in_sync_committee(self, index: int, epoch: Epoch, /) -> bool:
        """Whether the validator is known to sit in the sync committee of the epoch."""

    def exit_requests(self, key: PublicKey, slot: Slot, /) -> int:
        """Number of exit events seen for the validator whose duty has that slot."""
