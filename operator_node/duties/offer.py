"""This node's own value for an aggregator committee: who was chosen, and what they publish.

Pure. Each object is fetched once, however many validators publish it. Who has no object in the end,
because no beacon node had one, is left out of the value.

Source: docs/protocol.md, "Duties" (aggregator committee).
"""

from __future__ import annotations

from collections.abc import Iterable

from operator_node.duties.aggregation import Selection
from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    AggregateQuery,
    Answer,
    BeaconObject,
    Command,
    ContributionQuery,
    Fetch,
    Query,
    Unavailable,
)
from operator_node.spec.operations import attestation_shape, contribution_shape
from operator_node.spec.presets import Preset
from operator_node.spec.ssz import MalformedSsz, check
from operator_node.wire.values import AggregatorCommitteeValue, Assigned
from sdk.types import Signature


class Offer:
    """Selected validators, and the beacon nodes' answers as they come."""

    def __init__(
        self, chosen: Iterable[tuple[Selection, Signature]], *, version: int, preset: Preset
    ) -> None:
        """Nothing fetched yet.

        Args:
            chosen: selections with their proofs, in the order of the value; at least one.
            version: fork of the slot.
            preset: of the chain.
        """
        self._chosen = tuple(chosen)
        self._version = version
        self._preset = preset
        self._answers: dict[Query, Answer] = {}
        self._query_of: dict[tuple[bool, int], Query] = {}
        for selection, proof in self._chosen:
            self._query_of.setdefault(_key(selection), _query(selection, proof))

    def fetches(self) -> list[Command]:
        """One per committee index and one per subnet."""
        return [Fetch(query) for query in self._query_of.values()]

    def provide(self, query: Query, answer: Answer) -> Answer:
        """Takes an answer to one of `fetches`.

        Returns:
            The answer, or `Unavailable` in place of an object that is not what was asked for.
        """
        usable = self._answers[query] = self._usable(query, answer)
        return usable

    @property
    def is_complete(self) -> bool:
        """Whether every fetch was answered, well or not."""
        return all(query in self._answers for query in self._query_of.values())

    def value(self) -> AggregatorCommitteeValue | None:
        """The value of everybody whose object came; None if nobody's did."""
        aggregators: list[Assigned] = []
        contributors: list[Assigned] = []
        aggregates: dict[int, bytes] = {}
        contributions: dict[int, bytes] = {}
        for selection, proof in self._chosen:
            answer = self._answers.get(self._query_of[_key(selection)])
            if not isinstance(answer, BeaconObject):
                continue
            assigned = Assigned(selection.duty.validator_index, proof, selection.place)
            if selection.is_aggregator:
                aggregators.append(assigned)
                aggregates[selection.place] = answer.data
            else:
                contributors.append(assigned)
                contributions[selection.place] = answer.data
        if not aggregators and not contributors:
            return None
        return AggregatorCommitteeValue(
            self._version,
            tuple(aggregators),
            tuple(aggregates),
            tuple(aggregates.values()),
            tuple(contributors),
            tuple(contributions.values()),
        )

    def _usable(self, query: Query, answer: Answer) -> Answer:
        match query, answer:
            case AggregateQuery(), BeaconObject(data=data):
                shape = attestation_shape(self._version, self._preset)
            case ContributionQuery(), BeaconObject(data=data):
                shape = contribution_shape(self._preset)
            case _:
                return answer
        try:
            check(shape, data)
        except MalformedSsz as problem:
            return Unavailable(Reason.BN_DOWN, f"unusable answer: {problem.message}")
        return answer


def _key(selection: Selection) -> tuple[bool, int]:
    return selection.is_aggregator, selection.place


def _query(selection: Selection, proof: Signature) -> Query:
    duty, place = selection.duty, selection.place
    if selection.is_aggregator:
        return AggregateQuery(duty.slot, place, duty.validator_index, proof)
    return ContributionQuery(duty.slot, place, proof)
