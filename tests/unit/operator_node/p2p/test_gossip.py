"""The end of a node's libp2p part: its peers see it go, and its port is free. Real sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
from multiaddr import Multiaddr  # type: ignore[import-untyped]

from operator_node.p2p.gossip import Gossip
from operator_node.p2p.intake import Intake
from operator_node.p2p.scoring import PeerId, Standing
from operator_node.p2p.upstream.host import is_free
from operator_node.validation.verdict import Verdict
from tests.p2p.nodes import TOPICS, accept, free_port, until
from tests.unit.operator_node.p2p.upstream.hosts import identity

if TYPE_CHECKING:
    from trio_typing import TaskStatus

pytestmark = [pytest.mark.usefixtures("swept"), pytest.mark.slow]


class PlantedError(Exception):
    """Something inside a node fails."""


def gossip(number: int) -> Gossip:
    def judge(data: bytes, _topic: str, _peer: PeerId) -> Verdict:
        return accept(data)

    standing = Standing()
    return Gossip(identity(number), Intake(judge, standing), standing, TOPICS)


async def listen(one: Gossip, task_status: TaskStatus[str]) -> None:
    place = f"/ip4/127.0.0.1/tcp/{free_port()}"
    async with one.listening([place]):
        task_status.started(place)
        await trio.sleep_forever()


@pytest.mark.parametrize("is_failure", [False, True])
def test_a_node_that_ends_closes_its_connections_and_frees_its_port(is_failure: bool) -> None:
    ending, staying = gossip(1), [gossip(number) for number in (2, 3, 4)]
    names = [identity(number).peer for number in (2, 3, 4)]
    own_place = f"/ip4/127.0.0.1/tcp/{free_port()}"

    async def live(places: list[str], scope: trio.CancelScope) -> None:
        async with ending.listening([own_place]):
            for name, place in zip(names, places, strict=True):
                assert await ending.dialer.dial(name, [place])
            await until(lambda: all(each.dialer.connected() for each in staying))
            if is_failure:
                raise PlantedError
            scope.cancel()
            await trio.sleep_forever()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            places = [await nursery.start(listen, each) for each in staying]
            try:
                with trio.CancelScope() as scope:
                    await live(places, scope)
            except* PlantedError:
                assert is_failure
            # `ending` is still referred to, so that no garbage collection closes anything.
            await until(lambda: not any(each.dialer.connected() for each in staying), seconds=1)
            assert ending.dialer.connected() == frozenset()
            assert is_free(Multiaddr(own_place))
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_a_node_that_is_cancelled_while_it_starts_ends() -> None:
    async def main() -> bool:
        with trio.move_on_after(5) as patience:
            with trio.CancelScope() as scope:
                scope.cancel()
                async with gossip(1).listening([f"/ip4/127.0.0.1/tcp/{free_port()}"]):
                    pass
        return patience.cancelled_caught

    assert not trio.run(main)
