"""Places: co-operators always have one, strangers what is left, and few are let go at a time."""

from __future__ import annotations

from operator_node.p2p.addresses import AddressLimits
from operator_node.p2p.crowd import (
    AVOIDED_SECONDS,
    PEERS_AT_MOST,
    TRIM_SECONDS,
    TRIMMED_AT_ONCE,
    Crowd,
    Worth,
)
from operator_node.p2p.scoring import Fault, PeerId, Standing
from tests.unit.operator_node.p2p.builders import peer_of

OPERATOR, TRUSTED, STRANGER = peer_of(1), peer_of(2), peer_of(3)
OTHERS = [peer_of(number) for number in range(100, 300)]


class Scene:
    """A crowd with a clock that stands still."""

    def __init__(self, base: int = 60) -> None:
        self.now = 0.0
        self.standing = Standing([TRUSTED])
        self.addresses = AddressLimits()
        self.crowd = Crowd(
            standing=self.standing,
            addresses=self.addresses,
            trusted=[TRUSTED],
            base=base,
            now=lambda: self.now,
        )
        self.crowd.keep(frozenset({OPERATOR}))

    def fill(self, count: int) -> None:
        self.crowd.connected = frozenset(OTHERS[:count])


def worth(
    peer: PeerId,
    *,
    firsts: int = 0,
    alone: tuple[int, int, int] = (0, 0, 0),
    score: float = 0.0,
    latency: float | None = None,
) -> Worth:
    return Worth(peer, firsts, alone, score, latency)


def test_places_grow_with_subnets_up_to_the_networks_bound() -> None:
    crowd = Scene().crowd
    assert crowd.target() == 60
    crowd.topics = 10
    assert crowd.target() == 90
    crowd.topics = 128
    assert crowd.target() == PEERS_AT_MOST == 150


def test_at_most_half_of_the_places_go_to_strangers_that_dialled() -> None:
    crowd = Scene().crowd
    assert crowd.keeps(STRANGER, inbound=29)
    assert not crowd.keeps(STRANGER, inbound=30)
    assert crowd.turned_away == 1


def test_co_operators_and_trusted_peers_always_have_a_place() -> None:
    scene = Scene()
    scene.fill(150)
    assert scene.crowd.keeps(OPERATOR, inbound=150)
    assert scene.crowd.keeps(TRUSTED, inbound=150)
    assert not scene.crowd.keeps(STRANGER, inbound=0)


def test_a_peer_that_is_connected_may_replace_its_connection() -> None:
    scene = Scene()
    scene.fill(60)
    assert scene.crowd.keeps(OTHERS[0], inbound=60)


def test_room_is_kept_for_co_operators_that_are_missing_but_not_all() -> None:
    scene = Scene()
    scene.crowd.missing = 12
    scene.fill(47)
    assert scene.crowd.keeps(STRANGER, inbound=0)
    scene.fill(48)
    assert not scene.crowd.keeps(STRANGER, inbound=0)
    scene.crowd.missing = 500
    assert scene.crowd.for_strangers() == 30


def test_refused_peers_are_let_in_by_nobody() -> None:
    scene = Scene()
    for peer in (OPERATOR, TRUSTED):
        for _ in range(3):
            scene.standing.blame(peer, Fault.BROKEN_FRAME)
    assert not scene.crowd.keeps(OPERATOR, inbound=0)
    assert scene.crowd.keeps(TRUSTED, inbound=0)


def test_few_are_let_go_at_once_and_the_next_later() -> None:
    scene = Scene()
    scene.fill(80)
    assert scene.crowd.surplus() == TRIMMED_AT_ONCE == 5
    scene.crowd.let_go(map(worth, scene.crowd.connected), 3)
    assert scene.crowd.surplus() == 2
    scene.crowd.let_go(map(worth, scene.crowd.connected), 2)
    assert scene.crowd.surplus() == 0
    scene.now = TRIM_SECONDS + 1
    assert scene.crowd.surplus() == 5
    scene.fill(61)
    assert scene.crowd.surplus() == 1
    scene.fill(60)
    assert scene.crowd.surplus() == 0


def test_whom_meshes_miss_least_is_let_go_first_and_co_operators_never() -> None:
    crowd = Scene().crowd
    a, b, c, d, e, f = OTHERS[:6]
    worths = [
        worth(OPERATOR, score=-9),
        worth(a, firsts=1),
        worth(b, alone=(1, 0, 0)),
        worth(c, alone=(0, 5, 5)),
        worth(d, latency=0.01),
        worth(e, latency=0.2),
        worth(f, score=-1),
    ]
    assert crowd.let_go(worths, 4) == [f, e, d, c]
    assert crowd.let_go(worths, 99) == [f, e, d, c, b, a]


def test_who_was_let_go_is_avoided_for_minutes_unless_it_is_a_co_operator() -> None:
    scene = Scene()
    scene.crowd.let_go([worth(STRANGER)], 1)
    assert scene.crowd.avoids(STRANGER)
    assert not scene.crowd.keeps(STRANGER, inbound=0)
    scene.crowd.keep(frozenset({STRANGER}))
    assert not scene.crowd.avoids(STRANGER)
    scene.crowd.keep(frozenset())
    scene.now = AVOIDED_SECONDS
    assert not scene.crowd.avoids(STRANGER)


def test_a_refused_peer_is_held_against_the_address_that_it_came_from() -> None:
    scene = Scene()
    scene.crowd.blame(None)
    assert scene.crowd.admits("192.0.2.1")
    scene.crowd.blame("192.0.2.1")
    assert not scene.crowd.admits("192.0.2.1")
