"""Peers that a person enters: multiaddresses that end with a peer id."""

from __future__ import annotations

import pytest

from operator_node.p2p.places import ADDRESSES_PER_DIAL, Place, joined, place_of
from operator_node.p2p.scoring import PeerId
from sdk.errors import ConfigError
from tests.unit.operator_node.p2p.builders import peer_of

PEER, OTHER = peer_of(1), peer_of(2)


def test_a_place_is_an_address_and_a_peer() -> None:
    assert place_of(f"/ip4/192.0.2.1/tcp/13001/p2p/{PEER}") == Place(
        PEER, ("/ip4/192.0.2.1/tcp/13001",)
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/ip4/192.0.2.1/tcp/13001",
        f"/p2p/{PEER}",
        "/ip4/192.0.2.1/tcp/13001/p2p/",
        "/ip4/192.0.2.1/tcp/13001/p2p/not-base58",
        f"/ip4/999.0.2.1/tcp/13001/p2p/{PEER}",
        f"192.0.2.1:13001/p2p/{PEER}",
        f"/ip6zone/x/ip6/fe80::1/tcp/1/p2p/{PEER}",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        place_of(text)
    assert caught.value.code == "peer_address_malformed"


def at(peer: PeerId, *numbers: int) -> Place:
    return Place(peer, tuple(f"/ip4/192.0.2.{number}/tcp/1" for number in numbers))


def test_nobodys_word_of_where_a_peer_is_replaces_anothers() -> None:
    wanted, others = [at(PEER, 1, 2), at(OTHER, 3), at(PEER, 4, 5)], [at(PEER, 6, 1), at(OTHER, 7)]
    found = joined([wanted, others])
    assert list(found) == [PEER, OTHER]
    assert Place(PEER, found[PEER]) == at(PEER, 1, 4, 2, 5, 6)
    assert Place(OTHER, found[OTHER]) == at(OTHER, 3, 7)


def test_addresses_of_a_peer_are_bounded_and_each_record_has_its_share() -> None:
    false = [at(PEER, *range(10 * number, 10 * number + 8)) for number in range(1, 6)]
    found = joined([[*false, at(PEER, 1)]])
    assert len(found[PEER]) == ADDRESSES_PER_DIAL
    assert found[PEER][5] == at(PEER, 1).addresses[0]
