"""Nodes that hide logs, change them or contradict themselves: noticed, never final, mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from sdk.events import decode
from tests.client.world import World
from tests.indexer.conftest import EPOCH_BLOCKS
from tests.indexer.faulty import Fault, Node, Refuse, faulty, honest, is_block, is_range
from tests.indexer.supervised import Supervised, hurry, unsampled

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]


@pytest.fixture
def node(old_world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    """The chain's node, with a fault to be chosen."""
    hurry(monkeypatch)
    with faulty(old_world.url) as made:
        yield made


def event_places(world: World) -> dict[tuple[str, int], tuple[str, str]]:
    """Block and place of every log of history, by name and how many of that name came before."""
    found = world.rpc("eth_getLogs", {"address": world.deployed.registry, "fromBlock": "0x0"})
    seen: Counter[str] = Counter()
    places = {}
    for each in found:
        event = decode([_bytes(topic) for topic in each["topics"]], _bytes(each["data"]))
        name = type(event).__name__
        places[name, seen[name]] = (each["blockNumber"], each["logIndex"])
        seen[name] += 1
    return places


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def hiding(*places: tuple[str, str]) -> Fault:
    """Leaves logs out of every range."""

    def fault(call: dict[str, Any], result: Any) -> Any:
        if not is_range(call):
            return result
        return [each for each in result if (each["blockNumber"], each["logIndex"]) not in places]

    return fault


def never_a_range(call: dict[str, Any], result: Any) -> Any:
    """Finds nothing in its index."""
    return [] if is_range(call) else result


HIDDEN: dict[str, tuple[str, int]] = {
    "a registration": ("ValidatorAdded", 1),
    "a deposit, followed by a withdrawal": ("ClusterDeposited", 0),
    "a recipient": ("FeeRecipientAddressUpdated", 0),
}


@pytest.mark.parametrize("hidden", [*HIDDEN, "a block", "everything"])
def test_logs_hidden_from_ranges_are_found_by_the_audit_and_read(
    old_world: World,
    url: str,
    server: str,
    node: Node,
    hidden: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unsampled(monkeypatch)
    places = event_places(old_world)
    if hidden == "everything":
        node.fault = never_a_range
    elif hidden == "a block":
        blocks = Counter(block for block, _ in places.values())
        crowded = blocks.most_common(1)[0][0]
        node.fault = hiding(*[each for each in places.values() if each[0] == crowded])
    else:
        node.fault = hiding(places[HIDDEN[hidden]])
    supervised = Supervised(old_world, url, [node.url])
    supervised.run(Supervised.whole)
    # What was read at first was thrown away.
    assert supervised.ask("SELECT count(*) FROM reorg") >= 1
    supervised.check_rows(server)


def test_history_that_is_proven_needs_no_repair(
    old_world: World, url: str, server: str, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even for logs that leave no trace in what the contract's views tell."""
    unsampled(monkeypatch)
    places = event_places(old_world)
    node.fault = hiding(*list(places.values())[::2], places["ValidatorExited", 0])
    supervised = Supervised(old_world, url, [node.url], proves_history=True)
    supervised.run(Supervised.whole)
    assert supervised.ask("SELECT count(*) FROM reorg") == 0
    supervised.check_rows(server)


@pytest.mark.parametrize("hidden", ["one", "all"])
def test_logs_hidden_near_the_head_are_taken_from_the_receipts(
    old_world: World, url: str, server: str, node: Node, hidden: str
) -> None:
    def fault(call: dict[str, Any], result: Any) -> Any:
        return (result[:-1] if hidden == "one" else []) if is_block(call) else result

    async def check(supervised: Supervised) -> None:
        await supervised.whole()
        node.fault = fault
        old_world.register(5, 6)
        old_world.mine(3 * EPOCH_BLOCKS)
        await supervised.whole()

    supervised = Supervised(old_world, url, [node.url])
    supervised.run(check)
    # Corrected before they were written: nothing was ever read again.
    assert supervised.ask("SELECT count(*) FROM reorg") == 0
    supervised.check_rows(server)


def test_a_node_that_also_hides_them_from_the_receipts_is_not_believed(
    old_world: World, url: str, server: str, node: Node
) -> None:
    def fault(call: dict[str, Any], result: Any) -> Any:
        if is_block(call):
            return []
        if call["method"] == "eth_getBlockReceipts" and result:
            return [each | {"logs": []} for each in result]
        return result

    async def check(supervised: Supervised) -> None:
        await supervised.whole()
        before = old_world.w3.eth.block_number
        node.fault = fault
        old_world.register(5)
        old_world.mine(3 * EPOCH_BLOCKS)
        await supervised.asked(node, "eth_getBlockReceipts")
        assert supervised.ask("SELECT number FROM cursor") == before
        node.fault = honest
        await supervised.whole()

    supervised = Supervised(old_world, url, [node.url])
    supervised.run(check)
    supervised.check_rows(server)


def test_without_receipts_what_is_missing_is_said_until_it_can_be_proven(
    old_world: World, url: str, server: str, node: Node
) -> None:
    def fault(call: dict[str, Any], result: Any) -> Any:
        if call["method"] == "eth_getBlockReceipts":
            raise Refuse("the method eth_getBlockReceipts does not exist", -32601)
        return [] if is_block(call) else result

    async def check(supervised: Supervised) -> None:
        await supervised.whole()
        node.fault = fault
        old_world.register(5)
        old_world.mine(40)
        await supervised.until("SELECT count(*) > 0 FROM suspect WHERE kind = 'audit'", True)
        await supervised.until("SELECT finalized_number FROM head", None)
        mismatches = "SELECT mismatches > 0 FROM integrity WHERE kind = 'audit' "
        assert supervised.ask(mismatches + "ORDER BY block_number DESC LIMIT 1") is True
        node.fault = honest
        old_world.mine(40)
        await supervised.whole()

    supervised = Supervised(old_world, url, [node.url])
    supervised.run(check)
    assert supervised.ask("SELECT count(*) FROM reorg") >= 1
    supervised.check_rows(server)


def test_a_second_node_shows_what_the_first_hides_before_it_is_written(
    old_world: World, url: str, server: str, node: Node
) -> None:
    node.fault = never_a_range
    supervised = Supervised(old_world, url, [node.url, old_world.url])
    supervised.run(Supervised.whole)
    assert supervised.ask("SELECT count(*) FROM reorg") == 0
    supervised.check_rows(server)


def test_a_node_without_old_state_is_read_again_instead_of_asked(
    old_world: World, url: str, server: str, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsampled(monkeypatch)
    places = event_places(old_world)
    head = old_world.w3.eth.block_number
    lying = True

    def fault(call: dict[str, Any], result: Any) -> Any:
        if call["method"] == "eth_call" and isinstance(call["params"][1], str):
            raise Refuse("missing trie node: state is not available", -32000)
        return hiding(places["ValidatorAdded", 1])(call, result) if lying else result

    async def check(supervised: Supervised) -> None:
        nonlocal lying
        await supervised.until("SELECT count(*) > 0 FROM suspect WHERE kind = 'audit'", True)
        assert supervised.ask("SELECT finalized_number FROM head") is None
        lying = False
        old_world.mine(40)
        await supervised.whole()

    node.fault = fault
    supervised = Supervised(old_world, url, [node.url])
    supervised.run(check)
    assert old_world.w3.eth.block_number == head + 40
    supervised.check_rows(server)
