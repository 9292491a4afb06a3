"""Who is first to bring what an operator signed is taken for his node."""

from __future__ import annotations

from operator_node.p2p.origins import KNOWN_FROM, MOST, Origins
from sdk.types import OperatorId
from tests.unit.operator_node.p2p.builders import peer_of

NODE, RELAY = peer_of(1), peer_of(2)
OPERATOR = OperatorId(7)


def noted(*peers: tuple[str, int]) -> Origins:
    origins = Origins()
    for name, count in peers:
        for _ in range(count):
            origins.note(OPERATOR, NODE if name == "node" else RELAY)
    return origins


def test_a_few_messages_prove_nothing() -> None:
    assert noted(("node", KNOWN_FROM - 1)).peers() == frozenset()
    assert noted(("node", KNOWN_FROM)).peers() == {NODE}


def test_a_relay_that_is_first_now_and_then_changes_nothing() -> None:
    origins = noted(*[("node", 5), ("relay", 2)] * 10)
    assert origins.peers() == {NODE}
    assert origins.lead(RELAY) == 0


def test_an_operator_that_moves_is_found_again() -> None:
    origins = noted(("node", 10_000), ("relay", MOST + KNOWN_FROM - 1))
    assert origins.peers() == {RELAY}


def test_operators_that_are_not_wanted_any_more_are_forgotten() -> None:
    origins = noted(("node", 20))
    origins.keep({OperatorId(8)})
    assert origins.peers() == frozenset()
