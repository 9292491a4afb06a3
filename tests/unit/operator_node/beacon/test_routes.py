"""Each node is asked by the newest route that it has."""

from __future__ import annotations

import pytest
import trio

from operator_node.beacon.routes import KnownRoutes, Purpose, Route, graffiti_text
from operator_node.beacon.trouble import NodeTrouble, Trouble

V1, V2 = "/eth/v1/beacon/pool/attestations", "/eth/v2/beacon/pool/attestations"
CAPELLA, ELECTRA = 4, 6


class Server:
    """Has some paths, and counts what it is asked."""

    def __init__(self, *paths: str, trouble: Trouble = Trouble.NO_ROUTE) -> None:
        self.paths, self.trouble = set(paths), trouble
        self.asked: list[str] = []

    async def ask(self, route: Route) -> str:
        self.asked.append(route.path)
        if route.path not in self.paths:
            raise NodeTrouble("node", self.trouble, route.path)
        return route.path


def first(server: Server, known: KnownRoutes, version: int) -> str:
    async def main() -> str:
        return await known.first_served(Purpose.SEND_ATTESTATIONS, version, server.ask)

    return trio.run(main)


def test_the_newest_is_asked_first() -> None:
    server = Server(V1, V2)
    assert first(server, KnownRoutes(), CAPELLA) == V2
    assert server.asked == [V2]


def test_an_older_one_is_found_and_remembered() -> None:
    server, known = Server(V1), KnownRoutes()
    assert [first(server, known, CAPELLA) for _ in range(3)] == [V1] * 3
    assert server.asked == [V2, V1, V1, V1]


def test_a_node_that_comes_back_is_asked_anew() -> None:
    server, known = Server(V1), KnownRoutes()
    first(server, known, CAPELLA)
    known.forget()
    server.paths.add(V2)
    assert first(server, known, CAPELLA) == V2


def test_the_older_route_never_gets_objects_that_it_does_not_know() -> None:
    server = Server(V1)
    with pytest.raises(NodeTrouble):
        first(server, KnownRoutes(), ELECTRA)
    assert server.asked == [V2]


def test_a_fork_moves_on_to_the_newer_route() -> None:
    server, known = Server(V1, V2), KnownRoutes()
    server.paths.discard(V2)
    first(server, known, CAPELLA)
    server.paths.add(V2)
    assert first(server, known, ELECTRA) == V2


def test_a_fork_that_is_not_known_is_trouble() -> None:
    server = Server(V1, V2)
    with pytest.raises(NodeTrouble) as caught:
        first(server, KnownRoutes(), 8)
    assert "update this program" in caught.value.text
    assert server.asked == []


def test_other_trouble_ends_the_search() -> None:
    server = Server(V1, trouble=Trouble.REFUSED)
    with pytest.raises(NodeTrouble) as caught:
        first(server, KnownRoutes(), CAPELLA)
    assert caught.value.trouble is Trouble.REFUSED
    assert server.asked == [V2]


def test_nothing_is_remembered_of_a_node_that_has_no_route() -> None:
    server, known = Server(), KnownRoutes()
    with pytest.raises(NodeTrouble):
        first(server, known, CAPELLA)
    server.paths.add(V2)
    assert first(server, known, CAPELLA) == V2


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("", "0x" + b"phalanx".ljust(32, b"\0").hex()),
        ("Lodestar/v1.41.0/1234", "0x" + b"phalanx".ljust(32, b"\0").hex()),
        ("Lodestar/v1.5.1/2115aa7", "phalanx"),
    ],
)
def test_graffiti_is_written_as_the_client_reads_it(client: str, expected: str) -> None:
    assert graffiti_text(b"phalanx".ljust(32, b"\0"), client) == expected
