"""Audit views answer words that are laid out as docs/contracts.md says."""

from __future__ import annotations

import pytest

from sdk.types import keccak256
from tests.contracts import abi
from tests.contracts.pages.player import IDS, STRUCT, UNIT_WEI, Player
from tests.unit.docs import fees_example
from tests.unit.docs.pages import table

RECIPIENT = bytes(range(1, 21))

pytestmark = pytest.mark.toolchain


@pytest.fixture
def player() -> Player:
    """A cluster with a proven balance, and accounts that have earned something."""
    player = Player(fees_example.story())
    player.register()
    player.reach(player.told.proof)
    player.prove()
    player.send(player.owner, "setFeeRecipientAddress", RECIPIENT)
    return player


def fields(word: bytes, heading: str) -> dict[str, int]:
    """Values of a word's fields by the page's layout."""
    number = int.from_bytes(word, "big")
    return {
        name: number >> int(first) & (1 << int(bits)) - 1
        for name, first, bits, _ in table("contracts.md", heading)
    }


def test_operator_words(player: Player) -> None:
    player.send(player.operator, "setOperatorsPrivateUnchecked", (3,))
    words = player.registry.view("getOperatorWords", 1, 99)
    assert len(words) == len(IDS)
    for number, word in zip(IDS, words, strict=True):
        block, fee, index, credit, eth, validators = player.registry.view(
            "getOperatorAccounting", number
        )
        assert fields(word, "Operator word") == {
            "block": block,
            "fee": fee // UNIT_WEI,
            "index": index,
            "credit": credit // UNIT_WEI,
            "EB": eth,
            "validators": validators,
            "private": int(number == 3),
        }
        assert credit > 0


def test_removed_operator_keeps_index_and_privacy(player: Player) -> None:
    player.send(player.operator, "setOperatorsPrivateUnchecked", (1,))
    before = fields(player.registry.view("getOperatorWords", 1, 1)[0], "Operator word")
    player.send(player.operator, "removeOperator", 1)
    after = fields(player.registry.view("getOperatorWords", 1, 1)[0], "Operator word")
    kept = {"index": before["index"], "private": 1}
    assert after == dict.fromkeys(before, 0) | kept


def test_network_word(player: Player) -> None:
    block, fee, index, balance, eth, validators, _ = player.registry.view("getNetworkAccounting")
    assert fields(player.registry.view("getNetworkWord"), "Network word") == {
        "block": block,
        "fee": fee // UNIT_WEI,
        "index": index,
        "balance": balance // UNIT_WEI,
        "EB": eth,
        "validators": validators,
    }


def test_debt_is_the_negative_balance_of_the_network_word(player: Player) -> None:
    player.liquidate(player.told.late_liquidation + player.told.period_blocks)
    debt = player.registry.view("getNetworkAccounting")[6] // UNIT_WEI
    found = fields(player.registry.view("getNetworkWord"), "Network word")["balance"]
    assert debt > 0
    assert found == 2**64 - debt


def test_cluster_word(player: Player) -> None:
    identity = player.registry.view("getClusterId", player.owner, IDS)
    (word,) = player.registry.view("getClusterWords", (identity,))
    commitment = int.from_bytes(keccak256(abi.encode([STRUCT], [player.struct])), "big") >> 64
    eth = player.registry.view("getEffectiveBalance", player.owner, IDS, player.struct)
    expected = {"sequence": 1, "EB": eth, "commitment": commitment}
    assert fields(word, "Cluster word") == expected


def test_validator_record(player: Player) -> None:
    names = [name for name, *_ in table("contracts.md", "Validator word")]
    record = player.registry.view("getValidatorRecord", player.owner, player.keys[0])
    expected = {"sequence": 1, "EB": player.told.proven_eth, "slot": 1}
    assert dict(zip(names, record[1:], strict=True)) == expected


def test_owner_word(player: Player) -> None:
    (word,) = player.registry.view("getOwnerWords", (player.owner,))
    assert fields(word, "Owner word") == {
        "nonce": player.told.validators,
        "recipient": int.from_bytes(RECIPIENT, "big"),
    }


def test_counters(player: Player) -> None:
    counters = player.registry.view("getRegistryCounters")
    assert counters == (len(IDS), 1, player.told.validators, player.chain.block)
