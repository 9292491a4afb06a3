"""Keeping in touch: what somebody else says of where a co-operator is does not lead dials away."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from operator_node.p2p.addresses import AddressLimits
from operator_node.p2p.book import AddressBook
from operator_node.p2p.crowd import Crowd
from operator_node.p2p.intake import Intake
from operator_node.p2p.liveness import Liveness
from operator_node.p2p.origins import Origins
from operator_node.p2p.records import sign_record
from operator_node.p2p.redial import Redial
from operator_node.p2p.scoring import PeerId, Standing
from operator_node.p2p.touch import Memory, Touch
from operator_node.validation.verdict import Verdict
from sdk.testing.keys import operator_key
from sdk.types import OperatorId
from tests.p2p.nodes import accept
from tests.unit.operator_node.p2p.builders import DOMAIN, NOW_MS, key_of, peer_of, record

RIGHT, WRONG = "/ip4/192.0.2.1/tcp/13001", "/ip4/198.51.100.1/tcp/1"


def judge(data: bytes, _topic: str, _peer: PeerId) -> Verdict:
    return accept(data)


def memory() -> Memory:
    standing, me = Standing(), peer_of(100)
    return Memory(
        me=me,
        bootstrap=(),
        trusted=(),
        book=AddressBook(domain=DOMAIN, key_of=key_of, path=None),
        standing=standing,
        intake=Intake(judge, standing),
        crowd=Crowd(
            standing=standing, addresses=AddressLimits(), trusted=[], base=60, now=trio.current_time
        ),
        redial=Redial(me),
        origins=Origins(),
        liveness=Liveness(),
        may_trim=lambda: True,
    )


@pytest.mark.parametrize("wanted", [frozenset({2}), frozenset({1, 2}), frozenset({2, 3})])
def test_a_co_operator_is_dialled_where_it_says_whoever_else_claims_its_peer(
    wanted: frozenset[OperatorId],
) -> None:
    remembered, dialled = memory(), dict[PeerId, tuple[str, ...]]()
    for operator in (1, 2, 3):
        where = (RIGHT,) if operator == 2 else (WRONG,)
        honest = record(operator, addresses=where).record
        said = replace(honest, peer=peer_of(2))
        signed = sign_record(said, operator_key(operator).sign)
        assert remembered.book.offer(signed, now_ms=NOW_MS) is None

    async def dial(peer: PeerId, addresses: tuple[str, ...]) -> bool:
        dialled[peer] = addresses
        await trio.sleep_forever()
        return False

    dialer = SimpleNamespace(connected=frozenset[PeerId], dial=dial, came_from=lambda _peer: None)
    gossip: Any = SimpleNamespace(dialer=dialer)
    streams: Any = SimpleNamespace(keep=lambda _peers: None)
    unused: Any = None

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            touch = Touch(remembered, gossip, streams, unused, unused, nursery)
            touch.want(wanted)
            with trio.move_on_after(2):
                await touch.run()
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    addresses = dialled[peer_of(2)]
    assert set(addresses) == {RIGHT, WRONG}
    assert addresses[0] == RIGHT or 1 in wanted
