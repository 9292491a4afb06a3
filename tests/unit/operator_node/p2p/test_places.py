"""Peers that a person enters: multiaddresses that end with a peer id."""

from __future__ import annotations

import pytest

from operator_node.p2p.places import Place, place_of
from sdk.errors import ConfigError
from tests.unit.operator_node.p2p.builders import peer_of

PEER = peer_of(1)


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
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        place_of(text)
    assert caught.value.code == "peer_address_malformed"
