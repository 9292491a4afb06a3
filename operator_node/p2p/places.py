"""Where a peer is: its id and addresses, from a multiaddress that a person entered.

Pure.

Source: libp2p multiaddresses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from multiaddr import Multiaddr  # type: ignore[import-untyped]
from multiaddr.exceptions import Error as MultiaddrError  # type: ignore[import-untyped]

from operator_node.p2p.scoring import PEER_ID_FORM, PeerId
from sdk.errors import ConfigError

ADDRESSES_PER_DIAL: Final = 16
"""Of one peer, by all who say where it is; each can cost a dial of some seconds."""


@dataclass(frozen=True, slots=True)
class Place:
    """A peer and where to dial it; the addresses are without its id."""

    peer: PeerId
    addresses: tuple[str, ...]


def place_of(text: str) -> Place:
    """From a multiaddress that ends with a peer id, such as `/ip4/10.0.0.1/tcp/13001/p2p/16U…`.

    Raises:
        ConfigError: `peer_address_malformed`.
    """
    address, _, peer = text.rpartition("/p2p/")
    try:
        if not address:
            raise ValueError("it does not end with /p2p/ and a peer id")
        if PEER_ID_FORM.fullmatch(peer) is None:
            raise ValueError("its peer id is not base58")
        Multiaddr(text)
        list(Multiaddr(address).protocols())  # some are taken, and cannot be dialled
    except (ValueError, MultiaddrError) as problem:
        raise ConfigError(
            f"peer address {text!r} cannot be used: {problem}",
            code="peer_address_malformed",
            hint="It looks like /ip4/192.0.2.1/tcp/13001/p2p/16Uiu2HAm…",
        ) from problem
    return Place(PeerId(peer), (address,))


def joined(groups: Iterable[Iterable[Place]]) -> dict[PeerId, tuple[str, ...]]:
    """All addresses of each peer, in the order of its first mention.

    Anybody can say that a peer is his and somewhere else, so nobody's word replaces another's.

    Args:
        groups: the most trusted first, whose addresses come before those of the others. Within one
            the first addresses of all places come before the second ones.
    """
    found: dict[PeerId, dict[str, None]] = {}
    for group in groups:
        ranked = [(rank, each) for each in group for rank in range(len(each.addresses))]
        for rank, place in sorted(ranked, key=lambda each: each[0]):
            found.setdefault(place.peer, {})[place.addresses[rank]] = None
    return {peer: tuple(addresses)[:ADDRESSES_PER_DIAL] for peer, addresses in found.items()}


def ip_of(place: Place) -> str | None:
    """The IP address of a place, None if it has a name instead."""
    for address in place.addresses:
        kind, _, rest = address.removeprefix("/").partition("/")
        if kind in ("ip4", "ip6"):
            return rest.partition("/")[0]
    return None
