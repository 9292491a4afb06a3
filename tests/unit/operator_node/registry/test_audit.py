"""What was read against the contract's audit views: vouched for, found wanting, mended."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from operator_node.registry import Joined, Left, Registry
from operator_node.registry.audit_views import (
    REGISTRY,
    Kind,
    Subject,
    calls_of,
    operator_subject,
    words_in,
)
from sdk.events.types import FeeRecipientAddressUpdated
from sdk.testing import builders
from sdk.types import OperatorId
from tests.unit.operator_node.registry.contract import views
from tests.unit.operator_node.registry.world import (
    OWNER,
    Follow,
    encoded,
    operators,
    registered,
    until,
    validator_key,
)
from tests.unit.sdk.chain.pretend_node import Node

TWO = {validator_key(1), validator_key(2)}


@pytest.fixture
def node() -> Node:
    """A chain with audit views, four operators and two validators, deep in history."""
    node = Node()
    node.mine(3)
    node.mine(events=encoded(*operators()))
    node.mine(events=encoded(registered(1, 0)))
    node.mine(events=encoded(registered(2, 1)))
    node.mine(300)
    node.rule = views(node)
    return node


@pytest.fixture
def follow(node: Node, tmp_path: Path) -> Follow:
    return Follow(node, tmp_path / "registry.sqlite")


def hiding(node: Node, *blocks: int) -> Any:
    """Ranges without the logs of these blocks; everything else is true."""
    honest = views(node)
    hidden = {hex(each) for each in blocks}

    def rule(call: dict[str, Any]) -> Any:
        if call["method"] == "eth_getLogs" and "fromBlock" in call["params"][0]:
            found = node._result(call["method"], call["params"])
            return [each for each in found if each["blockNumber"] not in hidden]
        return honest(call)

    return rule


def test_a_round_without_a_difference_vouches(follow: Follow, node: Node) -> None:
    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        await until(lambda: registry.status().audit.verified == 305)
        node.mine(events=encoded(FeeRecipientAddressUpdated(OWNER, builders.address(7))))
        node.mine(2)
        await follow.caught_up(registry)
        await until(lambda: registry.status().audit.verified == 308)
        assert registry.status().audit.differences == ()
        assert registry.status().counts["differences"] == 0

    follow.run(check)


def test_what_a_lone_node_hides_is_found_and_mended_once_it_shows_it(
    follow: Follow, node: Node
) -> None:
    node.rule = hiding(node, 5)

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert set(registry.own()) == {validator_key(1)}
        await until(lambda: len(registry.status().audit.differences) > 0)
        status = registry.status()
        assert status.audit.verified is None
        assert "counters" in {each.subject for each in status.audit.differences}
        follow.admitted.clear()
        node.rule = views(node)
        await until(lambda: set(registry.own()) == TWO)
        await until(lambda: registry.status().audit.differences == ())
        await until(lambda: registry.status().audit.verified is not None)
        counts = registry.status().counts
        assert counts["mended"] == counts["differences"] > 0

    follow.run(check)
    # Only the one that was missing begins: the other one never stopped.
    assert follow.admitted == [validator_key(2)]
    joined = [each.assignment.validator_key for each in follow.changes if isinstance(each, Joined)]
    assert joined == [validator_key(1), validator_key(2)]
    assert not [each for each in follow.changes if isinstance(each, Left)]


def test_a_second_reading_that_finds_nothing_is_not_put_in_use(
    follow: Follow, node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    node.rule = hiding(node, 5)

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        await until(lambda: "a second reading has not found" in caplog.text)
        assert set(registry.own()) == {validator_key(1)}
        assert not follow.path.with_name(follow.path.name + ".new").exists()

    follow.run(check)


def test_a_node_that_stands_alone_is_not_believed(
    follow: Follow, node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    liar = deepcopy(node)
    false = views(node)
    fewer = Node(blocks=deepcopy(node.blocks[:5]))

    def rule(call: dict[str, Any]) -> Any:
        if call["method"] != "eth_call":
            return None
        lie = deepcopy(call)
        lie["params"][1]["blockHash"] = fewer.blocks[-1]["hash"]
        return false(lie)

    liar.rule = rule
    node.rule = views(node)
    foreign = Node(chain_id=1)
    follow.node, follow.others = liar, [foreign, node]

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        await until(lambda: "is wrong about" in caplog.text)
        assert registry.status().audit.differences == ()
        assert set(registry.own()) == TWO

    follow.run(check)


def test_a_contract_without_audit_views_is_told(follow: Follow, node: Node) -> None:
    def rule(call: dict[str, Any]) -> Any:
        return "0x" if call["method"] == "eth_call" else None

    node.rule = rule

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        await until(lambda: registry.status().audit.missing != "")
        assert registry.status().audit.verified is None
        assert set(registry.own()) == TWO

    follow.run(check)


def test_pruned_history_is_told_with_the_setting_and_read_again_when_it_is_there(
    tmp_path: Path,
) -> None:
    """Without audit views: ids that the contract cannot have left out are missing."""
    node = Node()
    node.mine(events=encoded(*operators(1, 2, 3)))
    node.mine(events=encoded(*operators(4)))
    node.mine(events=encoded(registered(1, 0)))
    node.mine(300)
    honest = views(node)
    node.rule = hiding(node, 0)
    with_views = node.rule
    follow = Follow(node, tmp_path / "registry.sqlite", me=4)

    def rule(call: dict[str, Any]) -> Any:
        return "0x" if call["method"] == "eth_call" else with_views(call)

    node.rule = rule

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        await until(lambda: registry.status().audit.operators_missing == 3)
        assert "--history.logs 0" in registry.status().problem
        node.rule = honest
        await until(lambda: registry.status().audit.operators_missing == 0)
        await until(lambda: set(registry.own()) == {validator_key(1)})

    follow.run(check)


def test_calls_are_of_one_kind_each_and_operators_without_gaps() -> None:
    ids = [operator_subject(OperatorId(each)) for each in (1, 2, 4)]
    clusters = [Subject(Kind.CLUSTER, bytes([each]) * 32) for each in range(201)]
    groups = [group for _, group in calls_of([*REGISTRY, *ids, *clusters])]
    assert [len(each) for each in groups] == [1, 1, 2, 1, 200, 1]


@pytest.mark.parametrize("answer", [b"", b"\0" * 31, b"\0" * 64, (32).to_bytes(32, "big") * 2])
def test_an_answer_that_is_none_is_refused(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"words|list"):
        words_in(answer, [Subject(Kind.OWNER, b"\1" * 20), Subject(Kind.OWNER, b"\2" * 20)])


def test_operators_that_the_contract_does_not_know_have_empty_words() -> None:
    answer = (32).to_bytes(32, "big") + (1).to_bytes(32, "big") + b"\5" * 32
    ids = [operator_subject(OperatorId(each)) for each in (1, 2)]
    assert words_in(answer, ids) == [b"\5" * 32, bytes(32)]
